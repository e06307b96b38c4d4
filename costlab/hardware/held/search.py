"""The order of steps that holds the least: a shortest path, by its peak, over the sets of done steps."""

import heapq
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import NamedTuple

from costlab.hardware.held.flow import Flow


class Found(NamedTuple):
    """An order, the most that it holds, how many sets of steps were looked at, and whether none is better."""

    order: tuple[int, ...]
    peak: int
    states: int
    exact: bool


class _State(NamedTuple):
    """Steps that are done, as bits, those that can be next, and the bytes that are held then."""

    done: int
    ready: int
    live: int


@dataclass(frozen=True)
class Segment:
    """Steps that follow each other, numbered from 0, as what they need, allocate and let go.

    Sets of steps are the bits of a number. ``lets_go`` has for each step the values that may end with it: who
    uses them, and their bytes. ``start`` are the bytes that are held before the first step, ``least`` those
    that some step holds in every order.
    """

    needs: tuple[int, ...]
    followers: tuple[int, ...]
    allocates: tuple[int, ...]
    scratch: tuple[int, ...]
    lets_go: tuple[tuple[tuple[int, int], ...], ...]
    start: int
    least: int

    @classmethod
    def of(cls, flow: Flow, users: dict[int, list[int]], before: list[int], steps: range) -> "Segment":
        """The part of a flow, from who uses each value and which steps must have run before each."""
        written: dict[int, int] = {}
        for number, step in enumerate(flow.steps):
            written.setdefault(step.writes, number)
        written.pop(0, None)  # the caller holds what comes in
        size = {value: int(flow.sizes[value]) for value in written}
        stay = {value for value in written if value in flow.outputs or users[value][-1] >= steps.stop}
        before_it = {value for value in written if written[value] < steps.start}
        through = before_it & stay
        start = sum(size[value] for value in before_it if value in stay or users[value][-1] >= steps.start)
        least = start
        needs = tuple(before[number] >> steps.start for number in steps)
        allocates, scratch, lets_go = [], [], []
        for number in steps:
            step = flow.steps[number]
            touched = {*step.reads, step.writes} & written.keys()
            allocates.append(size[step.writes] if written.get(step.writes) == number else 0)
            scratch.append(int(step.scratch))
            let_go = sorted(touched - stay)
            lets_go.append(tuple((_set(users[value], steps), size[value]) for value in let_go))
            own = sum(size[value] for value in touched | through if written[value] <= number)
            least = max(least, own + scratch[-1])
        followers = [0] * len(needs)
        for local, needed in enumerate(needs):
            for earlier in bits(needed):
                followers[earlier] |= 1 << local
        return cls(needs, tuple(followers), tuple(allocates), tuple(scratch), tuple(lets_go), start, least)

    def first(self) -> _State:
        return _State(0, sum(1 << step for step, needed in enumerate(self.needs) if not needed), self.start)

    def run(self, state: _State, step: int) -> tuple[int, _State]:
        """What is held while the step runs, and what comes after it."""
        done = state.done | 1 << step
        live = state.live + self.allocates[step]
        held = live + self.scratch[step]
        live -= sum(size for users, size in self.lets_go[step] if not users & ~done)
        ready = state.ready & ~(1 << step)
        for follower in bits(self.followers[step]):
            if not self.needs[follower] & ~done:
                ready |= 1 << follower
        return held, _State(done, ready, live)

    def peak(self, order: Iterable[int]) -> int:
        """The most that is held while the steps run in this order."""
        state, most = self.first(), self.start
        for step in order:
            held, state = self.run(state, step)
            most = max(most, held)
        return most

    def greedy(self) -> tuple[int, ...]:
        """Always the step that raises the peak the least, of these the one that leaves the least."""
        state, most = self.first(), self.start
        order: list[int] = []
        while state.ready:
            ways = [(step, *self.run(state, step)) for step in bits(state.ready)]
            step, held, state = min(ways, key=lambda way: (max(most, way[1]), way[2].live))
            most = max(most, held)
            order.append(step)
        return tuple(order)

    def search(self, states: int) -> Found:
        """The best order, or after ``states`` sets of done steps the best of those that were found."""
        given = tuple(range(len(self.needs)))
        known = min((given, self.greedy()), key=self.peak)
        bound = self.peak(known)
        count = 1 << len(given)
        behind: dict[int, tuple[int, int]] = {}
        queue = [(self.least, 0, self.first(), 0, 0)]
        while queue and queue[0][0] < bound:
            most, _, state, earlier, by = heapq.heappop(queue)
            if state.done in behind:
                continue
            if len(behind) >= states:
                return Found(known, bound, len(behind), False)
            behind[state.done] = earlier, by
            if state.done == count - 1:
                return Found(_way(behind, state.done), most, len(behind), True)
            for held, after, step in self._ways(state, most):
                if after.done not in behind and max(most, held) < bound:
                    left = -after.done.bit_count()  # of equal peaks first those that are the furthest on
                    heapq.heappush(queue, (max(most, held), left, after, state.done, step))
        return Found(known, bound, len(behind), True)

    def _ways(self, state: _State, most: int) -> list[tuple[int, _State, int]]:
        """The steps to go on with: only one that raises neither the peak nor what is held, if there is one.

        No order is better for putting it off: with it done, every other step finds no more held than without.
        """
        ways = [(*self.run(state, step), step) for step in bits(state.ready)]
        free = (way for way in ways if way[0] <= most and way[1].live <= state.live)
        first = next(free, None)
        return ways if first is None else [first]


def _way(behind: dict[int, tuple[int, int]], done: int) -> tuple[int, ...]:
    order: list[int] = []
    while done:
        done, step = behind[done]
        order.append(step)
    return tuple(reversed(order))


def bits(number: int) -> Iterator[int]:
    """The positions of the ones in a number, from the lowest."""
    while number:
        low = number & -number
        yield low.bit_length() - 1
        number ^= low


def _set(numbers: Iterable[int], steps: range) -> int:
    return sum(1 << number - steps.start for number in numbers if number in steps)
