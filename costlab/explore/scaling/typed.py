"""A target as it is typed, with other settings."""

import re
import shlex
from collections.abc import Mapping, Sequence

from costlab.algebra.define import Definition
from costlab.targets.catalog import is_listed
from costlab.targets.resolve import IN_CATALOG, IN_FILE, IN_MODULE, label_with_settings
from costlab.targets.target import Variant

SETTING = r",(?=\s*\w+\s*=)"
"""The commas that part two settings, as `Definition.read` reads them."""


def retyped(target: object, variant: Variant, settings: Mapping[str, str]) -> str:
    """The target with these settings in the place of its own; what else was typed stays as it was."""
    if not isinstance(target, str):
        subject = variant.subject
        name = subject.name if isinstance(subject, Definition) else variant.label
        return label_with_settings(name, {**variant.settings, **settings})
    match = re.fullmatch(IN_CATALOG, target)
    if not match or not (
        ":" not in target or is_listed(match["name"]) or not re.fullmatch(IN_MODULE, target)
    ):
        match = re.fullmatch(IN_FILE, target) or re.fullmatch(IN_MODULE, target)
    assert match is not None  # or it would have named nothing
    before = match["settings"] or ""
    name = target.removesuffix(f":{before}")
    kept = [
        each
        for each in re.split(SETTING, before)
        if each.strip() and each.partition("=")[0].strip() not in settings
    ]
    words = [*kept, *(f"{key}={value}" for key, value in settings.items())]
    return f"{name}:{','.join(words)}" if words else name


def command(words: Sequence[str]) -> str:
    """A command as it is typed in a shell."""
    return shlex.join(words)
