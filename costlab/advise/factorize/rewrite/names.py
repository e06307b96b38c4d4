"""What a file calls the network of a plan, and what it says of it."""

import re
from collections.abc import Callable
from keyword import iskeyword
from shlex import join, quote

from costlab.advise.factorize.plan import TITLES, Plan
from costlab.advise.factorize.rewrite.layout import WIDTH
from costlab.advise.factorize.scheme import SCHEMES
from costlab.algebra.inputs import TENSOR, AnyInput, Inputs
from costlab.targets.catalog import is_listed, lookup
from costlab.targets.resolve import IN_FILE, IN_MODULE, without_folder

LONGEST = 60
"""The most characters of the network's part of a name."""


def function_name(plan: Plan) -> str:
    """The name of the function that makes the network of a plan, such as ``resnet50_by_1xn_nx1``."""
    subject = plan.given.subject
    own = attribute(plan) or getattr(subject, "name", None) or plan.found.label
    base = re.sub(r"\W+", "_", str(own))[:LONGEST].strip("_")
    scheme = re.sub(r"\W+", "_", plan.scheme.name)
    name = f"{base}_by_{scheme}"
    return name if name.isidentifier() and not iskeyword(name) else f"network_{name}"


def attribute(plan: Plan) -> str:
    """The attribute of a file or of a package that the network was named by; empty if it was not."""
    if any(plan.given.label.startswith(f"{name} of ") for name in SCHEMES):  # rewritten already
        return ""
    match = re.fullmatch(IN_FILE, plan.given.label) or re.fullmatch(IN_MODULE, plan.given.label)
    return match["attribute"] if match else ""


def input_words(shape: AnyInput) -> list[str] | None:
    """The options of a command that give an input; None where it has values that no command takes."""
    if not isinstance(shape, Inputs):
        return ["-i", str(shape)]
    given = [("", each) for each in shape.args] + [(f"{name}:", each) for name, each in shape.kwargs.items()]
    texts = [f"{name}{Inputs([each])}" for name, each in given]
    if not given or any(isinstance(each, int) for _, each in given):
        return None
    known = all(re.fullmatch(TENSOR, text) for text in texts)
    return [word for text in texts for word in ("-i", text)] if known else None


def network_label(plan: Plan) -> str:
    """The network as the user named it, a file without its folder."""
    return without_folder(plan.found.label)


def summary(plan: Plan) -> str:
    """What was replaced, in a sentence."""
    replaced, left = len(plan.replacements), len(plan.left)
    which = f"{replaced} of its {replaced + left} convolutions"
    if not left:
        which = f"all its {replaced} convolutions" if replaced > 1 else "its convolution"
    return f"{network_label(plan)}, with {plan.scheme.name} in the place of {which}."


def figures(plan: Plan) -> list[str]:
    """The quantities before and after, as paragraphs of a docstring."""
    number = plan.found.batch
    inputs = f"{number} inputs of {plan.found.input}" if number > 1 else f"an input of {plan.found.input}"
    rows = []
    for name, title in TITLES.items():
        was, now = plan.saving.sizes(name)
        rows.append((title, f"{was:,}", f"{now:,}", f"{now / was - 1:+.1%}" if was else ""))
    first, *others = zip(*rows, strict=True)
    columns = [_padded(first, str.ljust), *(_padded(column, str.rjust) for column in others)]
    table = [f"    {'  '.join(row)}".rstrip() for row in zip(*columns, strict=True)]
    return [f"Of {inputs}, before and after:", "\n".join(table)]


def _padded(column: tuple[str, ...], pad: Callable[[str, int], str]) -> list[str]:
    widest = max(map(len, column))
    return [pad(cell, widest) for cell in column]


def made_by(plan: Plan, file: str) -> list[str]:
    """The command that writes the file again, without the folders of this machine; none where none does."""
    label = network_label(plan)
    if not (attribute(plan) or is_named(plan)) or plan.found.batch > 1:
        return []
    words = ["costlab", "factorize", label]
    if plan.given.input is None and plan.given.place()[0] != plan.found.input:
        given = input_words(plan.found.input)
        if given is None:
            return []
        words += given
    command, rest = join([*words, *plan.asked]), f"--rewrite {quote(file)}"
    between = " " if len(f"    {command} {rest}") <= WIDTH else " \\\n        "
    return ["Written by:", f"    {command}{between}{rest}"]


def is_named(plan: Plan) -> bool:
    """Whether the network is a definition that is listed, and named by that."""
    name = plan.given.label.partition(":")[0]
    return is_listed(name) and lookup(name) is plan.given.subject
