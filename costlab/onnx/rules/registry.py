"""The rules by which nodes of a graph are counted, by operator and domain."""

from collections.abc import Callable, Iterable
from typing import TypeAlias, TypeVar

from costlab.algebra.work import Work
from costlab.onnx.call import NodeCall

ONNX = ""
"""The domain of onnx's own operators."""
ML = "ai.onnx.ml"
"""The domain of trees, vector machines and the like."""
TRAINING = "ai.onnx.preview.training"
PREVIEW = "ai.onnx.preview"
MICROSOFT = "com.microsoft"
"""The domain of the operators that onnxruntime adds and fuses others to."""
BLOCKED = "com.microsoft.nchwc"
"""The domain of those whose channels it lays out in blocks, filled up to whole ones."""
Rule: TypeAlias = Callable[[NodeCall], Work | Iterable[Work]]
Operator: TypeAlias = tuple[str, str]
F = TypeVar("F", bound=Rule)
RULES: dict[Operator, Rule] = {}
"""By domain and name."""
LEARNED: dict[Operator, tuple[int, ...]] = {}
"""At which inputs operators take what training changes, where they tell so; packed weights first."""


def operators(*names: str, domain: str = ONNX, learned: tuple[int, ...] | None = None) -> Callable[[F], F]:
    """Let a rule hold for operators of a domain, which take what is ``learned`` at these inputs."""

    def register(rule: F) -> F:
        for name in names:
            assert (domain, name) not in RULES, f"two rules for {domain}.{name}"
            RULES[domain, name] = rule
            if learned is not None:
                LEARNED[domain, name] = learned
        return rule

    return register
