"""What autograd keeps of a forward pass for the way back."""

from typing import Any
from weakref import ref

from torch import Tensor
from torch.autograd.graph import saved_tensors_hooks

from costlab.hardware.held.called import Called
from costlab.hardware.held.fakes import Run, key_of
from costlab.hardware.held.moments import Kept


class Holder:
    """A tensor that a node of the graph keeps, as long as it does."""

    __slots__ = ("__weakref__", "tensor")

    def __init__(self, tensor: Tensor) -> None:
        self.tensor = tensor


class SavedTensors:
    """The tensors that are kept when a forward pass is over, each storage once, where it is first wanted."""

    def __init__(self, run: Run) -> None:
        self.kept: list[Kept] = []
        self._run = run
        self._called = Called()
        self._seen: list[tuple[ref[Holder], str, str]] = []

    def forward(self) -> Any:
        """Run forward, and note what is kept."""
        with self._called, saved_tensors_hooks(self._pack, _unpack):
            output = self._run.forward()
        fakes = self._run.fakes
        there = {each._cdata for each in fakes.storages} - fakes.inputs
        for holder, path, kind in self._seen:
            tensor = getattr(holder(), "tensor", None)
            if tensor is not None and (key := key_of(tensor)) not in there:
                there.add(key)
                size = tensor.untyped_storage().nbytes()
                self.kept.append(Kept(path, kind, size, key in fakes.inputs))
        self._seen.clear()
        return output

    def _pack(self, tensor: Tensor) -> Holder:
        holder = Holder(tensor)
        self._seen.append((ref(holder), self._run.tracker.path, self._called.kind_of_saver()))
        return holder


def _unpack(holder: Holder) -> Tensor:
    return holder.tensor
