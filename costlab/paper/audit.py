"""The audit: every claim is recomputed, judged, and compared with the expected outcome."""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from traceback import extract_tb

from costlab.algebra.parameter import closest
from costlab.errors import CostlabError, DefinitionError, TargetError, one_line
from costlab.messages import named
from costlab.paper.claim import Claim
from costlab.paper.claims import CLAIMS, MISSION
from costlab.paper.derivation import Derivation, Step
from costlab.paper.expected import ExpectedFigure, ExpectedOutcome, as_text, differences, load_expected
from costlab.paper.stated import Stated, Trained, Value, Verdict


@dataclass(frozen=True)
class Outcome:
    """The outcome of one figure of a claim: the recomputed value, and the verdict on the figure."""

    stated: Stated
    value: Value
    verdict: Verdict

    @property
    def deviation(self) -> Fraction | None:
        """``value / stated - 1``; None if the figure is no number."""
        return None if self.value is None else self.stated.deviation(self.value)


@dataclass(frozen=True)
class AuditedClaim:
    """A claim with the outcomes of its figures and the steps of their derivation.

    ``unverified`` says that a definition is counted that was not compared with its source, ``problem`` why
    the claim could not be recomputed, and ``expected`` which outcome is recorded, if any.
    """

    claim: Claim
    outcomes: tuple[Outcome, ...]
    steps: tuple[Step, ...]
    unverified: bool
    problem: str
    expected: ExpectedOutcome | None

    def __repr__(self) -> str:
        figures = "; ".join(
            f"{outcome.stated.name} {outcome.stated.text}: {as_text(outcome.value)}, {outcome.verdict.value}"
            for outcome in self.outcomes
        )
        return f"<claim {self.claim.id}: {figures}>"

    @property
    def verdict(self) -> Verdict:
        """The weakest verdict on one of its figures."""
        return max((outcome.verdict for outcome in self.outcomes), key=lambda verdict: verdict.rank)

    @property
    def stands(self) -> bool:
        """Whether it is verified, or close within its declared tolerance."""
        return self.verdict.verified or self.verdict is Verdict.CLOSE

    @property
    def recomputed(self) -> ExpectedOutcome:
        """The outcome in the form in which it would be recorded."""
        figures = (
            ExpectedFigure(outcome.stated.name, outcome.stated.text, outcome.verdict, as_text(outcome.value))
            for outcome in self.outcomes
        )
        steps = ((step.name, as_text(step.value)) for step in self.steps)
        return ExpectedOutcome(tuple(figures), tuple(steps), self.unverified)

    @property
    def changes(self) -> tuple[str, ...]:
        """A line for each difference from the expected outcome."""
        if self.problem:
            return (f"cannot be recomputed: {self.problem}",)
        return tuple(differences(self.recomputed, self.expected))


def verify(*ids: str, progress: Callable[[str], None] | None = None) -> tuple[AuditedClaim, ...]:
    """Recompute claims of the Inception-v3 paper from the definitions: those with these ids, or all.

    ``progress`` is called with each id.

    Raises:
        TargetError: there is no claim of that id.
        DefinitionError: the expected outcomes cannot be read.
    """
    names: tuple[object, ...] = ids  # not yet known to be what they should be
    for name in names:
        if not isinstance(name, str) or name not in CLAIMS:
            raise TargetError(
                f"there is no claim {named(name)}{closest(str(name), CLAIMS)} (see costlab verify)"
            )
    return _audited(ids, load_expected(), progress or str)


def current_outcomes() -> Mapping[str, ExpectedOutcome]:
    """The outcomes of all claims at present, to be recorded as expected.

    Raises:
        DefinitionError: a claim cannot be recomputed.
    """
    audits = _audited((), {}, str)
    for audited in audits:
        if audited.problem:
            raise DefinitionError(f"{audited.claim.id} cannot be recomputed: {audited.problem}")
    return {audited.claim.id: audited.recomputed for audited in audits}


def mission_claims() -> tuple[AuditedClaim, ...]:
    """The claims that costlab exists to check: 2.78x, 28%, 33%, the budget and the parameters."""
    return verify(*MISSION)


def orphaned_outcomes() -> tuple[str, ...]:
    """The ids of expected outcomes without a claim."""
    return tuple(name for name in load_expected() if name not in CLAIMS)


def tally(audits: Iterable[AuditedClaim]) -> Mapping[Verdict, int]:
    """How many claims have each verdict."""
    counted = Counter(audited.verdict for audited in audits)
    return {verdict: counted[verdict] for verdict in Verdict}


def _audited(
    ids: Iterable[str], expected: Mapping[str, ExpectedOutcome], report: Callable[[str], object]
) -> tuple[AuditedClaim, ...]:
    audited = []
    for name in dict.fromkeys(ids or CLAIMS):
        report(name)
        audited.append(_audit(CLAIMS[name], expected.get(name)))
    return tuple(audited)


def _audit(claim: Claim, expected: ExpectedOutcome | None) -> AuditedClaim:
    derivation = Derivation()
    problem = ""
    try:
        values = claim.recompute(derivation)
        outcomes = [
            Outcome(stated, value, stated.verdict(value))
            for stated, value in zip(claim.stated, values, strict=True)
        ]
    except (Exception, SystemExit) as error:  # a broken definition may raise anything
        outcomes, problem = [_outcome_of_failure(stated) for stated in claim.stated], _describe_error(error)
    return AuditedClaim(
        claim, tuple(outcomes), tuple(derivation.steps), derivation.unverified, problem, expected
    )


def _outcome_of_failure(stated: Stated) -> Outcome:
    """The outcome of a figure that could not be recomputed: it differs, unless only training can show it."""
    return Outcome(stated, None, stated.verdict(None) if isinstance(stated, Trained) else Verdict.DIFFERS)


def _describe_error(error: BaseException) -> str:
    """An error in one line; if costlab did not raise it on purpose, with its place in the definitions."""
    if isinstance(error, CostlabError):
        return str(error)
    calls = [call for call in extract_tb(error.__traceback__) if Path(call.filename).parent.name == "blocks"]
    where = f" (blocks/{Path(calls[-1].filename).name}, line {calls[-1].lineno})" if calls else ""
    return f"{one_line(error)}{where}"
