"""Modules to export, and the rows of a count by which a program is held against its module."""

from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn
from torch.export import ExportedProgram, export

from costlab.algebra.block import Node
from costlab.algebra.inputs import Inputs
from costlab.targets.like import TargetLike
from costlab.targets.resolve import resolve

Row = tuple[str, str, int, int, int, int]


def operations(node: Node) -> Iterator[Node]:
    if node.work is not None:
        yield node
    for each in node.children:
        yield from operations(each)


def rows(target: TargetLike, given: object = None) -> list[Row]:
    """What costs something, in order: path, kind, multiply-adds, bias adds, parameters, activations."""
    found: list[Row] = []
    for node in operations(resolve(target, given).walk()):
        work = node.work
        assert work is not None
        numbers: Any = (work.multiply_adds, work.bias_adds, work.parameters, work.activations)
        if any(numbers):
            found.append((node.path, work.kind, *map(int, numbers)))  # type: ignore[arg-type]  # four of them
    return found


def by_module(found: list[Row]) -> Counter[tuple[str, str, int]]:
    """Sums by the module around, the kind and the place in a row: products of one call may be apart."""
    sums: Counter[tuple[str, str, int]] = Counter()
    for row in found:
        for place in (2, 3, 5):
            sums[row[0].rpartition(".")[0], row[1], place] += int(row[place])
    return +sums


def totals(found: list[Row]) -> tuple[int, ...]:
    return tuple(sum(int(row[place]) for row in found) for place in range(2, 6))


class Twice(nn.Module):
    """A block that runs twice, a sequence, tied weights, what nothing uses, and buffers of three kinds."""

    def __init__(self) -> None:
        super().__init__()
        self.block = nn.Sequential(nn.Conv2d(3, 3, 3, padding=1), nn.BatchNorm2d(3), nn.ReLU())
        self.narrow = nn.Conv2d(3, 4, 1, bias=False)
        self.fc, self.tied, self.unused = nn.Linear(4, 5), nn.Linear(4, 5), nn.Linear(2, 2)
        self.tied.weight = self.fc.weight
        self.layers = nn.ModuleList([nn.Linear(5, 5) for _ in range(4)])
        self.register_buffer("scale", torch.ones(3, 1, 1), persistent=False)
        self.register_buffer("seen", torch.zeros(()))
        self.seen: Tensor
        self.constant = torch.ones(5)

    def forward(self, x: Tensor) -> Any:
        self.seen += 1
        x = self.narrow(self.block(self.block(x)) * self.scale).mean((2, 3))
        x = self.fc(x) + self.tied(x) + self.constant
        for layer in self.layers[1:3]:
            x = layer(x).relu()
        return {"out": x, "sizes": (x.sum(), x.shape[0])}


class Chooses(nn.Module):
    """Two branches between which data decides, nested inputs, and one that is given by name."""

    def __init__(self) -> None:
        super().__init__()
        self.yes, self.no = nn.Linear(4, 4), nn.Linear(4, 4)

    def forward(self, batch: dict[str, Any], scale: int = 2, *, mask: Tensor | None = None) -> Any:
        x = batch["x"] + batch["more"][0]
        x = torch.cond(x.sum() > 0, self.yes, lambda a: self.no(a).relu(), (x,))
        return x * scale if mask is None else x * mask


class Without(nn.Module):
    """Layers under settings of the process."""

    def __init__(self) -> None:
        super().__init__()
        self.a, self.b = nn.Linear(4, 4), nn.LayerNorm(4)

    def forward(self, x: Tensor) -> Any:
        with torch.autocast("cpu", dtype=torch.bfloat16):
            x = self.a(x)
        with torch.no_grad():
            return self.b(x.float())


class Case(NamedTuple):
    make: Callable[[], nn.Module]
    args: tuple[Any, ...]
    kwargs: dict[str, Any] | None = None

    @property
    def inputs(self) -> Inputs:
        return Inputs(self.args, self.kwargs)

    def program(self, module: nn.Module, *, strict: bool = False, **rest: Any) -> ExportedProgram:
        return export(module, self.args, self.kwargs, strict=strict, **rest)


X, TOKENS = torch.zeros(2, 4, 8), torch.ones(2, 4, dtype=torch.long)
PAIR = {"x": torch.zeros(2, 4), "more": [torch.zeros(2, 4)]}
CASES = {
    "twice": Case(Twice, (torch.zeros(2, 3, 8, 8),)),
    "chooses": Case(Chooses, (PAIR, 3), {"mask": torch.ones(2, 4)}),
    "settings": Case(Without, (torch.zeros(2, 4),)),
    "lstm": Case(lambda: nn.LSTM(8, 5, 2, batch_first=True, bidirectional=True), (X,)),
    "gru": Case(lambda: nn.GRU(8, 5), (X,)),
    "rnn cell": Case(lambda: nn.RNNCell(8, 5), (torch.zeros(2, 8),)),
    "encoder": Case(lambda: nn.TransformerEncoderLayer(8, 2, 16, batch_first=True), (X,)),
    "transformer": Case(lambda: nn.Transformer(8, 2, 1, 1, 16, batch_first=True), (X, torch.zeros(2, 5, 8))),
    "transposed": Case(
        lambda: nn.Sequential(
            nn.ConvTranspose2d(3, 4, 3, stride=2, output_padding=1),
            nn.PReLU(4),
            nn.GroupNorm(2, 4),
            nn.InstanceNorm2d(4, affine=True),
            nn.Upsample(scale_factor=2),
        ),
        (torch.zeros(2, 3, 4, 4),),
    ),
    "grouped": Case(
        lambda: nn.Sequential(
            nn.Conv1d(4, 6, 3, padding="same", groups=2), nn.GELU(), nn.AvgPool1d(2), nn.Conv1d(6, 3, 3)
        ),
        (torch.zeros(2, 4, 8),),
    ),
    "tokens": Case(lambda: nn.Sequential(nn.Embedding(10, 8), nn.LayerNorm(8), nn.Linear(8, 10)), (TOKENS,)),
    "bag": Case(lambda: nn.EmbeddingBag(10, 8), (TOKENS,)),
    "bilinear": Case(lambda: nn.Bilinear(3, 4, 5), (torch.zeros(2, 3), torch.zeros(2, 4))),
    "volume": Case(
        lambda: nn.Sequential(nn.Conv3d(2, 3, 2), nn.BatchNorm3d(3)), (torch.zeros(1, 2, 3, 3, 3),)
    ),
}
