"""The cross-check: a count held, module by module, against what PyTorch and fvcore report."""

from collections.abc import Callable, Mapping
from functools import partial
from operator import attrgetter
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn

from costlab.algebra.block import Node
from costlab.algebra.dim import text
from costlab.algebra.modules import AuxiliaryHead, to_module
from costlab.algebra.target import TargetLike
from costlab.algebra.work import Work, add_up
from costlab.counting.convention import convention
from costlab.counting.count import Count
from costlab.counting.count import count as count_target
from costlab.errors import DefinitionError, TargetError
from costlab.tracing import observe

Expect = Callable[[Count], Mapping[str, Any]]


class Source(NamedTuple):
    """Something that reports on a running module, and what the count expects it to report."""

    name: str
    quantity: str
    expect: Expect
    observe: Callable[[nn.Module, Tensor], Mapping[str, Any]]


class Finding(NamedTuple):
    """What one source said: on how many modules it agreed, or the first thing that was wrong."""

    source: str
    quantity: str
    modules: int
    problem: str = ""

    @property
    def agreed(self) -> bool:
        """Whether the source agreed on every module."""
        return not self.problem

    def __str__(self) -> str:
        verdict = f"agreed on {self.modules} modules" if self.agreed else f"DIFFERS at {self.problem}"
        return f"{self.source}, {self.quantity}: {verdict}"


def check(counted: Count | TargetLike, progress: Callable[[str], None] | None = None) -> list[Finding]:
    """Build the module of the very value that was counted, run it, and compare, module by module.

    The module runs in eval mode on zeros, auxiliary heads included. ``progress`` is told each step.

    Raises:
        DefinitionError: the count is for symbols or arrays, or nothing can be built.
        TargetError, ShapeError: a target is given that cannot be counted, or built on this machine.
    """
    count = counted if isinstance(counted, Count) else count_target(counted)
    if not isinstance(count.batch, int):
        raise DefinitionError(f"batch={text(count.batch)} is no single number, so nothing can be run")
    tell = progress or str
    tell("building the module")
    try:
        model = to_module(count.root).eval()
        x = torch.zeros([count.batch, *map(int, count.input)])
    except (RuntimeError, MemoryError) as error:
        raise TargetError(f"{count.label} cannot be built here: {_line(error)}") from error
    for module in model.modules():
        if isinstance(module, AuxiliaryHead):
            module.training = True  # the head runs; the modules in it stay in eval mode
    findings = []
    for source in SOURCES:
        tell(f"{source.name}: {source.quantity}")
        findings.append(_compare(source, count, model, x))
    return findings


def _compare(source: Source, count: Count, model: nn.Module, x: Tensor) -> Finding:
    expected = source.expect(count)
    finding = partial(Finding, source.name, source.quantity, len(expected))
    try:
        reported = source.observe(model, x)
    except Exception as error:
        return finding(f"the run: {_line(error)}")
    for path in [*expected, *(path for path in reported if path not in expected)]:
        ours, theirs = expected.get(path, 0), reported.get(path, 0)
        if ours != theirs:
            return finding(f"{path or 'the root'}: counted {_text(ours)}, reported {_text(theirs)}")
    return finding()


def _sums(quantity: Callable[[Work], Any], count: Count) -> Mapping[str, int]:
    """The quantity of each module with all that is below it, children before their parents."""
    sums: dict[str, int] = {}

    def add(node: Node) -> int:
        own = 0 if node.work is None else int(quantity(add_up(node.work.kind, [node.work], count.batch)))
        sums[node.path] = own + sum(map(add, node.children))
        return sums[node.path]

    add(count.root)
    return sums


def _shapes(count: Count) -> Mapping[str, tuple[int, ...]]:
    """The declared output shape of each module, batch included, children before their parents."""
    nodes = reversed(list(count.root.nodes()))
    return {node.path: (int(count.batch), *map(int, node.output)) for node in nodes}


def _under(name: str) -> Expect:
    return partial(_sums, convention(name).cost)


def _line(error: BaseException) -> str:
    return " ".join(f"{type(error).__name__}: {error}".split())


def _text(value: Any) -> str:
    return f"{value:,}" if isinstance(value, int) else "x".join(map(str, value))


_PARAMETERS: Expect = partial(_sums, attrgetter("parameters"))

SOURCES = (
    Source(
        "fvcore FlopCountAnalysis",
        "flops as it charges them",
        _under("fvcore"),
        observe.fvcore_flops,
    ),
    Source(
        "fvcore ActivationCountAnalysis",
        "activations",
        _under("fvcore_activations"),
        observe.fvcore_activations,
    ),
    Source("fvcore parameter_count", "parameters", _PARAMETERS, observe.fvcore_parameters),
    Source(
        "torch FlopCounterMode",
        "FLOPs, two per multiply-add",
        _under("torch_flop_counter"),
        observe.torch_flops,
    ),
    Source("torch tensors", "parameters", _PARAMETERS, observe.torch_parameters),
    Source("torch tensors", "output shapes", _shapes, observe.torch_shapes),
)
