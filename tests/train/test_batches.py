"""Batches against images that are moved and mirrored by hand."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

from costlab.train.batches import Batches, Order, channel_statistics, epoch_order
from costlab.train.data import Split

CPU = torch.device("cpu")


def split(count: int, side: int = 4) -> Split:
    random = torch.Generator().manual_seed(count)
    images = torch.randint(0, 256, (count, 3, side, side), generator=random).to(torch.uint8)
    return Split(images, torch.arange(count))


def plain(made: Split) -> Batches:
    return Batches(made, CPU, torch.zeros(3), torch.ones(3))


def moved(image: Tensor, down: int, right: int, mirrored: bool) -> Tensor:
    """Pixel by pixel: what is shown at a place is taken from beside it, or from the edge."""
    _, height, width = image.shape
    made = torch.empty(image.shape)
    for y in range(height):
        for x in range(width):
            at = width - 1 - (x + right) if mirrored else x + right
            made[:, y, x] = image[:, min(max(y + down, 0), height - 1), min(max(at, 0), width - 1)]
    return made


@given(st.integers(1, 12), st.integers(0, 2**31), st.integers(0, 5), st.integers(0, 2), st.booleans())
def test_each_image_is_moved_as_the_order_says(
    count: int, seed: int, epoch: int, shift: int, mirrored: bool
) -> None:
    made = split(count)
    planned = epoch_order(count, seed, epoch, shift, mirrored)
    [batch] = plain(made).epoch(planned, count)
    assert sorted(batch.labels.tolist()) == list(range(count))
    for image, label, down, right, turned in zip(
        batch.images, batch.labels, planned.down, planned.right, planned.mirrored, strict=True
    ):
        assert abs(int(down)) <= shift
        assert abs(int(right)) <= shift
        assert torch.equal(image, moved(made.images[label], int(down), int(right), bool(turned)))
        assert mirrored or not turned


def test_an_epoch_has_each_image_at_most_once_and_whole_batches() -> None:
    planned = epoch_order(10, 0, 0, 0, mirrored=False)
    batches = list(plain(split(10)).epoch(planned, 4))
    labels = torch.cat([batch.labels for batch in batches])
    assert [len(batch.labels) for batch in batches] == [4, 4]
    assert torch.equal(labels, planned.image[:8])


def test_an_epoch_goes_on_where_it_was_left() -> None:
    planned = epoch_order(12, 1, 2, 1, mirrored=True)
    batches = plain(split(12))
    whole, rest = list(batches.epoch(planned, 3)), list(batches.epoch(planned, 3, first=2))
    assert len(rest) == 2
    for a, b in zip(whole[2:], rest, strict=True):
        assert torch.equal(a.images, b.images)
        assert torch.equal(a.labels, b.labels)


def test_parts_of_batches_are_the_batches() -> None:
    planned = epoch_order(12, 1, 2, 1, mirrored=True)
    batches = plain(split(12))
    parts = [list(batches.epoch(planned, 6, part=slice(rank, None, 2))) for rank in range(2)]
    for i, whole in enumerate(batches.epoch(planned, 6)):
        assert torch.equal(whole.labels[0::2], parts[0][i].labels)
        assert torch.equal(whole.images[1::2], parts[1][i].images)


def test_orders_differ_by_seed_and_epoch_and_not_by_anything_else() -> None:
    def drawn(seed: int, epoch: int) -> Order:
        return epoch_order(50, seed, epoch, 3, mirrored=True)

    torch.manual_seed(1)
    first = drawn(0, 0)
    torch.manual_seed(2)
    assert all(torch.equal(a, b) for a, b in zip(first, drawn(0, 0), strict=True))
    assert not torch.equal(first.image, drawn(0, 1).image)
    assert not torch.equal(first.image, drawn(1, 0).image)
    assert 0 < int(first.mirrored.sum()) < 50


def test_images_are_made_about_0_and_1_wide() -> None:
    made = split(600, side=3)
    mean, deviation = channel_statistics(made.images)
    as_floats = made.images.double().transpose(0, 1).flatten(1)
    assert mean.tolist() == pytest.approx(as_floats.mean(1).tolist(), rel=1e-6)
    assert deviation.tolist() == pytest.approx(as_floats.std(1, unbiased=False).tolist(), rel=1e-6)
    batches = list(Batches(made, CPU, mean, deviation).all())
    assert [len(batch.labels) for batch in batches] == [500, 100]
    images = torch.cat([batch.images for batch in batches])
    assert images.mean((0, 2, 3)).abs().max() < 1e-5
    assert (images.std((0, 2, 3)) - 1).abs().max() < 1e-3
    assert images[:500].is_contiguous(memory_format=torch.channels_last)


def test_a_channel_of_one_color_is_made_0() -> None:
    mean, deviation = channel_statistics(torch.full((2, 3, 4, 4), 7, dtype=torch.uint8))
    assert (mean.tolist(), deviation.tolist()) == ([7.0] * 3, [1.0] * 3)
