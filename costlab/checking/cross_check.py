"""The cross-check: a count held, module by module, against what PyTorch and fvcore report."""

import sys
from collections.abc import Callable, Mapping
from contextlib import redirect_stdout
from functools import partial
from operator import attrgetter
from typing import Any, NamedTuple

from costlab.algebra.dim import Dim, text
from costlab.algebra.modules import AuxiliaryHead
from costlab.algebra.traced import Traced
from costlab.checking import observe
from costlab.checking.check_module import check_module
from costlab.checking.finding import Finding, size_text
from costlab.checking.materialize import runnable
from costlab.checking.observe import Subject
from costlab.counting.count import Count
from costlab.counting.count import count as count_target
from costlab.counting.row import DEFAULT, Row
from costlab.errors import DefinitionError, one_line
from costlab.targets.like import TargetLike


class Source(NamedTuple):
    """Something that reports on a running module, and the size of each row of a count that it should find.

    Without ``size``, it reports the shapes that come out. ``convention`` gives the cost of the rows.
    """

    name: str
    quantity: str
    size: Callable[[Row], Any] | None
    observe: Callable[[Subject], Mapping[str, Any]]
    convention: str = DEFAULT


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
    heads included. ``progress`` is called with the name of each step.

    Raises:
        DefinitionError: the count is for symbols or arrays, of a part only, or given with an input.
        TargetError, ShapeError: a target is given that cannot be counted, or built on this machine.
    """
    if not isinstance(target, Count):
        count = count_target(target, input, batch=batch, **settings)
    elif input is None and batch == 1 and not settings:
        count = target
    else:
        raise DefinitionError(f"{target.label} is a count, made already, and takes no input or settings")
    count.refuse_partial("cannot be held against a run of the whole")
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
    priced = count.under(source.convention)
    expected = _sums(source.size, priced) if source.size else _shapes(count)
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
            where = path or "the root"
            return finding(f"DIFFERS at {where}: counted {size_text(ours)}, reported {size_text(theirs)}")
    if source.size:
        for name, rows in _tables(priced).items():
            shown, whole = sum(int(source.size(row)) for row in rows), reported.get("", 0)
            if shown != whole:
                difference = f"{size_text(shown)}, reported {size_text(whole)}"
                return finding(f"DIFFERS in the sum of {name}: {difference}")
    return finding()


def _tables(count: Count) -> Mapping[str, tuple[Row, ...]]:
    """The rows that people are shown: whatever the cut, they add up to what was reported."""
    return {
        "the operations": count.rows,
        "the kinds": count.kinds(),
        "the modules": count.modules(1),
        "the total": (count.whole,),
    }


def _sums(size: Callable[[Row], Any], count: Count) -> Mapping[str, int]:
    """The size of each module for the whole batch, with all that is below it."""
    return count.root.sums(lambda node: int(size(count.add_up("", [node]))))


def _shapes(count: Count) -> Mapping[str, tuple[int, ...]]:
    """The declared output shape of each module, batch included, children before their parents."""
    nodes = reversed(list(count.root.nodes()))
    return {node.path: (int(count.batch), *map(int, node.output)) for node in nodes}


# Quantities are compared as they are published, whatever the kind of operation that reports them.
SOURCES = (
    Source(
        "fvcore FlopCountAnalysis",
        "flops as it charges them",
        attrgetter("cost"),
        observe.fvcore_flops,
        convention="fvcore",
    ),
    Source(
        "fvcore ActivationCountAnalysis",
        "activations",
        attrgetter("work.activations"),
        observe.fvcore_activations,
    ),
    Source("fvcore parameter_count", "parameters", attrgetter("work.parameters"), observe.fvcore_parameters),
    Source(
        "torch FlopCounterMode",
        "FLOPs, two per multiply-add",
        lambda row: 2 * row.work.multiply_adds,
        observe.torch_flops,
    ),
    Source("torch tensors", "parameters", attrgetter("work.parameters"), observe.torch_parameters),
    Source(
        "torch tensors",
        "weights of convolutions and linear layers",
        attrgetter("work.weights"),
        observe.torch_weights,
    ),
    Source("torch tensors", "additions of a bias", attrgetter("work.bias_adds"), observe.torch_bias_adds),
    Source(
        "torch tensors", "scalings by a normalization", attrgetter("work.scalings"), observe.torch_scalings
    ),
    Source("torch tensors", "elements read", attrgetter("work.inputs"), observe.torch_elements_read),
    Source("torch tensors", "elements written", attrgetter("work.outputs"), observe.torch_elements_written),
    Source("torch tensors", "output shapes", None, observe.torch_shapes),
)
