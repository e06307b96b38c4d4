"""The cost of convolutional networks: counted exactly, compared, and checked against what runs.

``count`` gives the cost of a network as arithmetic on its definition, ``compare`` what changes to it cost or
save, ``closed_form`` the formula of a cost; ``check`` holds it against fvcore, PyTorch's flop counter and the
real tensors, ``build`` makes the torch module. Any PyTorch model counts, too; ``rule`` says what an operation
of one's own costs. ``verify`` recomputes the claims of the Inception-v3 paper. Blocks are written with
`costlab.algebra`.
"""

from typing import TYPE_CHECKING, Any

__version__ = "0.1.0"

if TYPE_CHECKING:
    from costlab.algebra import Ablation as Ablation
    from costlab.algebra import Block as Block
    from costlab.algebra import Definition as Definition
    from costlab.algebra import Reported as Reported
    from costlab.algebra import build as build
    from costlab.algebra import catalog as catalog
    from costlab.algebra import variant as variant
    from costlab.counting import ClosedForm as ClosedForm
    from costlab.counting import Comparison as Comparison
    from costlab.counting import Convention as Convention
    from costlab.counting import Count as Count
    from costlab.counting import closed_form as closed_form
    from costlab.counting import closed_forms as closed_forms
    from costlab.counting import compare as compare
    from costlab.counting import convention as convention
    from costlab.counting import conventions as conventions
    from costlab.counting import count as count
    from costlab.errors import CostlabError as CostlabError
    from costlab.errors import DefinitionError as DefinitionError
    from costlab.errors import OutputError as OutputError
    from costlab.errors import ShapeError as ShapeError
    from costlab.errors import TargetError as TargetError
    from costlab.paper import Audited as Audited
    from costlab.paper import verify as verify
    from costlab.tracing import Finding as Finding
    from costlab.tracing import check as check
    from costlab.tracing import rule as rule

# Where each public name lives. Loaded on first use: a count needs no torch, so neither does the import.
_HOMES = {
    "costlab.algebra": ("Ablation", "Block", "Definition", "Reported", "build", "catalog", "variant"),
    "costlab.counting": (
        "ClosedForm",
        "Comparison",
        "Convention",
        "Count",
        "closed_form",
        "closed_forms",
        "compare",
        "convention",
        "conventions",
        "count",
    ),
    "costlab.errors": ("CostlabError", "DefinitionError", "OutputError", "ShapeError", "TargetError"),
    "costlab.paper": ("Audited", "verify"),
    "costlab.tracing": ("Finding", "check", "rule"),
}
__all__ = [name for names in _HOMES.values() for name in names]


def __getattr__(name: str) -> Any:
    from importlib import import_module

    for home, names in _HOMES.items():
        if name in names:
            return getattr(import_module(home), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted([*__all__, "__version__"])
