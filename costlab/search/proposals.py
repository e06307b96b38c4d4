"""What a search trains next: members of the space alone, proposed by Optuna's samplers.

A generation is a function of the seed, the members that were trained and their results: nothing else is
remembered, so that a search that was killed goes on as if it had not been, and machines that share the trials
of one search propose the very same members.
"""

from collections.abc import Callable, Sequence
from random import Random
from typing import TYPE_CHECKING, Any, NamedTuple
from warnings import catch_warnings, simplefilter

from costlab.explore.space import Space
from costlab.explore.written.axis import Axis, Index
from costlab.train.space_record import SearchRecord

if TYPE_CHECKING:
    from optuna.distributions import BaseDistribution
    from optuna.study import Study

MOST_ASKED = {"nsga2": 2_000, "tpe": 200}
"""Proposals for a generation, after which members are drawn by the exact sampler: seconds of each sampler."""


class TrainedMember(NamedTuple):
    """A member that was trained, and what is to be small, multiply-adds and error; None where it failed."""

    at: Index
    values: tuple[float, float] | None


class Generation(NamedTuple):
    """The members to train next, and how many of the proposals were no members."""

    members: tuple[Index, ...]
    refused: int


def propose(space: Space, search: SearchRecord, trained: Sequence[TrainedMember], many: int) -> Generation:
    """The next members, at most ``many``; fewer where the space has no others.

    Those that were trained are told to a sampler in their order. It proposes until there are so many new
    members. What is no member of the space, decided exactly, or was trained, it is told to have failed.
    """
    import optuna

    optuna.logging.set_verbosity(optuna.logging.ERROR)
    seen = {each.at for each in trained}
    found: list[Index] = []
    refused = 0
    with catch_warnings():
        simplefilter("ignore")  # about experimental features of Optuna
        axes = _distributions(space.axes)
        study = _study(axes, search, trained)
        for _ in range(MOST_ASKED[search.sampler]):
            if len(found) == many:
                break
            trial = study.ask(dict(axes))
            index = tuple(trial.params[axis.name] for axis in space.axes)
            is_new = index not in seen
            if is_new and space.has(index):
                seen.add(index)
                found.append(index)
            else:
                refused += is_new
                study.tell(trial, state=optuna.trial.TrialState.FAIL)
    if len(found) < many:
        drawn = space.sample(len(seen) + many - len(found), seed=search.seed).members
        found += [each.index for each in drawn if each.index not in seen][: many - len(found)]
    return Generation(tuple(found), refused)


def _study(
    axes: "dict[str, BaseDistribution]", search: SearchRecord, trained: Sequence[TrainedMember]
) -> "Study":
    """A study in memory that knows what was trained; its sampler has a seed for each generation."""
    import optuna
    from optuna.samplers import TPESampler
    from optuna.trial import TrialState, create_trial

    from costlab.search.generations import Generations

    seed = Random(f"{search.seed} {len(trained)}").getrandbits(32)  # noqa: S311  # a draw to be repeated
    create: Callable[..., Study] = optuna.create_study
    if search.sampler == "tpe":
        sampler = TPESampler(n_startup_trials=search.first, seed=seed, multivariate=True, constant_liar=True)
        study = create(sampler=sampler, directions=["minimize", "minimize"])
        for each in trained:
            params = dict(zip(axes, each.at, strict=True))
            if each.values is not None:
                study.add_trial(create_trial(params=params, distributions=axes, values=each.values))
        return study
    generations = Generations(population_size=max(2, search.first), seed=seed)
    study = create(sampler=generations, directions=["minimize", "minimize"])
    for each in trained:
        generations.replayed = dict(zip(axes, each.at, strict=True))
        state = TrialState.FAIL if each.values is None else None
        study.tell(study.ask(dict(axes)), each.values, state=state)
    generations.replayed = None
    return study


def _distributions(axes: tuple[Axis, ...]) -> "dict[str, BaseDistribution]":
    """The indices along each axis: in their order where the values are numbers, else without one."""
    from optuna.distributions import CategoricalDistribution, IntDistribution

    def of(axis: Axis) -> Any:
        last = len(axis.values) - 1
        are_numbers = all(type(value) in (int, float) for value in axis.values)
        return IntDistribution(0, last) if are_numbers else CategoricalDistribution(range(last + 1))

    return {axis.name: of(axis) for axis in axes}
