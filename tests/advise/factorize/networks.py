"""Small networks of as many kinds as there are ways to use a convolution."""

from collections.abc import Callable
from typing import Literal

import torch
from torch import Tensor, nn


def conv(channels: int, filters: int, kernel: int = 3, stride: int = 1) -> nn.Sequential:
    return nn.Sequential(
        nn.Conv2d(channels, filters, kernel, stride, kernel // 2, bias=False),
        nn.BatchNorm2d(filters),
        nn.ReLU(),
    )


class Residual(nn.Module):
    """Shortcuts around pairs of convolutions, one of which has a stride."""

    def __init__(self) -> None:
        super().__init__()
        self.stem = conv(3, 16, 7, 2)
        self.a = nn.Sequential(conv(16, 16), conv(16, 16))
        self.b = nn.Sequential(conv(16, 24, 3, 2), conv(24, 24))
        self.shortcut = nn.Conv2d(16, 24, 1, 2)
        self.head = nn.Linear(24, 5)

    def forward(self, x: Tensor) -> Tensor:
        x = self.stem(x)
        x = x + self.a(x)
        x = self.shortcut(x) + self.b(x)
        out: Tensor = self.head(x.mean((2, 3)))
        return out


class Inception(nn.Module):
    """Branches side by side, with an auxiliary head that runs in training only."""

    def __init__(self) -> None:
        super().__init__()
        self.one, self.three = conv(3, 8, 1), nn.Sequential(conv(3, 8, 1), conv(8, 16))
        self.five = nn.Sequential(conv(3, 4, 1), conv(4, 12, 5))
        self.flat = nn.Conv2d(36, 16, (1, 7), padding=(0, 3))
        self.auxiliary = nn.Conv2d(16, 4, 3)

    def forward(self, x: Tensor) -> Tensor:
        x = self.flat(torch.cat([self.one(x), self.three(x), self.five(x)], 1))
        if self.training:
            self.auxiliary(x)
        return x


class Mobile(nn.Module):
    """Depthwise, grouped and pointwise convolutions, after a dense one."""

    def __init__(self) -> None:
        super().__init__()
        self.stem = conv(3, 16, 3, 2)
        self.depthwise = nn.Conv2d(16, 16, 3, padding=1, groups=16)
        self.grouped = nn.Conv2d(16, 24, 3, padding=1, groups=4)
        self.pointwise = nn.Conv2d(24, 32, 1)

    def forward(self, x: Tensor) -> Tensor:
        out: Tensor = self.pointwise(self.grouped(self.depthwise(self.stem(x))))
        return out


class Patches(nn.Module):
    """A convolution whose stride is its kernel, and a large depthwise one, as of ConvNeXt."""

    def __init__(self) -> None:
        super().__init__()
        self.patches = nn.Conv2d(3, 24, 4, 4)
        self.depthwise = nn.Conv2d(24, 24, 7, padding=3, groups=24)
        self.norm = nn.LayerNorm(24)
        self.mlp = nn.Sequential(nn.Linear(24, 48), nn.GELU(), nn.Linear(48, 24))
        self.down = nn.Conv2d(24, 32, 2, 2)

    def forward(self, x: Tensor) -> Tensor:
        x = self.patches(x)
        y = self.mlp(self.norm(self.depthwise(x).permute(0, 2, 3, 1)))
        out: Tensor = self.down(x + y.permute(0, 3, 1, 2))
        return out


class UNet(nn.Module):
    """Down and up again, with transposed convolutions, and links across."""

    def __init__(self) -> None:
        super().__init__()
        self.down, self.bottom = conv(3, 12), nn.Sequential(nn.MaxPool2d(2), conv(12, 24))
        self.up = nn.ConvTranspose2d(24, 12, 2, 2)
        self.out = nn.Sequential(conv(24, 12), nn.Conv2d(12, 2, 3, padding="same"))

    def forward(self, x: Tensor) -> Tensor:
        x = self.down(x)
        out: Tensor = self.out(torch.cat([x, self.up(self.bottom(x))], 1))
        return out


class Dense(nn.Module):
    """Each layer reads all before it."""

    def __init__(self) -> None:
        super().__init__()
        self.layers = nn.ModuleList(conv(3 + 8 * turn, 8) for turn in range(3))

    def forward(self, x: Tensor) -> Tensor:
        for layer in self.layers:
            x = torch.cat([x, layer(x)], 1)
        return x


class Atrous(nn.Module):
    """Dilated convolutions of one input, with other padding than zeros, and an even kernel."""

    def __init__(self) -> None:
        super().__init__()
        modes: tuple[Literal["reflect", "circular", "replicate"], ...] = ("reflect", "circular", "replicate")
        self.branches = nn.ModuleDict(
            {mode: nn.Conv2d(3, 8, 3, padding=2, dilation=2, padding_mode=mode) for mode in modes}
        )
        self.even = nn.Conv2d(8, 8, (4, 2), padding="same", dilation=(1, 3))

    def forward(self, x: Tensor) -> Tensor:
        out: Tensor = self.even(sum(branch(x) for branch in self.branches.values()))
        return out


class Recurrent(nn.Module):
    """One convolution, called several times at several sizes, under two names and in a plain list."""

    def __init__(self) -> None:
        super().__init__()
        self.cell = nn.Conv2d(3, 3, 5, padding=2)
        self.same, self.plain = self.cell, [self.cell]

    def forward(self, x: Tensor) -> Tensor:
        x = self.plain[0](self.same(self.cell(x)))
        out: Tensor = self.cell(x[:, :, ::2, ::2])
        return out


def plain() -> nn.Module:
    """Convolutions in a row, as of VGG, with linear layers behind."""
    pool = nn.MaxPool2d(2)
    head = (nn.Flatten(), nn.LazyLinear(16), nn.ReLU(), nn.Linear(16, 5))
    return nn.Sequential(nn.Conv2d(3, 8, 3, padding=1), nn.ReLU(), pool, nn.LazyConv2d(12, 3), pool, *head)


def root() -> nn.Module:
    """A convolution alone."""
    return nn.Conv2d(3, 16, (5, 3), (1, 2), (2, 0))


NETWORKS: dict[str, Callable[[], nn.Module]] = {
    made_by.__name__: made_by
    for made_by in (
        *(Residual, Inception, Mobile, Patches, UNet, Dense, Atrous, Recurrent),
        *(plain, root),
    )
}
SIZE = (3, 16, 20)
