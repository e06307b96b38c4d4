"""The audit: every claim recomputed, judged, and held against what is recorded."""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from traceback import extract_tb

from costlab.algebra.parameter import closest
from costlab.errors import CostlabError, DefinitionError, TargetError, one_line
from costlab.paper.claim import Claim
from costlab.paper.claims import CLAIMS, MISSION
from costlab.paper.derivation import Step, Working
from costlab.paper.expected import Figure, Record, as_text, moves, recorded
from costlab.paper.stated import Stated, Trained, Value, Verdict


@dataclass(frozen=True)
class Outcome:
    """What became of one figure of a claim: the recomputed value, and the verdict on the figure."""

    stated: Stated
    value: Value
    verdict: Verdict

    @property
    def deviation(self) -> Fraction | None:
        """``value / stated - 1``, where there is such a thing."""
        return None if self.value is None else self.stated.deviation(self.value)


@dataclass(frozen=True)
class Audited:
    """A claim with the outcome of each of its figures and the steps that led there.

    ``unverified`` says that it counts a definition that was not held against its source, ``problem`` why it
    could not be recomputed, ``expected`` what is recorded of it, if anything is.
    """

    claim: Claim
    outcomes: tuple[Outcome, ...]
    steps: tuple[Step, ...]
    unverified: bool
    problem: str
    expected: Record | None

    @property
    def verdict(self) -> Verdict:
        """The weakest of its figures' verdicts."""
        return max((outcome.verdict for outcome in self.outcomes), key=lambda verdict: verdict.rank)

    @property
    def stands(self) -> bool:
        """Whether it is verified, or close within the tolerance that it declares."""
        return self.verdict.verified or self.verdict is Verdict.CLOSE

    @property
    def record(self) -> Record:
        """The outcome as it would be recorded."""
        figures = (
            Figure(outcome.stated.name, outcome.stated.text, outcome.verdict, as_text(outcome.value))
            for outcome in self.outcomes
        )
        steps = ((step.name, as_text(step.value)) for step in self.steps)
        return Record(tuple(figures), tuple(steps), self.unverified)

    @property
    def moved(self) -> tuple[str, ...]:
        """What is not as recorded, a line each; nothing if all is."""
        if self.problem:
            return (f"cannot be recomputed: {self.problem}",)
        return tuple(moves(self.record, self.expected))


def verify(*ids: str, progress: Callable[[str], None] | None = None) -> tuple[Audited, ...]:
    """Recompute claims of the Inception-v3 paper from the definitions; all of them, or those with these ids.

    ``progress`` is told each id.

    Raises:
        TargetError: there is no claim of that id.
        DefinitionError: the recorded outcomes cannot be read.
    """
    given: tuple[object, ...] = ids  # not yet known to be what they should be
    for name in given:
        if not isinstance(name, str) or name not in CLAIMS:
            raise TargetError(f"there is no claim {name!r}{closest(str(name), CLAIMS)} (see costlab verify)")
    return _audited(ids, recorded(), progress or str)


def records() -> Mapping[str, Record]:
    """The outcomes of all claims as they are to be recorded, whatever is recorded now.

    Raises:
        DefinitionError: a claim cannot be recomputed.
    """
    audited = _audited((), {}, str)
    for each in audited:
        if each.problem:
            raise DefinitionError(f"{each.claim.id} cannot be recomputed: {each.problem}")
    return {each.claim.id: each.record for each in audited}


def mission() -> tuple[Audited, ...]:
    """The claims that costlab exists to check: 2.78x, 28%, 33%, the budget and the parameters."""
    return verify(*MISSION)


def orphans() -> tuple[str, ...]:
    """What is recorded of claims that there are none of."""
    return tuple(name for name in recorded() if name not in CLAIMS)


def tally(audited: Iterable[Audited]) -> Mapping[Verdict, int]:
    """How many claims came to each verdict."""
    counted = Counter(each.verdict for each in audited)
    return {verdict: counted[verdict] for verdict in Verdict}


def _audited(
    ids: Iterable[str], expected: Mapping[str, Record], tell: Callable[[str], object]
) -> tuple[Audited, ...]:
    audited = []
    for name in dict.fromkeys(ids or CLAIMS):
        tell(name)
        audited.append(_audit(CLAIMS[name], expected.get(name)))
    return tuple(audited)


def _audit(claim: Claim, expected: Record | None) -> Audited:
    work = Working()
    problem = ""
    try:
        values = claim.recompute(work)
        outcomes = [
            Outcome(stated, value, stated.verdict(value))
            for stated, value in zip(claim.stated, values, strict=True)
        ]
    except (Exception, SystemExit) as error:  # whatever a broken definition raises: this is to find it
        outcomes, problem = [_missing(stated) for stated in claim.stated], _told(error)
    return Audited(claim, tuple(outcomes), tuple(work.steps), work.unverified, problem, expected)


def _missing(stated: Stated) -> Outcome:
    """The outcome of what could not be recomputed: it differs, unless there was nothing to compute."""
    return Outcome(stated, None, stated.verdict(None) if isinstance(stated, Trained) else Verdict.DIFFERS)


def _told(error: BaseException) -> str:
    """What went wrong; of what costlab does not raise on purpose, where in the definitions too."""
    if isinstance(error, CostlabError):
        return str(error)
    calls = [call for call in extract_tb(error.__traceback__) if Path(call.filename).parent.name == "blocks"]
    where = f" (blocks/{Path(calls[-1].filename).name}, line {calls[-1].lineno})" if calls else ""
    return f"{one_line(error)}{where}"
