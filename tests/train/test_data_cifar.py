"""CIFAR's published files: what is written by hand is what is read, and what is wrong is told by name."""

import hashlib
import os
import pickle
import struct
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from costlab.train import datasets
from costlab.train.data import Split
from costlab.train.datasets import load
from tests.train.test_data import refused

NAMES = {
    10: ["airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck"],
    100: [f"name_{number}" for number in range(100)],
}
TRAIN_10 = [f"data_batch_{number}.bin" for number in range(1, 6)]


def cifar(folder: Path, classes: int, each: int = 3) -> dict[str, list[tuple[int, bytes]]]:
    """Write CIFAR's binary files with so many records each, and say what is in them."""
    folder.mkdir(parents=True, exist_ok=True)
    names = "batches.meta.txt" if classes == 10 else "fine_label_names.txt"
    (folder / names).write_text("\n".join(NAMES[classes]) + "\n\n")
    made: dict[str, list[tuple[int, bytes]]] = {}
    files = [*TRAIN_10, "test_batch.bin"] if classes == 10 else ["train.bin", "test.bin"]
    for number, file in enumerate(files):
        made[file] = []
        with (folder / file).open("wb") as out:
            for record in range(each):
                label = (7 * number + record + classes - 3) % classes
                pixels = np.random.default_rng((number, record)).bytes(3072)
                out.write(struct.pack("<B" if classes == 10 else "<xB", label) + pixels)
                made[file].append((label, pixels))
    return made


def pairs(split: Split) -> list[tuple[int, bytes]]:
    return [(int(label), image.numpy().tobytes()) for image, label in zip(*split, strict=True)]


@pytest.mark.parametrize("classes", [10, 100])
def test_cifar_is_read_as_it_was_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, classes: int
) -> None:
    monkeypatch.setattr(datasets, "BLOCK", 2)  # so that a file takes more than one
    inner = tmp_path / ("cifar-10-batches-bin" if classes == 10 else "cifar-100-binary")
    made = cifar(inner, classes)
    held = made.pop("test_batch.bin" if classes == 10 else "test.bin")
    read = load(f"cifar{classes}:{tmp_path}", 0, 0)
    assert read.name == f"cifar{classes}"
    assert str(tmp_path) not in read.about
    assert read.classes == tuple(NAMES[classes])
    assert (read.synthetic, read.mirrored) == (False, True)
    assert read.train.images.shape[1:] == (3, 32, 32)
    assert sorted(pairs(read.train)) == sorted(record for records in made.values() for record in records)
    assert sorted(pairs(read.validation)) == sorted(held)
    few = load(f"cifar{classes}:{inner}", 2, 1)
    assert pairs(few.train) == pairs(read.train)[:2]
    assert pairs(few.validation) == pairs(read.validation)[:1]
    other = load(f"cifar{classes}:{inner}", 0, 0, seed=1)
    assert pairs(other.train) != pairs(read.train)
    assert sorted(pairs(other.train)) == sorted(pairs(read.train))


def cut(file: Path) -> None:
    file.write_bytes(file.read_bytes()[:1000])


def label_10(file: Path) -> None:
    content = bytearray(file.read_bytes())
    content[3073] = 10
    file.write_bytes(content)


@pytest.mark.parametrize(
    ("file", "harm", "said"),
    [
        ("data_batch_3.bin", Path.unlink, "data_batch_3.bin is not there"),
        ("test_batch.bin", Path.unlink, "test_batch.bin is not there"),
        ("batches.meta.txt", Path.unlink, "batches.meta.txt is not there"),
        ("data_batch_2.bin", cut, "data_batch_2.bin has 1,000 bytes, not a multiple of 3,073"),
        ("test_batch.bin", label_10, "test_batch.bin has the label 10, not below 10"),
        ("data_batch_1.bin", lambda file: file.write_bytes(b""), "data_batch_1.bin has no images"),
        (
            "batches.meta.txt",
            lambda file: file.write_bytes(b"\xff\x00"),
            "batches.meta.txt has 1 names, not 10",
        ),
    ],
)
def test_damaged_cifar_files(tmp_path: Path, file: str, harm: Callable[[Path], object], said: str) -> None:
    cifar(tmp_path, 10)
    harm(tmp_path / file)
    refused(f"cifar10:{tmp_path}", said)


def test_a_file_of_cifar_that_is_none(tmp_path: Path) -> None:
    cifar(tmp_path, 100)
    (tmp_path / "train.bin").unlink()
    os.mkfifo(tmp_path / "train.bin")  # would be waited for without end
    refused(f"cifar100:{tmp_path}", "train.bin is not there")


@pytest.mark.parametrize(
    ("source", "file", "inner"),
    [("cifar10", "data_batch_1", "cifar-10-batches-py"), ("cifar100", "train", "cifar-100-python")],
)
def test_the_pickled_version_is_never_opened(tmp_path: Path, source: str, file: str, inner: str) -> None:
    (tmp_path / inner).mkdir()
    (tmp_path / inner / file).write_bytes(pickle.dumps({b"labels": [1]}))
    said = "this is the version for Python; the binary version, cifar-10"
    refused(f"{source}:{tmp_path}", said)
    refused(f"{source}:{tmp_path / inner}", said)


def test_a_folder_of_the_other_cifar(tmp_path: Path) -> None:
    cifar(tmp_path, 100)
    refused(f"cifar10:{tmp_path}", "batches.meta.txt is not there")


def test_a_disk_that_fails(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    cifar(tmp_path, 10)

    def fail(*_: object, **__: object) -> None:
        raise OSError(5, "Input/output error")

    monkeypatch.setattr(Path, "open", fail)
    refused(f"cifar10:{tmp_path}", "cannot be read: OSError: [Errno 5] Input/output error")


def test_two_readings_have_one_digest(tmp_path: Path) -> None:
    cifar(tmp_path, 10)
    read = load(f"cifar10:{tmp_path}", 0, 0)
    known = hashlib.sha256()
    for split in (read.train, read.validation):
        for tensor in split:
            known.update(f"{tensor.dtype} {tuple(tensor.shape)}\n".encode() + tensor.numpy().tobytes())
    assert load(f"cifar10:{tmp_path}", 0, 0).digest == read.digest == known.hexdigest()
