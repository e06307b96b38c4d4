"""The peaks of the memory of members are those that each has when it is run by itself, to the byte."""

from decimal import Decimal
from itertools import product
from random import Random
from typing import Any

import pytest
from torch import nn

import costlab
from costlab import algebra
from costlab.algebra import AnyShape, BatchNorm2d, Block, Conv2d, Dim, ReLU, block, seq
from costlab.algebra.saved import Saved
from costlab.algebra.several import part
from costlab.errors import DefinitionError
from costlab.explore import region
from costlab.explore.derive import peaks
from costlab.explore.member import variant_of
from costlab.explore.space import Space
from tests.explore.derive.test_random_definitions import AXES, written
from tests.explore.networks import small

TRAINED: dict[str, Any] = {"batch": 3, "train": True, "optimizer": "adam"}


def peak_of(space: Space, index: tuple[int, ...], running: dict[str, Any]) -> int:
    return int(costlab.memory(variant_of(space.variant, space.axes, index), **running).total)


def hold(space: Space, running: dict[str, Any], many: int, random: Random) -> int:
    """Hold the peaks of some members against runs; how many fit."""
    space = space.with_memory(**running)
    every = list(product(*map(range, space.sizes)))
    fitting = 0
    for index in random.sample(every, min(many, len(every))):
        if space.lowering.derived.misfit_at(index) is None:
            fitting += 1
            assert space.member(index).sizes["peak_memory"] == peak_of(space, index, running), index
    return fitting


@pytest.mark.parametrize("running", [{}, TRAINED])
def test_members_hold_what_each_holds_by_itself(running: dict[str, Any]) -> None:
    space = Space(small, a=[1, 4, 9], b=[2, 6], deep=[False, True], input=[3, 8])
    assert hold(space, running, space.size, Random(0)) == space.size


def test_members_of_random_definitions_hold_what_each_holds_by_itself() -> None:
    fitting, unfit = 0, list[str]()
    for seed in range(20):
        random = Random(seed)
        namespace: dict[str, Any] = {**vars(algebra), "part": part, "__name__": "networks"}
        exec(written(random), namespace)
        names = random.sample(list(AXES), random.randint(1, 6))
        axes = {name: random.sample(AXES[name], random.randint(1, len(AXES[name]))) for name in names}
        try:
            fitting += hold(Space(namespace["network"], **axes), random.choice([{}, TRAINED]), 12, random)
        except DefinitionError as error:  # a definition may fit nowhere
            unfit.append(f"{error}")
    assert fitting > 60
    assert all("no member fits" in each or "divisible" in each for each in unfit)


def test_memory_is_a_quantity_as_others_are() -> None:
    space = Space(small, a=range(1, 11), b=range(1, 9), deep=[False, True]).with_memory(**TRAINED)
    peak = {index: peak_of(space, index, TRAINED) for index in product(*map(range, space.sizes))}
    limit = sorted(peak.values())[90]
    few = space.where(f"peak_memory <= {limit} and not deep")
    wanted = [index for index, size in peak.items() if size <= limit and not index[2]]
    assert few.count() == len(wanted) > 40
    assert [each.sizes["peak_memory"] for each in space.top(5, by="peak_memory")] == sorted(peak.values())[
        :-6:-1
    ]
    front = {each.index for each in space.front("peak_memory", "-multiply_adds")}
    costs = {index: int(space.member(index).multiply_adds) for index in peak}
    surpassed = {
        index
        for index in front
        for other, size in peak.items()
        if (size, -costs[other]) != (peak[index], -costs[index])
        and size <= peak[index]
        and costs[other] >= costs[index]
    }
    assert not surpassed
    assert {max(peak, key=lambda index: (costs[index], -peak[index]))} <= front
    assert list(few.to_frame().peak_memory.sort_values()) == sorted(peak[index] for index in wanted)
    assert sum(space.histogram("peak_memory", 7).counts) == space.size


def test_units_of_bytes_are_exact_and_of_memory_alone() -> None:
    space = Space(small, a=range(1, 6), b=range(1, 6))
    assert "peak_memory" not in space.member((0, 0)).sizes
    most = space.max("peak_memory")
    assert most is not None
    in_kib = Decimal(most.sizes["peak_memory"]) / 1024
    assert space.where(f"peak_memory <= {in_kib}KiB").count() == space.size
    assert space.where(f"peak_memory < {in_kib} KiB").count() == space.size - 1
    with pytest.raises(DefinitionError, match=r"^where: units of bytes go with peak_memory$"):
        space.where("parameters <= 1MiB")
    with pytest.raises(DefinitionError, match="write 16G as 16e9"):
        space.where("peak_memory <= 16G")


class Odd(ReLU):
    """It looks at its input, which arrays do not allow."""

    def saves(self, x: AnyShape, y: AnyShape) -> Saved:
        return Saved(input=int(x[0]) > 3, output=int(x[0]) <= 3)


@block(input="3x8x8")
def odd(width: Dim = 4, wide: Dim = 4) -> Block:
    return seq(Conv2d(width, 3), Odd(), Conv2d(wide, 3), Odd())


def test_what_takes_no_arrays_is_run_member_by_member(monkeypatch: pytest.MonkeyPatch) -> None:
    space = Space(odd, width=[1, 3, 4, 9], wide=[2, 5])
    assert hold(space, TRAINED, space.size, Random(0)) == space.size
    monkeypatch.setattr(peaks, "RUNS_MAX", 7)
    with pytest.raises(
        DefinitionError, match=r"^peak_memory: odd does not run for many .* more than 7 are not run"
    ):
        space.with_memory(**TRAINED).count()


class Sly(ReLU):
    """It asks what its input is in a way that nobody sees."""

    def saves(self, x: AnyShape, y: AnyShape) -> Saved:
        return Saved(output=type(x[0]) is int)


def test_what_cannot_be_followed_is_found() -> None:
    @block(input="3x8x8")
    def sly(width: Dim = 4) -> Block:
        return seq(Conv2d(width, 3), Sly(), Conv2d(2, 3))

    with pytest.raises(
        DefinitionError, match=r"^sly:width=\d: peak_memory is .* run by itself, not .*followed$"
    ):
        Space(sly, width=[1, 2, 5]).with_memory(train=True).count()


def test_a_space_that_is_too_large_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(region, "PEAKS_MAX", 19)
    with pytest.raises(DefinitionError, match=r"^by: peak_memory is .* 20 are more than 19: vary fewer"):
        Space(small, a=range(1, 11), deep=[False, True]).max("peak_memory")
    monkeypatch.setattr(peaks, "RUNS_MAX", 1)
    with pytest.raises(
        DefinitionError, match=r"^peak_memory: deep build 2 different networks, and more than 1 are"
    ):
        Space(small, a=range(1, 9), deep=[False, True]).where("peak_memory < 1GB").count()


def test_members_that_are_modules_are_traced() -> None:
    def made(width: int = 2) -> nn.Module:
        return nn.Sequential(nn.Conv2d(3, width, 3), nn.ReLU(), nn.Flatten(), nn.Linear(36 * width, 5))

    space = Space(costlab.variant(made, (3, 8, 8)), width=[1, 4]).with_memory(batch=2)
    most = space.max("peak_memory")
    assert most is not None
    assert most.sizes["peak_memory"] == peak_of(space, (1,), {"batch": 2})


@block(input=("channels", "side", "side"))
def shrinking(channels: Dim = 3, side: Dim = 7) -> Block:
    """A batch norm that sees one value per channel where the side is 3."""
    return seq(conv=Conv2d(4, 3, stride=2), bn=BatchNorm2d())


def test_a_member_that_cannot_be_trained_is_named() -> None:
    space = Space(shrinking, side=range(3, 200)).with_memory(train=True)
    with pytest.raises(DefinitionError, match=r"^peak_memory at side=3: shrinking.*: bn: batch norm cannot"):
        space.max("peak_memory")
    most = Space(shrinking, side=range(5, 200)).with_memory(train=True).max("peak_memory")
    assert most is not None
    assert most.index == (194,)
