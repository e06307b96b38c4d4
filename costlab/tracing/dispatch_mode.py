"""The dispatch mode: it sees every operator below torch's functions, and runs it without values."""

from collections.abc import Callable, Iterator
from dataclasses import is_dataclass
from typing import Any, TypeAlias

import torch
from torch import Tensor, nn
from torch.utils._python_dispatch import TorchDispatchMode

from costlab.tracing.meta import StandIns
from costlab.tracing.rules.products import products_of

PRODUCTS = frozenset(["mm", "bmm", "addmm", "baddbmm", "addbmm", "mv", "addmv", "dot", "vdot"])
LENGTHS = frozenset(["_pack_padded_sequence", "_pad_packed_sequence"])
"""Operators that read the lengths of sequences, which have values though the sequences have none."""
OnOperator: TypeAlias = Callable[..., None]


class InsideCall:
    """What ran inside a call that a rule counts: the multiply-adds of matrix products."""

    def __init__(self) -> None:
        self.products = 0


class ValuelessDispatch(TorchDispatchMode):  # type: ignore[no-untyped-call]  # torch leaves it without types
    """Sees every operator that runs, and gives it tensors without values."""

    def __init__(self, stand_ins: StandIns, on_operator: OnOperator) -> None:
        super().__init__()  # type: ignore[no-untyped-call]  # torch leaves it without types
        self.called: Any = None
        self.inside: InsideCall | None = None
        self._stand_ins, self._on_operator = stand_ins, on_operator
        self._made: dict[int, Tensor] = {}

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        kwargs = kwargs or {}
        inside = self.inside
        real = [each for each in tensors_in((args, kwargs)) if each.device.type != "meta"]
        name = func._schema.name.partition("::")[2]
        if real and name not in LENGTHS and not self._constant(func, args, kwargs, real):
            if name.rstrip("_") in ("index", "index_put"):
                args = (args[0], _numbered(args[1]), *args[2:])
            args, kwargs = self.without_values(args), self.without_values(kwargs)
            real = []
        if not real and kwargs.get("device") is not None:
            device = torch.device(kwargs["device"])
            # What is made on the processor from nothing has values; what moves there from elsewhere has none.
            if device.type not in ("meta", "cpu") or any(True for _ in tensors_in(args)):
                kwargs = {**kwargs, "device": torch.device("meta")}
        if real and name == "_to_copy" and not _floating(real[0].dtype, kwargs.get("dtype")):
            kwargs = {**kwargs, "device": None}  # indices and masks keep their values, wherever they go
        output = func(*args, **kwargs)
        if real or (not args and not kwargs):
            self._remember(output)
        if inside is not None:
            if name.rstrip("_") in PRODUCTS:
                inside.products += products_of(*[each for each in args if isinstance(each, Tensor)][-2:])
            return output
        self._on_operator(func, args, kwargs, output, self.called)
        return output

    def _constant(self, func: Any, args: Any, kwargs: Any, real: list[Tensor]) -> bool:
        """Whether all of these are constants, made while running or only read: these keep their values."""
        if any(each.device.type == "meta" for each in tensors_in((args, kwargs))):
            return False
        if any(isinstance(each, nn.Parameter) for each in real):
            return False
        return not func._schema.is_mutable or all(id(each) in self._made for each in real)

    def _remember(self, output: Any) -> None:
        for each in tensors_in(output):
            if each.device.type != "meta":
                self._made[id(each)] = each  # kept, so that the id stays its own

    def without_values(self, value: Any) -> Any:
        """A value with stand-ins instead of the tensors in it."""
        if isinstance(value, Tensor):
            return value if value.device.type == "meta" else self._stand_ins(value)
        if isinstance(value, tuple | list):
            return type(value)(map(self.without_values, value))
        if isinstance(value, dict):
            return {
                name: torch.device("meta")
                if name == "device" and each is not None
                else self.without_values(each)
                for name, each in value.items()
            }
        return value


def tensors_in(value: Any) -> Iterator[Tensor]:
    """The tensors in a value, in tuples, lists, dictionaries and dataclasses too."""
    if isinstance(value, Tensor):
        yield value
    elif isinstance(value, tuple | list):
        for each in value:
            yield from tensors_in(each)
    elif isinstance(value, dict):
        for each in value.values():
            yield from tensors_in(each)
    elif is_dataclass(value) and not isinstance(value, type):
        yield from tensors_in(vars(value))


def _floating(*kinds: torch.dtype | None) -> bool:
    return any(kind is not None and (kind.is_floating_point or kind.is_complex) for kind in kinds)


def _numbered(indices: Any) -> list[Any]:
    """Indices with positions in place of masks whose values are known, so that the size of the result is."""
    found: list[Any] = []
    for each in indices:
        mask = isinstance(each, Tensor) and each.dtype is torch.bool and each.device.type != "meta"
        found += each.nonzero(as_tuple=True) if mask else [each]
    return found
