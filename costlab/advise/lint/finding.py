"""Rules, and what they find: a place in a network, its numbers, and the change that would answer it."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, Literal, NamedTuple

Severity = Literal["warning", "note"]

PINCH = "pinch"
POOL_BEFORE_EXPANSION = "pool-before-expansion"
CONVOLUTION_BEFORE_POOL = "convolution-before-pool"
LARGE_KERNEL = "large-kernel"


class Rule(NamedTuple):
    """What is looked for.

    ``principle`` is the number of the paper's general design principle (section 2), None where only a later
    section says it; ``section`` is the one that says more, and ``title`` what it says in a few words.
    """

    name: str
    principle: int | None
    section: str
    title: str

    @property
    def source(self) -> str:
        """Where the paper says it."""
        principle = [] if self.principle is None else [f"principle {self.principle}"]
        return ", ".join([*principle, f"section {self.section}"])


RULES: Mapping[str, Rule] = MappingProxyType(
    {
        rule.name: rule
        for rule in (
            Rule(PINCH, 1, "2", "avoid representational bottlenecks"),
            Rule(POOL_BEFORE_EXPANSION, 1, "5", "pooling before the channels expand is a bottleneck"),
            Rule(CONVOLUTION_BEFORE_POOL, None, "5", "expanding before pooling is expensive"),
            Rule(LARGE_KERNEL, None, "3", "large kernels cost more than their factorizations"),
        )
    }
)
"""The rules by name."""


class Alternative(NamedTuple):
    """What would take the place of a convolution, by the name of its scheme, and its multiply-adds."""

    scheme: str
    multiply_adds: int
    saved: int


class Finding(NamedTuple):
    """What a rule found at a module.

    ``message`` says it in one sentence, with the ``numbers``; ``change`` would answer it. Shares are from 0
    to 1: ``share_of_convolutions`` of the multiply-adds of all convolutions, ``share`` of all operations.
    The ``numbers`` by rule:

    - ``pinch``: ``before`` (the path of the operation before), ``from_sizes`` and ``to_sizes`` behind the
      batch, ``from_elements`` and ``to_elements`` of the whole batch, and ``ratio``, by which they drop.
    - ``pool-before-expansion``: ``convolution`` (its path), ``channels`` pooled, ``filters`` after them,
      ``from_grid``, ``to_grid``.
    - ``convolution-before-pool``: ``pool`` (its path), ``channels``, ``filters``, ``from_grid``,
      ``to_grid``, ``multiply_adds``, ``share_of_convolutions``, ``share``.
    - ``large-kernel``: ``kernel``, ``channels``, ``filters``, ``grid`` that comes out, ``multiply_adds``,
      ``share_of_convolutions``, ``share``; ``alternatives`` are what other convolutions would cost.
    """

    rule: str
    path: str
    severity: Severity
    message: str
    numbers: Mapping[str, Any]
    change: str
    alternatives: tuple[Alternative, ...] = ()

    @property
    def title(self) -> str:
        """What the paper says, in a few words."""
        return RULES[self.rule].title

    @property
    def source(self) -> str:
        """Where the paper says it."""
        return RULES[self.rule].source

    @property
    def is_warning(self) -> bool:
        """Whether it is one."""
        return self.severity == "warning"
