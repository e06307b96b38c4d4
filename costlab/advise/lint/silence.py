"""What a user doesn't want to hear: rules by name, for the whole network or for modules by pattern."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from costlab.advise.lint.finding import RULES, Finding
from costlab.advise.pattern import matches
from costlab.algebra.parameter import closest
from costlab.errors import DefinitionError
from costlab.messages import named

ALL = "ALL"
"""The name that stands for every rule."""


@dataclass(frozen=True)
class Silence:
    """Which findings are heard: of the rules in ``select``, and neither in ``ignore`` nor ignored there.

    ``per_module`` are patterns of modules, ``*`` for anything, with the rules ignored in those.
    """

    select: frozenset[str] = frozenset(RULES)
    ignore: frozenset[str] = frozenset()
    per_module: tuple[tuple[str, frozenset[str]], ...] = ()

    def hides(self, finding: Finding) -> bool:
        """Whether nothing is to be said of it."""
        return (
            finding.rule not in self.select
            or finding.rule in self.ignore
            or any(
                finding.rule in rules for pattern, rules in self.per_module if matches(finding.path, pattern)
            )
        )


def silence_of(
    select: Iterable[str] | None, ignore: Iterable[str], per_module_ignores: Mapping[str, Sequence[str]]
) -> Silence:
    """What is heard, by the options of `costlab.lint`.

    Raises:
        DefinitionError: there is no such rule, or a list of them is none.
    """
    if not isinstance(per_module_ignores, Mapping):
        raise DefinitionError(
            f"per_module_ignores={named(per_module_ignores)} must be rules by patterns of modules"
        )
    by_pattern: Any = per_module_ignores.items()
    for pattern, _ in by_pattern:
        if not isinstance(pattern, str):
            raise DefinitionError(f"per_module_ignores: {named(pattern)} is no pattern of modules")
    return Silence(
        frozenset(RULES) if select is None else rules_named("select", select),
        rules_named("ignore", ignore),
        tuple(
            (pattern, rules_named(f"per_module_ignores[{named(pattern)}]", rules))
            for pattern, rules in by_pattern
        ),
    )


def rules_named(where: str, names: Any) -> frozenset[str]:
    """Rules by their names, ``ALL`` for every one; ``where`` is what they were given for.

    Raises:
        DefinitionError: there is no such rule, or this is no list of names.
    """
    if isinstance(names, str) or not isinstance(names, Iterable):
        raise DefinitionError(f"{where}={named(names)} must be a list of rules")
    found: set[str] = set()
    for name in names:
        if name == ALL:
            found |= set(RULES)
        elif isinstance(name, str) and name in RULES:
            found.add(name)
        else:
            hint = closest(name, RULES) if isinstance(name, str) else ""
            raise DefinitionError(f"{where}: there is no rule {named(name)}{hint}")
    return frozenset(found)
