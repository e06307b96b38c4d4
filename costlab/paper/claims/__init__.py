"""The claims of the Inception-v3 paper, in the order of its sections.

Source: C. Szegedy et al., "Rethinking the Inception Architecture for Computer Vision", CVPR 2016.
"""

from costlab.errors import DefinitionError
from costlab.paper.claims import auxiliary, factorization, lineage, network, reduction, training

_ALL = (
    *lineage.BUDGET,
    *factorization.CLAIMS,
    *auxiliary.CLAIMS,
    *reduction.CLAIMS,
    *network.CLAIMS,
    *training.CLAIMS,
    *lineage.HE,
)
CLAIMS = {claim.id: claim for claim in _ALL}
"""Every claim by its id."""
if len(CLAIMS) < len(_ALL):
    raise DefinitionError("two claims of the paper have one id")
MISSION = ("5x5-vs-3x3", "two-3x3", "asymmetric", "budget-madds", "budget-params")
"""What costlab exists to check: 2.78x, 28%, 33%, about 5 billion multiply-adds, under 25 M parameters."""
