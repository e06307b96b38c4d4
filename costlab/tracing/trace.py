"""The trace: a module runs once on tensors without values, and every operation is seen and counted."""

import dis
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import is_dataclass
from functools import cache
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn
from torch._ops import OpOverload
from torch.overrides import TorchFunctionMode
from torch.utils._python_dispatch import TorchDispatchMode

from costlab.algebra.shape import Sizes
from costlab.algebra.work import Form, Work
from costlab.tracing.places import Places
from costlab.tracing.rules import elements
from costlab.tracing.rules.products import products_of
from costlab.tracing.rules.registry import CALLS, MODULES, OPERATORS, OVERLOADS, SHAPED, Rule, Seen, Works
from costlab.tracing.untouched import Meta

SIGNS = frozenset(["add", "sub", "mul", "div", "matmul", "pow", "true_divide", "floor_divide", "remainder"])
PRODUCTS = frozenset(["mm", "bmm", "addmm", "baddbmm", "addbmm", "mv", "addmv", "dot", "vdot"])
LENGTHS = frozenset(["_pack_padded_sequence", "_pad_packed_sequence"])
"""Operators that read the lengths of sequences, which have values though the sequences have none."""
STRICT = frozenset([torch.stft, torch.istft, Tensor.stft, Tensor.istft, Tensor.data.__set__])
"""Functions that compare the devices of tensors before any operator runs."""
PATH = "costlab"
"""The key under which a node of the autograd graph remembers the module that made it."""


class Record(NamedTuple):
    """An operation that ran: where, what it did, what came out, and the parameters that it read."""

    path: str
    work: Work
    output: Sizes
    kernel: str
    own: bool
    unknown: bool
    read: tuple[Tensor, ...]
    backward: bool


class Trace(TorchFunctionMode):
    """Sees what a module asks of torch, as it asks for it, and below that what runs."""

    def __init__(self, model: nn.Module, meta: Meta, samples: int, backward: bool) -> None:
        super().__init__()
        self.places = Places(model)
        self.places.entered, self.places.left = self._entered, self._left
        self.records: list[Record] = []
        self._meta = meta
        self._samples = samples
        self._backward = backward
        self._dispatch = Dispatch(self)
        self._inside: Inside | None = None
        self._ruled: list[nn.Module] = []
        self.in_backward = False

    def run(self, call: Callable[[], Any]) -> Any:
        """Run what calls the module, and with it the way back where that is asked for."""
        with ExitStack() as stack:
            stack.enter_context(self.places.followed())
            stack.enter_context(torch.enable_grad() if self._backward else torch.no_grad())
            stack.enter_context(self._dispatch)
            with self:
                output = call()
            if self._backward:
                self._run_back(output)
        return output

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        kwargs = kwargs or {}
        if self._inside is not None:
            return func(*args, **kwargs)
        if func in STRICT:
            args, kwargs = self._dispatch.without_values(args), self._dispatch.without_values(kwargs)
        # Under torch.vmap a call sees one of many: the operators below it see all.
        mapped = torch._C._functorch.peek_interpreter_stack() is not None
        rule = None if mapped else CALLS.get(func)
        if rule is None:
            if getattr(func, "__name__", "") == "__get__":
                return func(*args, **kwargs)
            return self._plain(func, args, kwargs)
        if not self._backward and (shape := SHAPED.get(func)) is not None:
            self._inside = inside = Inside()
            try:
                with torch._C._DisableTorchDispatch():  # nothing runs
                    output = shape(*args, **kwargs)
            except (TypeError, ValueError, AttributeError, IndexError):
                output = NotImplemented  # torch says what is wrong
            finally:
                self._inside = None
            if output is not NotImplemented:
                self._ruled_call(rule, func, args, kwargs, output, inside)
                return output
        self._inside = inside = Inside()
        try:
            output = func(*args, **kwargs)
        finally:
            self._inside = None
        self._ruled_call(rule, func, args, kwargs, output, inside)
        if self._backward:
            self._tag(output, self.places.path)
        return output

    def _ruled_call(
        self, rule: Rule, func: Any, args: Any, kwargs: Any, output: Any, inside: "Inside"
    ) -> None:
        if self._ruled:
            return
        form = _sign(func) or self._form(func)
        seen = Seen(output, self.places.module, form, self._samples, inside.products)
        self._record(rule(seen, *args, **kwargs), output, (args, kwargs), func, own=form == "module")

    def _plain(self, func: Any, args: Any, kwargs: Any) -> Any:
        """A function without a rule: the operators in it are counted one by one."""
        self._dispatch.asked = func, _sign(func)
        try:
            output = func(*args, **kwargs)
        finally:
            self._dispatch.asked = None
        if self._backward:
            self._tag(output, self.places.path)
        return output

    def _form(self, func: Any) -> Form:
        module = self.places.module
        kind = type(module)
        if kind.__module__.startswith("torch.nn.modules") and not module._modules:
            return "module"
        if _is_layer(kind) and not kind.__module__.startswith("torch.nn"):
            return "subclass"
        return form_of(func)

    def operated(self, func: OpOverload, args: Any, kwargs: Any, output: Any, asked: Any) -> None:
        """Count an operator of aten, or another, that no rule of a call explains."""
        if self._ruled:
            return
        name = func._schema.name.partition("::")[2]
        ours = OVERLOADS.get(func) or OVERLOADS.get(func.overloadpacket)
        rule = ours
        if rule is None and func.namespace in ("aten", "prims"):
            rule = OPERATORS.get(name) or OPERATORS.get(name.rstrip("_"))
        module = self.places.module
        if ours is None and (func.is_view or elements.moves(name)):
            read = self._parameters((args, kwargs))
            if (self.in_backward or not read) and name not in ("cat", "stack"):
                return
        form = self._form(func) if asked is None else asked[1] or self._form(asked[0])
        seen = Seen(output, module, form, self._samples)
        unknown = False
        works: Works
        if rule is not None:
            works = rule(seen, *args, **kwargs)
        else:
            works = elements.element_work(seen, name, args)
            known = func.is_view or elements.moves(name) or name.rstrip("_") in elements.REDUCTIONS
            pointwise = torch.Tag.pointwise in func.tags or "_backward" in name
            unknown = func.namespace not in ("aten", "prims") or not (known or pointwise)
        self._record(works, output, (args, kwargs), func, own=form == "module", unknown=unknown)

    def _record(
        self, works: Works, output: Any, given: Any, func: Any, *, own: bool, unknown: bool = False
    ) -> None:
        results = list(tensors_in(output))
        if results and not results[0].dim() and not results[0].is_floating_point():
            return  # a counter, such as that of the batches that a normalization has seen
        sizes = Sizes(*results[0].shape) if results else Sizes()
        read = self._parameters(given)
        path = self._path_back() if self.in_backward else self.places.path
        for work in (works,) if isinstance(works, Work) else works:
            kernel = _kernel(given) if work.kind.startswith("conv") and not self.in_backward else ""
            self.records.append(Record(path, work, sizes, kernel, own, unknown, read, self.in_backward))
            read = ()

    def _parameters(self, given: Any) -> tuple[Tensor, ...]:
        owners = self._meta.owners
        return tuple(owners[id(each)] for each in tensors_in(given) if id(each) in owners)

    def stand_in(self, tensor: Tensor) -> Tensor:
        """The stand-in of a tensor that came from elsewhere: a constant of the user's, say."""
        return self._meta(tensor)

    def _entered(self, module: nn.Module) -> None:
        if not self._ruled and type(module) in MODULES:
            self._ruled.append(module)

    def _left(self, module: nn.Module, args: Any, kwargs: Any, output: Any, failing: bool) -> None:
        if self._ruled and self._ruled[-1] is module:
            self._ruled.pop()
            if failing:
                return
            seen = Seen(output, module, "module", self._samples)
            works = MODULES[type(module)](seen, module, *args, **kwargs)
            path = self.places.named(module)
            if self._backward:
                self._tag(output, path)
            sizes = next((Sizes(*each.shape) for each in tensors_in(output)), Sizes())
            read = tuple(owner for owner in map(self._owner, module.parameters()) if owner is not None)
            for work in (works,) if isinstance(works, Work) else works:
                self.records.append(Record(path, work, sizes, "", True, False, read, False))
                read = ()

    def _owner(self, tensor: Tensor) -> Tensor | None:
        return self._meta.owners.get(id(tensor))

    def _run_back(self, output: Any) -> None:
        """The gradients of everything that came out, by everything that asks for them."""
        outputs = [each for each in tensors_in(output) if each.requires_grad]
        self.in_backward = True
        try:
            if outputs:
                gradients = [torch.empty_like(each) for each in outputs]
                torch.autograd.backward(outputs, gradients)
        finally:
            self.in_backward = False

    def _tag(self, output: Any, path: str) -> None:
        """Let the nodes that an operation left in the autograd graph remember the module."""
        pending = [each.grad_fn for each in tensors_in(output) if each.grad_fn is not None]
        while pending:
            node: Any = pending.pop()
            if PATH in node.metadata:
                continue
            node.metadata[PATH] = path
            pending += [before for before, _ in node.next_functions if before is not None]

    def _path_back(self) -> str:
        if self.places.path:  # what was not kept on the way forward runs once more
            return self.places.path
        node: Any = torch._C._current_autograd_node()
        return str(node.metadata.get(PATH, "")) if node is not None else ""


class Inside:
    """What ran inside a call that a rule counts: the multiply-adds of matrix products."""

    def __init__(self) -> None:
        self.products = 0


class Dispatch(TorchDispatchMode):  # type: ignore[no-untyped-call]  # torch's own
    """Sees every operator that runs, and gives it tensors without values."""

    def __init__(self, trace: Trace) -> None:
        super().__init__()  # type: ignore[no-untyped-call]  # torch's own
        self.asked: Any = None
        self._trace = trace
        self._made: dict[int, Tensor] = {}

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        kwargs = kwargs or {}
        inside = self._trace._inside
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
        output = func(*args, **kwargs)
        if real or (not args and not kwargs):
            self._remember(output)
        if inside is not None:
            if name.rstrip("_") in PRODUCTS:
                inside.products += products_of(*[each for each in args if isinstance(each, Tensor)][-2:])
            return output
        self._trace.operated(func, args, kwargs, output, self.asked)
        return output

    def _constant(self, func: Any, args: Any, kwargs: Any, real: list[Tensor]) -> bool:
        """Whether all of this are constants, made while running or read only: these keep their values."""
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
            return value if value.device.type == "meta" else self._trace.stand_in(value)
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


def _sign(func: Any) -> Form | None:
    """``x + y`` and ``x.add(y)`` reach torch alike; the code that asked tells them apart."""
    if getattr(func, "__module__", None) is not None or func.__name__.rstrip("_") not in SIGNS:
        return None
    frame = sys._getframe(3)
    instruction = dis.opname[frame.f_code.co_code[frame.f_lasti]]
    called = instruction.startswith("CALL") and func.__name__ in _methods(frame.f_code)
    return None if called else "operator"


@cache
def _methods(code: Any) -> frozenset[str]:
    """The names of attributes that code reads, methods among them."""
    return frozenset(
        each.argval for each in dis.get_instructions(code) if each.opname in ("LOAD_METHOD", "LOAD_ATTR")
    )


def form_of(func: Any) -> Form:
    """How a function is asked for, by where it lives."""
    if isinstance(func, OpOverload):
        return "torch"
    home = getattr(func, "__module__", None)
    if home is None:
        return "method"
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
"""Functions that torch itself and torch.nn.functional have alike."""


def _is_layer(kind: type) -> bool:
    """Whether a class is derived from a layer of torch.nn, and not from Module alone or a container."""
    return any(
        base.__module__.startswith("torch.nn.modules") and "container" not in base.__module__
        for base in kind.__mro__[1:]
        if base is not nn.Module
    )


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


def _numbered(indices: Any) -> list[Any]:
    """Indices with places instead of masks that have values, which say how many elements they choose."""
    found: list[Any] = []
    for each in indices:
        mask = isinstance(each, Tensor) and each.dtype is torch.bool and each.device.type != "meta"
        found += each.nonzero(as_tuple=True) if mask else [each]
    return found


def _kernel(given: Any) -> str:
    """The kernel of a convolution as people write it, by its weight."""
    args, kwargs = given
    data = args[0] if args else kwargs["input"]
    weight = args[1] if len(args) > 1 else kwargs["weight"]
    sizes = "x".join(map(str, weight.shape[2:]))
    channels = data.shape[1] if data.dim() == weight.dim() else data.shape[0]
    groups = args[6] if len(args) > 6 else kwargs.get("groups", 1)
    return f"{sizes}{'' if groups == 1 else ' depthwise' if groups == channels else ' grouped'}"
