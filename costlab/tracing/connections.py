"""Which operation reads what which other one has put out."""

from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

import torch

from costlab.tracing.arguments import tensors_in, written_in
from costlab.tracing.holdings import tensors_within
from costlab.tracing.operator_facts import FROM_SIZES, OVERWRITING, OperatorFacts
from costlab.tracing.sparse import SPARSE
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
        self._call: _Call | None = None
        for each in _followed(list(tensors_within(given))):
            each.made_by = frozenset([INPUT])

    def passed_on(self, facts: OperatorFacts | None, args: Any, kwargs: Any, output: Any) -> None:
        """An operator or a function ran: what comes out has what goes in, unless it is recorded next."""
        if facts is not None and facts.name == "set_" and type(args[-1]) is StandIn:
            args[0].viewed = whole_of(args[-1])  # from now on they share their elements
        written = [] if facts is None else _followed(written_in(facts, args, kwargs))
        read = sources(_read(facts, args, kwargs))
        wholes = {id(_whole(each)) for each in written}
        touched = [*written, *_followed(output)]
        before = {id(whole): _made_by(whole) for whole in map(_whole, touched)}
        for each in touched:
            whole = _whole(each)
            if id(whole) in wholes:
                whole.made_by = _made_by(whole) | read if _is_part(each) else read
                _make(each, whole.made_by)
            else:
                _make(each, read)
        self._call = _Call(kwargs, read, written, before)

    def recorded(self, given: Any, output: Any) -> tuple[int, tuple[int, ...]]:
        """An operation is recorded: its number, and those of the operations that it reads."""
        call, self._call = self._call, None
        if call is None or type(given) is not tuple or given[-1] is not call.kwargs:
            call = _Call({}, sources(given), [], {})
        number, read = len(self._reads), tuple(sorted(call.read))
        self._reads.append(read)
        taken = [*_followed(given), *call.written]
        for each in (*_followed(output), *call.written):
            whole = _whole(each)
            if any(each is one for one in taken):  # written into
                rest = call.before.get(id(whole), _made_by(whole)) if _is_part(each) else frozenset()
                whole.made_by = frozenset([number]) | rest
                _make(each, whole.made_by)
            else:
                _make(each, frozenset([number]))
        return number, read

    def by_turn(
        self, operations: Sequence[TracedOperation], output: Any
    ) -> tuple[list[TracedOperation], tuple[int, ...]]:
        """The operations of a trace, with what they read by turns, and the turns that give the output."""
        self._call = None  # which holds what it was called with
        turns = {each.number: turn for turn, each in enumerate(operations) if each.number is not None}
        turns[INPUT] = INPUT

        def kept(numbers: Iterable[int]) -> tuple[int, ...]:
            found = {turns[each] for each in numbers if each in turns}
            pending = [each for each in numbers if each not in turns]
            seen: set[int] = set()
            while pending:
                number = pending.pop()
                if number in turns:
                    found.add(turns[number])
                elif number not in seen:  # of a branch that is not counted
                    seen.add(number)
                    pending += self._reads[number]
            return tuple(sorted(found))

        made = [each if each.reads is None else each._replace(reads=kept(each.reads)) for each in operations]
        return made, kept(sources(list(tensors_within(output))))


class _Call(NamedTuple):
    """What ran last: how it was called, what it read and wrote into, and where that came from before."""

    kwargs: Any
    read: frozenset[int]
    written: list[Any]
    before: dict[int, frozenset[int]]


def _read(facts: OperatorFacts | None, args: Any, kwargs: Any) -> Any:
    """The arguments of which an operator, or a function, reads the elements."""
    if facts is None:
        return args, {name: each for name, each in kwargs.items() if name != "out"}
    if facts.name in FROM_SIZES:
        return ()
    named = {name: each for name, each in kwargs.items() if name not in facts.written}
    return args[1:] if facts.name in OVERWRITING else args, named


def sources(value: Any) -> frozenset[int]:
    """The operations that the tensors in a value come from."""
    return frozenset().union(*map(_made_by, _followed(value)))


def _followed(value: Any) -> list[Any]:
    """The tensors in a value that are followed: stand-ins, those of nested tensors, and sparse tensors."""
    found = []
    for each in tensors_in(value):
        if type(each) is StandIn or each.layout in SPARSE:
            found.append(each)
        elif each.layout is torch.jagged:
            found += _followed(each._values)
    return found


def _made_by(tensor: Any) -> frozenset[int]:
    made_by: frozenset[int] = getattr(tensor, "made_by", frozenset())  # a sparse one may not know of any
    whole = _whole(tensor)
    if tensor is whole or tensor.as_of is whole.made_by:
        return made_by
    as_of: frozenset[int] = tensor.as_of
    return (made_by - as_of) | _made_by(whole)  # something was written since


def _make(tensor: Any, made_by: frozenset[int]) -> None:
    tensor.made_by = made_by
    if tensor is not (whole := _whole(tensor)):
        tensor.as_of = whole.made_by


def _whole(tensor: Any) -> Any:
    return whole_of(tensor) if type(tensor) is StandIn else tensor


def _is_part(tensor: Any) -> bool:
    """Whether it is a view of some of the elements of another, of which the rest stays if it is written."""
    whole = _whole(tensor)
    return tensor is not whole and bool(tensor.nbytes < whole.nbytes)
