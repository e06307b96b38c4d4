"""What a forward pass holds at least: by last use, with steps in place, and in the best order of steps."""

from collections.abc import Sequence
from typing import NamedTuple

from costlab.algebra.dim import equal, is_number, total
from costlab.errors import DefinitionError
from costlab.hardware.held.flow import Flow, Step
from costlab.hardware.held.largest import largest
from costlab.hardware.held.moments import Moment
from costlab.hardware.held.search import Segment, bits

STATES = 100_000
"""How many sets of done steps are looked at in one segment before what was found is given."""

IN_PLACE = frozenset({"batch_norm1d", "batch_norm2d", "batch_norm3d", "relu", "dropout"})
MAX_POOLS = frozenset(f"{kind}{rank}d" for kind in ("max_pool", "adaptive_max_pool") for rank in (1, 2, 3))


class Reordered(NamedTuple):
    """A part of a flow whose steps can go in more than one order, such as the branches of a module.

    ``given`` and ``best`` are bytes: the most that is held while its steps run, in the order of the flow and
    in the best one. ``exact`` says that no order holds less; else it is the best of those that were found
    when ``states`` sets of done steps had been looked at.
    """

    path: str
    given: int
    best: int
    states: int
    exact: bool


class BestOrder(NamedTuple):
    """An order of the steps, by their numbers, in which the most that is held at once is as small as can be.

    ``peak`` are these bytes and ``path`` the step where they are held. ``exact`` says that no order of the
    whole flow holds less.
    """

    peak: int
    path: str
    order: tuple[int, ...]
    exact: bool
    parts: tuple[Reordered, ...]


def by_last_use(flow: Flow) -> tuple[Moment, ...]:
    """What is held as each step runs, in bytes, where a value is let go when the last that uses it has run.

    A step's output and scratch are held together with what it reads. Values are used by what reads and what
    writes them, outputs by the caller as well. Works on ints, arrays and symbols.
    """
    last = {value: number for value, users in _users(flow).items() for number in users}
    alive: set[int] = set()
    moments = []
    for number, step in enumerate(flow.steps):
        alive |= {step.writes} - {0}
        held = total((*(flow.sizes[value] for value in sorted(alive)), step.scratch))
        moments.append(Moment(step.path, "forward", held))
        alive = {value for value in alive if last[value] > number or value in flow.outputs}
    return tuple(moments)


def peak(moments: Sequence[Moment]) -> Moment:
    """The first moment at which the most is held, of moments whose bytes are ints; of none, nothing."""
    return max(moments, key=lambda moment: int(moment.live), default=Moment("", "forward", 0))


def fused(flow: Flow) -> Flow:
    """The flow where what follows a convolution or a linear layer is one step with it.

    Batch norm, ReLU and dropout work in place, without gradients, on what the layer wrote, where nobody else
    wants that: neither another step nor the caller. Max pooling makes no indices: only the way back reads
    them. Values keep their numbers, steps the layer's path.
    """
    users = _users(flow)
    steps: list[Step] = []
    absorbed: set[int] = set()
    for number, step in enumerate(flow.steps):
        if number in absorbed:
            continue
        whole = step._replace(scratch=0) if step.kind in MAX_POOLS else step
        at: int | None = number if step.kind == "linear" or step.kind.startswith("conv") else None
        while at is not None and (at := _in_place_after(flow, users, at)) is not None:
            absorbed.add(at)
            after = flow.steps[at]
            whole = whole._replace(writes=after.writes, scratch=largest((whole.scratch, after.scratch)))
        steps.append(whole)
    return Flow(flow.sizes, tuple(steps), flow.outputs)


def _in_place_after(flow: Flow, users: dict[int, list[int]], number: int) -> int | None:
    """The step that can rewrite what the step of this number wrote, before anybody else looks at it."""
    value = flow.steps[number].writes
    later = [user for user in users[value] if user > number]
    if not later:
        return None
    step = flow.steps[later[0]]
    rewrites = step.writes == value
    alone = len(later) == 1 and value not in flow.outputs and users[step.writes][0] == later[0]
    fits = step.kind in IN_PLACE and set(step.reads) == {value}
    fits = fits and equal(flow.sizes[step.writes], flow.sizes[value]) is True
    return later[0] if fits and (rewrites or alone) else None


def _users(flow: Flow) -> dict[int, list[int]]:
    """By value, the numbers of the steps that read or write it, in order."""
    users: dict[int, list[int]] = {}
    for number, step in enumerate(flow.steps):
        for value in sorted({*step.reads, step.writes}):
            users.setdefault(value, []).append(number)
    return users


def best_order(flow: Flow, states: int = STATES) -> BestOrder:
    """The order of the steps that holds the least at its peak, of all that respect who reads what.

    The flow is cut behind each step that all before it lead to and all after it come from: no order changes
    what is held there. In each part a shortest path by the peak (Dijkstra) over the sets of done steps gives
    the best, unless it would look at more than ``states`` sets; then it is the best that was found.

    Raises:
        DefinitionError: sizes are arrays or symbols.
    """
    if not is_number(*flow.sizes, *(step.scratch for step in flow.steps)):
        raise DefinitionError("the best order is that of one network: give plain numbers for its sizes")
    before = _predecessors(flow)
    users = _users(flow)
    order: list[int] = []
    parts = []
    for start, stop in _cuts(before):
        if stop == start + 1:
            order.append(start)
            continue
        part = Segment.of(flow, users, before, range(start, stop))
        found = part.search(states)
        order += [start + step for step in found.order]
        path = _common([step.path for step in flow.steps[start:stop]])
        given = part.peak(range(stop - start))
        parts.append(Reordered(path, given, found.peak, found.states, found.exact))
    reordered = Flow(flow.sizes, tuple(flow.steps[number] for number in order), flow.outputs)
    most = peak(by_last_use(reordered))
    least = int(most.live)
    # Where another part holds more whatever its order, it does not matter what a part could save.
    sure = all(each.exact or each.best < least for each in parts)
    return BestOrder(least, most.path, tuple(order), sure, tuple(parts))


def _predecessors(flow: Flow) -> list[int]:
    """By step, the set of steps (as bits) that must have run before.

    That are those that wrote what it reads, and those that wrote or read before what it writes itself.
    """
    writer: dict[int, int] = {}
    readers: dict[int, int] = {}
    before = []
    for number, step in enumerate(flow.steps):
        needed = 0
        for value in step.reads:
            needed |= writer.get(value, 0)
            readers[value] = readers.get(value, 0) | 1 << number
        needed |= writer.get(step.writes, 0) | readers.pop(step.writes, 0) & ~(1 << number)
        writer[step.writes] = 1 << number
        before.append(needed)
    return before


def _cuts(before: list[int]) -> list[tuple[int, int]]:
    """The parts, from first step to behind the last: each ends where every order has done the same steps."""
    ancestors: list[int] = []
    for needed in before:
        everything = needed
        for number in bits(needed):
            everything |= ancestors[number]
        ancestors.append(everything)
    count = len(before)
    of_all_later = (1 << count) - 1
    stops = []
    for number in reversed(range(count)):
        if of_all_later >> number & 1 and ancestors[number] == (1 << number) - 1:
            stops.append(number + 1)
        of_all_later &= ancestors[number]
    stops = sorted({*stops, count}) if count else []
    return list(zip([0, *stops], stops, strict=False))


def _common(paths: list[str]) -> str:
    """The path of the module that holds all of these, empty for the network itself."""
    parts = [path.split(".") for path in paths]
    same = 0
    while len({tuple(each[: same + 1]) for each in parts}) == 1 and same < len(parts[0]):
        same += 1
    return ".".join(parts[0][:same])
