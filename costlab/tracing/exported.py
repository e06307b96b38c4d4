"""Programs of torch.export as modules: their graph runs, each node in the module that its metadata names."""

from collections.abc import Callable, Iterator, Mapping
from typing import Any, ClassVar, NamedTuple

import torch
from torch import Tensor, nn
from torch.export import ExportedProgram
from torch.export.graph_signature import InputKind, OutputKind
from torch.utils import _pytree as pytree

from costlab.algebra.dim import Dim, is_number
from costlab.algebra.inputs import AnyInput, Inputs, without_batch
from costlab.errors import DefinitionError
from costlab.tracing.exported_graph import (
    ANY_CLASS,
    Called,
    Graph,
    Step,
    filled,
    graph_of,
    path_of,
    root_class,
)
from costlab.tracing.exported_inputs import ProgramInputs, inputs_of
from costlab.tracing.module import Module


class Part(nn.Module):
    """A module of a program, of the name that its class had: what runs in a call of it.

    Its ``forward`` takes what comes in first, which hooks are told, and the run that it is a part of.
    """

    def forward(self, given: Any, run: "Run", within: tuple[Called, ...]) -> Any:
        return run.until_left(within)


class Facts(NamedTuple):
    """What is known of a program: its graph, what it takes, where what it holds lies, and what it puts out.

    ``held`` gives, by the name of an input of the graph, the path of the module that holds it and its name
    there.
    """

    graph: Graph
    inputs: ProgramInputs
    held: Mapping[str, tuple[str, str]]
    leaves: tuple[Any, ...]
    structure: pytree.TreeSpec


class Program(Part):
    """A whole program, called as the module was that it is made from."""

    _facts: ClassVar[Facts]

    def __init__(self) -> None:
        super().__init__()
        self._constants: dict[str, Any] = {}

    def forward(self, *args: Any, **kwargs: Any) -> Any:
        facts = self._facts
        with torch._C.DisableTorchFunction():  # no call of the model's
            given = iter(facts.inputs.bound(args, kwargs))
        parts = dict(self.named_modules(remove_duplicate=False))
        values = {
            name: self._own(parts, name) if name in facts.held or name in self._constants else next(given)
            for name in facts.graph.inputs
        }
        Run(facts.graph, parts, values).until_left(())
        return pytree.tree_unflatten(filled(list(facts.leaves), values), facts.structure)

    def _own(self, parts: Mapping[str, nn.Module], name: str) -> Any:
        if name in self._constants:
            return self._constants[name]
        path, own = self._facts.held[name]
        part = parts[path]
        return part._parameters[own] if own in part._parameters else part._buffers[own]


class Run:
    """A graph while it runs: the values so far, and the step that comes next."""

    def __init__(self, graph: Graph, parts: Mapping[str, nn.Module], values: dict[str, Any]) -> None:
        self._graph, self._parts, self._values = graph, parts, values
        self._kept = frozenset(graph.inputs)
        self._next = 0

    def until_left(self, within: tuple[Called, ...]) -> Any:
        """Run the steps of one call of a module, and of those in it; what comes out of it."""
        steps, first, deep = self._graph.steps, self._next, len(within)
        while self._next < len(steps) and steps[self._next].calls[:deep] == within:
            step = steps[self._next]
            if len(step.calls) > deep:
                inner = step.calls[: deep + 1]
                self._parts[inner[-1].path](self._first_of(inner), self, inner)
            else:
                self._next += 1
                self._run(step)
        return self._output(steps[first : self._next])

    def _run(self, step: Step) -> None:
        if step.target is None:
            (held,) = step.args
            value = self._function(held) if isinstance(held, Graph) else held
        else:
            value = step.target(*filled(step.args, self._values), **filled(step.kwargs, self._values))
        self._values[step.name] = value
        for name in step.last_uses:
            if name not in self._kept:
                del self._values[name]

    def _function(self, graph: Graph) -> Callable[..., Any]:
        """A graph as a function, which `torch.cond` and the like are given."""

        def function(*args: Any) -> Any:
            values = dict(zip(graph.inputs, args, strict=True))
            Run(graph, self._parts, values).until_left(())
            return filled(graph.output, values)

        return function

    def _first_of(self, call: tuple[Called, ...]) -> Any:
        """The first value that a call of a module reads and that is none of the model's own."""
        made: set[str] = set()
        for step in self._steps_in(call):
            for name in step.reads:
                value = self._values.get(name)
                if name not in made and isinstance(value, Tensor) and not isinstance(value, nn.Parameter):
                    return value
            made.add(step.name)
        return None

    def _steps_in(self, call: tuple[Called, ...]) -> Iterator[Step]:
        for place in range(self._next, len(self._graph.steps)):
            step = self._graph.steps[place]
            if step.calls[: len(call)] != call:
                return
            yield step

    def _output(self, steps: tuple[Step, ...]) -> Any:
        """The last value of some steps that is read after them."""
        for step in reversed(steps):
            if self._graph.last_read.get(step.name, -1) >= self._next:
                return self._values.get(step.name)
        return None


def module_of(program: ExportedProgram) -> Program:
    """A program as a module, with the parameters, buffers and modules of the one that it was made from.

    Raises:
        DefinitionError: when it is called with what the program does not take.
    """
    signature = program.graph_signature
    nodes = list(program.graph.nodes)
    weights = {name: path.rpartition(".")[0] for name, path in signature.inputs_to_parameters.items()}
    graph = graph_of(program.graph_module, weights)
    home, _, name = root_class(nodes).rpartition(".")
    title = name or "ExportedProgram"
    wanted = [spec.kind is OutputKind.USER_OUTPUT for spec in signature.output_specs]
    leaves = tuple(each for each, out in zip(graph.output, wanted, strict=True) if out)
    held: dict[str, tuple[str, str]] = {}
    facts = Facts(
        graph._replace(output=leaves), inputs_of(program, title), held, leaves, program.call_spec.out_spec
    )
    root: Program = type(title, (Program,), {"__module__": home or __name__, "_facts": facts})()
    parts: dict[str, Any] = {"": root}
    classes = {call.path: call.of_class for call in _calls_in(graph) if call.of_class != ANY_CLASS}
    paths = [path_of(entry.fqn) for entry in program.module_call_graph]
    for path in (*classes, *paths):
        _part(parts, path, classes)
    seen: dict[Any, Any] = {}
    for spec in signature.input_specs:
        target, node = spec.target, spec.arg.name
        if target is None:
            continue
        value = program.state_dict.get(target, program.constants.get(target))
        if spec.kind not in (InputKind.PARAMETER, InputKind.BUFFER):
            root._constants[node] = value
            continue
        path, _, own = target.rpartition(".")
        part = _part(parts, path, classes)
        table = part._parameters if spec.kind is InputKind.PARAMETER else part._buffers
        table[own] = seen.setdefault(_place_of(value), value)
        held[node] = path, own
    for target, value in program.state_dict.items():  # of which a strict export leaves out what is not used
        path, _, own = target.rpartition(".")
        part = _part(parts, path, classes)
        if own not in part._parameters and own not in part._buffers:
            table = part._parameters if isinstance(value, nn.Parameter) else part._buffers
            table[own] = seen.setdefault(_place_of(value), value)
    return root


def _calls_in(graph: Graph) -> Iterator[Called]:
    for step in graph.steps:
        yield from step.calls
        for held in step.args if step.target is None else ():
            if isinstance(held, Graph):
                yield from _calls_in(held)


def _part(parts: dict[str, Any], path: str, classes: Mapping[str, str]) -> Any:
    """The module of a path, made with those around it where it is new; of what nothing tells, a plain one."""
    if path not in parts:
        above, _, own = path.rpartition(".")
        home, _, name = classes.get(path, ANY_CLASS).rpartition(".")
        parts[path] = _class_of(home, name)()
        _part(parts, above, classes)._modules[own] = parts[path]
    return parts[path]


def _class_of(home: str, name: str) -> Any:
    return type(name, (Part,), {"__module__": home})


def _place_of(tensor: Tensor) -> Any:
    """Where a tensor lies, the same for one parameter under two names, also behind a file."""
    if tensor.layout is not torch.strided or not tensor.numel():
        return id(tensor)
    storage = tensor.untyped_storage()
    return storage._cdata, tensor.storage_offset(), tuple(tensor.shape), tensor.stride()


class ExportedModule(Module):
    """An exported program as a block: its batch can be given where the program leaves it open."""

    @property
    def default_input(self) -> AnyInput | None:
        """The inputs that the program was exported with, where it holds them; one image as its shape."""
        examples = self._inputs.examples
        return None if examples is None else without_batch(Inputs(*examples))

    def placed(self, x: Any, batch: Dim) -> tuple[Inputs, Dim]:
        if is_number(batch) and batch != 1 and x == self.default_input:
            return self._inputs.at_batch(int(batch)), 1
        return super().placed(x, batch)

    @property
    def _inputs(self) -> ProgramInputs:
        assert isinstance(self.module, Program)
        return self.module._facts.inputs


def refuse_program(model: nn.Module, label: str) -> None:
    """Refuse an exported program where tools run that look for modules of torch.

    Raises:
        DefinitionError: it is one.
    """
    if isinstance(model, Program):
        raise DefinitionError(
            f"{label} is an exported program, in which tools find no modules of torch: "
            "--run takes the module that it was made from"
        )
