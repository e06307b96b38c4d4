"""The names of torchvision's networks, for one that is typed as if it were in the catalog."""

import re

FAMILIES = (
    r"convnext_(tiny|small|base|large)",
    r"densenet(121|161|169|201)",
    r"efficientnet_(b[0-7]|v2_[sml])",
    r"maxvit_t",
    r"mnasnet(0_5|0_75|1_0|1_3)",
    r"mobilenet_(v2|v3_large|v3_small)",
    r"regnet_[xy]_(400mf|800mf|1_6gf|3_2gf|8gf|16gf|32gf)|regnet_y_128gf",
    r"resnet(18|34|50|101|152)",
    r"resnext(50_32x4d|101_32x8d|101_64x4d)",
    r"shufflenet_v2_x(0_5|1_0|1_5|2_0)",
    r"squeezenet1_[01]",
    r"swin_(v2_)?[tsb]",
    r"vgg(11|13|16|19)(_bn)?",
    r"vit_([bl]_(16|32)|h_14)",
    r"wide_resnet(50|101)_2",
)


def hint(name: str) -> str:
    """How a network of torchvision is named as a target, as the tail of a message; else nothing."""
    of_torchvision = any(re.fullmatch(family, name) for family in FAMILIES)
    return f"; torchvision's is torchvision.models:{name}" if of_torchvision else ""
