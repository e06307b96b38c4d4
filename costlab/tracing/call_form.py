"""How an operation is called (by a layer, as a function, a method or a sign), and with which arguments."""

import dis
import inspect
from collections.abc import Callable, Mapping
from functools import cache
from typing import Any

import torch
from torch import Tensor, nn
from torch._ops import OpOverload, OpOverloadPacket
from torch.nn.parameter import is_lazy

from costlab.algebra.traced import Call, CallForm, ModuleSpec, TensorSpec
from costlab.algebra.window import grouping
from costlab.tracing.frames import caller
from costlab.tracing.module_tracker import ModuleTracker
from costlab.tracing.rules.registry import UserRule
from costlab.tracing.sizes import Products

NOTHING: Mapping[str, Any] = {}  # no MappingProxyType, which cannot be pickled
SIGNS = frozenset(["add", "sub", "mul", "div", "matmul", "pow", "true_divide", "floor_divide", "remainder"])
PLAIN = frozenset([type(None), bool, int, float, complex, str, torch.dtype])
"""Types of arguments that are kept as they are."""


def call_form(module: nn.Module, func: Any) -> CallForm:
    """How a module calls a function."""
    kind = type(module)
    if kind.__module__.startswith("torch.nn.modules") and not module._modules:
        return "module"
    if _is_layer(kind) and not kind.__module__.startswith("torch.nn"):
        return "subclass"
    form = _form_of(func)
    # Tools that patch a function by its name miss one that a module holds as an attribute.
    return "operator" if _holds(module, func) else form


def is_sign(func: Any) -> bool:
    """Whether a method of a tensor is called by its sign, such as ``+``.

    torch gives ``x + y`` and ``x.add(y)`` to a function mode as the same method: only the bytecode of the
    caller differs.
    """
    if getattr(func, "__module__", None) is not None or func.__name__.rstrip("_") not in SIGNS:
        return False
    frame = caller()
    instruction = dis.opname[frame.f_code.co_code[frame.f_lasti]]
    return not (instruction.startswith("CALL") and func.__name__ in _methods(frame.f_code))


@cache
def _methods(code: Any) -> frozenset[str]:
    """The names of attributes that code reads, methods among them."""
    return frozenset(
        each.argval for each in dis.get_instructions(code) if each.opname in ("LOAD_METHOD", "LOAD_ATTR")
    )


def _form_of(func: Any) -> CallForm:
    """How a function is called, by where it lives."""
    if isinstance(func, OpOverload | OpOverloadPacket):
        return "aten"
    home = getattr(func, "__module__", None)
    if home is None:
        return "method"
    if home == "torch._C._linalg":  # a name that no tool looks at
        return "operator"
    if home in ("torch.nn.functional", "torch._C._nn") or func in FUNCTIONAL:
        return "function"
    return "torch"


FUNCTIONAL = frozenset(
    each
    for name in (
        "conv1d",
        "conv2d",
        "conv3d",
        "conv_transpose1d",
        "conv_transpose2d",
        "conv_transpose3d",
        "bilinear",
        "prelu",
        "avg_pool1d",
        "adaptive_avg_pool1d",
    )
    for each in [getattr(torch.nn.functional, name)]
)
"""Functions that are the same object in torch and in torch.nn.functional."""


def _is_layer(kind: type) -> bool:
    """Whether a class is derived from a layer of torch.nn, and not from Module alone or a container."""
    return any(
        base.__module__.startswith("torch.nn.modules") and "container" not in base.__module__
        for base in kind.__mro__[1:]
        if base is not nn.Module
    )


def _holds(module: nn.Module, func: Any) -> bool:
    return any(value is func for value in vars(module).values())


def function_name(func: Any) -> str:
    """A function of torch by its name, an operator as ``aten::add_``."""
    return func._schema.name if isinstance(func, OpOverload) else getattr(func, "__name__", "")


@cache
def argument_names(rule: Callable[..., Any] | None) -> tuple[str, ...]:
    """The names of a rule's positional arguments, without the first, which is `Seen`."""
    if rule is None:
        return ()
    named = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
    parameters = list(inspect.signature(rule).parameters.values())
    return tuple(parameter.name for parameter in parameters[1:] if parameter.kind in named)


class CallDescriber:
    """Describes calls by values that outlive them: sizes in place of tensors, settings of modules."""

    def __init__(self, samples: int, tracker: ModuleTracker, products: Products) -> None:
        self._samples = samples
        self._tracker = tracker
        self.products = products
        self._modules: dict[int, tuple[nn.Module, ModuleSpec]] = {}  # held, so that ids stay their own

    def call(
        self,
        func: Any,
        form: CallForm,
        module: nn.Module,
        rule: Callable[..., Any] | None,
        args: Any,
        kwargs: Mapping[str, Any],
    ) -> Call | None:
        """A module's call of a function; None where a user's rule counts it: then its `Work` is enough."""
        if isinstance(rule, UserRule):
            return None
        specs: dict[int, TensorSpec] = {}
        within = self._tracker.call
        return Call(
            function_name(func),
            form,
            self._module(module),
            argument_names(rule),
            tuple([_described(value, specs) for value in args]),
            {name: _described(value, specs) for name, value in kwargs.items()} if kwargs else NOTHING,
            self._samples,
            within,
            self._tracker.places_within,
            first=not within.seen,
        )

    def recorded(self, call: Call | None, *, backward: bool) -> Call | None:
        """The call as it is recorded: whether it is the first of its module's, and the products since."""
        if call is None:
            return None
        if call.first and backward:
            call = call._replace(first=False)
        call.within.seen = call.within.seen or call.first
        multiplied = self.products.new()
        return call._replace(size_products=multiplied) if multiplied else call

    def _module(self, module: nn.Module) -> ModuleSpec:
        known = self._modules.get(id(module))
        if known is None:
            held = vars(module)
            names = getattr(type(module), "__constants__", ())
            settings = {name: value for name in names if type(value := held.get(name)) in PLAIN}
            places = self._tracker.places.get(id(module), 0)
            spec = ModuleSpec(type(module).__name__, settings, places, _held_by(module))
            known = self._modules[id(module)] = module, spec
        return known[1]


def _held_by(module: nn.Module) -> Mapping[str, int]:
    """The elements of a module's parameters by name, of one without others in it."""
    if any(child is not None for child in module._modules.values()):
        return NOTHING
    once: dict[int, tuple[str, Any]] = {}  # a parameter may have two names
    for name, each in module._parameters.items():
        if each is not None and not is_lazy(each):
            once.setdefault(id(each), (name, each))
    return {name: each.numel() for name, each in once.values()}


def _described(value: Any, specs: dict[int, TensorSpec]) -> Any:
    """A value without tensors: each becomes a `TensorSpec`, the same one where it comes twice.

    What is no plain value either becomes None.
    """
    kind = type(value)
    if kind in PLAIN:
        return value
    if isinstance(value, Tensor):
        known = specs.get(id(value))
        if known is None:
            strides = value.stride() if value.layout is torch.strided else ()
            known = specs[id(value)] = TensorSpec(value.shape, strides)
        return known
    if isinstance(value, (tuple, list)):
        if all(type(each) is int for each in value):  # sizes, or one number for each axis
            return tuple(value)
        return tuple([_described(each, specs) for each in value])
    return None


def kernel_of(given: Any) -> str:
    """The kernel of a convolution as people write it, by its weight; empty where a user's has none."""
    args, kwargs = given
    data = args[0] if args else kwargs.get("input")
    weight = args[1] if len(args) > 1 else kwargs.get("weight")
    if not isinstance(data, Tensor) or not isinstance(weight, Tensor) or data.dim() < weight.dim() - 1:
        return ""
    sizes = "x".join(map(str, weight.shape[2:]))
    channels = data.shape[1] if data.dim() == weight.dim() else data.shape[0]
    groups = args[6] if len(args) > 6 else kwargs.get("groups", 1)
    return sizes + grouping(groups, channels)
