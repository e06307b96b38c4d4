"""Made-up records of runs over design spaces: real members, counted, with accuracies that nothing came to."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import cache

from costlab.counting.count import count
from costlab.explore.member import Selection
from costlab.explore.space import Space
from costlab.search.labels import as_target
from costlab.train.record import ArmRecord, Run
from costlab.train.space_record import SearchRecord, SpaceRecord
from tests.train.records import arm, run

SIDE = 32
AXES = {"width": "0.1:0.4:0.025", "kernel_7x7": ["7x7", "1x7+7x1"], "modules_12": "1:3"}
WITHIN, OF = "40%", "2e6"
PLAIN, PAIR = "mini:large=5x5", "mini:large=3x3+3x3"
BASELINE = "all factorized"
Accuracies = Sequence[float | None]


@cache
def drawn(target: str, many: int) -> Selection:
    """So many members of the regime, drawn with seed 0."""
    return Space(target, (3, SIDE, SIDE), **AXES).sample(many, within=WITHIN, of=OF, seed=0)


@cache
def counted(label: str, target: str) -> ArmRecord:
    """An arm at the images."""
    return arm(label, target, side=SIDE)


def space(target: str, many: int, name: str = "") -> SpaceRecord:
    """The record of a space of which so many members were drawn."""
    found = drawn(target, many)
    labels = tuple(as_target(each.variant).label for each in found.members)
    size = Space(target, (3, SIDE, SIDE), **AXES).size
    return SpaceRecord(
        name or target.partition(":")[2], target, AXES, (), WITHIN, OF, size, found.among or 0, 0, labels
    )


def of_spaces(
    *accuracies: Accuracies,
    targets: Sequence[str] = (PLAIN, PAIR),
    baseline: Accuracies = (0.7,),
    beside: Mapping[str, tuple[str, float | None]] | None = None,
    search: SearchRecord | None = None,
) -> Run:
    """A run of one seed: for each space the accuracies of its members, in the order in which they were drawn.

    ``beside`` are further networks by label, with their accuracies.
    """
    spaces = tuple(space(target, len(each)) for target, each in zip(targets, accuracies, strict=False))
    arms = [counted(BASELINE, "mini:width=0.3")]
    results: dict[str, Accuracies] = {BASELINE: baseline}
    for label, (network, top_1) in (beside or {}).items():
        arms.append(counted(label, network))
        results[label] = (top_1,)
    for each, values in zip(spaces, accuracies, strict=True):
        for label, top_1 in zip(each.drawn, values, strict=True):
            arms += [] if label in results else [counted(label, label)]
            results[label] = (top_1,)
    made = run(arms, results)
    data = replace(made.data, side=SIDE)
    return replace(made, name="spaces", title="Spaces of mini", spaces=spaces, search=search, data=data)


def sizes_of(targets: Sequence[str]) -> dict[str, int]:
    """The multiply-adds of networks, counted one by one."""
    return {each: int(count(each, (3, SIDE, SIDE)).multiply_adds) for each in targets}
