"""The cost of inference beside the error rates that the paper reports for it (tables 3 to 5).

A crop is one input. The paper's Inception-v2 is taken to be the released network with a 7x7 instead of the
first three convolutions of the stem, its GoogLeNet to have the separable first layer that explains its cost,
and its PReLU-net to be C.

Source: C. Szegedy et al., "Rethinking the Inception Architecture for Computer Vision", CVPR 2016.
"""

from blocks.bn_inception import bn_inception
from blocks.ensemble import ensemble
from blocks.googlenet import googlenet
from blocks.inception_v3 import inception_v3
from blocks.prelu_net import prelu_net_c
from costlab.targets.ablation import Ablation
from costlab.targets.published import Published
from costlab.targets.resolve import variant
from costlab.targets.target import Variant


def _googlenet(batch: int = 1, bn: bool = False) -> Variant:
    return variant(googlenet, "3x224x224", batch, first="separable", bn=bn)


def _bn_inception(batch: int = 1) -> Variant:
    return variant(bn_inception, "3x224x224", batch)


def _inception_v3(batch: int = 1) -> Variant:
    return variant(inception_v3, "3x299x299", batch)


_INCEPTION_V2 = variant(inception_v3, "3x299x299", stem_kernel="7x7")
_ROWS: dict[str, tuple[Variant, Published]] = {
    "GoogLeNet": (_googlenet(), Published("Table 3", "29", "9.2", "1.5")),
    "BN-GoogLeNet": (_googlenet(bn=True), Published("Table 3", "26.8", None, "1.5", after="GoogLeNet")),
    "BN-Inception": (_bn_inception(), Published("Table 3", "25.2", "7.8", "2.0", after="BN-GoogLeNet")),
    "Inception-v2": (_INCEPTION_V2, Published("Table 3", "23.4", None, "3.8", after="BN-Inception")),
    "v2, RMSProp": (_INCEPTION_V2, Published("Table 3", "23.1", "6.3", "3.8", after="Inception-v2")),
    "v2, label smoothing": (
        _INCEPTION_V2,
        Published("Table 3", "22.8", "6.1", "3.8", after="v2, RMSProp"),
    ),
    "v2, factorized 7x7": (
        _inception_v3(),
        Published("Table 3", "21.6", "5.8", "4.8", after="v2, label smoothing"),
    ),
    "Inception-v3": (
        _inception_v3(),
        Published("Table 3", "21.2", "5.6", "4.8", after="v2, factorized 7x7"),
    ),
    "Inception-v3, 12 crops": (
        _inception_v3(12),
        Published("Table 4", "19.47", "4.48", after="Inception-v3"),
    ),
    "Inception-v3, 144 crops": (
        _inception_v3(144),
        Published("Table 4", "18.77", "4.2", after="Inception-v3, 12 crops"),
    ),
    "4 Inception-v3, 144 crops": (
        variant(ensemble, "3x299x299", 144, network="inception_v3", models=4),
        Published("Table 5, text", "17.2", "3.46", after="Inception-v3, 144 crops"),
    ),
    "GoogLeNet, 10 crops": (_googlenet(10), Published("Table 4", None, "9.15", after="GoogLeNet")),
    "GoogLeNet, 144 crops": (
        _googlenet(144),
        Published("Table 4", None, "7.89", after="GoogLeNet, 10 crops"),
    ),
    "7 GoogLeNet, 144 crops": (
        variant(ensemble, "3x224x224", 144, network="googlenet", models=7),
        Published("Table 5", None, "6.67", after="GoogLeNet, 144 crops"),
    ),
    "BN-Inception, 144 crops": (
        _bn_inception(144),
        Published("Table 4", "21.99", "5.82", after="BN-Inception"),
    ),
    "6 BN-Inception, 144 crops": (
        variant(ensemble, "3x224x224", 144, network="bn_inception", models=6),
        Published("Table 5", "20.1", "4.9", after="BN-Inception, 144 crops"),
    ),
    "PReLU-net C, 10 crops": (
        variant(prelu_net_c, "3x224x224", 10),
        Published("Table 4", "24.27", "7.38"),
    ),
}

inference_budget = Ablation(
    "inference_budget",
    "What inference costs: single crops, many crops, ensembles",
    {label: member for label, (member, _) in _ROWS.items()},
    symbols=("width",),
    figure="Tables 3 to 5",
    published={label: published for label, (_, published) in _ROWS.items()},
    notes=(
        "left out: VGGNet, its errors (?), and the PReLU-nets on dense grids and in an ensemble: the tables "
        "print no number of crops",
        "taken as: Inception-v2, the release with a 7x7 stem; GoogLeNet, with a separable first layer; "
        "PReLU-net, C (?)",
        "the 3.46% of four Inception-v3 are on the validation set; table 5 prints 3.58%, on the test set",
    ),
)
