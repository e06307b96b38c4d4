"""Inception v3 and the networks that its paper compares it with, one crop each.

Those of table 3 are the single crops of `inference_budget`, with the errors that the paper reports; of the
others it reports none for one crop.

Source: C. Szegedy et al., "Rethinking the Inception Architecture for Computer Vision", CVPR 2016.
"""

from blocks.ablations.inference_budget import inference_budget
from blocks.alexnet import alexnet
from blocks.prelu_net import prelu_net_a, prelu_net_b, prelu_net_c
from blocks.vgg import vgg16, vgg19
from costlab.targets.ablation import Ablation
from costlab.targets.resolve import variant

BASELINE = "Inception-v3"
_SINGLE = {label: member for label, member in inference_budget.variants.items() if member.batch == 1}

lineage = Ablation(
    "lineage",
    "Inception v3 and the networks that its paper compares it with, one crop each",
    {BASELINE: _SINGLE[BASELINE]}
    | {
        "AlexNet": variant(alexnet, "3x227x227"),
        "VGG-16": variant(vgg16, "3x224x224"),
        "VGG-19": variant(vgg19, "3x224x224"),
    }
    | {label: member for label, member in _SINGLE.items() if label != BASELINE}
    | {
        "PReLU-net A": variant(prelu_net_a, "3x224x224"),
        "PReLU-net B": variant(prelu_net_b, "3x224x224"),
        "PReLU-net C": variant(prelu_net_c, "3x224x224"),
    },
    symbols=("width",),
    figure="Sections 1, 6 and 11, table 3",
    published={label: figures for label, figures in inference_budget.published.items() if label in _SINGLE},
    notes=(
        "errors: those that the paper reports for one crop; for AlexNet, VGGNet and the PReLU-nets it "
        "reports none",
        "taken as: Inception-v2, the release with a 7x7 stem; GoogLeNet, with a separable first layer",
    ),
)
