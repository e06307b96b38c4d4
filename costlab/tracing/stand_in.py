"""Stand-ins for the tensors of a model: they say what those say, and have no values that come from data."""

from collections.abc import Sequence
from threading import get_ident
from typing import Any

import torch
from torch import Tensor

SMALL = 2**16
"""Elements up to which a parameter of floating point keeps its values."""
LARGE = 2**24
"""Elements up to which a constant that is made while running has values."""
HOME = torch.device("cpu")
Uninitialized: Any = vars(torch.nn.parameter)["UninitializedTensorMixin"]
"""A parameter or buffer without sizes; torch's stubs lack its class."""
OFF: Any = torch._C._disabled_torch_dispatch_impl
_wrap: Any = Tensor._make_wrapper_subclass
STRAYED: list[Any] = []
"""While a model runs, its thread, and then the errors in others, which a model may let pass."""


class StrayedError(RuntimeError):
    """A stand-in is used where no trace sees it."""


class ReadsDataError(Exception):
    """An operator, or a function of torch, reads values of data, which has none."""


class AsTensor(type(Tensor)):  # type: ignore[misc]  # the class of torch's class
    """Lets the class of stand-ins be equal to that of tensors, which others compare and have in tables."""

    def __eq__(cls, other: object) -> bool:
        return other is cls or other is Tensor

    __hash__ = type(Tensor).__hash__.__get__(Tensor)  # which is no function of Python's, for speed


class StandIn(Tensor, metaclass=AsTensor):
    """A tensor with sizes, a type and a device, and no memory.

    ``held`` is a tensor on the processor that has its values, None where they are not known. They are known
    of what is computed from sizes, indices, masks and small tensors of the model alone. ``original`` is a
    tensor of the caller's whose values are copied when they are asked for. ``viewed`` is the stand-in of
    which one without values is a view, and ``made_by`` are the operations that its content comes from, where
    these are followed; of a view, if those of what it views are still ``as_of`` then. Where weights are
    looked at, ``of_input`` says that its values come from what the model is called with, and ``made_of`` are
    the ids of the parameters that they are computed of.
    """

    held: Tensor | None = None
    meta: Tensor | None = None
    original: Tensor | None = None
    viewed: "StandIn | None" = None
    made_by: frozenset[int] = frozenset()
    as_of: frozenset[int] = frozenset()
    of_input: bool = False
    made_of: frozenset[int] = frozenset()
    __torch_function__: Any = torch._C._disabled_torch_function_impl

    @classmethod
    def __torch_dispatch__(cls, func: Any, types: Any, *_: Any, **__: Any) -> Any:  # type: ignore[override]  # its stub lacks cls
        if any(
            getattr(each, "__torch_dispatch__", OFF) not in (OFF, cls.__torch_dispatch__) for each in types
        ):
            return NotImplemented  # a nested tensor beside it runs it
        # Only a mode runs operators on one.
        error = StrayedError(f"{func}: a tensor of a count is used in another thread, or after it")
        if STRAYED and STRAYED[0] != get_ident():
            STRAYED.append(error)
        raise error

    def __repr__(self) -> str:  # type: ignore[override]  # torch's has an option that nobody gives
        value = self.original if self.held is None else self.held
        if value is None:
            return f"tensor(..., size={tuple(self.shape)}, dtype={self.dtype})"
        with torch._C._DisableTorchDispatch():
            return repr(value.detach())

    def tolist(self) -> Any:
        """Its values as numbers; torch's code for nested tensors asks for lengths so, past all modes."""
        if torch._C._is_torch_function_mode_enabled():
            return Tensor.tolist(self)
        value = self.original if self.held is None else self.held
        if value is None:
            raise RuntimeError("Tensor.tolist is data-dependent")
        with torch._C._DisableTorchDispatch():
            return value.detach().tolist()

    def __copy__(self) -> Any:
        """Another tensor with the same memory and attributes; torch would write its values out for one."""
        made: Any = self.detach().requires_grad_(self.requires_grad)
        if isinstance(self, torch.nn.Parameter):
            made._is_param = True
        made.__dict__.update({name: each for name, each in vars(self).items() if not hasattr(StandIn, name)})
        return made

    @property
    def known(self) -> bool:
        """Whether it has values."""
        return self.held is not None or self.original is not None

    @property
    def constant(self) -> bool:
        """Whether it has values, and these are the same whatever the model is called with."""
        return self.known and not self.of_input


# Libraries look up by these of whom a tensor is, and errors of Python tell them.
StandIn.__module__, StandIn.__name__, StandIn.__qualname__ = "torch", "Tensor", "Tensor"


def stand_in(
    sizes: Sequence[int],
    dtype: torch.dtype,
    device: torch.device = HOME,
    strides: Sequence[int] | None = None,
    requires_grad: bool = False,
) -> StandIn:
    """A tensor without values; of contiguous layout where no strides are given."""
    if torch.is_inference_mode_enabled():
        with torch.inference_mode(False):  # whose tensors can be no views of others
            return stand_in(sizes, dtype, device, strides, requires_grad)
    made: StandIn = _wrap(StandIn, sizes, strides, dtype=dtype, device=device, requires_grad=requires_grad)
    return made


def whole_of(tensor: StandIn) -> StandIn:
    """The tensor of which this one is a view, if it is one, as far as it is remembered."""
    return tensor if tensor.viewed is None else tensor.viewed


def become(tensor: StandIn, real: Tensor) -> None:
    """Let a stand-in that outlives its count be a plain tensor, with the values of a real one."""
    real = real.detach()
    tensor.__dict__.clear()
    tensor.__class__ = Tensor  # type: ignore[assignment]  # it is one from now on
    torch._C._swap_tensor_impl(tensor, real)


def meta_of(tensor: StandIn) -> Tensor:
    """The same sizes on torch's meta device, on which an operator runs without values."""
    made = tensor.meta
    if made is None:
        made = tensor.meta = torch.empty_strided(
            tensor.size(), tensor.stride(), dtype=tensor.dtype, device="meta"
        )
    return made


def held_or_meta(tensor: StandIn) -> Tensor:
    """Its values if it holds some, else the same sizes on torch's meta device."""
    return meta_of(tensor) if tensor.held is None else tensor.held


def example_of(tensor: StandIn) -> Tensor:
    """Values that every operator takes: the same sizes, ones, and zeros where they may be places."""
    made = torch.empty_strided(tensor.size(), tensor.stride(), dtype=tensor.dtype)
    return made.fill_(made.is_floating_point() or made.is_complex())
