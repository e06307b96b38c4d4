"""The members of design spaces that a run has trained, as its record tells: errors, and the front of them."""

from collections import Counter
from collections.abc import Iterable, Sequence
from statistics import fmean
from typing import NamedTuple

from costlab.train.record import ArmRecord, Run

DIGITS = 9
"""The digits of an error: equal ones are to stay equal, whatever the order in which seeds were summed up."""
LONGEST = 24
"""The most letters of a name that stands for a space wherever it is spoken of."""


class TrainedNetwork(NamedTuple):
    """A network that was trained, with the places of the spaces in the record that it was drawn from.

    ``error`` is 1 less the top-1 accuracy after the last epoch, and ``loss`` is that of validation then, both
    the means over the ``seeds`` that came to a result; None if none did.
    """

    label: str
    target: str
    side: int
    spaces: tuple[int, ...]
    multiply_adds: int
    parameters: int
    error: float | None
    loss: float | None
    seeds: int

    @property
    def is_named_by_target(self) -> bool:
        """Whether its label is its target, perhaps with its images."""
        return self.label in (self.target, self.at(0))

    def at(self, usual: int) -> str:
        """Its target, with the pixels at a side of its images where these are not the usual ones."""
        return self.target if self.side == usual else f"{self.target} at {self.side}x{self.side}"

    def surpasses(self, other: "TrainedNetwork") -> bool:
        """Whether it has as few multiply-adds and as small an error, and less of one of them."""
        if self.error is None or other.error is None:
            return False
        mine, its = (self.multiply_adds, self.error), (other.multiply_adds, other.error)
        return mine != its and mine[0] <= its[0] and mine[1] <= its[1]


def members_of(run: Run) -> tuple[TrainedNetwork, ...]:
    """The arms that were drawn from a space, in the order of the record."""
    return tuple(each for each in _every(run) if each.spaces)


def beside_of(run: Run) -> tuple[TrainedNetwork, ...]:
    """The arms that were trained beside them, the baseline first; those, too, that were drawn after all.

    An arm that has a name of its own, and not that of its target, was not named for being a member.
    """
    first, *others = _every(run)
    named = [each for each in others if not each.spaces or not each.is_named_by_target]
    return (first, *named) if baseline_of(run) else tuple(named)


def baseline_of(run: Run) -> TrainedNetwork | None:
    """The first arm, the network that the first space varies; None where that cannot be trained by itself.

    Then the first arm is the first member that was drawn.
    """
    first, space = run.baseline, run.spaces[0]
    is_drawn = space.drawn[:1] == (first.label,)
    return None if is_drawn and first.network != space.target else _every(run)[0]


def space_names(run: Run) -> tuple[str, ...]:
    """What the spaces are called: their names, or their targets where a name has all the axes in it."""
    targets = Counter(space.target for space in run.spaces)
    return tuple(
        space.target if len(space.name) > LONGEST and targets[space.target] == 1 else space.name
        for space in run.spaces
    )


def usual_side(run: Run) -> int:
    """The pixels at a side of the images of most arms."""
    ((side, _),) = Counter(arm.side for arm in run.arms).most_common(1)
    return side


def errors_in(members: Iterable[TrainedNetwork], place: int) -> list[float]:
    """The errors of the members of a space, in ascending order; those without a result are left out."""
    return sorted(each.error for each in members if place in each.spaces and each.error is not None)


def by_error(members: Iterable[TrainedNetwork]) -> list[TrainedNetwork]:
    """Those with a result by their error and their multiply-adds, and then the others."""
    return sorted(members, key=lambda each: (each.error is None, each.error or 0.0, each.multiply_adds))


def front_of(members: Iterable[TrainedNetwork]) -> list[TrainedNetwork]:
    """Those that no other surpasses, by multiply-adds; equals of one on the front are on it, too."""
    front: list[TrainedNetwork] = []
    least = 2.0
    for each in sorted(by_error(members), key=lambda each: each.multiply_adds):  # a stable order
        if each.error is None:
            continue
        equal = front and (front[-1].multiply_adds, front[-1].error) == (each.multiply_adds, each.error)
        if each.error < least or equal:
            front.append(each)
            least = each.error
    return front


def surpassing(members: Iterable[TrainedNetwork], other: TrainedNetwork) -> list[TrainedNetwork]:
    """The members that surpass another network, by error."""
    return by_error(each for each in members if each.surpasses(other))


def _every(run: Run) -> list[TrainedNetwork]:
    """All arms."""
    places: dict[str, list[int]] = {}
    for place, space in enumerate(run.spaces):
        for label in dict.fromkeys(space.drawn):
            places.setdefault(label, []).append(place)
    results: dict[str, list[tuple[float, float]]] = {}
    for trial in run.trials:
        if trial.top_1 is not None:
            results.setdefault(trial.arm, []).append((trial.top_1, trial.epochs[-1].validation_loss))
    return [_trained(arm, tuple(places.get(arm.label, ())), results.get(arm.label, ())) for arm in run.arms]


def _trained(
    arm: ArmRecord, places: tuple[int, ...], results: Sequence[tuple[float, float]]
) -> TrainedNetwork:
    top_1, loss = (fmean(values) for values in zip(*results, strict=True)) if results else (None, None)
    return TrainedNetwork(
        arm.label,
        arm.network,
        arm.side,
        places,
        arm.multiply_adds,
        arm.parameters,
        None if top_1 is None else round(1 - top_1, DIGITS),
        None if loss is None else round(loss, DIGITS),
        len(results),
    )
