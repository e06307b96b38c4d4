"""Watches that operators pass on fake or real tensors: live memory, and what reads and writes what."""

from collections.abc import Callable, Iterable, Iterator
from typing import Any
from weakref import ref

import torch
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode

from costlab.errors import TargetError
from costlab.hardware.held.fakes import key_of
from costlab.hardware.held.flow import Flow, Step
from costlab.hardware.held.moments import Moment, Phase
from costlab.tracing.arguments import tensors_in
from costlab.tracing.gradients import PATH

LIFTS = frozenset([torch.ops.aten.lift_fresh.default, torch.ops.aten.lift_fresh_copy.default])
"""What a tensor comes through that was just made from numbers."""


class Live(TorchDispatchMode):  # type: ignore[no-untyped-call]  # torch leaves it without types
    """The bytes of the storages that are alive, by weak references, after each operator.

    What is ``there`` before is not counted, nor is memory that an operator is given and none has made.
    """

    def __init__(self, there: Iterable[Any], path: Callable[[], str]) -> None:
        super().__init__()  # type: ignore[no-untyped-call]  # torch leaves it without types
        self.now = 0
        self.phase: Phase = "forward"
        self.moments: list[Moment] = []
        self._there = {storage._cdata: storage for storage in there}
        self._alive: dict[int, tuple[ref[Any], int]] = {}
        self._path = path
        self._last = ""

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        if func not in LIFTS:
            for each in _strided((args, kwargs), func):
                storage = each.untyped_storage()
                if storage._cdata not in self._alive:
                    self._there.setdefault(storage._cdata, storage)
        output = func(*args, **(kwargs or {}))
        given = list(_strided(output, func))
        for each in given:
            self._add(each.untyped_storage())
        if given and not getattr(func, "is_view", False):
            self.moments.append(Moment(self._running(), self.phase, self.now))
        return output

    def enter(self, phase: Phase) -> None:
        """What follows belongs to a phase."""
        self.phase = phase

    def _running(self) -> str:
        """The path of what is running: of what runs, or whose gradient is computed, or the last one."""
        path = self._path()
        if not path and self.phase == "backward":
            node: Any = torch._C._current_autograd_node()
            path = self._last if node is None else str(node.metadata.get(PATH, self._last))
            self._last = path
        return path

    def _add(self, storage: Any) -> None:
        key, size = storage._cdata, storage.nbytes()
        if key in self._there:
            return
        known = self._alive.get(key)
        if known is None:
            self._alive[key] = ref(storage, lambda _: self._gone(key)), size
            self.now += size
        elif known[1] != size:  # it was resized
            self._alive[key] = known[0], size
            self.now += size - known[1]

    def _gone(self, key: int) -> None:
        _, size = self._alive.pop(key)
        self.now -= size


class FlowWatch(TorchDispatchMode):  # type: ignore[no-untyped-call]  # torch leaves it without types
    """Which operator reads and writes which storage, forward and without gradients."""

    def __init__(
        self, there: Iterable[Any], inputs: set[int], path: Callable[[], str], kind: Callable[[str], str]
    ) -> None:
        super().__init__()  # type: ignore[no-untyped-call]  # torch leaves it without types
        self._held = list(there)  # and all that is made, so that keys stay their own
        self._values: dict[int, int | None] = {each._cdata: None for each in self._held}
        self._values.update(dict.fromkeys(inputs, 0))
        came = {each._cdata: each.nbytes() for each in self._held if each._cdata in inputs}
        self._sizes = [sum(came.values())]
        self._steps: list[list[Step]] = []  # those of one operator together
        self._path = path
        self._kind = kind

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        if func not in LIFTS:
            for each in _strided((args, kwargs), func):
                if key_of(each) not in self._values:
                    self._hold(each, None)
        output = func(*args, **(kwargs or {}))
        made = []
        for each in _strided(output, func):
            if key_of(each) not in self._values:
                size = each.untyped_storage().nbytes()
                if self._hold(each, len(self._sizes) if size else None) is not None:
                    made.append(len(self._sizes))
                    self._sizes.append(size)
        self._note(func, self._known((args, kwargs), func), made)
        return output

    def _hold(self, tensor: Tensor, value: int | None) -> int | None:
        self._held.append(tensor.untyped_storage())
        self._values[key_of(tensor)] = value
        return value

    def _known(self, given: Any, func: Any) -> tuple[int, ...]:
        """The values among some tensors, each once, in their order."""
        values = (self._values.get(key_of(each)) for each in _strided(given, func))
        return tuple(dict.fromkeys(each for each in values if each is not None))

    def _note(self, func: Any, reads: tuple[int, ...], made: list[Any]) -> None:
        kind = self._kind(func._schema.name.partition("::")[2])
        written = made or (reads[:1] if func._schema.is_mutable else [])
        if written:
            self._steps.append([Step(self._path(), kind, reads, each) for each in written])

    def flow(self, output: Iterable[Tensor]) -> Flow:
        """All that was seen. What nobody reads of several tensors that one operator made is its scratch."""
        values = (self._values.get(key_of(each)) for each in output)
        outputs = tuple(dict.fromkeys(each for each in values if each is not None))
        wanted = {value for steps in self._steps for value in steps[0].reads} | set(outputs)
        found: list[Step] = []
        for first, *others in self._steps:
            scratch = sum(self._sizes[each.writes] for each in others if each.writes not in wanted)
            found.append(first._replace(scratch=scratch))
            found += [each for each in others if each.writes in wanted]
        return Flow(tuple(self._sizes), tuple(found), outputs)


def _strided(value: Any, func: Any) -> Iterator[Tensor]:
    """The tensors among the arguments or results of an operator, which have one piece of memory each."""
    for each in tensors_in(value):
        if each.layout is not torch.strided or each.is_nested:
            kind = "nested" if each.is_nested else str(each.layout).removeprefix("torch.")
            raise TargetError(f"{func._schema.name}: memory is not traced in tensors that are {kind}")
        yield each
