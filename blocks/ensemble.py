"""Ensembles: several networks of one kind whose predictions are averaged."""

from typing import Literal

from blocks.bn_inception import bn_inception
from blocks.googlenet import googlenet
from blocks.inception_v3 import inception_v3
from costlab.algebra import Block, Dim, Ratio, Softmax, add, as_count, block, seq


@block(figure="Table 5", input="3x299x299")
def ensemble(
    network: Literal["googlenet", "bn_inception", "inception_v3"] = "inception_v3",
    models: int = 4,
    num_classes: Dim = 1000,
    width: Ratio = 1.0,
) -> Block:
    """Networks on one input, their predictions added up: ``(3, H, W) -> (num_classes,)``.

    The sum is the mean but for a factor.

    Args:
        network: which; GoogLeNet with its separable first layer, whose 24 channels no width multiplies. Those
            before Inception v3 take 224x224.
        models: how many, each with weights of its own.
        num_classes: features of their last linear layers.
        width: multiplies every channel count but the classes, rounded to the nearest (halves up), at
            least 1.
    """
    as_count("ensemble: models", models)
    if network == "googlenet":
        one = googlenet(num_classes, first="separable", width=width)
    else:
        one = (bn_inception if network == "bn_inception" else inception_v3)(
            num_classes=num_classes, width=width
        )
    return add(*(seq(network=one, softmax=Softmax()) for _ in range(models)))
