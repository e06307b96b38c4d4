"""The rules by which nodes of a graph are counted, by operator and domain."""

from collections.abc import Callable, Iterable
from typing import TypeAlias, TypeVar

from costlab.algebra.work import Work
from costlab.onnx.call import NodeCall

ONNX = ""
"""The domain of onnx's own operators."""
Rule: TypeAlias = Callable[[NodeCall], Work | Iterable[Work]]
F = TypeVar("F", bound=Rule)
RULES: dict[tuple[str, str], Rule] = {}


def operators(*names: str, domain: str = ONNX) -> Callable[[F], F]:
    """Let a rule hold for operators of a domain."""

    def register(rule: F) -> F:
        for name in names:
            assert (domain, name) not in RULES, f"two rules for {domain}.{name}"
            RULES[domain, name] = rule
        return rule

    return register
