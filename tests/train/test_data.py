"""A dataset, its digest and its sizes; scikit-learn's digits; and what the option says."""

import sys
from pathlib import Path
from typing import Any

import pytest
import torch

from costlab.errors import DataError, RunError
from costlab.train import cache, checkpoint
from costlab.train.data import Dataset, Split
from costlab.train.datasets import load


def dataset(images: torch.Tensor, labels: torch.Tensor) -> Dataset:
    split = Split(images, labels)
    return Dataset("some", "Some.", True, False, ("a", "b"), split, Split(images[:1], labels[:1]))


def refused(spec: str, *said: str, train: int = 0, validation: int = 0) -> None:
    """The source is refused, in one line that begins with the option as it was given and holds all this."""
    with pytest.raises(DataError) as caught:
        load(spec, train, validation)
    line = str(caught.value)
    assert line.startswith(f"--data {spec}: ")
    assert "\n" not in line
    for each in said:
        assert each in line


def test_a_digest_is_of_every_byte_and_of_the_shapes() -> None:
    images, labels = torch.arange(48, dtype=torch.uint8).reshape(4, 3, 2, 2), torch.tensor([0, 1, 0, 1])
    found = dataset(images, labels).digest
    assert found == dataset(images.clone(), labels.clone()).digest
    other = images.clone()
    other[3, 2, 1, 1] += 1
    assert dataset(other, labels).digest != found
    assert dataset(images, torch.tensor([0, 1, 1, 1])).digest != found
    assert dataset(images.reshape(4, 3, 4, 1), labels).digest != found
    assert dataset(images.contiguous(memory_format=torch.channels_last), labels).digest == found


def test_the_record_of_a_dataset() -> None:
    made = dataset(torch.zeros(4, 3, 2, 2, dtype=torch.uint8), torch.tensor([0, 1, 0, 1]))
    record = made.record()
    assert (record.name, record.about, record.synthetic) == ("some", "Some.", True)
    assert (record.classes, record.train, record.validation) == (2, 4, 1)
    assert record.digest == made.digest


def test_shrinking_takes_means_and_growing_goes_in_lines() -> None:
    grey = torch.tensor([[0, 10, 100, 100], [20, 30, 100, 103], [0, 0, 255, 255], [0, 1, 255, 255]])
    made = dataset(grey.to(torch.uint8).expand(300, 3, 4, 4), torch.zeros(300, dtype=torch.int64))
    train, validation = made.resized(2)
    assert train.images.shape == (300, 3, 2, 2)
    assert train.images.dtype == torch.uint8
    assert torch.equal(train.images[299, 2], torch.tensor([[15, 101], [0, 255]]))
    assert torch.equal(validation.images[0], train.images[0])
    assert train.labels is made.train.labels
    grown = made.resized(8)[0].images[17, 1].tolist()
    # Places of the 8 are at -1/4, 1/4, 3/4, 5/4, ... of the 4: a quarter and three quarters of neighbours.
    assert grown[0] == [0, 2, 8, 32, 78, 100, 100, 100]
    assert [row[0] for row in grown] == [0, 5, 15, 15, 5, 0, 0, 0]


def test_images_of_that_side_are_the_same_ones() -> None:
    made = dataset(torch.zeros(4, 3, 8, 8, dtype=torch.uint8), torch.zeros(4, dtype=torch.int64))
    assert made.resized(8)[0] is made.train
    assert made.resized(8)[1] is made.validation


def test_digits_are_those_of_scikit_learn() -> None:
    from sklearn.datasets import load_digits

    made = load("digits", 0, 0)
    assert (len(made.train.labels), len(made.validation.labels)) == (1437, 360)
    assert (made.synthetic, made.mirrored, made.classes[7]) == (False, False, "7")
    assert made.train.images.shape[1:] == (3, 8, 8)
    known = load_digits()
    scaled = [tuple(int(255 * value / 16 + 0.5) for value in row) for row in known.data]
    expected = sorted(zip(scaled, known.target.tolist(), strict=True))
    for channel in range(3):
        read = [
            (tuple(image[channel].flatten().tolist()), int(label))
            for split in (made.train, made.validation)
            for image, label in zip(*split, strict=True)
        ]
        assert sorted(read) == expected
    assert min(made.validation.labels.bincount()) > 20


def test_fewer_images_are_the_first_ones_and_the_split_stays() -> None:
    whole, few = load("digits", 0, 0, seed=1), load("digits", 100, 50, seed=1)
    assert torch.equal(few.train.images, whole.train.images[:100])
    assert torch.equal(few.validation.labels, whole.validation.labels[:50])
    other = load("digits", 0, 0, seed=2)
    assert not torch.equal(other.train.labels, whole.train.labels)
    assert sorted(other.validation.images.sum((1, 2, 3)).tolist()) == sorted(
        whole.validation.images.sum((1, 2, 3)).tolist()
    )
    assert len(load("digits", 10**6, 10**6).train.labels) == 1437


def test_without_scikit_learn_its_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "sklearn.datasets", None)
    refused("digits", "pip install 'costlab[digits]'")


@pytest.mark.parametrize(
    ("spec", "said"),
    [
        ("cifar", "there is no source 'cifar'; did you mean cifar10 or cifar100?"),
        ("imagenet", "there is no source 'imagenet'; there is synthetic, digits, cifar10, cifar100, folder"),
        ("", "there is no source ''"),
        (":x", "there is no source ''"),
        ("cifar10", "it needs a folder: cifar10:PATH"),
        ("folder:", "it needs a folder: folder:PATH"),
        ("digits:here", "digits takes no path"),
        ("synthetic:", "synthetic takes no path"),
        ("cifar100:/nowhere/at all", "there is no such folder"),
        ("folder:nul\0", "there is no such folder"),
        ("folder:~no-such-user-here/x", "the folder cannot be reached"),
    ],
)
def test_sources_that_are_none(spec: str, said: str) -> None:
    refused(spec, said)


def test_a_path_that_is_no_folder(tmp_path: Path) -> None:
    (tmp_path / "cifar.tar.gz").write_bytes(b"")
    (tmp_path / "loop").symlink_to(tmp_path / "loop")
    refused(f"cifar10:{tmp_path / 'cifar.tar.gz'}", "this is no folder; unpack an archive first")
    refused(f"folder:{tmp_path / 'loop'}", "there is no such folder")


def test_numbers_of_images_that_are_none() -> None:
    refused("digits", "train=-1 must be at least 0", train=-1)
    refused("synthetic", "validation=-5 must be at least 0", validation=-5)
    refused("synthetic", "at most 1,024,000 images are made of one seed", train=1_024_001)


class Touches:
    """Unpickled, it leaves a file behind."""

    def __reduce__(self) -> tuple[Any, ...]:
        return Path("pwned").touch, ()


def test_images_and_checkpoints_of_somebody_else_run_no_code(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    images, saved = Path("data", "images-48.pt"), Path(checkpoint.FILE)
    images.parent.mkdir()
    for file in (images, saved):
        torch.save({"digest": Touches(), "identity": Touches(), "train": Touches()}, file)
    with pytest.raises(RunError, match="is damaged"):
        cache.load(Path(), 48)
    with pytest.raises(RunError, match="is damaged"):
        checkpoint.load(saved, "mine")
    asked: list[bool] = []

    def load_again() -> Dataset:
        asked.append(True)
        return load("synthetic", 8, 8)

    cache.prepare(Path(), {48}, "0", load_again)
    assert asked == [True]
    assert not Path("pwned").exists()
