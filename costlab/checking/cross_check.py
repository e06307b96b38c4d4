"""The cross-check: a count held, module by module, against what PyTorch and fvcore report."""

import sys
from collections.abc import Callable, Mapping
from contextlib import redirect_stdout
from functools import partial
from operator import attrgetter
from typing import Any, NamedTuple

from costlab.algebra.block import Node
from costlab.algebra.dim import Dim, text
from costlab.algebra.modules import AuxiliaryHead
from costlab.algebra.traced import Traced
from costlab.algebra.work import Work, add_up
from costlab.checking import observe
from costlab.checking.check_module import check_module
from costlab.checking.finding import Finding, told
from costlab.checking.materialize import runnable
from costlab.checking.observe import Subject
from costlab.counting.convention import convention
from costlab.counting.count import Count
from costlab.counting.count import count as count_target
from costlab.counting.row import Row
from costlab.errors import DefinitionError, one_line
from costlab.targets.resolve import TargetLike


class Source(NamedTuple):
    """Something that reports on a running module, and what of each operation's work it should find.

    Without ``cost``, it reports the shapes that come out. ``by_kind`` says that the cost depends on the
    kind of operation, so that a module cannot be priced as a whole.
    """

    name: str
    quantity: str
    cost: Callable[[Work], Any] | None
    observe: Callable[[Subject], Mapping[str, Any]]
    by_kind: bool = False


def check(
    target: Count | TargetLike,
    input: object = None,
    *,
    batch: Dim = 1,
    progress: Callable[[str], None] | None = None,
    **settings: Any,
) -> list[Finding]:
    """Build the module of the very value that is counted, run it, and compare, module by module.

    Takes a `Count`, or what `costlab.count` takes. The module runs in eval mode on zeros, auxiliary
    heads included. ``progress`` is told each step.

    Raises:
        DefinitionError: the count is for symbols or arrays, or is given with an input or settings.
        TargetError, ShapeError: a target is given that cannot be counted, or built on this machine.
    """
    if not isinstance(target, Count):
        count = count_target(target, input, batch=batch, **settings)
    elif input is None and batch == 1 and not settings:
        count = target
    else:
        raise DefinitionError(f"{target.label} is a count, made already, and takes no input or settings")
    if isinstance(count.root.block, Traced):
        return check_module(count, progress)
    if not isinstance(count.batch, int):
        raise DefinitionError(f"batch={text(count.batch)} is no single number, so nothing can be run")
    tell = progress or str
    tell("building the module")
    findings = []
    with redirect_stdout(sys.stderr):  # what a user's operation prints is no result
        subject = _build(count)
        for source in SOURCES:
            tell(f"{source.name}: {source.quantity}")
            findings.append(_compare(source, count, subject))
    return findings


def _build(count: Count) -> Subject:
    """The module and its input, with auxiliary heads that run; the modules in them stay in eval mode."""
    model, (x,) = runnable(count)
    for module in model.modules():
        if isinstance(module, AuxiliaryHead):
            module.training = True
    return Subject(model, x, count.root)


def _compare(source: Source, count: Count, subject: Subject) -> Finding:
    expected = _sums(source.cost, count) if source.cost else _shapes(count)
    finding = partial(Finding, source.name, source.quantity, len(expected))
    try:
        reported = source.observe(subject)
    except Exception as error:
        return finding(f"COULD NOT RUN: {one_line(error)}")
    # A module that an operation is made of is its own affair.
    inside = tuple(node.path and f"{node.path}." for node in count.root.nodes() if not node.children)
    unexpected = [path for path in reported if path not in expected and not path.startswith(inside)]
    for path in [*expected, *unexpected]:
        ours, theirs = expected.get(path, 0), reported.get(path, 0)
        if ours != theirs:
            return finding(f"DIFFERS at {path or 'the root'}: counted {told(ours)}, reported {told(theirs)}")
    if source.cost:
        for name, rows in _tables(count, source.by_kind).items():
            shown, whole = sum(int(source.cost(row.work)) for row in rows), reported.get("", 0)
            if shown != whole:
                return finding(f"DIFFERS in the sum of {name}: {told(shown)}, reported {told(whole)}")
    return finding()


def _tables(count: Count, by_kind: bool) -> Mapping[str, tuple[Row, ...]]:
    """The rows that people are shown: whatever the cut, they add up to what was reported."""
    tables = {"the operations": count.rows, "the kinds": count.kinds()}
    if not by_kind:
        tables |= {"the modules": count.modules(1), "the total": (Row("", "", None, count.total),)}
    return tables


def _sums(cost: Callable[[Work], Any], count: Count) -> Mapping[str, int]:
    """The cost of each module for the whole batch, with all that is below it."""

    def own(node: Node) -> int:
        assert node.work is not None
        return int(cost(add_up(node.work.kind, [node.work], count.batch)))

    return count.root.sums(own)


def _shapes(count: Count) -> Mapping[str, tuple[int, ...]]:
    """The declared output shape of each module, batch included, children before their parents."""
    nodes = reversed(list(count.root.nodes()))
    return {node.path: (int(count.batch), *map(int, node.output)) for node in nodes}


# Quantities are compared as they are published, whatever the kind of operation that reports them.
SOURCES = (
    Source(
        "fvcore FlopCountAnalysis",
        "flops as it charges them",
        lambda work: convention("fvcore").cost(work),
        observe.fvcore_flops,
        by_kind=True,
    ),
    Source(
        "fvcore ActivationCountAnalysis",
        "activations",
        attrgetter("activations"),
        observe.fvcore_activations,
    ),
    Source("fvcore parameter_count", "parameters", attrgetter("parameters"), observe.fvcore_parameters),
    Source(
        "torch FlopCounterMode",
        "FLOPs, two per multiply-add",
        lambda work: 2 * work.multiply_adds,
        observe.torch_flops,
    ),
    Source("torch tensors", "parameters", attrgetter("parameters"), observe.torch_parameters),
    Source(
        "torch tensors",
        "weights of convolutions and linear layers",
        attrgetter("weights"),
        observe.torch_weights,
    ),
    Source("torch tensors", "additions of a bias", attrgetter("bias_adds"), observe.torch_bias_adds),
    Source("torch tensors", "scalings by a normalization", attrgetter("scalings"), observe.torch_scalings),
    Source("torch tensors", "elements read", attrgetter("inputs"), observe.torch_elements_read),
    Source("torch tensors", "elements written", attrgetter("outputs"), observe.torch_elements_written),
    Source("torch tensors", "output shapes", None, observe.torch_shapes),
)
