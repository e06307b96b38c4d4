"""The operators of aten that a module runs, timed one by one, with the module that runs each."""

from typing import Any, NamedTuple

from torch import nn
from torch._ops import OpOverload
from torch.utils._python_dispatch import TorchDispatchMode

from costlab.hardware.timing.clock import Clock
from costlab.tracing.module_tracker import ModuleTracker, Named


class Ran(NamedTuple):
    """An operator: the path of the module that ran it, and its name without ``aten::`` and overload."""

    path: str
    name: str


class OperatorTimer(TorchDispatchMode):  # type: ignore[no-untyped-call]  # as torch has it
    """Times each operator; what Python does around it, to follow modules among it, is left out."""

    def __init__(self, tracker: ModuleTracker, clock: Clock) -> None:
        super().__init__()  # type: ignore[no-untyped-call]  # as torch has it
        self._tracker, self._read = tracker, clock.read
        self.ran: list[tuple[str, OpOverload]] = []
        self.nanoseconds: list[int] = []

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        kwargs = kwargs or {}
        began = self._read()
        output = func(*args, **kwargs)
        self.nanoseconds.append(self._read() - began)
        self.ran.append((self._tracker.path, func))
        return output

    def operators(self) -> tuple[Ran, ...]:
        """What ran, in its order."""
        return tuple(Ran(path, str(func).split(".")[1]) for path, func in self.ran)


def time_operators(
    model: nn.Module, named: Named, args: Any, kwargs: Any, clock: Clock
) -> tuple[tuple[Ran, ...], list[int]]:
    """Run a module once: its operators, and the nanoseconds of each."""
    tracker = ModuleTracker(model, named)
    timer = OperatorTimer(tracker, clock)
    with tracker.following(), timer:
        model(*args, **kwargs)
    return timer.operators(), timer.nanoseconds
