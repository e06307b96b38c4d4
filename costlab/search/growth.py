"""A search as a run sees it: when all members so far have results, the plan has those that come next."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from statistics import fmean

from costlab.explore.space import Space
from costlab.search.labels import as_target, key_of, label_of
from costlab.search.proposals import TrainedMember, propose
from costlab.search.regime import index_of, near, side_of, space_at
from costlab.search.written import written_in
from costlab.train.arms import count_arm, located
from costlab.train.experiment import SizedArm
from costlab.train.plan import Plan
from costlab.train.prepare import prepare_images
from costlab.train.record import TrialResult
from costlab.train.study import Pair


class Growth:
    """Grows the plan of a search, in a folder that this process has locked. Is a `costlab.train.run.Grow`."""

    def __init__(self, plan: Plan, folder: Path, report: Callable[[str], None]) -> None:
        self._plan, self._folder, self._report = plan, folder, report

    @cached_property
    def space(self) -> Space:
        """The members that the search is among."""
        (record,) = self._plan.spaces
        written = written_in(record)
        written = written._replace(target=located(written.target, self._plan.ablation))
        data = self._plan.data
        return near(space_at(written, data.own_side, data.classes), written, record.within, record.of)

    def __call__(self, plan: Plan, results: Mapping[Pair, TrialResult]) -> Plan | None:
        """The plan with a further generation; None if there are as many members as are to be trained."""
        if plan.search is None:
            return None
        (record,) = plan.spaces
        missing = min(plan.search.sample, record.among) - len(record.drawn)
        if missing <= 0:
            return None
        trained = [self._trained(plan, label, results) for label in record.drawn]
        generation = propose(self.space, plan.search, trained, min(missing, plan.search.first))
        arms, drawn = list(plan.arms), list(record.drawn)
        known = {
            key_of(SizedArm(as_target(made.network), made.side, made.recipe)): label
            for label, made in ((arm.label, plan.network(arm.label)) for arm in plan.arms[: plan.fixed])
        }
        for index in generation.members:
            variant = as_target(self.space.member(index).variant)
            made = SizedArm(variant, side_of(self.space, index))
            label = known.get(key_of(made)) or label_of(made, self.space, known.values())
            if key_of(made) not in known:
                arms.append(count_arm(label, made, plan.data.classes))
            drawn.append(label)
        grown = replace(
            plan,
            arms=tuple(arms),
            spaces=(replace(record, drawn=tuple(drawn)),),
            search=replace(plan.search, refused=plan.search.refused + generation.refused),
        )
        prepare_images(grown, self._folder, self._report)
        grown.save(self._folder)
        return grown

    def _trained(self, plan: Plan, label: str, results: Mapping[Pair, TrialResult]) -> TrainedMember:
        """A member with its multiply-adds and its mean error over the seeds that did not fail."""
        arm = plan.arm(label)
        found = [results[label, seed].top_1 for seed in range(plan.seeds)]
        accuracies = [each for each in found if each is not None]
        values = (float(arm.multiply_adds), 1 - fmean(accuracies)) if accuracies else None
        return TrainedMember(index_of(self.space, arm), values)
