"""A small network that is pruned in three ways, for the page on compression."""

from collections import OrderedDict

import torch
from torch import nn
from torch.nn.utils import prune


def network() -> nn.Module:
    """Filters cut, two of every four weights kept, and weights removed at any place."""
    stem, body, head = nn.Conv2d(3, 16, 3, padding=1), nn.Conv2d(16, 32, 3, padding=1), nn.Linear(32, 10)
    for layer in (stem, body, head):
        nn.init.ones_(layer.weight)
    stem.weight.data[:4] *= 0.1  # the smallest filters, which are cut
    prune.ln_structured(stem, "weight", amount=0.25, n=1, dim=0)
    rows, inputs = torch.arange(32).view(32, 1, 1, 1), torch.arange(16).view(1, 16, 1, 1)
    prune.custom_from_mask(body, "weight", ((inputs + rows) % 4 < 2).expand(32, 16, 3, 3))
    prune.custom_from_mask(head, "weight", torch.arange(320).view(10, 32) % 3 > 0)
    parts = OrderedDict(stem=stem, body=body, pool=nn.AdaptiveAvgPool2d(1), flat=nn.Flatten(), head=head)
    return nn.Sequential(parts)
