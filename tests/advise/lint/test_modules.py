"""What lint says of modules of many kinds, and where it says nothing."""

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional

from costlab.advise.lint.lint import lint


def said(module: nn.Module, *inputs: object) -> list[tuple[str, str]]:
    """The rules that warn, but for large kernels, with the modules."""
    found = lint(module, inputs[0] if len(inputs) == 1 else inputs)
    return [(each.rule, each.path) for each in found.warnings if each.rule != "large-kernel"]


def conv(channels: int, filters: int, kernel: int = 3, stride: int = 1, groups: int = 1) -> nn.Sequential:
    return nn.Sequential(
        nn.Conv2d(channels, filters, kernel, stride, kernel // 2, groups=groups, bias=False),
        nn.BatchNorm2d(filters),
        nn.ReLU6(),
    )


class UNet(nn.Module):
    """Two grids on the way down and up; with skips, or without any."""

    def __init__(self, skips: bool) -> None:
        super().__init__()
        self.skips = skips
        self.top, self.pool, self.low = conv(3, 16), nn.MaxPool2d(2), conv(16, 32)
        self.up, self.join = nn.ConvTranspose2d(32, 16, 2, 2), conv(32 if skips else 16, 16)
        self.score = nn.Conv2d(16, 2, 1)

    def forward(self, x: Tensor) -> Tensor:
        x = self.top(x)
        y: Tensor = self.up(self.low(self.pool(x)))
        joined = torch.cat([x, y], 1) if self.skips else y
        return functional.interpolate(self.score(self.join(joined)), scale_factor=2.0).softmax(1)


def test_a_pooling_is_a_pinch_where_no_skip_goes_around_it() -> None:
    assert said(UNet(skips=True), (3, 32, 32)) == []
    assert said(UNet(skips=False), (3, 32, 32)) == [("pinch", "pool"), ("pool-before-expansion", "pool")]


class Residual(nn.Module):
    def __init__(self, inside: nn.Module, beside: nn.Module) -> None:
        super().__init__()
        self.inside, self.beside = inside, beside

    def forward(self, x: Tensor) -> Tensor:
        y: Tensor = self.inside(x) + self.beside(x)
        return y.relu()


def test_a_branch_may_be_narrow_or_pooled() -> None:
    narrow = nn.Sequential(conv(64, 16, 1), conv(16, 16), nn.Conv2d(16, 64, 1))
    halved = nn.Sequential(conv(64, 32, 1), conv(32, 32, 3, 2), nn.Conv2d(32, 128, 1))
    shortcut = nn.Sequential(nn.AvgPool2d(2), nn.Conv2d(64, 128, 1))
    blocks = nn.Sequential(conv(3, 64), Residual(narrow, nn.Identity()), Residual(halved, shortcut))
    assert said(blocks, (3, 32, 32)) == []


class SqueezeAndExcite(nn.Module):
    def __init__(self, channels: int) -> None:
        super().__init__()
        self.less, self.more = nn.Conv2d(channels, channels // 8, 1), nn.Conv2d(channels // 8, channels, 1)

    def forward(self, x: Tensor) -> Tensor:
        scale: Tensor = self.more(self.less(functional.adaptive_avg_pool2d(x, 1)).relu())
        return x * scale.sigmoid()


def inverted(channels: int, filters: int, stride: int, excite: bool) -> nn.Sequential:
    wide = 6 * channels
    between = [SqueezeAndExcite(wide)] if excite else []
    last = nn.Sequential(nn.Conv2d(wide, filters, 1), nn.BatchNorm2d(filters))
    return nn.Sequential(conv(channels, wide, 1), conv(wide, wide, 3, stride, wide), *between, last)


@pytest.mark.parametrize("excite", [False, True])
def test_of_inverted_bottlenecks_what_is_between_them_counts(excite: bool) -> None:
    """16x16x16 become 32x8x8, which is half, and these 40x4x4, 3.2 times fewer; the maps inside are wide."""
    network = nn.Sequential(
        conv(3, 16), inverted(16, 32, 2, excite), inverted(32, 40, 2, excite), nn.AdaptiveAvgPool2d(1)
    )
    found = lint(network, (3, 16, 16)).findings
    place = "2.3.0" if excite else "2.2.0"
    assert [(each.rule, each.path, each.numbers["ratio"]) for each in found] == [("pinch", place, 3.2)]


def test_a_separable_convolution_is_one() -> None:
    pairs = [(16, 32, 2), (32, 32, 1), (32, 64, 2)]
    parts = [part for a, b, stride in pairs for part in (conv(a, a, 3, stride, a), conv(a, b, 1))]
    assert said(nn.Sequential(conv(3, 16), *parts), (3, 32, 32)) == []


def test_what_has_blocks_between_its_parts_is_no_separable_convolution() -> None:
    block = Residual(conv(16, 16), nn.Identity())
    network = nn.Sequential(conv(3, 16), conv(16, 16, 3, 2, 16), block, conv(16, 32, 1))
    assert said(network, (3, 16, 16)) == [("pinch", "1.0")]


def test_a_separable_convolution_widens_as_one_does() -> None:
    pool = nn.MaxPool2d(2)
    pooled = nn.Sequential(conv(16, 16), pool, conv(16, 16, 3, 1, 16), conv(16, 32, 1))
    assert said(pooled, (16, 16, 16)) == [("pinch", "1"), ("pool-before-expansion", "1")]
    full = nn.Sequential(conv(16, 16, 3, 1, 16), conv(16, 32, 1), pool)
    assert ("convolution-before-pool", "1.0") in said(full, (16, 16, 16))
    strided = nn.Sequential(conv(16, 16, 3, 2, 16), conv(16, 32, 1), pool)
    assert said(strided, (16, 16, 16)) == [("pinch", "2")]


@pytest.mark.parametrize(
    ("last", "expected"),
    [
        (nn.Conv2d(64, 5, 1), []),
        (nn.Sequential(nn.Conv2d(64, 5, 1), nn.Upsample(scale_factor=2), nn.Softmax2d()), []),
        (nn.Sequential(nn.Conv2d(64, 5, 1), nn.ConvTranspose2d(5, 5, 2, 2)), []),
        (nn.Sequential(nn.Conv2d(64, 5, 1), nn.AdaptiveAvgPool2d(1), nn.Flatten()), []),
        (nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(64, 5)), []),
        (nn.Sequential(nn.Conv2d(64, 8, 1), nn.Conv2d(8, 64, 1)), [("pinch", "1.0")]),
        (nn.Conv2d(64, 64, 1, 2), [("pinch", "1")]),
        (nn.MaxPool2d(2), [("pinch", "1")]),
        (nn.Sequential(nn.AdaptiveMaxPool2d(2), nn.Conv2d(64, 64, 1)), [("pinch", "1.0")]),
    ],
    ids=[
        "scores",
        "upsampled",
        "transposed",
        "averaged",
        "linear",
        "narrow",
        "strided",
        "pooled",
        "adaptive",
    ],
)
def test_the_answer_may_be_small(last: nn.Module, expected: list[tuple[str, str]]) -> None:
    assert said(nn.Sequential(conv(64, 64), last), (64, 16, 16)) == expected


@pytest.mark.parametrize("size", [15, 16, 17])
def test_odd_sizes_are_halved_as_even_ones(size: int) -> None:
    assert said(nn.Sequential(conv(16, 16), nn.Conv2d(16, 32, 2, 2)), (16, size, size)) == []
    found = lint(nn.Sequential(conv(16, 16), nn.Conv2d(16, 31, 2, 2)), (16, size, size)).findings
    assert [(each.path, each.change) for each in found] == [
        ("1", "32 channels in place of 31 halve the elements")
    ]


class Tokens(nn.Module):
    """Scores of each token, or of the first."""

    def __init__(self, first: bool) -> None:
        super().__init__()
        self.first, self.norm, self.wide, self.score = (
            first,
            nn.LayerNorm(32),
            nn.Linear(8, 32),
            nn.Linear(32, 3),
        )

    def forward(self, x: Tensor) -> Tensor:
        x = self.wide(x)
        y: Tensor = self.score(self.norm(x[:, :1] if self.first else x).relu())
        return y


@pytest.mark.parametrize("first", [True, False])
def test_scores_of_tokens_are_no_pinch(first: bool) -> None:
    assert said(Tokens(first), "1x16x8:float32") == []


class Detector(nn.Module):
    """Gives scores of two grids."""

    def __init__(self) -> None:
        super().__init__()
        self.fine, self.coarse, self.score = conv(3, 32), conv(32, 32, 3, 2), nn.Conv2d(32, 4, 1)

    def forward(self, x: Tensor) -> dict[str, Tensor]:
        fine = self.fine(x)
        return {"fine": self.score(fine), "coarse": self.score(self.coarse(fine))}


class TwoInputs(nn.Module):
    """The second input is read behind the pooling, and goes around it."""

    def __init__(self) -> None:
        super().__init__()
        self.first, self.pool, self.last = conv(32, 32), nn.MaxPool2d(2), conv(35, 35)

    def forward(self, x: Tensor, y: Tensor) -> Tensor:
        seen: Tensor = self.last(torch.cat([self.pool(self.first(x)), y], 1))
        return seen


class DeadEnd(nn.Module):
    """What a head makes of a map is not put out."""

    def __init__(self) -> None:
        super().__init__()
        self.first, self.pool, self.head = conv(32, 32), nn.MaxPool2d(2), nn.Conv2d(32, 4, 1)

    def forward(self, x: Tensor) -> Tensor:
        x = self.first(x)
        self.head(x)
        y: Tensor = self.pool(x)
        return y


def test_several_inputs_and_outputs() -> None:
    assert said(Detector(), (3, 16, 16)) == []
    assert said(TwoInputs(), "1x32x16x16", "1x3x8x8") == []
    assert said(DeadEnd(), (32, 16, 16)) == [("pinch", "pool")]


class Patches(nn.Module):
    """A vision transformer."""

    def __init__(self) -> None:
        super().__init__()
        self.patches = nn.Conv2d(3, 64, 8, 8)
        layer = nn.TransformerEncoderLayer(64, 4, 128, batch_first=True)
        self.encoder, self.head = nn.TransformerEncoder(layer, 2), nn.Linear(64, 10)

    def forward(self, x: Tensor) -> Tensor:
        tokens = self.patches(x).flatten(2).mT
        y: Tensor = self.head(self.encoder(tokens)[:, 0])
        return y


def test_patches_and_transformers_are_silent() -> None:
    assert lint(Patches(), (3, 32, 32)).findings == ()


def test_a_network_without_convolutions_has_nothing_to_say() -> None:
    found = lint(nn.Sequential(nn.Flatten(), nn.Linear(48, 10), nn.ReLU(), nn.Linear(10, 2)), (3, 4, 4))
    assert (found.findings, found.grids, found.balance.multiply_adds_of_convolutions) == ((), (), 0)
    assert found.balance.multiply_adds == 48 * 10 + 10 * 2
    assert found.balance.share_of_convolutions(0) == 0
    assert lint(nn.Flatten(), (3, 4, 4)).balance.share(0) == 0


@pytest.mark.parametrize("sizes", ["3x16", "1x3x16:float32"])
def test_one_dimension_with_and_without_a_batch(sizes: str) -> None:
    network = nn.Sequential(nn.Conv1d(3, 8, 3, padding=1), nn.ReLU(), nn.MaxPool1d(3), nn.Conv1d(8, 16, 3))
    found = lint(network, sizes)
    assert [(each.rule, each.path) for each in found.findings] == [
        ("convolution-before-pool", "0"),
        ("pinch", "2"),
        ("pool-before-expansion", "2"),
    ]
    assert (found.findings[0].numbers["channels"], found.findings[0].numbers["from_grid"]) == (3, (16,))
    assert found.findings[1].numbers["from_sizes"] == (8, 16)
    assert [(grid.sizes, grid.widths) for grid in found.grids] == [((16,), (8,)), ((3,), (16,))]
