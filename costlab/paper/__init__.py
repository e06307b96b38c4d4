"""The claims of the Inception-v3 paper, recomputed from the definitions and judged by arithmetic."""

from costlab.paper.audit import AuditedClaim, Outcome, verify
from costlab.paper.claim import Claim
from costlab.paper.claims import CLAIMS, MISSION
from costlab.paper.stated import Verdict

__all__ = ["CLAIMS", "MISSION", "AuditedClaim", "Claim", "Outcome", "Verdict", "verify"]
