"""What each operation reads, found by trying: what one puts out is changed, that of others held.

An operation reads those others whose change it sees. Nothing here asks where a tensor comes from.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any, NamedTuple
from unittest.mock import patch

import torch
from torch import Tensor, nn

from costlab.targets.resolve import resolve
from costlab.tracing import module as module_of
from costlab.tracing import stand_ins as stand_ins_of
from costlab.tracing import trace as trace_of
from costlab.tracing.arguments import tensors_in
from costlab.tracing.connections import INPUT, Connections
from costlab.tracing.stand_in import StandIn
from costlab.tracing.stand_ins import StandIns

Reads = tuple[tuple[str, tuple[int, ...]], ...]
ALL = 2**60


class Graph(NamedTuple):
    """The kind of each operation with the numbers of those it reads, and those that the output comes from."""

    operations: Reads
    outputs: tuple[int, ...]


class Noted(Connections):
    """Connections that keep what they found."""

    last: "Noted"

    def __init__(self, given: Any) -> None:
        super().__init__(given)
        Noted.last = self
        self.found = Graph((), ())

    def by_turn(self, operations: Any, output: Any) -> Any:
        made, gives = super().by_turn(operations, output)
        self.found = Graph(tuple((each.work.kind, each.reads or ()) for each in made), gives)
        return made, gives


class Valued(StandIns):
    """Stand-ins that keep their values."""

    last: "Valued"

    def __init__(self) -> None:
        super().__init__()
        Valued.last = self

    def make_data(self, output: Any) -> None:
        pass


class Tried(Connections):
    """A run on values: it notes what operations are given, and holds what they put out but of one."""

    changed: int | None = None
    held: "list[list[Tensor]] | None" = None
    last: "Tried"

    def __init__(self, given: Any) -> None:
        super().__init__(given)
        Tried.last = self
        self.given: list[list[Tensor]] = []
        self.put_out: list[list[Tensor]] = []
        self.kinds: list[str] = []
        torch.manual_seed(0)
        with torch._C._DisableTorchDispatch():
            for each in tensors_in(given):
                Valued.last.know(each, torch.randn(each.size(), dtype=each.dtype))
                if self.changed == INPUT:
                    _change(Valued.last.value(each))

    def recorded(self, given: Any, output: Any) -> tuple[int, tuple[int, ...]]:
        number, written = len(self.given), self._call.written if self._call is not None else []
        self.given.append(_copies(given))
        with torch._C._DisableTorchDispatch():
            made = [Valued.last.value(each).detach() for each in _each_once((output, written))]
            for value, was in (
                zip(made, self.held[number] if self.held else (), strict=True) if self.held else ()
            ):
                value.copy_(was)
            for value in made if number == self.changed else ():
                _change(value)
            self.put_out.append([each.clone() for each in made])
        return super().recorded(given, output)

    def by_turn(self, operations: Any, output: Any) -> Any:
        self.kinds = [each.work.kind for each in operations]
        self.given.append(_copies(output))
        return super().by_turn(operations, output)


def found(module: nn.Module, input: Any) -> Graph:
    """What a trace without values says."""
    with patch.object(module_of, "Connections", Noted):
        _walk(module, input)
    return Noted.last.found


def tried(module: nn.Module, input: Any) -> Graph:
    """What changes show; a trace on values has to have the same operations."""
    with _on_values():
        first = _run(module, input, None, None)
        held = _run(module, input, None, first.put_out)
        count = len(first.put_out)
        runs = {number: _run(module, input, number, first.put_out) for number in range(INPUT, count)}
    reads = [
        tuple(number for number, run in runs.items() if number != place and not _same(run.given[place], was))
        for place, was in enumerate(held.given)
    ]
    return Graph(tuple(zip(first.kinds, reads, strict=False)), reads[-1])


def _run(module: nn.Module, input: Any, changed: int | None, held: list[list[Tensor]] | None) -> Tried:
    Tried.changed, Tried.held = changed, held
    _walk(module, input)
    return Tried.last


def _walk(module: nn.Module, input: Any) -> None:
    target = resolve(module, input)
    block: Any = target.block
    placed, _ = block.placed(target.input, target.batch)
    replace(block, connected=True).walk(placed)


@contextmanager
def _on_values() -> Iterator[None]:
    made = stand_ins_of._made
    with (
        patch.object(module_of, "Connections", Tried),
        patch.object(module_of, "StandIns", Valued),
        patch.object(trace_of, "shaped", lambda *_, **__: NotImplemented),
        patch.object(stand_ins_of, "_made", lambda tensor, limit: made(tensor, ALL)),
    ):
        yield


def _each_once(value: Any) -> list[StandIn]:
    return list({id(each): each for each in tensors_in(value)}.values())


def _copies(value: Any) -> list[Tensor]:
    with torch._C._DisableTorchDispatch():
        return [Valued.last.value(each).detach().clone() for each in tensors_in(value)]


def _change(value: Tensor) -> None:
    if value.is_floating_point() or value.is_complex():
        value += torch.randn(value.shape, dtype=value.dtype, generator=torch.Generator().manual_seed(7)) + 3
    elif value.numel():
        value.copy_(~value if value.dtype is torch.bool else value.max() + value.min() - value)


def _same(some: list[Tensor], others: list[Tensor]) -> bool:
    return all(map(torch.equal, some, others))
