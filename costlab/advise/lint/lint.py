"""``costlab.lint``."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from costlab.advise.graph import graph_of
from costlab.advise.lint.balance import Balance, Grid, balance_of
from costlab.advise.lint.batched import with_batch
from costlab.advise.lint.finding import Finding
from costlab.advise.lint.rules import findings_in
from costlab.advise.lint.silence import silence_of
from costlab.advise.lint.text import ROOT, in_a_line, many
from costlab.algebra.combine import is_unverified, marked
from costlab.algebra.inputs import AnyInput
from costlab.counting.overview import Overview
from costlab.errors import DefinitionError
from costlab.messages import named
from costlab.targets.like import TargetLike
from costlab.targets.resolve import resolve

EXPENSIVE_SHARE = 0.2
"""From which share of the convolutions' multiply-adds a convolution before a pooling is a warning.

It is costlab's own: the paper gives none. In Inception v3 as released two such have 7.0% and 12.2%, with its
reductions made bluntly 24.4% and 25.5%.
"""


@dataclass(frozen=True, repr=False)
class Lint(Overview):
    """What the paper's principles say of a network, in inference.

    ``findings`` are in the order in which the network runs; those in ``silenced`` were not to be heard.
    ``balance`` is reported, and never warned of. ``traced`` says that a module ran on tensors without memory.
    """

    label: str
    input: AnyInput
    findings: tuple[Finding, ...]
    silenced: tuple[Finding, ...]
    balance: Balance
    expensive_share: float = EXPENSIVE_SHARE
    traced: bool = False
    unverified: bool = False

    @property
    def warnings(self) -> tuple[Finding, ...]:
        """The findings that are warnings."""
        return tuple(finding for finding in self.findings if finding.is_warning)

    @property
    def notes(self) -> tuple[Finding, ...]:
        """The findings that are notes."""
        return tuple(finding for finding in self.findings if not finding.is_warning)

    @property
    def grids(self) -> tuple[Grid, ...]:
        """Width and depth on each grid."""
        return self.balance.grids

    @property
    def title(self) -> str:
        """What was asked of, on one line."""
        return f"{marked(self.label, self.unverified)}, input {self.input}"

    @property
    def summary(self) -> str:
        """How many findings there are: ``3 warnings, 2 notes; 1 silenced``."""
        found = ((self.warnings, "warning"), (self.notes, "note"))
        counts = [many(len(some), noun) for some, noun in found if some]
        silenced = f"; {len(self.silenced)} silenced" if self.silenced else ""
        return f"{', '.join(counts) or 'nothing found'}{silenced}"

    def _lines(self) -> Sequence[str]:
        shown = [in_a_line(each.path, each.severity, each.rule, each.message) for each in self.findings]
        return [f"{self.title}: {self.summary}", *shown]

    def _records(self) -> Sequence[Mapping[str, str]]:
        return [
            {
                "rule": each.rule,
                "module": each.path or ROOT,
                "severity": each.severity,
                "finding": each.message,
                "change": each.change,
                "paper": each.source,
            }
            for each in self.findings
        ]


def lint(
    target: TargetLike,
    input: object = None,
    *,
    select: Iterable[str] | None = None,
    ignore: Iterable[str] = (),
    per_module_ignores: Mapping[str, Sequence[str]] | None = None,
    expensive_share: float | Fraction = EXPENSIVE_SHARE,
    **settings: Any,
) -> Lint:
    """What the paper's principles say of a target: pinches, blunt grid reductions, large kernels, balance.

    ``target``, ``input`` and ``settings`` are those of `costlab.count`; a module of PyTorch is traced on
    tensors without memory. Of the rules, by name, those in ``select`` are heard, by default all, but for
    those in ``ignore``, and for those in ``per_module_ignores``, which are by patterns of the module's path
    such as ``stem.*``; ``ALL`` names every rule. From ``expensive_share`` of the convolutions' multiply-adds
    on, a convolution before a pooling is a warning, below it a note.

    Raises:
        DefinitionError: there is no such rule, the share is none, or a dimension is no plain number.
        TargetError, ShapeError, DependsOnDataError: as `costlab.count`.
    """
    silence = silence_of(select, ignore, {} if per_module_ignores is None else per_module_ignores)
    share = as_share(expensive_share)
    found = resolve(target, input, **settings)
    placed, _ = found.block.placed(found.input, found.batch)
    graph = with_batch(graph_of(found))
    balance = balance_of(graph)
    findings = findings_in(graph, balance, share)
    return Lint(
        found.label,
        placed,
        tuple(each for each in findings if not silence.hides(each)),
        tuple(each for each in findings if silence.hides(each)),
        balance,
        share,
        traced=found.block.takes_tensors,
        unverified=is_unverified(found.block),
    )


def as_share(value: object, where: str = "expensive_share") -> float:
    """A share from 0 to 1. Raises `DefinitionError` if it is none."""
    if isinstance(value, bool) or not isinstance(value, int | float | Fraction) or not 0 <= value <= 1:
        raise DefinitionError(f"{where}={named(value)} must be a share from 0 to 1, such as 0.2")
    return float(value)
