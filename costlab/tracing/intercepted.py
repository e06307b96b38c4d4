"""Functions of torch that read values, or name a device, before any operator runs."""

from collections.abc import Callable
from functools import cache
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from costlab.tracing.arguments import lowered, tensors_in
from costlab.tracing.connections import sources
from costlab.tracing.dispatch_mode import SET_DATA
from costlab.tracing.entries import entered
from costlab.tracing.stand_in import HOME, ReadsDataError, StandIn, stand_in, whole_of
from costlab.tracing.stand_ins import StandIns

Intercepted = Callable[[StandIns, Any, tuple[Any, ...], dict[str, Any]], Any]
INTERCEPTED: dict[Any, Intercepted] = {}
"""By a function of torch: what is done when it is called with stand-ins."""


def intercepts(*functions: Any) -> Callable[[Intercepted], Intercepted]:
    """Let something else be done for functions of torch."""
    return entered(INTERCEPTED, functions)


@cache
def here(device: Any) -> Any:
    """A device; the processor where this machine has none of the kind."""
    if device is None:
        return None
    try:
        kind = device.type if isinstance(device, torch.device) else torch.device(device).type
        there = kind == "cpu" or (kind != "meta" and torch.get_device_module(kind).is_available())
    except (RuntimeError, AttributeError, AssertionError):
        return device if isinstance(device, str) else HOME  # torch says that there is no such kind
    return device if there else HOME


@intercepts(Tensor.tolist, Tensor.numpy, Tensor.__array__, Tensor.__format__)
def read(values: StandIns, func: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """Values in another form; an array of them is in their memory, as in life."""
    tensor, *rest = args
    if type(tensor) is not StandIn:
        return func(*args, **kwargs)
    if not tensor.known:
        if func is Tensor.__format__ and tensor.dim():
            return repr(tensor)
        raise ReadsDataError(f"Tensor.{func.__name__}")
    with torch._C._DisableTorchDispatch():
        return func(values.value(tensor), *rest, **kwargs)


@intercepts(Tensor.__repr__)
def described_with_values(values: StandIns, func: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """A tensor as text."""
    tensor = args[0]
    if type(tensor) is not StandIn:
        return func(*args, **kwargs)
    with torch._C._DisableTorchDispatch():
        return repr(values.value(tensor) if tensor.known else tensor)


@intercepts(Tensor.__deepcopy__)
def deep_copied(values: StandIns, func: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """A copy."""
    tensor, memo = args
    if type(tensor) is not StandIn:
        return func(*args, **kwargs)
    if id(tensor) not in memo:
        memo[id(tensor)] = tensor.detach().clone().requires_grad_(tensor.requires_grad)
    return memo[id(tensor)]


@intercepts(Tensor.__reduce_ex__)
def pickled(values: StandIns, func: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """What is pickled, or written to a file: a plain tensor, which may be read when no count runs."""
    tensor, protocol = args
    if type(tensor) is not StandIn:
        return func(*args, **kwargs)
    if not tensor.known:
        raise ReadsDataError("a tensor is pickled, or written to a file")
    with torch._C._DisableTorchDispatch():
        value = values.value(tensor).to(tensor.device).detach().requires_grad_(tensor.requires_grad)
        if isinstance(tensor, torch.nn.Parameter):
            value = torch.nn.Parameter(value, tensor.requires_grad)
        return value.__reduce_ex__(protocol)  # type: ignore[no-untyped-call]  # torch leaves it without types


@intercepts(torch.tensor, Tensor.new_tensor)
def new_tensor(values: StandIns, func: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """A tensor of numbers, some of which may be tensors; it has values if all of them have."""
    method = func is Tensor.new_tensor
    named = dict(kwargs)
    first, data = (
        (args[:1], args[1:] or (named.pop("data"),)) if method else ((), args or (named.pop("data"),))
    )
    if isinstance(data[0], StandIn):
        return _copy_of(data[0], args[0] if method else None, named)
    unknown: list[bool] = []
    if not any(True for _ in tensors_in(data[0])):
        return func(*args, **kwargs)
    made = func(*first, _numbers(values, data[0], unknown), *data[1:], **named)
    if not unknown:
        return made
    made = stand_in(made.size(), made.dtype, made.device, requires_grad=made.requires_grad)
    made.made_by = sources(data[0])
    return made


def _copy_of(data: Tensor, like: Tensor | None, named: dict[str, Any]) -> Tensor:
    kind = named.get("dtype") or (None if like is None else like.dtype)
    made = data.detach().clone().to(device=named.get("device"), dtype=kind)
    return made.requires_grad_(bool(named.get("requires_grad")))


def _numbers(values: StandIns, data: Any, unknown: list[bool]) -> Any:
    if isinstance(data, StandIn):
        unknown += [] if data.known else [True]
        with torch._C._DisableTorchDispatch():
            value = values.value(data) if data.known else torch.zeros(data.shape, dtype=data.dtype)
            return value.tolist()
    if isinstance(data, tuple | list):
        return [_numbers(values, each, unknown) for each in data]
    return data


@intercepts(SET_DATA)
def set_data(values: StandIns, func: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """``x.data = y``: it has the values of the other."""
    into, other = args
    if isinstance(into, StandIn) and isinstance(other, Tensor):
        other = values(other)
        func(into, other)
        into.made_by, into.as_of = other.made_by, other.as_of
        into.held = into.original = into.meta = into.viewed = None
        if other.known:
            values.know(into, values.value(other))
        else:
            into.viewed = whole_of(other)
        return None
    if type(other) is StandIn:  # a tensor that is no stand-in is made while running: an uninitialized one
        with torch._C._DisableTorchDispatch():
            other = torch.empty(other.shape, dtype=other.dtype, device=into.device)
    return func(into, other)


@intercepts(Tensor.cuda, Tensor.xpu)
def moved(values: StandIns, func: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """To an accelerator; where there is none, it stays."""
    there = here(func.__name__)
    return args[0] if there is HOME else func(*args, **kwargs)


@intercepts(Tensor.to)
def to(values: StandIns, func: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """To a device or type; where there is no such device, the processor."""
    if len(args) > 1 and isinstance(args[1], str | torch.device | int):
        args = (args[0], here(args[1]), *args[2:])
    return func(*args, **kwargs)


@intercepts(torch._assert)
def asserted(values: StandIns, func: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """What is asserted of data holds: the model runs."""
    condition = args[0] if args else kwargs["condition"]
    return None if type(condition) is StandIn and not condition.known else func(*args, **kwargs)


@intercepts(Tensor.pin_memory)
def pinned(values: StandIns, func: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """The same: it has no memory."""
    return args[0]


@intercepts(Tensor.data_ptr)
def data_ptr(values: StandIns, func: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """A number of its own in place of an address."""
    tensor = args[0]
    return id(tensor if tensor._base is None else tensor._base) if type(tensor) is StandIn else func(tensor)


@intercepts(torch.isfinite, Tensor.isfinite)
def finite(values: StandIns, func: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """Data is taken to be finite."""
    tensor = args[0] if args else kwargs["input"]
    known = type(tensor) is not StandIn or tensor.known
    return func(*args, **kwargs) if known else ~torch.isnan(tensor)


@intercepts(Tensor.__getitem__, Tensor.__setitem__)
def indexed(values: StandIns, func: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """Elements; which one a number without a value chooses changes no sizes."""
    tensor, index, *value = args
    parts = index if isinstance(index, tuple) else (index,)
    if any(isinstance(each, tuple | list) and any(map(_is_stand_in, each)) for each in parts):
        parts = tuple(_joined(values, each) if isinstance(each, tuple | list) else each for each in parts)
        index = parts if isinstance(index, tuple) else parts[0]
    if not any(map(_chooses, parts)):
        return func(tensor, index, *value)
    chosen_by = sources([each for each in parts if _chooses(each)])
    parts = tuple(0 if _chooses(each) else each for each in parts)
    if value:
        func(tensor, parts, *value)
        if isinstance(tensor, StandIn):
            whole_of(tensor).made_by |= chosen_by
            if tensor.known:
                values.forget(tensor)
        return None
    made = func(tensor, parts)
    if isinstance(made, StandIn):
        if made.known:
            made = stand_in(made.size(), made.dtype, made.device, made.stride())
            made.viewed = whole_of(tensor)  # written into, the other has no values
        made.made_by |= chosen_by
    return made


def _is_stand_in(value: Any) -> bool:
    return type(value) is StandIn


def _joined(values: StandIns, numbers: Any) -> Any:
    """Indices in a list, some of them tensors, as one tensor; torch's own code would read their memory."""
    return new_tensor(values, torch.tensor, (list(numbers),), {})


def _chooses(index: Any) -> bool:
    if type(index) is not StandIn or index.known or index.dim():
        return False
    return not (index.is_floating_point() or index.dtype in (torch.bool, torch.uint8))


READ_LENGTHS = frozenset([torch.lstm, torch.gru, torch.rnn_tanh, torch.rnn_relu])
"""Functions with a rule whose code reads lengths by itself."""


@intercepts(F.ctc_loss, torch.ctc_loss)
def aligned(values: StandIns, func: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """Lengths as tensors: of numbers torch would make some by writing into their memory."""
    made = [torch.tensor(each) if isinstance(each, tuple | list) else each for each in args]
    named = {
        name: torch.tensor(each) if isinstance(each, tuple | list) else each for name, each in kwargs.items()
    }
    return func(*with_lengths(values, made), **with_lengths(values, named))


@intercepts(torch.cov, Tensor.cov, torch.istft, Tensor.istft)
def weighted(values: StandIns, func: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """Weights of data as ones: torch asks whether they are negative, and what they sum up to."""
    named = {name: each if name == "input" else _or_ones(each) for name, each in kwargs.items()}
    return func(*args[:1], *(_or_ones(each) for each in args[1:]), **named)


def _or_ones(weights: Any) -> Any:
    unknown = type(weights) is StandIn and not weights.known
    return torch.ones_like(weights) if unknown else weights


@intercepts(torch.tensor_split, Tensor.tensor_split)
def reads_lengths(values: StandIns, func: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """What reads integers by itself, without an operator."""
    return func(*with_lengths(values, args), **with_lengths(values, kwargs))


def with_lengths(values: StandIns, value: Any) -> Any:
    """Arguments with plain tensors of integers that have values."""
    return lowered(value, lambda each: _plain(values, each))


def _plain(values: StandIns, tensor: StandIn) -> Tensor:
    if tensor.is_floating_point() or tensor.is_complex() or not tensor.known:
        return tensor
    return values.value(tensor)


@intercepts(torch.linalg.vecdot)
def mapped_vecdot(values: StandIns, func: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """Under torch.vmap, where no rule sees all of it: as a product of rows and columns, which is counted."""
    if len(args) != 2 or set(kwargs) - {"dim"}:
        return func(*args, **kwargs)
    x, y = (each.movedim(kwargs.get("dim", -1), -1) for each in args)
    return (x.conj().unsqueeze(-2) @ y.unsqueeze(-1)).squeeze(-1).squeeze(-1)
