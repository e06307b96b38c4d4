"""At which side pictures of a folder are taken: what most of them have, and nothing more is claimed."""

from collections.abc import Sequence
from pathlib import Path
from typing import Self

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from costlab.errors import DataError
from costlab.train.data import DataRequest, Dataset
from costlab.train.datasets import load
from costlab.train.folder import _common_side
from tests.train.test_data import refused

Size = tuple[int, int]


def paint(root: Path, sizes: Sequence[Size], ending: str = "png") -> Path:
    """Pictures of these sizes, by turns in two classes, and each in a grey of its own."""
    for number, size in enumerate(sizes):
        file = root / "ab"[number % 2] / f"{number}.{ending}"
        file.parent.mkdir(parents=True, exist_ok=True)
        Image.new("RGB", size, (number, number, number)).save(file)
    return root


def read(root: Path, train: int = 0, validation: int = 0, seed: int = 0) -> Dataset:
    return load(f"folder:{root}", train, validation, seed=seed)


@pytest.mark.parametrize(
    ("sizes", "side", "told"),
    [
        ([(200, 100)] * 4, 96, "as squares of 96x96 pixels, as all have."),
        ([(96, 200)] * 4, 96, "as squares of 96x96 pixels, as all have."),
        ([(32, 32)] * 4, 32, "as squares of 32x32 pixels, as all have."),
        ([(33, 500), (500, 40)] * 2, 33, "as squares of 33x33 pixels, as all have."),
        ([(8, 9)] * 4, 8, "as squares of 8x8 pixels, as all have."),
        ([(10, 10), *[(32, 32)] * 19], 32, "32x32 pixels: 1 of 20 were smaller and so were enlarged."),
        ([(10, 10), *[(32, 32)] * 18], 10, "as squares of 10x10 pixels, as all have."),
        (
            [(9, 9), (10, 10), *[(32, 32)] * 18],
            10,
            "10x10 pixels: 1 of 20 were smaller and so were enlarged.",
        ),
        (
            [(1, 1), (2, 9), *[(640, 480)] * 38],
            96,
            "96x96 pixels: 2 of 40 were smaller and so were enlarged.",
        ),
    ],
)
def test_the_side_is_what_19_in_20_have(tmp_path: Path, sizes: list[Size], side: int, told: str) -> None:
    made = read(paint(tmp_path, sizes))
    assert made.side == side
    assert made.train.images.shape[1:] == made.validation.images.shape[1:] == (3, side, side)
    assert made.about.endswith(told)
    assert made.record().side == side
    greys = [int(grey) for split in (made.train, made.validation) for grey in split.images[:, 0, 0, 0]]
    assert sorted(greys) == list(range(len(sizes)))


def test_only_the_pictures_that_are_chosen_decide(tmp_path: Path) -> None:
    paint(tmp_path, [(32 + number, 64) for number in range(20)])
    for seed in range(4):
        made = read(tmp_path, 3, 2, seed)
        chosen = torch.cat([made.train.images[:, 0, 0, 0], made.validation.images[:, 0, 0, 0]])
        assert made.side == 32 + int(chosen.min())


def test_a_large_jpeg_is_not_enlarged_by_reading_less_of_it(tmp_path: Path) -> None:
    assert read(paint(tmp_path, [(1000, 90)] * 4, "jpg")).side == 90


@pytest.mark.parametrize(
    ("sizes", "said"),
    [
        ([(7, 40)] * 4, "4 of 4 pictures have fewer than 8 pixels at a side"),
        ([(40, 7), *[(40, 40)] * 18], "1 of 19 pictures have fewer than 8 pixels at a side"),
        (
            [(1, 1), (1, 1), *[(40, 40)] * 18],
            "2 of 20 pictures have fewer than 8 pixels at a side, and at most one",
        ),
    ],
)
def test_pictures_smaller_than_any_network_takes_are_refused(
    tmp_path: Path, sizes: list[Size], said: str
) -> None:
    refused(f"folder:{paint(tmp_path, sizes)}", said)


class _Head:
    """A picture of which only the head is read."""

    def __init__(self, side: int) -> None:
        self.size = (side, 10_000)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        pass


@given(st.lists(st.integers(1, 200), min_size=1, max_size=90))
def test_the_rule_by_trying_every_side(sides: list[int]) -> None:
    def at_least(side: int) -> int:
        return sum(each >= side for each in sides)

    fitting = [side for side in range(8, 97) if 20 * at_least(side) >= 19 * len(sides)]
    request = DataRequest("folder:x", "x", 0, 0, 0, lambda _: None)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Image, "open", lambda file: _Head(int(file.name)))
        files = [Path("a", str(side)) for side in sides]
        if fitting:
            assert _common_side(request, files) == (max(fitting), len(sides) - at_least(max(fitting)))
        else:
            with pytest.raises(DataError, match="fewer than 8 pixels"):
                _common_side(request, files)
