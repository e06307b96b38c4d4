"""Modules of PyTorch as blocks: walking one runs it, once, on tensors without values."""

import re
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, field, replace
from functools import partial
from math import prod
from pathlib import Path
from traceback import extract_tb
from typing import Any, ClassVar

import torch
from torch import Tensor, nn

from costlab.algebra.block import Block, Node
from costlab.algebra.dim import Dim, is_number, text
from costlab.algebra.inputs import Inputs, TensorInput, shape_of
from costlab.algebra.modules import to_module
from costlab.algebra.operands import Look
from costlab.algebra.parameter import closest
from costlab.algebra.shape import AnyShape, Shape, Sizes, Vector
from costlab.algebra.traced import Stop, Traced
from costlab.errors import CostlabError, DefinitionError, DependsOnDataError, TargetError, first_line
from costlab.messages import a, first_sentence, message_of, named, shortened
from costlab.tracing.arguments import mark_inputs
from costlab.tracing.connections import Connections
from costlab.tracing.frames import is_the_models
from costlab.tracing.holdings import Holdings, tensors_within
from costlab.tracing.lazy import initialized
from costlab.tracing.module_tracker import ModuleTracker, Named
from costlab.tracing.module_tree import build_tree
from costlab.tracing.observers import let_through
from costlab.tracing.operands import OperandReader
from costlab.tracing.partial import PART, PART_OF_FORWARD, raised_by_torch, stop_at
from costlab.tracing.process import evaluate, process_restored, run_as_written, unwrapped
from costlab.tracing.quantized import IS_QUANTIZED
from costlab.tracing.remedy import too_few_values
from costlab.tracing.scripted import modes_restored, refuse_opaque
from costlab.tracing.sharded import run_whole
from costlab.tracing.signature import refuse_unfitting
from costlab.tracing.sizes import Products
from costlab.tracing.stand_in import ReadsDataError, stand_in
from costlab.tracing.stand_ins import StandIns
from costlab.tracing.stored import stored_in
from costlab.tracing.trace import Trace

VALUELESS = re.compile(
    r"data-(in)?dependent|unallocated storage|data pointer|[Mm]eta (tensor|device)|register_meta"
)
"""What torch says where a tensor without values is read."""
UNIMPLEMENTED = re.compile(r"register_meta function for (\S+)")
BUFFER = 2**20
"""Elements up to which a tensor of floating point that is no parameter keeps its values."""
LISTED = "is only available for these backends"
"""After which torch names all that an operator runs on."""
MISSING = re.compile(
    r"(?P<a>\S+?)(?:\.\w+)?: attempted to run this operator with Meta tensors"
    r"|(?P<d>\S+?)(?:\.\w+)?: We could not find the fake impl for this operator"
    r"|There was no fake impl registered for <CustomOpDef\((?P<b>\S+?)\)>"
    r"|Could not run '(?P<c>\S+?)(?:\.\w+)?' with arguments from the 'Meta' backend"
)
"""What torch says where an operator cannot run without values, with its name."""


@dataclass(frozen=True)
class Module(Block):
    """A module of PyTorch, counted in its forward pass, or with ``backward`` in a step of training.

    With ``partial`` a forward pass that stops because of its data is counted up to there; with
    ``follows_sizes`` the sizes of tensors remember which products they come from, and with ``connected`` what
    feeds what is followed: `Traced.reads`; with a ``look`` weights are looked at: `Traced.operands`.
    """

    takes_tensors: ClassVar[bool] = True

    module: nn.Module
    backward: bool = field(default=False, kw_only=True)
    partial: bool = field(default=False, kw_only=True)
    follows_sizes: bool = field(default=False, kw_only=True)
    connected: bool = field(default=False, kw_only=True)
    look: Look | None = field(default=None, kw_only=True, compare=False)

    def weighed(self, look: Look) -> "Module":
        """The same module, whose walk looks at each weight, and tells all that it holds."""
        return replace(self, look=look)

    @property
    def title(self) -> str:
        return type(unwrapped(self.module)).__name__

    def settings(self) -> Iterator[tuple[str, Any]]:
        return iter(())

    def placed(self, x: Any, batch: Dim) -> tuple[Inputs, Dim]:
        """The inputs for a shape without a batch, and 1: the batch is in them.

        Raises:
            DefinitionError: the batch is given twice.
        """
        if isinstance(x, Inputs):
            if batch != 1:
                raise DefinitionError(
                    f"input={shortened(str(x))} has its batch in it: leave batch={text(batch)} out"
                )
            return x, 1
        if not is_number(batch, *x):
            raise DefinitionError(
                f"{self.title}: a closed form is for definitions; a module of PyTorch is counted as it runs"
            )
        sizes = (int(batch), *map(int, x)) if isinstance(x, Shape | Vector) else x
        return Inputs([TensorInput(Sizes(*sizes))], batched=True), 1

    def walk(self, x: AnyShape | Inputs, path: str = "", training_only: bool = False) -> Node:
        """What happens when the module runs.

        Raises:
            DefinitionError: the module wants other inputs, or is lazy and cannot be copied.
            DependsOnDataError: what it does depends on the values of its data.
            TargetError: it fails.
        """
        model = unwrapped(self.module)
        if not hasattr(model, "_modules"):  # of what was traced they are no attribute of its own
            raise TargetError(f"{self.title}: its __init__ has to call super().__init__() first")
        given, _ = self.placed(x, 1)
        inputs = partial(stand_in_inputs, given)
        model, named = initialized(model, inputs, evaluated=not self.backward)
        modules = list({id(module): module for _, module in named}.values())
        with process_restored(), modes_restored(modules):
            # In a call of its own, so that what it makes is gone before garbage is looked for again.
            return self._traced(model, named, modules, given)

    def _traced(self, model: nn.Module, named: Named, modules: list[nn.Module], given: Inputs) -> Node:
        stand_ins, holdings = StandIns(), Holdings()
        reader = None if self.look is None else OperandReader(self.look, stand_ins)
        refuse_opaque(modules)
        with closing(stand_ins), closing(holdings):
            for module in modules:
                for name, parameter in module._parameters.items():
                    if isinstance(parameter, Tensor):
                        stand_ins.of_parameter(parameter)
                    elif parameter is not None:
                        what = a(type(parameter).__name__)
                        raise TargetError(
                            f"{type(module).__name__}: its parameter {name} is {what}, no tensor"
                        )
            holdings.replaced(model, partial(stand_ins, limit=BUFFER if reader is None else stand_ins.most))
            args, kwargs = stand_in_inputs(given, holdings, stand_ins)
            if reader is not None:
                mark_inputs(tensors_within((args, kwargs)))
            run_as_written(modules)
            run_whole(modules)
            let_through(modules)
            if not self.backward:
                evaluate(model, modules)
            refuse_unfitting(model, args, kwargs)
            tracker = ModuleTracker(model, named, backward=self.backward)
            connections = Connections((args, kwargs)) if self.connected else None
            products = Products(self.follows_sizes)
            trace = Trace(tracker, stand_ins, _samples(args, kwargs), products, connections, reader)
            stop: Stop | None = None
            output: Any = None
            try:
                output = trace.run(lambda: model(*args, **kwargs))
            except (CostlabError, KeyboardInterrupt, RecursionError):
                raise
            except Exception as error:
                stop = self._stop(error, trace, stand_ins, given)
            ran = trace.operations
            operations, gives = (ran, ()) if connections is None else connections.by_turn(ran, output)
        root = build_tree(
            trace.tracker.named,
            operations,
            trace.tracker.outputs,
            packed=stand_ins.packed.held_by,
            nonzero=None if reader is None else reader.nonzero,
            complete=stop is None,
        )
        assert isinstance(root.block, Traced)
        whole = replace(
            root.block,
            step=self.backward,
            stop=stop,
            subject=model,
            follows_sizes=self.follows_sizes,
            gives=gives,
            stored=() if reader is None else stored_in(named, stand_ins.packed, reader.multiplied),
        )
        return root._replace(block=replace(whole, complex_products=tuple(trace.complex_products)))

    def _stop(self, error: Exception, trace: Trace, stand_ins: StandIns, given: Inputs) -> Stop:
        """Where a run stopped because of its data, where that is counted; what went wrong is raised."""
        path, problem = trace.tracker.path_of(error), _problem(error)
        place = path or self.title
        if not _depends_on_data(error):
            told = too_few_values(error, given) or f"{problem}{hint_at_batch(given)}"
            raise TargetError(f"{place}: {told}") from error
        if stand_ins.hold_meta:
            problem += "; it holds tensors on the meta device, which have no values either"
        if self.backward or not self.partial:
            hint = PART_OF_FORWARD if self.backward else PART
            raise DependsOnDataError(f"{place}: {problem}{hint}") from error
        return stop_at(trace.tracker.model, path, problem)


def _samples(args: Any, kwargs: Any) -> int:
    """The batch of the model's only input, 1 where it has several."""
    first = next(tensors_within((args, kwargs)), None)
    alone = len(args) + sum(isinstance(each, Tensor) for each in kwargs.values()) == 1
    return int(first.shape[0]) if alone and first is not None and first.dim() else 1


def training_step(block: Block, x: AnyShape | Inputs) -> Module:
    """A step of training of a block, as a module that is traced forward and back."""
    if isinstance(block, Module):
        return replace(block, backward=True)
    with torch.device("meta"):
        built = to_module(block.walk(shape_of(x, block.title, "a shape")))
    return Module(built.train(), backward=True)


def stand_in_inputs(given: Inputs, holdings: Holdings, stand_ins: StandIns) -> tuple[Any, ...]:
    """What a model is called with, in order and by name, with stand-ins for its tensors."""
    values = (given.args, dict(given.kwargs))
    return tuple(holdings.replaced(_made(value), stand_ins) for value in values)


def _made(value: Any) -> Any:
    """A value with stand-ins for the tensors that are described by their sizes."""
    if isinstance(value, TensorInput):
        return stand_in(value.sizes, type_of(value))
    if type(value) in (tuple, list):
        return type(value)(_made(each) for each in value)
    return {key: _made(each) for key, each in value.items()} if type(value) is dict else value


def type_of(value: TensorInput) -> torch.dtype:
    """The type of an input that is described by its sizes.

    Raises:
        DefinitionError: torch has no such type, or no tensor of it can be so large.
    """
    kind = getattr(torch, value.dtype, None)
    if not isinstance(kind, torch.dtype):
        known = [name for name, each in vars(torch).items() if isinstance(each, torch.dtype)]
        hint = closest(value.dtype, known)
        raise DefinitionError(f"input={shortened(str(value))}: there is no type {named(value.dtype)}{hint}")
    if prod(value.sizes) * kind.itemsize >= 2**63:
        raise DefinitionError(f"input={shortened(str(value))} is larger than any tensor can be")
    return kind


def hint_at_batch(given: Inputs) -> str:
    """A hint at another meaning of an input that was read as one without a batch."""
    if not given.batched:
        return ""
    whole = "x".join(str(given.args[0].sizes).split("x")[1:])
    return f"; it was called with {given}: if {whole} has its batch in it, write {whole}:float32"


def _depends_on_data(error: Exception) -> bool:
    """Whether torch could not go on without the values of data."""
    text = message_of(error)
    if isinstance(error, ReadsDataError):
        return True
    return raised_by_torch(error) and bool(MISSING.match(text) or VALUELESS.search(text))


def _problem(error: Exception) -> str:
    """What went wrong, in one line; it says where a model depends on the values of its data."""
    text = message_of(error).partition("\n")[0]
    if found := IS_QUANTIZED.search(text.partition(LISTED)[0]):
        return f"it is quantized, and {found[0]} is not counted: count the module it was made from, of floats"
    if not _depends_on_data(error):
        return first_line(error)
    if found := MISSING.match(text):
        return (
            f"{found[found.lastgroup or 0]} does not run on tensors without values, which a count uses: "
            "what it does depends on the values, or it has no implementation for such tensors "
            "(torch.library.register_fake)"
        )
    named = UNIMPLEMENTED.search(text)
    cause = f"{named[1] if named else first_sentence(text, 80)}{line_of(error)}"
    return f"what it does depends on the values of its data, which a count does not have ({cause})"


def line_of(error: Exception) -> str:
    """Where in the code of a model an error comes from."""
    for call in reversed(extract_tb(error.__traceback__)):
        file = Path(call.filename)
        if file.is_file() and is_the_models(call.filename):
            return f"; {file.name}, line {call.lineno}"
    return ""
