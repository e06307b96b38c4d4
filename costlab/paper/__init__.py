"""What the paper says: its claims, recomputed from the definitions and judged by arithmetic."""

from costlab.paper.audit import Audited, Outcome, verify
from costlab.paper.claim import Claim
from costlab.paper.claims import CLAIMS, MISSION
from costlab.paper.stated import Verdict

__all__ = ["CLAIMS", "MISSION", "Audited", "Claim", "Outcome", "Verdict", "verify"]
