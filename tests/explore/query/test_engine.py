"""What goes over slices: an interrupt leaves what was found, and the share that was covered."""

from concurrent.futures import Executor, Future
from typing import Any

import numpy as np
import pytest

from costlab import Block, Conv2d, Dim, block, seq
from costlab.explore.derive.terms import Term
from costlab.explore.query import queries, slices
from costlab.explore.query.engine import Engine
from costlab.explore.query.forms import Form
from costlab.explore.query.slices import Plan
from costlab.explore.query.within import counts
from costlab.explore.space import Space


def _plan(monkeypatch: pytest.MonkeyPatch) -> Plan:
    """Ten slices of ten members each, of which those at even places meet the condition."""
    monkeypatch.setattr(slices, "GROUP_MAX", 1)
    monkeypatch.setattr(slices, "ELEMENTS_MAX", 1)
    matrix = np.arange(100).reshape(10, 10) % 2
    return Plan((10, 10), (Form((Term(matrix),)), Form((Term(np.arange(10).reshape(10, 1)),))), ((0, 0),))


@pytest.mark.parametrize("workers", [1, 3])
def test_an_interrupt_leaves_what_was_found(workers: int, monkeypatch: pytest.MonkeyPatch) -> None:
    told: list[float] = []

    def progress(_: str, share: float) -> None:
        told.append(share)
        if share >= 0.4:
            raise KeyboardInterrupt

    plan = _plan(monkeypatch)
    engine = Engine(workers, progress=progress)
    with pytest.raises(KeyboardInterrupt):
        queries.count(engine, [plan])
    done = round(engine.covered * plan.slices)
    assert engine.covered == told[-1] == pytest.approx(0.4)
    assert engine.found == [int(counts(plan, plan.slice(number)).sum()) for number in range(done)]
    engine.progress = lambda _, __: None
    assert queries.count(engine, [plan]) == 50
    assert engine.covered == 1.0


def test_what_an_executor_has_not_begun_is_cancelled(monkeypatch: pytest.MonkeyPatch) -> None:
    class Idle(Executor):
        """One that does what is first, and nothing else."""

        def __init__(self) -> None:
            self.given: list[Future[Any]] = []

        def submit(self, task: Any, /, *args: Any, **kwargs: Any) -> Future[Any]:
            self.given.append(Future())
            if len(self.given) == 1:
                self.given[0].set_exception(KeyboardInterrupt())
            return self.given[-1]

    idle = Idle()
    with pytest.raises(KeyboardInterrupt):
        queries.count(Engine(2, idle), [_plan(monkeypatch)])
    assert len(idle.given) > 1
    assert all(each.cancelled() for each in idle.given[1:])


def test_nothing_is_left_of_what_was_asked_before(monkeypatch: pytest.MonkeyPatch) -> None:
    space = Space("inception_v3", n=[3, 5])
    assert space.count() == space.counted() == 2

    def interrupted(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(queries, "extreme", interrupted)
    with pytest.raises(KeyboardInterrupt):
        space.min()
    assert space.counted() is None
    assert space.engine.covered == 0


def test_an_error_in_a_slice_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    def task(plan: Plan, number: int) -> int:
        if number == 3:
            raise MemoryError("slice 3")
        return number

    plan = _plan(monkeypatch)
    assert plan.slices > 4
    for workers in (1, 3):
        engine = Engine(workers)
        with pytest.raises(MemoryError, match="slice 3"):
            engine.sweep("counting", [plan], task, lambda found, _, more: [*found, more], list[int]())
        assert engine.found == [0, 1, 2]
        assert engine.covered == 3 / plan.slices


@block(input="3x64x64")
def wide(a: Dim = 4, b: Dim = 4, k: Dim = 3) -> Block:
    """Two convolutions, of which wide ones multiply more than 64 bits hold."""
    return seq(Conv2d(a, k, padding="same"), Conv2d(b, k, padding="same"))


def test_totals_beyond_64_bits_are_exact() -> None:
    widths: list[Any] = [1, 3, 2**20, 2**31 - 1]
    space = Space(wide, a=widths, b=widths, k=[1, 3, 31])
    totals = sorted(64 * 64 * k * k * (3 * a + a * b) for a in widths for b in widths for k in (1, 3, 31))
    assert totals[-1] > 2**63
    assert [member.multiply_adds for member in space.top(5)] == totals[:-6:-1]
    middle = totals[-4]
    assert space.where(f"multiply_adds >= {middle}").count() == 4
    assert space.where(f"multiply_adds > {middle}").count() == 3
    assert sorted(space.to_frame()["multiply_adds"]) == totals
    assert sum(space.histogram(bins=7).counts) == len(totals)
    front = space.front("multiply_adds", "-parameters")
    assert front[0].multiply_adds == totals[0]
    assert front[len(front) - 1].multiply_adds == totals[-1]


@block(input="3x9x9")
def equals(a: Dim = 4, p: int = 0, s: int = 1) -> Block:
    """A convolution whose parameters are those of other paddings and strides."""
    return seq(Conv2d(a, 3, stride=s, padding=p))


@pytest.mark.parametrize("where", ["a > 0", "p < 2 or s == 1"])
def test_equals_are_members_of_their_own(where: str) -> None:
    space = Space(equals, a=[4, 1, 8], p=[0, 1, 2], s=[1, 2]).where(where)
    frame = space.to_frame()
    totals = sorted(frame["parameters"], reverse=True)
    for many in (1, 2, 7, len(totals), 99):
        for by, ranks in (("parameters", totals), ("-parameters", totals[::-1])):
            found = space.top(many, by=by)
            assert [each.parameters for each in found] == ranks[:many]
            assert len({each.index for each in found}) == len(found)
