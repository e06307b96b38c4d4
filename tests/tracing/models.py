"""Networks as people write them, each small enough to run."""

from collections.abc import Callable, Mapping
from typing import Any

import torch
import torch.nn.functional as F  # noqa: N812  # as everybody calls it
from torch import Tensor, nn


class Calls(nn.Module):
    """Calls a function of itself, with what it holds, and of its inputs."""

    def __init__(self, call: Callable[..., Any], **held: Any) -> None:
        super().__init__()
        self.call = call
        for name, each in held.items():
            setattr(self, name, each)

    def forward(self, *args: Any) -> Any:
        return self.call(self, *args)


class Applies(Calls):
    """Calls a function of its inputs."""

    def forward(self, *args: Any) -> Any:
        return self.call(*args)


class Encoder(nn.Module):
    """A block of a vision transformer."""

    def __init__(self, width: int, weighing: bool) -> None:
        super().__init__()
        self.before = nn.LayerNorm(width)
        self.attention = nn.MultiheadAttention(width, 4, batch_first=True)
        self.between = nn.LayerNorm(width)
        self.mlp = nn.Sequential(
            nn.Linear(width, 4 * width), nn.GELU(), nn.Dropout(0.1), nn.Linear(4 * width, width)
        )
        self.weighing = weighing

    def forward(self, x: Tensor) -> Tensor:
        y = self.before(x)
        x = x + self.attention(y, y, y, need_weights=self.weighing)[0]
        mixed: Tensor = x + self.mlp(self.between(x))
        return mixed


class VisionTransformer(nn.Module):
    """Patches, a token of the class, and blocks of attention."""

    def __init__(self, weighing: bool = False, width: int = 32, patches: int = 16) -> None:
        super().__init__()
        self.patches = nn.Conv2d(3, width, 8, stride=8)
        self.token = nn.Parameter(torch.zeros(1, 1, width))
        self.position = nn.Parameter(torch.zeros(1, patches + 1, width))
        self.blocks = nn.Sequential(*(Encoder(width, weighing) for _ in range(3)))
        self.norm = nn.LayerNorm(width)
        self.head = nn.Linear(width, 10)

    def forward(self, x: Tensor) -> Any:
        x = self.patches(x).flatten(2).transpose(1, 2)
        x = torch.cat([self.token.expand(len(x), -1, -1), x], dim=1) + self.position
        return self.head(self.norm(self.blocks(x))[:, 0])


class ByHand(nn.Module):
    """Self-attention out of linear layers, as timm has it, with the fused function or without."""

    def __init__(self, fused: bool, width: int = 24, heads: int = 3) -> None:
        super().__init__()
        self.qkv, self.out = nn.Linear(width, 3 * width), nn.Linear(width, width)
        self.heads, self.fused = heads, fused

    def forward(self, x: Tensor) -> Any:
        n, steps, width = x.shape
        q, k, v = self.qkv(x).reshape(n, steps, 3, self.heads, -1).permute(2, 0, 3, 1, 4)
        if self.fused:
            y = F.scaled_dot_product_attention(q, k, v)
        else:
            y = ((q * 0.125) @ k.transpose(-2, -1)).softmax(dim=-1) @ v
        return self.out(y.transpose(1, 2).reshape(n, steps, width))


class Gate(nn.Module):
    """Squeeze and excitation."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.pool = nn.AdaptiveAvgPool2d(1)
        self.down, self.up = nn.Conv2d(channels, 8, 1), nn.Conv2d(8, channels, 1)
        self.gate = nn.Hardsigmoid()

    def forward(self, x: Tensor) -> Tensor:
        gate: Tensor = self.gate(self.up(F.relu(self.down(self.pool(x)))))
        return x * gate


class Inverted(nn.Module):
    """A block of MobileNet-v3: wide, depthwise, gated, narrow."""

    def __init__(self, channels: int, filters: int, stride: int) -> None:
        super().__init__()
        wide = 4 * channels
        self.wide = nn.Sequential(
            nn.Conv2d(channels, wide, 1, bias=False), nn.BatchNorm2d(wide), nn.Hardswish()
        )
        self.depthwise = nn.Sequential(
            nn.Conv2d(wide, wide, 3, stride, 1, groups=wide, bias=False),
            nn.BatchNorm2d(wide),
            nn.ReLU6(inplace=True),
        )
        self.gate = Gate(wide)
        self.narrow = nn.Sequential(nn.Conv2d(wide, filters, 1, bias=False), nn.BatchNorm2d(filters))
        self.shortcut = stride == 1 and channels == filters

    def forward(self, x: Tensor) -> Tensor:
        y: Tensor = self.narrow(self.gate(self.depthwise(self.wide(x))))
        if self.shortcut:
            y += x
        return y


def mobile() -> nn.Module:
    """A small MobileNet."""
    return nn.Sequential(
        nn.Conv2d(3, 16, 3, 2, 1, bias=False),
        nn.BatchNorm2d(16),
        nn.Hardswish(),
        Inverted(16, 16, 1),
        Inverted(16, 24, 2),
        Inverted(24, 24, 1),
        nn.AdaptiveAvgPool2d(1),
        nn.Flatten(),
        nn.Dropout(0.2),
        nn.Linear(24, 10),
    )


class Twice(nn.Sequential):
    """Two convolutions, as U-Nets have them."""

    def __init__(self, channels: int, filters: int) -> None:
        super().__init__(
            nn.Conv2d(channels, filters, 3, padding=1, bias=False),
            nn.BatchNorm2d(filters),
            nn.ReLU(inplace=True),
            nn.Conv2d(filters, filters, 3, padding=1, bias=False),
            nn.BatchNorm2d(filters),
            nn.ReLU(inplace=True),
        )


class UNet(nn.Module):
    """Down and up again; up by interpolation, and by a transposed convolution."""

    def __init__(self) -> None:
        super().__init__()
        self.first, self.second, self.third = Twice(3, 8), Twice(8, 16), Twice(16, 32)
        self.down = nn.MaxPool2d(2)
        self.up = nn.ConvTranspose2d(32, 16, 2, stride=2)
        self.beside, self.last = Twice(32, 16), Twice(24, 8)
        self.out = nn.Conv2d(8, 2, 1)

    def forward(self, x: Tensor) -> Any:
        a = self.first(x)
        b = self.second(self.down(a))
        c = self.third(self.down(b))
        d = self.beside(torch.cat([b, self.up(c)], dim=1))
        e = F.interpolate(d, scale_factor=2, mode="bilinear", align_corners=False)
        return self.out(self.last(torch.cat([a, e], dim=1)))


class Reader(nn.Module):
    """Tokens, two layers of LSTM in both directions, and a classifier."""

    def __init__(self, kind: type[nn.RNNBase] = nn.LSTM) -> None:
        super().__init__()
        self.table = nn.Embedding(100, 16)
        layer: Callable[..., nn.RNNBase] = kind
        self.layers = layer(16, 12, num_layers=2, batch_first=True, bidirectional=True)
        self.head = nn.Linear(24, 5)

    def forward(self, tokens: Tensor) -> Any:
        return self.head(self.layers(self.table(tokens))[0].mean(1))


class Tied(nn.Module):
    """A convolution that runs twice, and the same under another name."""

    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv2d(4, 4, 3, padding=1)
        self.again = self.conv

    def forward(self, x: Tensor) -> Any:
        return self.again(self.conv(self.conv(x)))


class Shared(nn.Module):
    """A convolution that two modules hold."""

    def __init__(self) -> None:
        super().__init__()
        conv = nn.Conv2d(4, 4, 3, padding=1)
        self.one, self.other = nn.Sequential(conv, nn.Sigmoid()), nn.Sequential(conv, nn.Tanh())

    def forward(self, x: Tensor) -> Any:
        return self.other(self.one(x))


class Norm(nn.Module):
    """Normalization as language models have it, written out."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.ones(width))

    def forward(self, x: Tensor) -> Tensor:
        return x * torch.rsqrt(x.pow(2).mean(-1, keepdim=True) + 1e-6) * self.weight


class Llama(nn.Module):
    """A block of a language model: attention, and a gated product."""

    def __init__(self) -> None:
        super().__init__()
        self.before, self.attention, self.between = Norm(24), ByHand(fused=True), Norm(24)
        self.gate, self.up = nn.Linear(24, 64, bias=False), nn.Linear(24, 64, bias=False)
        self.down = nn.Linear(64, 24, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        x = x + self.attention(self.before(x))
        y = self.between(x)
        mixed: Tensor = x + self.down(F.silu(self.gate(y)) * self.up(y))
        return mixed


Network = tuple[Callable[[], nn.Module], Callable[[int], Tensor]]


def _picture(n: int) -> Tensor:
    return torch.rand(n, 3, 32, 32)


def _sequence(n: int) -> Tensor:
    return torch.rand(n, 7, 24)


def _tokens(n: int) -> Tensor:
    return torch.randint(100, (n, 9))


NETWORKS: Mapping[str, Network] = {
    "vision_transformer": (VisionTransformer, _picture),
    "vision_transformer_weighing": (lambda: VisionTransformer(weighing=True), _picture),
    "transformer_encoder": (
        lambda: nn.TransformerEncoder(
            nn.TransformerEncoderLayer(24, 4, 48, activation="gelu", batch_first=True), 2
        ),
        _sequence,
    ),
    "attention_fused": (lambda: ByHand(fused=True), _sequence),
    "attention_by_hand": (lambda: ByHand(fused=False), _sequence),
    "llama": (Llama, _sequence),
    "mobile": (mobile, _picture),
    "u_net": (UNet, _picture),
    "lstm_classifier": (Reader, _tokens),
    "gru_classifier": (lambda: Reader(nn.GRU), _tokens),
    "tied": (Tied, lambda n: torch.rand(n, 4, 8, 8)),
    "shared": (Shared, lambda n: torch.rand(n, 4, 8, 8)),
}
