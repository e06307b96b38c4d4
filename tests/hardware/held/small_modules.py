"""Small modules of many shapes, with what each is called with."""

from collections.abc import Callable
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn
from torch.utils.checkpoint import checkpoint


class ViT(nn.Module):
    """Patches, a token of the class, attention by scaled_dot_product_attention, GELU."""

    def __init__(self, width: int = 16, heads: int = 2, depth: int = 1) -> None:
        super().__init__()
        self.patches = nn.Conv2d(3, width, 4, 4)
        self.token = nn.Parameter(torch.zeros(1, 1, width))
        self.places = nn.Parameter(torch.zeros(1, 17, width))
        self.blocks = nn.ModuleList(AttentionBlock(width, heads) for _ in range(depth))
        self.norm, self.head = nn.LayerNorm(width), nn.Linear(width, 5)

    def forward(self, x: Tensor) -> Any:
        x = self.patches(x).flatten(2).transpose(1, 2)
        x = torch.cat([self.token.expand(x.shape[0], -1, -1), x], 1) + self.places
        for block in self.blocks:
            x = block(x)
        return self.head(self.norm(x)[:, 0])


class AttentionBlock(nn.Module):
    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.norm_1, self.norm_2 = nn.LayerNorm(width), nn.LayerNorm(width)
        self.qkv, self.out = nn.Linear(width, 3 * width), nn.Linear(width, width)
        self.mlp = nn.Sequential(nn.Linear(width, 2 * width), nn.GELU(), nn.Linear(2 * width, width))

    def forward(self, x: Tensor) -> Any:
        batch, tokens, width = x.shape
        qkv = self.qkv(self.norm_1(x)).view(batch, tokens, 3, self.heads, -1).permute(2, 0, 3, 1, 4)
        attended = nn.functional.scaled_dot_product_attention(*qkv.unbind(0))
        x = x + self.out(attended.transpose(1, 2).reshape(batch, tokens, width))
        return x + self.mlp(self.norm_2(x))


class Swin(nn.Module):
    """Windows of a map that is rolled, attention within them with a bias by place and a mask."""

    index: Tensor

    def __init__(self, width: int = 8, window: int = 4) -> None:
        super().__init__()
        self.window = window
        self.embed, self.qkv, self.out = (
            nn.Conv2d(3, width, 2, 2),
            nn.Linear(width, 3 * width),
            nn.Linear(width, 4),
        )
        self.bias = nn.Parameter(torch.zeros((2 * window - 1) ** 2, 2))
        places = torch.arange(window**2)
        self.register_buffer("index", (places[:, None] + places[None]) % (2 * window - 1) ** 2)

    def forward(self, x: Tensor) -> Any:
        x = torch.roll(self.embed(x).permute(0, 2, 3, 1), (-2, -2), (1, 2))
        n, h, w, c = x.shape
        size = self.window
        mask = x.new_zeros((h, w))
        mask[: h // 2] = -1.0
        x = x.view(n, h // size, size, w // size, size, c).permute(0, 1, 3, 2, 4, 5).reshape(-1, size**2, c)
        qkv = self.qkv(x).reshape(x.shape[0], size**2, 3, 2, c // 2).permute(2, 0, 3, 1, 4)
        scores = (qkv[0] * (c // 2) ** -0.5) @ qkv[1].transpose(-2, -1)
        scores = scores + self.bias[self.index.view(-1)].view(size**2, size**2, -1).permute(2, 0, 1)[None]
        flat = mask.view(h // size, size, w // size, size).permute(0, 2, 1, 3).reshape(-1, 1, 1, size**2)
        scores = scores.view(n, -1, 2, size**2, size**2) + (flat - flat.transpose(-2, -1))
        y = scores.view(-1, 2, size**2, size**2).softmax(-1) @ qkv[2]
        return self.out(y.transpose(1, 2).reshape(n, -1, c)).mean(1)


class Checkpointed(nn.Module):
    def __init__(self, reentrant: bool) -> None:
        super().__init__()
        self.reentrant = reentrant
        self.first = nn.Conv2d(3, 6, 3, padding=1)
        self.parts = nn.ModuleList(
            nn.Sequential(nn.Conv2d(6, 6, 3, padding=1), nn.BatchNorm2d(6), nn.ReLU()) for _ in range(2)
        )

    def forward(self, x: Tensor) -> Any:
        x = self.first(x)
        for part in self.parts:
            x = checkpoint(part, x, use_reentrant=self.reentrant)
        return x.mean((2, 3))


class Shared(nn.Module):
    """One layer that runs three times, and its weight once more as that of another layer."""

    def __init__(self) -> None:
        super().__init__()
        self.layer, self.other = nn.Linear(8, 8), nn.Linear(8, 8, bias=False)
        self.other.weight = self.layer.weight

    def forward(self, x: Tensor) -> Any:
        for _ in range(3):
            x = torch.tanh(self.layer(x))
        return self.other(x) + nn.functional.linear(x, self.layer.weight.t())


class InPlace(nn.Sequential):
    def __init__(self) -> None:
        super().__init__(
            nn.Conv2d(3, 8, 3), nn.BatchNorm2d(8), nn.ReLU(inplace=True), nn.MaxPool2d(2), nn.Conv2d(8, 4, 1),
            nn.Hardswish(inplace=True), nn.AvgPool2d(2), nn.Flatten(), nn.Linear(36, 3),
        )  # fmt: skip


class TwoInputs(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.image, self.words = nn.Conv2d(3, 6, 3), nn.Embedding(11, 6)

    def forward(self, image: Tensor, words: Tensor, scale: float = 2.0) -> Any:
        return self.image(image).mean((2, 3)) * self.words(words).sum(1) / scale


class DictOutput(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.body, self.head, self.aux = nn.Conv2d(3, 6, 3), nn.Conv2d(6, 4, 1), nn.Linear(6, 4)

    def forward(self, x: Tensor) -> Any:
        y = nn.functional.silu(self.body(x))
        return {"out": self.head(y), "aux": self.aux(y.mean((2, 3))), "norm": y.square().sum(), "n": 3}


class Encoder(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.words = nn.Embedding(13, 8, padding_idx=0)
        layer = nn.TransformerEncoderLayer(8, 2, 16, dropout=0.1, batch_first=True)
        self.layers = nn.TransformerEncoder(layer, 1, enable_nested_tensor=False)
        self.head = nn.Linear(8, 13)

    def forward(self, words: Tensor) -> Any:
        return self.head(self.layers(self.words(words))).transpose(1, 2)


class Grouped(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.deep, self.point = nn.Conv2d(8, 8, 3, padding=1, groups=8), nn.Conv2d(8, 16, 1, groups=2)
        self.group, self.layer = nn.GroupNorm(4, 16), nn.LayerNorm(16)
        self.squeeze = nn.Sequential(
            nn.AdaptiveAvgPool2d(1), nn.Conv2d(16, 4, 1), nn.SiLU(), nn.Conv2d(4, 16, 1)
        )
        self.scale = nn.Parameter(torch.ones(16))

    def forward(self, x: Tensor) -> Any:
        y = nn.functional.gelu(self.group(self.point(nn.functional.silu(self.deep(x)))))
        y = y * self.squeeze(y).sigmoid()
        return (self.layer(y.permute(0, 2, 3, 1)) * self.scale).mean((1, 2))


class UNet(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.down_1, self.down_2 = nn.Conv2d(3, 6, 3, padding=1), nn.Conv2d(6, 12, 3, padding=1)
        self.up, self.last = nn.ConvTranspose2d(12, 6, 2, 2), nn.Conv2d(12, 2, 3, padding=1)
        self.norm = nn.InstanceNorm2d(6, affine=True)

    def forward(self, x: Tensor) -> Any:
        first = self.norm(self.down_1(x)).relu()
        second = nn.functional.leaky_relu(self.down_2(nn.functional.max_pool2d(first, 2)), 0.1)
        wide = nn.functional.interpolate(second[:, :6], scale_factor=2, mode="bilinear")
        return self.last(torch.cat([first + wide, self.up(second)], 1))


class Frozen(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.body = nn.Sequential(nn.Conv2d(3, 8, 3), nn.BatchNorm2d(8), nn.ReLU(), nn.Conv2d(8, 8, 3))
        self.body.requires_grad_(False)
        self.body[1].eval()
        self.head = nn.Linear(8, 3)

    def forward(self, x: Tensor) -> Any:
        return self.head(self.body(x).amax((2, 3)))


class Case(NamedTuple):
    make: Callable[[], nn.Module]
    args: tuple[Any, ...] = ()
    kwargs: dict[str, Any] = {}  # noqa: RUF012  # nothing writes into it


def image(*sizes: int) -> Tensor:
    return torch.zeros(sizes)


def words(*sizes: int) -> Tensor:
    return torch.zeros(sizes, dtype=torch.int64)


CASES = {
    "vit": Case(ViT, (image(2, 3, 16, 16),)),
    "swin": Case(Swin, (image(2, 3, 16, 16),)),
    "checkpointed": Case(lambda: Checkpointed(reentrant=False), (image(2, 3, 8, 8),)),
    "checkpointed, reentrant": Case(lambda: Checkpointed(reentrant=True), (image(2, 3, 8, 8),)),
    "shared": Case(Shared, (image(3, 8),)),
    "in place": Case(InPlace, (image(2, 3, 14, 14),)),
    "two inputs": Case(TwoInputs, (), {"words": words(2, 5), "image": image(2, 3, 6, 6)}),
    "dict": Case(DictOutput, (image(2, 3, 8, 8),)),
    "encoder": Case(Encoder, (words(2, 7),)),
    "grouped": Case(Grouped, (image(2, 8, 6, 6),)),
    "u-net": Case(UNet, (image(2, 3, 8, 8),)),
    "dropout": Case(
        lambda: nn.Sequential(nn.Linear(8, 16), nn.Dropout(0.3), nn.PReLU(), nn.Linear(16, 4), nn.Dropout()),
        (image(5, 8),),
    ),
    "frozen": Case(Frozen, (image(2, 3, 8, 8),)),
}
