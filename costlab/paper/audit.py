"""The audit: every claim recomputed, judged, and held against what is recorded."""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from fractions import Fraction

from costlab.algebra.parameter import closest
from costlab.counting.compare import Comparison
from costlab.errors import CostlabError, TargetError
from costlab.paper.claim import Claim
from costlab.paper.claims import CLAIMS, MISSION
from costlab.paper.recorded import Recorded, as_text, recorded
from costlab.paper.stated import Stated, Trained, Value, Verdict
from costlab.paper.working import Step, Working


@dataclass(frozen=True)
class Outcome:
    """What became of one figure of a claim. ``expected`` is what is recorded of it, if anything is."""

    stated: Stated
    value: Value
    expected: Recorded | None

    @property
    def verdict(self) -> Verdict:
        """The verdict on the figure; what could not be recomputed differs."""
        if self.value is None and not isinstance(self.stated, Trained):
            return Verdict.DIFFERS
        return self.stated.verdict(self.value)

    @property
    def deviation(self) -> Fraction | None:
        """``value / stated - 1``, where there is such a thing."""
        return None if self.value is None else self.stated.deviation(self.value)

    @property
    def found(self) -> Recorded:
        """The outcome as it would be recorded."""
        return Recorded(self.verdict, as_text(self.value))

    @property
    def moved(self) -> bool:
        """Whether the verdict or the value is not the one recorded."""
        return self.found != self.expected


@dataclass(frozen=True)
class Audited:
    """A claim with the outcome of each of its figures and the steps that led there.

    ``unverified`` says that it counts a definition that was not held against its source, ``problem`` why it
    could not be recomputed.
    """

    claim: Claim
    outcomes: tuple[Outcome, ...]
    steps: tuple[Step, ...]
    unverified: bool
    problem: str = ""

    @property
    def verdict(self) -> Verdict:
        """The weakest of its figures' verdicts."""
        return max((outcome.verdict for outcome in self.outcomes), key=lambda verdict: verdict.rank)

    @property
    def moved(self) -> tuple[Outcome, ...]:
        """The outcomes that are not as recorded."""
        return tuple(outcome for outcome in self.outcomes if outcome.moved)

    @property
    def stands(self) -> bool:
        """Whether it is verified, or close within the tolerance that it declares."""
        return self.verdict.verified or self.verdict is Verdict.CLOSE


def verify(*ids: str, progress: Callable[[str], None] | None = None) -> tuple[Audited, ...]:
    """Recompute claims of the Inception-v3 paper from the definitions; all of them, or those with these ids.

    ``progress`` is told each id.

    Raises:
        TargetError: there is no claim of that id.
    """
    for name in ids:
        if name not in CLAIMS:
            raise TargetError(f"there is no claim {name!r}{closest(str(name), CLAIMS)} (see costlab verify)")
    tell = progress or str
    known: dict[str, Comparison] = {}
    audited = []
    for name in dict.fromkeys(ids or CLAIMS):
        tell(name)
        audited.append(_audit(CLAIMS[name], known, recorded().get(name, ())))
    return tuple(audited)


def mission() -> tuple[Audited, ...]:
    """The claims that costlab exists to check: 2.78x, 28%, 33%, the budget and the parameters."""
    return verify(*MISSION)


def tally(audited: Iterable[Audited]) -> Mapping[Verdict, int]:
    """How many claims came to each verdict."""
    counted = Counter(each.verdict for each in audited)
    return {verdict: counted[verdict] for verdict in Verdict}


def _audit(claim: Claim, known: dict[str, Comparison], expected: tuple[Recorded, ...]) -> Audited:
    work = Working(comparisons=known)
    problem = ""
    try:
        values = claim.recompute(work)
    except CostlabError as error:  # a definition is broken: that is what this is to find
        values, problem = [None] * len(claim.stated), str(error)
    pairs = zip(claim.stated, values, strict=True)
    outcomes = tuple(
        Outcome(stated, value, expected[i] if i < len(expected) else None)
        for i, (stated, value) in enumerate(pairs)
    )
    return Audited(claim, outcomes, tuple(work.steps), work.unverified, problem)
