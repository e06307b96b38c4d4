"""`flex_attention` costs the blocks that its mask leaves, and all of them where the mask is not known."""

from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.nn.attention.flex_attention import BlockMask, create_block_mask, flex_attention
from torch.utils.flop_counter import sdpa_backward_flop_count, sdpa_flop_count

import costlab

FORWARD: Any = sdpa_flop_count
BACK: Any = sdpa_backward_flop_count
Mod = Callable[[Tensor, Tensor, Tensor, Tensor], Tensor]


def causal(b: Tensor, h: Tensor, q: Tensor, k: Tensor) -> Tensor:
    return q >= k


def near(b: Tensor, h: Tensor, q: Tensor, k: Tensor) -> Tensor:
    return (q - k).abs() < 40


def by_head(b: Tensor, h: Tensor, q: Tensor, k: Tensor) -> Tensor:
    return (q >= k) & (q - k < 100 * (h + 1))


def pairs_of(mask: Mod, batch: int, heads: int, rows: int, columns: int, block: int) -> int:
    """The pairs in blocks that hold at least one pair that the mask leaves, one block after another."""
    total = 0
    for b in range(batch):
        for h in range(heads):
            q, k = torch.arange(rows)[:, None], torch.arange(columns)[None, :]
            kept = mask(torch.tensor(b), torch.tensor(h), q, k).expand(rows, columns)
            for top in range(0, rows, block):
                for left in range(0, columns, block):
                    part = kept[top : top + block, left : left + block]
                    total += part.numel() * bool(part.any())
    return total


class Flex(nn.Module):
    def __init__(self, **options: Any) -> None:
        super().__init__()
        self.options = options

    def forward(self, q: Tensor, k: Tensor, v: Tensor) -> Any:
        return flex_attention(q, k, v, **self.options)


def qkv(
    batch: int = 2, heads: int = 4, rows: int = 300, columns: int = 300, groups: int = 4
) -> tuple[Tensor, ...]:
    return (
        torch.zeros(batch, heads, rows, 16),
        torch.zeros(batch, groups, columns, 16),
        torch.zeros(batch, groups, columns, 32),
    )


@pytest.mark.parametrize("groups", [1, 2, 4])
def test_without_a_mask_it_is_attention(groups: int) -> None:
    x = qkv(groups=groups, columns=77)
    counted = costlab.count(Flex(enable_gqa=True), x)
    assert counted.multiply_adds == 2 * 4 * 300 * 77 * (16 + 32)
    assert counted.by_operator()["attention"] == counted.multiply_adds
    whole = FORWARD((2, 4, 300, 16), (2, 4, 77, 16), (2, 4, 77, 32))
    assert 2 * counted.multiply_adds == whole


@pytest.mark.parametrize("mask", [causal, near, by_head])
@pytest.mark.parametrize(("rows", "columns"), [(256, 256), (300, 300), (200, 390)])
@pytest.mark.parametrize("size", [64, 128])
def test_the_blocks_that_a_mask_leaves_are_counted(mask: Mod, rows: int, columns: int, size: int) -> None:
    heads = 4 if mask is by_head else None
    blocks = create_block_mask(mask, None, heads, rows, columns, device="cpu", BLOCK_SIZE=size)
    counted = costlab.count(Flex(block_mask=blocks), qkv(rows=rows, columns=columns))
    assert counted.multiply_adds == 2 * pairs_of(mask, 1, 4, rows, columns, size) * (16 + 32)


def test_it_says_which_part_is_counted() -> None:
    class Between(Flex):
        def forward(self, q: Tensor, k: Tensor, v: Tensor) -> Any:
            return super().forward(q, k, v) + 1

    def title(**options: Any) -> str:
        found = costlab.count(Between(**options), qkv()).operations
        return next(each.block.title for each in found if each.work and each.work.kind == "attention")

    assert title() == "attention"
    blocks = create_block_mask(causal, None, None, 300, 300, device="cpu")
    assert title(block_mask=blocks) == "attention (6 of 9 blocks)"


class Masks(nn.Module):
    """Makes the mask of its call by itself: of documents that a buffer names, or of its data."""

    def __init__(self, of_data: bool) -> None:
        super().__init__()
        self.of_data = of_data
        self.document = nn.Buffer(torch.arange(300) // 100)

    def forward(self, q: Tensor, k: Tensor, v: Tensor) -> Any:
        def alike(b: Tensor, h: Tensor, i: Tensor, j: Tensor) -> Tensor:
            return q[b, h, i, 0] > q[b, h, j, 0] if self.of_data else self.document[i] == self.document[j]

        batch, heads = (2, 4) if self.of_data else (None, None)
        mask = create_block_mask(alike, batch, heads, 300, 300, device=q.device)
        return flex_attention(q, k, v, block_mask=mask) * 2


def test_a_mask_that_is_made_on_the_way_is_known() -> None:
    document = torch.arange(300) // 100
    pairs = pairs_of(lambda b, h, q, k: document[q] == document[k], 1, 1, 300, 300, 128)
    assert costlab.count(Masks(of_data=False), qkv()).multiply_adds == 2 * 4 * pairs * (16 + 32)


def test_a_mask_of_data_leaves_nothing_out_and_that_is_said() -> None:
    counted = costlab.count(Masks(of_data=True), qkv())
    assert counted.multiply_adds == 2 * 4 * 300 * 300 * (16 + 32)
    assert "attention (dense)" in [each.block.title for each in counted.operations]


def test_a_mask_comes_as_an_input_too() -> None:
    class Given(nn.Module):
        def forward(self, q: Tensor, k: Tensor, v: Tensor, mask: BlockMask) -> Any:
            return flex_attention(q, k, v, block_mask=mask)

    blocks = create_block_mask(near, None, None, 300, 300, device="cpu")
    before = blocks.kv_num_blocks.clone()
    counted = costlab.count(Given(), (*qkv(), blocks))
    assert counted.multiply_adds == 2 * 4 * pairs_of(near, 1, 1, 300, 300, 128) * (16 + 32)
    assert type(blocks.kv_num_blocks) is Tensor
    assert torch.equal(blocks.kv_num_blocks, before)


class Layer(nn.Module):
    """Attention with a learned bias, and one that is computed."""

    def __init__(self) -> None:
        super().__init__()
        self.qkv, self.out = nn.Linear(64, 192), nn.Linear(64, 64)
        self.bias = nn.Parameter(torch.zeros(4))
        self.far = nn.Linear(3, 4, bias=False)

    def forward(self, x: Tensor) -> Any:
        n, steps, _ = x.shape
        q, k, v = self.qkv(x).view(n, steps, 3, 4, 16).permute(2, 0, 3, 1, 4)
        far = self.far(torch.ones(steps, 3))
        mixed = flex_attention(q, k, v, score_mod=lambda s, b, h, i, j: s + self.bias[h] + far[j, h])
        return self.out(mixed.transpose(1, 2).flatten(2))


def test_a_score_function_reads_parameters_and_has_gradients() -> None:
    x = torch.zeros(2, 100, 64)
    forward = costlab.count(Layer(), x)
    assert forward.held is not None
    assert forward.held.unused == 0
    whole = FORWARD(*[(2, 4, 100, 16)] * 3) // 2
    linear = 2 * 100 * 64 * 192 + 2 * 100 * 64 * 64
    assert forward.multiply_adds == linear + 100 * 3 * 4 + whole
    step = costlab.count(Layer(), x, backward=True)
    back = BACK(*[(2, 4, 100, 16)] * 4) // 2
    # The first layer's input and that of `far` need no gradient, their weights do.
    expected = 2 * 100 * 64 * 192 + 2 * 2 * 100 * 64 * 64 + 100 * 3 * 4
    assert step.multiply_adds == forward.multiply_adds + back + expected


def test_what_torch_warns_of_once_is_still_to_be_told() -> None:
    from torch.nn.attention import flex_attention as module

    before = set(module._WARNINGS_SHOWN)
    costlab.count(Flex(), qkv())
    assert before == module._WARNINGS_SHOWN


def test_a_compiled_one_counts_as_it_is_written() -> None:
    compiled: Any = torch.compile(flex_attention, backend="eager")
    masked: Any = torch.compile(create_block_mask, backend="eager")

    class Compiled(nn.Module):
        def forward(self, q: Tensor, k: Tensor, v: Tensor) -> Any:
            blocks = masked(causal, None, None, 300, 300, device=str(q.device))
            return compiled(q, k, v, block_mask=blocks)

    pairs = pairs_of(causal, 1, 1, 300, 300, 128)
    assert costlab.count(Compiled(), qkv()).multiply_adds == 2 * 4 * pairs * (16 + 32)
