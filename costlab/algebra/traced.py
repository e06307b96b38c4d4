"""Modules and operations of PyTorch as they ran in a trace."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from math import prod
from typing import Any, ClassVar, Literal, NamedTuple

from costlab.algebra.block import Block, Node
from costlab.algebra.operands import Operands, Stored
from costlab.algebra.shape import AnyShape
from costlab.errors import DefinitionError

OF_GRAPH = "this is a graph of ONNX: give the model that it was exported from"
"""What is said where a graph would have to run."""
COND_ON_DATA = "cond_on_data"
"""The kind of a choice between two branches that is made by data: both are counted, and one runs."""


def child_path(path: str, name: str) -> str:
    """The path of a part of a module, of which that of the whole is ``""``."""
    return f"{path}.{name}" if path else name


class Parameters(NamedTuple):
    """The parameters of a module, each tensor counted once.

    Among the others, ``shared`` ones are held in more than one place, and ``unused`` ones were read by no
    operation.
    """

    trainable: int = 0
    frozen: int = 0
    shared: int = 0
    unused: int = 0


class Stop(NamedTuple):
    """Where the run of a module stopped before its end: the module's path, ``""`` the root, and why.

    ``unsized`` says that lazy modules were not reached, of whose parameters nothing is known yet.
    """

    path: str
    reason: str
    unsized: bool = False

    @property
    def place(self) -> str:
        """The path, for people."""
        return self.path or "the root"

    def __str__(self) -> str:
        return f"stopped at {self.place}: {self.reason}"


CallForm = Literal["module", "subclass", "function", "torch", "method", "operator", "aten"]
"""How an operation is called; some tools see modules only, others functions only.

``module``: by a module of torch.nn that is the operation; ``subclass``: by one of a class derived from
it; ``function``: as a function of torch.nn.functional; ``torch``: as one of torch; ``method``: as one of a
tensor; ``operator``: as a sign such as ``+``, or otherwise such that no tool that patches names sees it, as
a function of torch.linalg or one that a module holds as an attribute; ``aten``: as an operator, as exported
graphs and scripted functions do.
"""


class TensorSpec(NamedTuple):
    """A tensor that an operation read: its sizes and strides, without its values."""

    sizes: tuple[int, ...]
    strides: tuple[int, ...]

    @property
    def elements(self) -> int:
        """How many elements it has."""
        return prod(self.sizes)

    @property
    def is_contiguous(self) -> bool:
        """Whether its elements are contiguous in memory, the last axis fastest."""
        expected = 1
        for size, stride in zip(reversed(self.sizes), reversed(self.strides), strict=True):
            if size != 1 and stride != expected and self.elements:
                return False
            expected *= size
        return True


class ModuleSpec(NamedTuple):
    """The module that called an operation: the name of its class, and its settings, ``__constants__``.

    ``places`` says how often a walk through the model, from each module to those in it, comes to it: 1 as a
    rule, more where several modules hold it, 0 where it is no part of the model. ``held`` are the elements of
    its parameters by their names, of a module without others in it.
    """

    name: str = ""
    settings: Mapping[str, Any] = {}
    places: int = 1
    held: Mapping[str, int] = {}


@dataclass
class ModuleCall:
    """One call of a module: the sizes of the first tensor that goes in, and of the first that comes out.

    What comes out is known when the call has ended, and whether torch runs all of it as one ``fused``
    operation where no gradients are wanted. ``seen`` says that an operation of the call was recorded;
    ``outer`` is the call that it is made in.
    """

    input: tuple[int, ...] = ()
    outer: "ModuleCall | None" = None
    output: tuple[int, ...] = ()
    fused: bool = False
    seen: bool = False

    @property
    def is_fused(self) -> bool:
        """Whether it, or a call that it is made in, is run as one operation."""
        return self.fused or (self.outer is not None and self.outer.is_fused)


class Call(NamedTuple):
    """How an operation that ran was called.

    ``function`` is its name, an operator's as ``aten::add_``. ``args`` and ``kwargs`` are its arguments,
    with `TensorSpec` in the place of tensors; ``names`` are those of the first arguments. ``samples`` is
    the batch of the model's only input, 1 where it has several. ``within`` is the call of the module, and
    ``first`` says that this operation is the first in it. ``places`` are those of the innermost module that
    is running and part of the model, and ``size_products`` the products of sizes of tensors that calls
    since the operation before were given. A call that does several things has a node for each; ``part``
    numbers them.
    """

    function: str
    form: CallForm
    module: ModuleSpec
    names: tuple[str, ...]
    args: tuple[Any, ...]
    kwargs: Mapping[str, Any]
    samples: int
    within: ModuleCall
    places: int = 1
    part: int = 0
    first: bool = False
    size_products: int = 0

    def argument(self, name: str, default: Any = None) -> Any:
        """An argument by name, the default where it was not given."""
        if name in self.kwargs:
            return self.kwargs[name]
        place = self.names.index(name) if name in self.names else len(self.args)
        return self.args[place] if place < len(self.args) else default

    @property
    def tensors(self) -> tuple[TensorSpec, ...]:
        """The tensors among the arguments, those in lists too, in their order."""
        return tuple(_tensors((*self.args, *self.kwargs.values())))


def _tensors(values: Any) -> Iterator[TensorSpec]:
    for value in values:
        if isinstance(value, TensorSpec):
            yield value
        elif isinstance(value, tuple | list):
            yield from _tensors(value)


@dataclass(frozen=True)
class Traced(Block):
    """A module or an operation, as it ran.

    ``kernel`` says of a convolution what `kernel_of` would, and of attention to blocks which share of them it
    computes; ``unknown`` says that nobody knows what it costs, ``unsized`` that it is for want of its sizes.
    Of an operation, ``call`` says how it was called; of parameters that nothing reads there is none. ``turn``
    numbers the operations as they ran: those of a module that is called twice stand together in the tree.
    ``reads`` are the turns of the operations whose outputs it reads, -1 what comes in, where a trace follows
    them; so are ``gives`` of the root, the turns that its output comes from.
    Of the root, ``held`` are the parameters, ``step`` says that a step of training ran, ``stop`` where its
    run stopped before its end, ``follows_sizes`` that it noted products of sizes, ``subject`` is the
    module itself, and ``complex_products`` are the paths of what multiplies complex numbers.
    What was no module but a graph of ONNX has the model with its inputs as ``graph`` of its root, and
    each operation the ``step_of_graph`` that it is.
    Where weights are looked at, an operation has ``operands``, and the root all that is ``stored``.
    """

    takes_tensors: ClassVar[bool] = True

    name: str
    kernel: str = ""
    unknown: bool = False
    held: Parameters | None = None
    step: bool = False
    stop: Stop | None = None
    complex_products: tuple[str, ...] = ()
    follows_sizes: bool = field(default=False, compare=False)
    subject: Any = field(default=None, compare=False, repr=False)
    call: Call | None = field(default=None, compare=False, repr=False)
    turn: int = field(default=0, compare=False, repr=False)
    reads: tuple[int, ...] | None = field(default=None, compare=False, repr=False)
    gives: tuple[int, ...] = field(default=(), compare=False, repr=False)
    graph: Any = field(default=None, compare=False, repr=False)
    step_of_graph: Any = field(default=None, compare=False, repr=False)
    unsized: bool = field(default=False, kw_only=True)
    operands: Operands | None = field(default=None, compare=False, repr=False)
    stored: tuple[Stored, ...] = field(default=(), compare=False, repr=False)

    @property
    def title(self) -> str:
        return self.name

    @property
    def without_module(self) -> str:
        return "" if self.graph is None else OF_GRAPH

    def settings(self) -> Iterator[tuple[str, Any]]:
        return iter(())

    def walk(self, x: AnyShape, path: str = "", training_only: bool = False) -> Node:
        raise DefinitionError(f"{path}: {self.name} is known as it ran, and at no other input")
