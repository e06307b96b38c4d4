"""Functions that rewrite a module of PyTorch by a plan."""

import re
import sys
from collections.abc import Iterator
from pathlib import Path
from shlex import quote
from typing import Any, NamedTuple

from costlab.advise.factorize.plan import Plan, Replacement
from costlab.advise.factorize.rewrite.classes import CLASSES, open_classes
from costlab.advise.factorize.rewrite.layout import (
    Expression,
    Group,
    call,
    docstring,
    laid_out,
    quoted,
    several,
)
from costlab.advise.factorize.rewrite.names import (
    figures,
    function_name,
    input_words,
    made_by,
    network_label,
    summary,
)
from costlab.advise.factorize.variant import Rewritten
from costlab.algebra.ops.convolution import Conv2d
from costlab.algebra.window import as_pair
from costlab.targets.resolve import IN_FILE, IN_MODULE
from costlab.targets.torch_module import Factory

OURS = {"rewrite", "replacements"}
PLAIN = (bool, int, float, str, type(None))
"""The types of settings that a file can hold."""

CHECK = '''
def rewrite(model: nn.Module) -> nn.Module:
    """Put what replaces them in the place of a model's convolutions; gives the model.

    Raises:
        ValueError: one is not there, or is another; nothing is changed then.
    """
    with torch.device("meta"):
        planned = replacements()
    modules = dict(model.named_modules(remove_duplicate=False))
    found = {}
    for path, (before, _) in planned.items():
        module = modules.get(path)
        wanted = nn.Conv2d.extra_repr(before)
        if isinstance(module, nn.Conv2d) and nn.Conv2d.extra_repr(module) == wanted:
            found[path] = module
        else:
            raise ValueError(f"{path} is {module}, and the plan is for {before}")
'''.strip().split("\n")
CHECK_SHARED = """
    for path, names in shared.items():
        if any(modules.get(name) is not found[path] for name in names):
            raise ValueError(f"{', '.join(names)} are not the same module")
""".strip("\n").split("\n")
REPLACE = """
    for path, (_, after) in planned.items():
        weight = found[path].weight
        after.to_empty(device=weight.device).to(weight.dtype)
        for part in after.train(found[path].training).modules():
            if isinstance(part, nn.Conv2d):
                part.reset_parameters()
""".strip("\n").split("\n")
PUT = """
        parent, _, name = path.rpartition(".")
        setattr(modules[parent], name, after)
""".strip("\n").split("\n")
PUT_SHARED = """
        for place in shared.get(path, (path,)):
            parent, _, name = place.rpartition(".")
            setattr(modules[parent], name, after)
""".strip("\n").split("\n")


class Maker(NamedTuple):
    """What makes the network, where a file can import it: the module that it is in, and its name."""

    module: str
    name: str


def module_code(plan: Plan, file: str) -> Iterator[str]:
    """The lines of the file."""
    maker = _maker(plan)
    yield from docstring([*_header(plan, maker, file), *made_by(plan, file)])
    yield from [
        "",
        *(["from typing import Any", ""] if maker else []),
        "import torch",
        "from torch import nn",
    ]
    yield from ["", ""]
    if maker:
        yield from [*_made(plan, maker), "", ""]
    yield from [*_rewrite(plan), "", "", *_replacements(plan)]


def _header(plan: Plan, maker: Maker | None, file: str) -> Iterator[str]:
    yield summary(plan)
    yield from figures(plan)
    yield (
        "``rewrite(model)`` puts them into a model. They begin with fresh weights, by torch's own "
        "initialization; all else in the model stays as it is."
    )
    given = input_words(plan.found.input)
    if maker and given:
        yield "It is counted by:"
        yield f"    costlab count {quote(file)}:{function_name(plan)} {' '.join(given)}"


def _made(plan: Plan, maker: Maker) -> Iterator[str]:
    """A function that makes the rewritten network."""
    number = open_classes(plan)
    parameters = [f"{CLASSES}: int = {number}"] if number is not None else []
    given = [f"{CLASSES}={CLASSES}"] if number is not None else []
    given += [f"{name}={_setting(value)}" for name, value in plan.given.settings.items()]
    yield f"def {function_name(plan)}({', '.join([*parameters, '**settings: Any'])}) -> nn.Module:"
    what = f"``{network_label(plan)}`` by {plan.scheme.name}, with fresh weights where it is rewritten."
    yield from docstring([what], 1)
    yield f"    from {maker.module} import {maker.name}"
    yield ""
    made = Group(f"{maker.name}(", tuple(("", each) for each in [*given, "**settings"]))
    yield from laid_out("return ", call("rewrite", made), 1)


def _setting(value: Any) -> str:
    return quoted(value) if isinstance(value, str) else repr(value)


def _maker(plan: Plan) -> Maker | None:
    """What makes the network; None if it was made already, or no file can import what does."""
    subject = plan.given.subject
    rewritten = isinstance(subject, Rewritten)  # what makes that, no file can import
    if (
        not isinstance(subject, Factory)
        or rewritten
        or not all(isinstance(v, PLAIN) for v in plan.given.settings.values())
    ):
        return None
    label = plan.given.label
    if match := re.fullmatch(IN_FILE, label):
        found = Maker(Path(match["source"]).stem, match["attribute"])
    elif match := re.fullmatch(IN_MODULE, label):
        found = Maker(match["source"], match["attribute"])
    else:
        made: Any = subject.function
        found = Maker(str(getattr(made, "__module__", "")), str(getattr(made, "__qualname__", "")))
        if found.module == "__main__" or getattr(sys.modules.get(found.module), found.name, None) is not made:
            return None
    can_be_written = all(part.isidentifier() for part in (*found.module.split("."), found.name))
    return found if can_be_written and found.name not in OURS else None


def _rewrite(plan: Plan) -> Iterator[str]:
    shared = {each.path: each.site.names for each in plan.replacements if len(each.site.names) > 1}
    is_root = any(not each.path for each in plan.replacements)
    yield from CHECK
    if shared:
        written = Group("{", tuple((f"{quoted(path)}: ", _texts(each)) for path, each in shared.items()), "}")
        yield from laid_out("shared = ", written, 1)
        yield from CHECK_SHARED
    yield from REPLACE
    yield from [] if is_root else PUT_SHARED if shared else PUT
    yield "    return after" if is_root else "    return model"


def _texts(names: tuple[str, ...]) -> Group:
    return several(*map(quoted, names))


def _replacements(plan: Plan) -> Iterator[str]:
    subject: Any = plan.found.block
    modules = dict(subject.module.named_modules(remove_duplicate=False))
    entries = [
        (f"{quoted(each.path)}: ", _entry(each, modules[each.path].padding_mode))
        for each in plan.replacements
    ]
    yield "def replacements() -> dict[str, tuple[nn.Conv2d, nn.Sequential]]:"
    yield from docstring(
        ["The convolutions that are replaced by their paths, each with what replaces it."], 1
    )
    yield "    return {"
    for lead, entry in entries:
        yield from laid_out(lead, entry, 2, ",")
    yield "    }"


def _entry(each: Replacement, padding_mode: str) -> Group:
    parts, channels = [], each.site.channels
    for part in each.parts:
        parts.append(_layer(part, channels, padding_mode))
        filters: Any = part.filters
        channels = int(filters)
    return several(_layer(each.site.conv, each.site.channels, padding_mode), call("nn.Sequential", *parts))


def _layer(conv: Conv2d, channels: int, padding_mode: str) -> Expression:
    """A convolution as a layer of torch, with what is not its default."""
    settings: dict[str, Expression] = {}
    for name, default in {"stride": 1, "padding": 0, "dilation": 1}.items():
        value = getattr(conv, name)
        if value not in (default, (default, default)):
            settings[name] = quoted(value) if isinstance(value, str) else _size(name, value)
    groups: Any = conv.groups
    if int(groups) > 1:
        settings["groups"] = str(int(groups))
    if not conv.bias:
        settings["bias"] = "False"
    if padding_mode != "zeros":
        settings["padding_mode"] = quoted(padding_mode)
    filters: Any = conv.filters
    return call("nn.Conv2d", str(channels), str(int(filters)), _size("kernel", conv.kernel), **settings)


def _size(name: str, value: Any) -> str:
    height, width = map(int, as_pair(name, value))
    return str(height) if height == width else str((height, width))
