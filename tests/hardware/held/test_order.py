"""The best order of steps against every order, last use against sets, steps in place against who reads."""

import random
from typing import Any

import numpy as np
import pytest

from costlab.algebra.dim import symbols
from costlab.errors import DefinitionError
from costlab.hardware.held.flow import Flow, Step
from costlab.hardware.held.forward import forward
from costlab.hardware.held.largest import largest
from costlab.hardware.held.order import best_order, by_last_use, fused, peak
from costlab.targets.resolve import resolve


def random_flow(rng: random.Random, steps: int) -> Flow:
    """Steps that read any values before them, some several times, some nobody's; some are put out midway."""
    sizes = [rng.randint(0, 12)]
    made = []
    for number in range(steps):
        near = range(max(0, len(sizes) - rng.choice([1, 2, 9])), len(sizes))
        reads = tuple(rng.choices(near, k=rng.choice([1, 1, 1, 2, 3])) if rng.random() < 0.97 else ())
        writes = len(sizes)
        if rng.random() < 0.05 and reads:
            writes = reads[0]  # in place, whoever else reads it
        else:
            sizes.append(rng.randint(0, 12))
        made.append(
            Step(f"{number // 4}.{number}", "any", reads, writes, rng.choice([0, 0, rng.randint(0, 9)]))
        )
    outputs = {made[-1].writes, *(value for value in range(1, len(sizes)) if rng.random() < 0.08)}
    return Flow(tuple(sizes), tuple(made), tuple(sorted(outputs)))


def must_precede(flow: Flow, first: int, second: int) -> bool:
    """Whether one step has to run before a later one of the given order: one writes what both touch."""
    a, b = flow.steps[first], flow.steps[second]
    return first < second and (a.writes in b.reads or a.writes == b.writes or b.writes in a.reads)


def held(flow: Flow, done: frozenset[int]) -> int:
    """What is held between steps: what was written and is put out, or wanted by a step that is to come."""
    written = {flow.steps[number].writes for number in done} - {0}
    to_come = [step for number, step in enumerate(flow.steps) if number not in done]
    wanted = {value for step in to_come for value in (*step.reads, step.writes)} | {*flow.outputs}
    return sum(int(flow.sizes[value]) for value in written & wanted)


def while_running(flow: Flow, done: frozenset[int], number: int) -> int:
    """What is held while a step runs: what it and others want, what it writes, and its scratch."""
    step = flow.steps[number]
    fresh = step.writes not in {flow.steps[each].writes for each in done} | {0}
    return held(flow, done) + (int(flow.sizes[step.writes]) if fresh else 0) + int(step.scratch)


def least_peak(flow: Flow) -> int:
    """Over all orders, one by one, given up where they hold no less than the best so far."""
    count = len(flow.steps)
    needs = [
        {first for first in range(count) if must_precede(flow, first, second)} for second in range(count)
    ]
    best = [2**62]

    def go(done: frozenset[int], most: int) -> None:
        if most >= best[0]:
            return
        if len(done) == count:
            best[0] = most
        for number in set(range(count)) - done:
            if needs[number] <= done:
                go(done | {number}, max(most, while_running(flow, done, number)))

    go(frozenset(), 0)
    return best[0]


def judge(seeds: range) -> int:
    """How many of the flows gain by their order, all of which are held against every order."""
    gains = 0
    for seed in seeds:
        rng = random.Random(seed)
        flow = random_flow(rng, rng.randint(1, 8))
        found = best_order(flow)
        assert (found.exact, found.peak) == (True, least_peak(flow)), seed
        assert sorted(found.order) == list(range(len(flow.steps)))
        place = {number: at for at, number in enumerate(found.order)}
        for second in range(len(flow.steps)):
            assert all(
                place[first] < place[second] for first in range(second) if must_precede(flow, first, second)
            )
        in_order = [
            while_running(flow, frozenset(found.order[:at]), number) for at, number in enumerate(found.order)
        ]
        at = found.order[in_order.index(max(in_order))]
        assert (max(in_order), flow.steps[at].path) == (found.peak, found.path)
        given = [while_running(flow, frozenset(range(number)), number) for number in range(len(flow.steps))]
        assert [moment.live for moment in by_last_use(flow)] == given
        assert all(part.best <= part.given <= max(given) and part.best <= found.peak for part in found.parts)
        gains += found.peak < max(given)
    return gains


def test_no_order_holds_less_on_random_flows() -> None:
    assert judge(range(400)) > 40


@pytest.mark.slow
def test_no_order_holds_less_on_all_random_flows() -> None:
    assert judge(range(3_000)) > 300


def branches(scratch: int = 0) -> Flow:
    """An input of 4, then two branches that widen to 10 and narrow to 1, and their join."""
    wide = (Step("m.a.0", "conv2d", (1,), 2, scratch), Step("m.a.1", "conv2d", (2,), 3))
    both = (*wide, Step("m.b.0", "conv2d", (1,), 4), Step("m.b.1", "conv2d", (4,), 5))
    steps = (Step("in", "conv2d", (0,), 1), *both, Step("m", "concat", (3, 5), 6))
    return Flow((99, 4, 10, 1, 10, 1, 2), steps, (6,))


def test_one_branch_is_done_before_the_other_begins() -> None:
    given = branches(scratch=3)
    together = Flow(given.sizes, tuple(given.steps[number] for number in (0, 3, 1, 2, 4, 5)), given.outputs)
    assert peak(by_last_use(together)).live == 4 + 10 + 10 + 3
    found = best_order(together)
    assert (found.peak, found.exact) == (4 + 10 + 3, True)
    assert [tuple(part) for part in found.parts] == [("m", 27, 17, found.parts[0].states, True)]
    assert by_last_use(given)[1] == ("m.a.0", "forward", 17)


def test_past_the_limit_the_order_is_the_best_that_was_found_and_says_so() -> None:
    rng = random.Random(7)
    sizes = (0, *(rng.randint(1, 99) for _ in range(25)))
    layers = [Step(f"{number}", "any", (rng.randint(1, number),), number + 1) for number in range(1, 20)]
    steps = (Step("0", "any", (0,), 1), *layers, Step("end", "any", tuple(range(12, 21)), 21))
    flow = Flow(sizes, steps, (21,))
    given = int(peak(by_last_use(flow)).live)
    in_short, in_full = best_order(flow, states=3), best_order(flow)
    assert (in_short.exact, in_short.parts[0].states, in_full.exact) == (False, 3, True)
    assert in_full.peak <= in_short.peak <= given
    order = tuple(flow.steps[number] for number in in_short.order)
    assert peak(by_last_use(Flow(sizes, order, (21,)))).live == in_short.peak


def test_no_steps_hold_nothing() -> None:
    assert best_order(Flow((5,), (), (0,))) == (0, "", (), True, ())


def layer(*steps: tuple[str, tuple[int, ...], int], outputs: tuple[int, ...] = (4,), odd: int = 8) -> Flow:
    made = [Step(f"{number}", kind, reads, writes) for number, (kind, reads, writes) in enumerate(steps)]
    return Flow((8, 8, 8, odd, 8), tuple(made), outputs)


CONV, NORM, RELU, DROP = (
    ("conv2d", (0,), 1),
    ("batch_norm2d", (1,), 2),
    ("relu", (2,), 3),
    ("dropout", (3,), 4),
)


def test_what_follows_a_layer_works_in_place_on_what_it_wrote() -> None:
    flow = fused(layer(CONV, NORM, RELU, DROP))
    assert flow.steps == (Step("0", "conv2d", (0,), 4),)
    assert [moment.live for moment in by_last_use(flow)] == [8]
    rewriting = layer(CONV, ("relu", (1,), 1), ("linear", (1,), 4))
    assert [step.path for step in fused(rewriting).steps] == ["0", "2"]


@pytest.mark.parametrize(
    ("flow", "left"),
    [
        (layer(CONV, NORM, RELU, DROP, outputs=(1, 4)), ["0", "1", "2", "3"]),
        (layer(CONV, NORM, RELU, DROP, outputs=(2, 4)), ["0", "2", "3"]),
        (layer(CONV, NORM, ("relu", (2,), 3), ("add", (2, 3), 4)), ["0", "2", "3"]),
        (layer(CONV, ("relu", (1,), 2), ("add", (1, 2), 4)), ["0", "1", "2"]),
        (layer(CONV, ("add", (1, 1), 2), ("relu", (2,), 4)), ["0", "1", "2"]),
        (layer(CONV, ("softmax", (1,), 4)), ["0", "1"]),
        (layer(CONV, NORM, RELU, DROP, odd=4), ["0", "2", "3"]),
        (layer(CONV, ("concat", (1,), 2), ("relu", (1,), 1), ("add", (1, 2), 4)), ["0", "1", "2", "3"]),
        (layer(("max_pool2d", (0,), 1), ("relu", (1,), 4)), ["0", "1"]),
    ],
    ids=["put out", "norm put out", "norm read twice", "read twice", "two operands", "no such", "other size",
         "read before", "no layer"],
)  # fmt: skip
def test_what_somebody_else_wants_is_not_rewritten(flow: Flow, left: list[str]) -> None:
    assert [step.path for step in fused(flow).steps] == left


def test_symbols_and_arrays_give_what_each_number_gives() -> None:
    batch = symbols("N")
    flow = branches(scratch=3)

    def of(factor: Any) -> Flow:
        sizes = tuple(size * factor for size in flow.sizes)
        return Flow(
            sizes, tuple(step._replace(scratch=step.scratch * 3) for step in flow.steps), flow.outputs
        )

    formula: Any = largest(moment.live for moment in by_last_use(of(batch)))
    counts = np.array([1, 2, 7, 40])
    in_array: Any = largest(moment.live for moment in by_last_use(of(counts)))
    assert list(in_array) == [peak(by_last_use(of(int(count)))).live for count in counts]
    assert formula.subs(batch, 7) == peak(by_last_use(of(7))).live
    wide: Any = by_last_use(of(np.array([9 * 10**17])))[3].live  # of which two together are past 64 bits
    assert list(wide) == [15 * 9 * 10**17]
    assert largest([]) == 0
    for sizes in (batch, counts):
        with pytest.raises(DefinitionError, match=r"best order is that of one network: give plain numbers"):
            best_order(of(sizes))


@pytest.fixture(scope="module")
def inception() -> Flow:
    return forward(resolve("inception_v3").walk(), 1, 4).flow


@pytest.mark.parametrize(("in_place", "most"), [(False, 11_063_808), (True, 8_297_856)])
def test_the_first_stage_of_inception_v3_is_its_peak_in_every_order(
    inception: Flow, in_place: bool, most: int
) -> None:
    """64 channels of 147x147 twice; once, beside 32 where nothing else writes them."""
    flow = fused(inception) if in_place else inception
    at = peak(by_last_use(flow))
    assert (at.live, at.path.rpartition(".")[0]) == (most, "stem.conv_2b")
    found = best_order(flow)
    assert (found.peak, found.path, found.exact) == (most, at.path, True)
    gains = {part.path: (part.given, part.best) for part in found.parts if part.best < part.given}
    assert all(part.exact for part in found.parts)
    if not in_place:
        assert gains["mixed_5b"] == (2_979_200, 2_508_800)
