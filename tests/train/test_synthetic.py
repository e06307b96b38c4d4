"""The task that is made up: the same bytes from the same seed, whatever else is asked for."""

import hashlib
import os
import subprocess
import sys
from collections.abc import Iterator

import numpy as np
import pytest
import torch

from costlab.train import synthetic
from costlab.train.data import Split
from costlab.train.datasets import load
from costlab.train.synthetic import CLASSES, SIZE, images


@pytest.fixture(scope="module", autouse=True)
def one_thread() -> Iterator[None]:
    """More threads than there are idle processors wait for each other."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture(scope="module")
def first() -> Split:
    return images(260, 0)


def digest(split: Split) -> str:
    return hashlib.sha256(split.images.numpy().tobytes() + split.labels.numpy().tobytes()).hexdigest()


def test_images_are_bytes_of_the_promised_shape(first: Split) -> None:
    assert first.images.shape == (260, 3, SIZE, SIZE)
    assert first.images.dtype == torch.uint8
    assert first.labels.dtype == torch.int64
    assert len(CLASSES) == len(set(CLASSES)) == 10
    assert first.images.is_contiguous()


def test_fewer_images_are_the_first_ones_of_more(first: Split) -> None:
    for count in (1, 60, 251):
        fewer = images(count, 0)
        assert torch.equal(fewer.images, first.images[:count])
        assert torch.equal(fewer.labels, first.labels[:count])


def test_each_chunk_has_as_many_images_of_every_class(first: Split) -> None:
    assert first.labels[:250].bincount().tolist() == [25] * 10


def test_no_image_comes_again(first: Split) -> None:
    many = [*first.images, *images(250, 0, validation=True).images, *images(250, 1).images]
    assert len({hashlib.sha256(each.numpy().tobytes()).digest() for each in many}) == len(many) == 760


def test_a_seed_never_makes_validation_images_out_of_training_images() -> None:
    streams = [
        (seed * synthetic.STREAMS + 2 * number + validation) % 2**32
        for seed in (0, 1, 2, 2**18)
        for number in (0, 1, synthetic.MOST // synthetic.CHUNK - 1)
        for validation in (False, True)
    ]
    assert len(set(streams)) == len(streams)


def test_threads_change_nothing(first: Split) -> None:
    torch.set_num_threads(2)
    try:
        assert digest(images(260, 0)) == digest(first)
    finally:
        torch.set_num_threads(1)


def test_a_machine_without_vector_instructions_makes_the_same_images(first: Split) -> None:
    script = (
        "import torch; torch.set_num_threads(1)\n"
        "from costlab.train.synthetic import images; from tests.train.test_synthetic import digest\n"
        "print(digest(images(30, 0)))"
    )
    ran = subprocess.run(
        [sys.executable, "-c", script],
        env={**os.environ, "ATEN_CPU_CAPABILITY": "default"},
        capture_output=True,
        text=True,
        check=True,
    )
    assert ran.stdout.strip() == digest(Split(first.images[:30], first.labels[:30]))


def test_the_images_are_the_same_on_every_machine(first: Split) -> None:
    """Records keep the digest of the images: whoever changes these must train again.

    The committed record is of images from another processor, when square roots were still torch's own: their
    digest was c601c8d8..., which the same code did not give on others.
    """
    assert digest(first) == "4aa37f29bbccd6736bfb159cfad9f995686277c5805e04029c2a272df8820ebb"


def test_square_roots_are_rounded_once() -> None:
    """NumPy's are those of the processor's own instruction, which rounds as IEEE 754 says."""
    numbers = torch.rand(100_000, generator=torch.Generator().manual_seed(0))
    expected = torch.from_numpy(np.sqrt(numbers.numpy()))
    assert torch.equal(synthetic._square_root(numbers), expected)


def test_the_main_object_is_there_and_larger_than_any_other() -> None:
    """Drawn on a ground of one colour, without clutter, transparency and grain, it fills what it should."""
    random = torch.Generator().manual_seed(0)
    kind = torch.arange(synthetic.CHUNK) % len(CLASSES)
    pieces = synthetic._pieces(kind, synthetic.MAIN, random)
    ones = torch.ones(synthetic.CHUNK)
    colours = torch.ones(synthetic.CHUNK, 3)
    picture = torch.zeros(synthetic.CHUNK, 3, SIZE, SIZE)
    synthetic._draw(picture, pieces._replace(colours=(colours, colours), opacity=ones))
    assert picture.min() == 0
    assert torch.equal(picture[:, 0], picture[:, 2])
    box = 4 * pieces.axes[0] * pieces.axes[1] * SIZE**2 / 4
    parts = (picture[:, 0].sum((1, 2)) / box).reshape(-1, 5, 2).transpose(0, 1).reshape(5, -1)
    # Areas by hand, of a square of side 2: pi (1 - .52^2) / 4; pi / 4; 1 - .56^2; 1 / 2; 1 - .66^2.
    for found, area in zip(parts, (0.573, 0.785, 0.686, 0.5, 0.564), strict=True):
        assert found.tolist() == pytest.approx([area] * 50, abs=0.02), "all of an object is in the image"


def test_stripes_and_checks_are_as_wide_as_said() -> None:
    x = torch.arange(SIZE) + 0.5
    wave = synthetic._wave(x / 8)
    assert wave.min() == -0.75
    assert torch.equal(wave[:-8], wave[8:])
    assert wave[:8].sum() == 0


def test_a_dataset_of_them(first: Split) -> None:
    lines: list[str] = []
    made = load("synthetic", 20, 10, report=lines.append)
    assert lines == ["making 30 images"]
    assert (made.name, made.synthetic, made.mirrored, made.classes) == ("synthetic", True, True, CLASSES)
    assert torch.equal(made.train.images, first.images[:20])
    assert torch.equal(made.validation.images, images(10, 0, validation=True).images)
    assert "seed 0" in made.about


def test_how_many_are_made_unless_it_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[tuple[int, int, bool]] = []

    def images(count: int, seed: int, *, validation: bool = False) -> Split:
        asked.append((count, seed, validation))
        return Split(torch.zeros(1, 3, SIZE, SIZE, dtype=torch.uint8), torch.zeros(1, dtype=torch.int64))

    monkeypatch.setattr(synthetic, "images", images)
    load("synthetic", 0, 0, seed=7)
    assert asked == [(3000, 7, False), (1000, 7, True)]
