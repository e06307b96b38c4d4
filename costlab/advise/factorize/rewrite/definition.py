"""A definition of the network of a plan, written out whole."""

from collections.abc import Iterator
from shlex import quote
from typing import Any

from costlab.advise.factorize.plan import Plan
from costlab.advise.factorize.rewrite.classes import CLASSES, classes_in, open_classes
from costlab.advise.factorize.rewrite.expression import Blocks
from costlab.advise.factorize.rewrite.layout import call, docstring, imports, laid_out, quoted
from costlab.advise.factorize.rewrite.names import (
    figures,
    function_name,
    is_named,
    made_by,
    network_label,
    summary,
)
from costlab.algebra.block import Block
from costlab.algebra.combine import Composite
from costlab.algebra.shape import Shape, Vector
from costlab.errors import CostlabError

SMALLEST, STEP = 48, 16
"""The sides of images that are tried, in pixels: the smallest, and how far the next one is."""


def definition_code(plan: Plan, file: str) -> Iterator[str]:
    """The lines of the file."""
    name, side = function_name(plan), _side(plan)
    classes = classes_in(plan)
    used = {("costlab", "Block"), ("costlab", "block")}
    functions = [*_function(plan, name, plan.block, classes, used)]
    original = quoted(plan.given.label)
    if side and not is_named(plan):
        original = f"{name.rpartition('_by_')[0]}_original"
        functions += ["", "", *_function(plan, original, plan.found.block, classes, used)]
    experiment = [] if side is None else ["", "", *_experiment(plan, name, original, side)]
    yield from docstring([*_header(plan, file, side), *made_by(plan, file)])
    yield ""
    if side is not None:
        used |= {("costlab.train", "Experiment"), ("costlab.train", "arm")}
    yield from imports(used)
    yield from ["", "", *functions, *experiment]


def _header(plan: Plan, file: str, side: int | None) -> Iterator[str]:
    yield summary(plan)
    yield from figures(plan)
    yield (
        "The whole network is written out, its parts by their names. It begins with fresh weights: "
        "none of those of a trained network are in it."
    )
    if side is not None:
        yield "Both networks are trained beside each other by:"
        yield f"    costlab train {quote(file)}:experiment"


def _function(
    plan: Plan, name: str, block: Block, classes: set[tuple[str, str]], used: set[tuple[str, str]]
) -> Iterator[str]:
    """A definition that returns a block; adds to ``used`` what it needs."""
    written = Blocks(classes)
    whole = written.expression(block)
    used |= written.imports
    parts, network = written.with_names(whole)
    settings = [f"input={quoted(str(plan.found.input))}"]
    if any(isinstance(each, Composite) and each.unverified for each in _blocks(block)):
        settings.append("unverified=True")
    number = open_classes(plan)
    shape = _arrow(plan, bool(classes))
    yield f"@block({', '.join(settings)})"
    yield f"def {name}({f'{CLASSES}: Dim = {number}' if classes else ''}) -> Block:"
    by = "" if block is plan.found.block else f" by {plan.scheme.name}"
    about = f"``{network_label(plan)}``{by}: {shape}."
    notes = [f"Args:\n    {CLASSES}: features of the last linear layer."] if classes else []
    yield from docstring([about, *notes], 1)
    for each, part in parts.items():
        yield from laid_out(f"{each} = ", part, 1)
    yield from laid_out("return ", network, 1)


def _blocks(block: Block) -> Iterator[Block]:
    yield block
    if isinstance(block, Composite):
        for _, child in block.children:
            yield from _blocks(child)


def _arrow(plan: Plan, with_classes: bool) -> str:
    shape: Any = plan.found.input  # a definition has no Inputs
    output = plan.found.block.output(shape)
    gives = f"({CLASSES},)" if with_classes else str(tuple(output))
    return f"``{tuple(shape)} -> {gives}``"


def _side(plan: Plan) -> int | None:
    """The smallest side of images that both networks take, to train them; None where they take none."""
    shape = plan.found.input
    if not isinstance(shape, Shape) or shape.channels != 3 or shape.height != shape.width:
        return None
    largest = int(shape.height)
    for side in [*range(SMALLEST, largest, STEP), largest]:
        try:
            outputs = [each.output(Shape(3, side, side)) for each in (plan.found.block, plan.block)]
        except CostlabError:
            continue
        return side if all(isinstance(each, Vector) for each in outputs) else None
    return None


def _experiment(plan: Plan, name: str, original: str, side: int) -> Iterator[str]:
    arms = {"original": original, plan.scheme.name: name}
    yield "experiment = Experiment("
    yield f"    {quoted(name)},"
    yield f"    {quoted(summary(plan).removesuffix('.'))},"
    yield "    {"
    for label, each in arms.items():
        yield from laid_out(f"{quoted(label)}: ", call("arm", each, side=str(side)), 2, ",")
    yield from ["    },", ")"]
