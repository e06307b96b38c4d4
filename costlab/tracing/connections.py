"""Which operation reads what which other one has put out."""

from collections.abc import Iterable, Sequence
from typing import Any

from costlab.tracing.arguments import tensors_in, written_in
from costlab.tracing.operator_facts import OperatorFacts
from costlab.tracing.stand_in import StandIn, whole_of
from costlab.tracing.traced_operation import TracedOperation

INPUT = -1
"""The number of what comes in from outside, which no operation has put out."""


class Connections:
    """Follows tensors from the operation that put them out to those that read them.

    Every stand-in knows the numbers of the operations that its content comes from, `StandIn.made_by`: of
    one, or of several where they were copied together. What no operation is recorded for, such as a view,
    passes them on. Constants come from none.
    """

    def __init__(self, given: Any) -> None:
        """Follow what comes in from outside."""
        self._reads: list[tuple[int, ...]] = []  # by number, also of operations that no trace keeps
        for each in _stand_ins(given):
            each.made_by = frozenset([INPUT])

    def passed_on(self, facts: OperatorFacts, args: Any, kwargs: Any, output: Any) -> None:
        """An operator ran: what comes out has what goes in, unless it is recorded as an operation."""
        read = _made_by((args, kwargs))
        written = {id(whole_of(each)) for each in _stand_ins(written_in(facts, args, kwargs))}
        for each in _stand_ins((output, written_in(facts, args, kwargs))):
            whole = whole_of(each)
            whole.made_by = whole.made_by | read if id(whole) in written else read

    def recorded(self, given: Any, output: Any) -> tuple[int, tuple[int, ...]]:
        """An operation is recorded: its number, and those of the operations that it reads."""
        number, read = len(self._reads), tuple(sorted(_made_by(given)))
        self._reads.append(read)
        for each in _stand_ins(output):
            whole = whole_of(each)
            part = each is not whole and each.numel() < whole.numel()  # written into, the rest stays
            whole.made_by = frozenset([number]) | (whole.made_by if part else frozenset())
        return number, read

    def by_turn(
        self, operations: Sequence[TracedOperation], output: Any
    ) -> tuple[list[TracedOperation], tuple[int, ...]]:
        """The operations of a trace, with what they read by turns, and the turns that give the output."""
        turns = {each.number: turn for turn, each in enumerate(operations) if each.number is not None}
        turns[INPUT] = INPUT

        def kept(numbers: Iterable[int]) -> tuple[int, ...]:
            found: set[int] = set()
            pending = list(numbers)
            while pending:
                number = pending.pop()
                if number in turns:
                    found.add(turns[number])
                else:  # of a branch that is not counted
                    pending += self._reads[number]
            return tuple(sorted(found))

        return [each._replace(reads=kept(each.reads)) for each in operations], kept(_made_by(output))


def _stand_ins(value: Any) -> list[StandIn]:
    return [each for each in tensors_in(value) if type(each) is StandIn]


def _made_by(value: Any) -> frozenset[int]:
    return frozenset().union(*(whole_of(each).made_by for each in _stand_ins(value)))
