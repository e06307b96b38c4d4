"""The claims of section 4: what auxiliary classifiers gain, which table 3 reports of one of them."""

from costlab.paper.claim import Claim
from costlab.paper.derivation import Derivation, format_number
from costlab.paper.published import figure
from costlab.paper.stated import Printed, Trained, Unit, Value

POINTS = Unit(" points")


def _gain(derivation: Derivation) -> list[Value]:
    before, after = (figure(label, "top_1_error") for label in ("v2, factorized 7x7", "Inception-v3"))
    formula = f"{format_number(before)} - {format_number(after)}"
    gain = derivation.step("fall of the top-1 error", formula, before - after, reported=True)
    return [gain, None, None]


CLAIMS = (
    Claim(
        "auxiliary",
        "4, figure 8",
        "Batch norm in the auxiliary head gains 0.4 points of top-1 accuracy, and a network with auxiliary "
        "heads ends slightly higher than one without.",
        (
            Printed("gain by table 3", "0.4", POINTS, reported=True),
            Trained(
                "gain of batch norm",
                "0.4 points",
                "inception_v3:aux=true, with batch norm in the head and without",
                ("auxiliary_bn",),
            ),
            Trained(
                "gain of the heads",
                "slightly higher",
                "inception_v3:aux=true beside the released one",
                ("auxiliary",),
            ),
        ),
        _gain,
        "In inference the head costs nothing: what it is worth, only training shows. Table 3 reports one run "
        "of each.",
    ),
)
