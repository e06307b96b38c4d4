"""Finding what a run with spaces trains: the baseline, what stands beside it, and members drawn at random."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from costlab.errors import CostlabError, DefinitionError, RunError
from costlab.explore.given import exact, share
from costlab.explore.member import Member
from costlab.explore.space import Space
from costlab.messages import named, shortened
from costlab.search.labels import as_target, key_of, label_of, name_of
from costlab.search.regime import near, side_of, space_at
from costlab.search.written import Written
from costlab.targets.catalog import is_listed_ablation
from costlab.targets.find_ablation import find_ablation
from costlab.targets.resolve import find, without_folder
from costlab.targets.target import Variant
from costlab.train import experiments
from costlab.train.arms import count_arm, place_of, with_classes
from costlab.train.experiment import MOST_SIDE, Arm, SizedArm, arm, is_name, of_ablation
from costlab.train.finder import FEW, Found
from costlab.train.record import MOST_MEMBERS
from costlab.train.space_record import SearchRecord, SpaceRecord

GENERATION, GENERATIONS = 8, 4
"""The members of a generation of a search; fewer where there would be fewer generations than that."""


@dataclass(frozen=True)
class Members:
    """Members of spaces to train: an equal part of each, drawn by its exact sampler; or searched for, in one.

    Args:
        spaces: as they were written.
        sample: how many members of each are trained.
        seed: of the draw from the first space; each of the others has the one that follows.
        within: with ``of``, how near the multiply-adds of members are to it, as ``"5%"``.
        of: what they are near to.
        where: conditions that members meet beside those of the spaces.
        beside: experiments whose arms are trained too, sets of the catalog, or targets.
        search: the sampler that proposes members after the first ones, if it is a search.
        report: called with a line for the user.

    Raises:
        DefinitionError: numbers do not go together.
    """

    spaces: tuple[Written, ...]
    sample: int
    seed: int = 0
    within: str = ""
    of: str = ""
    where: tuple[str, ...] = ()
    beside: tuple[str, ...] = ()
    search: str = ""
    report: Callable[[str], None] = lambda _: None

    def __post_init__(self) -> None:
        many = self.sample * len(self.spaces)
        if not self.spaces or self.sample < 1:
            raise DefinitionError(f"--sample {self.sample}: at least one member of one space is trained")
        if many > MOST_MEMBERS:
            raise DefinitionError(f"--sample: {many:,} members are more than a run has, {MOST_MEMBERS:,}")
        if self.search and len(self.spaces) > 1:
            raise DefinitionError("--search goes over one --space")
        if bool(self.within) != bool(self.of):
            raise DefinitionError("--within and --of go together")
        if self.within:
            share("--within", self.within)
            exact("--of", self.of)
        if len({repr(each.as_recorded) for each in self.spaces}) < len(self.spaces):
            raise DefinitionError("--space: the same space is given twice")
        names = [each.name for each in self.spaces]
        for name in names:
            if names.count(name) > 1:
                raise DefinitionError(f"--space: two files are named {named(name)}, by which spaces are told")

    @cached_property
    def networks(self) -> tuple[Variant, ...]:
        """What the targets of the spaces name; code runs once."""
        return tuple(map(_network, self.spaces))

    @property
    def source(self) -> str:
        """The target whose code runs, or that of the first space: what the run is of."""
        targets = [name_of(target) for target in (*(each.target for each in self.spaces), *self.beside)]
        return next((target for target in targets if place_of(target)), targets[0])

    @property
    def name(self) -> str:
        """The name of the run: those of files, or else of the definition."""
        files = dict.fromkeys(each.name for each in self.spaces if each.is_file)
        last = name_of(self.spaces[0].target).rpartition(":")[2]
        what = "search" if self.search else "spaces" if len(self.spaces) > 1 else "space"
        made = "_and_".join(files) or f"{last}_{what}"
        return made if is_name(made) else what

    @property
    def title(self) -> str:
        """The title of the page."""
        names = " and ".join(shortened(each.name) for each in self.spaces)
        return f"A search in the design space {names}" if self.search else f"Members of {names}"

    def check(self, width: float) -> None:
        """Refuse what no images would help: targets, axes, conditions, and what stands beside them."""
        self._spaces(MOST_SIDE, FEW)
        for name in self.beside:
            list(self._beside(name, width, MOST_SIDE))
        place = place_of(self.source)
        for option, target in self._targets():
            if (other := place_of(target)) and other != place:
                raise RunError(f"{option} is of other code than {self.source}: a run has that of one file")

    def find(self, width: float, side: int, classes: int) -> Found:
        """The baseline, what stands beside it, and the members, for these images.

        Raises:
            DefinitionError: a space has no members there, or images would have to be enlarged.
            TargetError, ShapeError, RunError: a network cannot be made or counted.
        """
        spaces = self._spaces(side, classes)
        found = _Arms()
        found.baseline(spaces[0], classes)
        for name in self.beside:
            for label, each in self._beside(name, width, side):
                found.add(label, with_classes(each, classes), name)
        fixed = len(found.arms)
        pairs = enumerate(zip(self.spaces, spaces, strict=True))
        # With one seed, the members of two spaces would be much the same ones, pair by pair.
        records = tuple(self._drawn(written, space, found, self.seed + i) for i, (written, space) in pairs)
        if len(found.arms) < 2:
            raise DefinitionError(
                f"--sample {self.sample}: {named(next(iter(found.arms)))} alone would be trained: "
                "more members, or --beside NAME, give it something to stand beside"
            )
        search = None
        if self.search:
            search = SearchRecord(self.search, self.sample, self._first(records[0].among), self.seed)
        return Found(self.name, self.title, found.arms, (), records, search, fixed)

    def _drawn(self, written: Written, space: Space, found: "_Arms", seed: int) -> SpaceRecord:
        """The record of a space, whose members are drawn with that seed and added to the arms."""
        regime = near(space, written, self.within, self.of)
        among = regime.count()
        if among < self.sample:
            self.report(f"{written.option}there are {among:,} such members, and all of them are trained")
        many = self._first(among) if self.search else self.sample
        drawn = [found.member(space, each) for each in regime.sample(many, seed=seed).members]
        return SpaceRecord(
            written.name,
            without_folder(written.target),
            written.recorded_vary,
            (*written.where, *self.where),
            self.within,
            self.of,
            space.size,
            among,
            seed,
            tuple(drawn),
            written.input,
        )

    def _first(self, among: int) -> int:
        """How many members a search begins with: all, where there are no more than are trained."""
        if among <= self.sample:
            return among
        return min(self.sample, max(2, min(GENERATION, self.sample // GENERATIONS)))

    def _spaces(self, own: int, classes: int) -> list[Space]:
        made = []
        for written, network in zip(self.spaces, self.networks, strict=True):
            made.append(space_at(written, own, classes, network).where(*self.where, option="--where"))
        return made

    def _beside(self, name: str, width: float, side: int) -> Iterator[tuple[str, SizedArm]]:
        """The arms of an experiment or of a set of the catalog, or a network by itself."""
        try:
            arms = _arms_of(name, width, side)
            for label, each in arms.items():
                sized = each.sized(side)
                if not hasattr(sized.network.subject, "parameters"):
                    raise DefinitionError(f"{label} is no definition, which can be made again by its name")
                network = as_target(sized.network)
                made = SizedArm(network, sized.side, sized.recipe)
                yield label or without_folder(network.label), made
        except CostlabError as error:
            raise DefinitionError(f"--beside {shortened(name)}: {error}") from None

    def _targets(self) -> Iterator[tuple[str, str]]:
        for written in self.spaces:
            yield written.option.rstrip(": "), written.target
        for name in self.beside:
            yield f"--beside {shortened(name)}", name


def _network(written: Written) -> Variant:
    try:
        return find(written.target)
    except CostlabError as error:
        raise type(error)(f"{written.option}{error}") from None


def _arms_of(name: str, width: float, side: int) -> dict[str, Arm]:
    if name in experiments.names():
        return dict(experiments.experiment(name, width, side).arms)
    if is_listed_ablation(name):
        return dict(of_ablation(find_ablation(name)).arms)
    return {"": arm(name)}


class _Arms:
    """Arms by label; those that train the same are one."""

    def __init__(self) -> None:
        self.arms: dict[str, SizedArm] = {}
        self._labels: dict[Any, str] = {}

    def add(self, label: str, made: SizedArm, of: str = "") -> str:
        """Add an arm, and give its label, or that of one that is the same already."""
        known = self._labels.get(key_of(made))
        if known is not None:
            return known
        if label in self.arms and of:
            label = f"{label} ({of})"
        if label in self.arms:
            raise RunError(f"there are two arms {named(label)}")
        self.arms[label], self._labels[key_of(made)] = made, label
        return label

    def baseline(self, space: Space, classes: int) -> None:
        """Add the target of a space at its own settings, if that can be counted and trained."""
        network = as_target(space.variant)
        made = SizedArm(network, side_of(space))
        try:
            count_arm("", made, classes)
        except CostlabError:
            return
        self.add(without_folder(network.label), made)

    def member(self, space: Space, member: Member) -> str:
        """Add a member of a space, and give its label."""
        made = SizedArm(as_target(member.variant), side_of(space, member.index))
        return self.add(label_of(made, space, self.arms), made)
