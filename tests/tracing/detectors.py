"""Small detectors: a backbone, a head, and a choice of boxes that only the data makes."""

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn

X = torch.rand(2, 3, 8, 8)
BACKBONE = 2 * 64 * 27 * 8
"""A convolution of 3x3 from 3 to 8 channels over two inputs of 8x8."""
BOXES, SCORES = 2 * 64 * 8 * 4, 2 * 64 * 8
"""Convolutions of 1x1 from 8 channels, to 4 and to 1."""


class Keep(nn.Module):
    """What a detector does with its boxes and scores, and a layer that comes after."""

    def __init__(self, choose: Callable[[Tensor, Tensor], Any]) -> None:
        super().__init__()
        self.choose, self.after = choose, nn.Linear(4, 4)

    def forward(self, boxes: Tensor, scores: Tensor) -> Tensor:
        chosen: Tensor = self.after(self.choose(boxes, scores))
        return chosen


class Rows(nn.Module):
    """A layer, and those of its rows that begin above zero."""

    def __init__(self) -> None:
        super().__init__()
        self.layer = nn.Linear(4, 4)

    def forward(self, x: Tensor) -> Any:
        x = self.layer(x)
        return x[x[:, 0] > 0]


class Head(nn.Module):
    def __init__(self, keep: nn.Module) -> None:
        super().__init__()
        self.box, self.score, self.keep = nn.Conv2d(8, 4, 1), nn.Conv2d(8, 1, 1), keep
        nn.init.constant_(self.get_parameter("score.bias"), 2)  # most boxes are kept

    def forward(self, x: Tensor) -> Any:
        boxes = self.box(x).flatten(2).mT.flatten(0, 1)
        return self.keep(boxes, self.score(x).flatten().sigmoid())


def detector(choose: Callable[[Tensor, Tensor], Any], deep: int = 0) -> nn.Sequential:
    head: nn.Module = Head(Keep(choose))
    for _ in range(deep):
        head = nn.Sequential(head)
    return nn.Sequential(nn.Conv2d(3, 8, 3, padding=1), nn.ReLU(), head)


def suppressed(boxes: Tensor, scores: Tensor) -> Tensor:
    """Takes the best box again and again, and leaves those out that overlap."""
    kept = []
    while len(boxes):
        best = int(scores.argmax())
        kept.append(boxes[best])
        apart = (boxes - boxes[best]).abs().sum(1) > 0.1
        boxes, scores = boxes[apart], scores[apart]
    return torch.stack(kept)


def by_score(boxes: Tensor, scores: Tensor) -> Tensor:
    return torch.stack([box for box, score in zip(boxes, scores, strict=True) if score > 0.5])


CHOICES: dict[str, Callable[[Tensor, Tensor], Any]] = {
    "mask": lambda boxes, scores: boxes[scores > 0.5],
    "nonzero": lambda boxes, scores: boxes[(scores > 0.5).nonzero()[:, 0]],
    "where": lambda boxes, scores: boxes[torch.where(scores > 0.5)[0]],
    "masked_select": lambda boxes, scores: boxes.masked_select((scores > 0.5)[:, None]).view(-1, 4),
    "suppressed": suppressed,
    "by_score": by_score,
    "item": lambda boxes, scores: boxes[: int(scores.sum().item())],
    "topk": lambda boxes, scores: boxes[scores.topk(int((scores > 0.5).sum())).indices],
    "unique": lambda boxes, scores: boxes[torch.unique((scores * 10).long())],
    "if": lambda boxes, scores: boxes if scores.max() > 0.5 else boxes[:0],
    "list": lambda boxes, scores: boxes[scores.argsort()[:5].tolist()],
    "array": lambda boxes, scores: boxes[scores.detach().numpy().argsort()[:5].copy()],
    "text": lambda boxes, scores: boxes[: len(f"{scores[0]:.3f}")],
}
