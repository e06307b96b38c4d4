"""Images in folders: what is painted is what is read, and what is wrong is told by name."""

import os
import struct
import warnings
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from costlab.train.data import Split
from costlab.train.datasets import load
from tests.train.test_data import refused


def paint(file: Path, colour: tuple[int, ...], size: tuple[int, int] = (8, 8), mode: str = "RGB") -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    Image.new(mode, size, colour if len(colour) > 1 else colour[0]).save(file)


def folder_of(root: Path, each: int = 10) -> Path:
    for number, name in enumerate(("cat", "dog", "eel")):
        for image in range(each):
            paint(root / name / f"{image}.png", (80 * number, 20 * image, 7))
    return root


def colours(split: Split) -> list[tuple[int, ...]]:
    assert all((image == image[:, :1, :1]).all() for image in split.images)
    return [(*image[:, 0, 0].tolist(), int(label)) for image, label in zip(*split, strict=True)]


def test_a_folder_is_read_class_by_class(tmp_path: Path) -> None:
    folder_of(tmp_path)
    (tmp_path / "README").write_text("not a class")
    (tmp_path / ".cache").mkdir()
    (tmp_path / "cat" / ".DS_Store").write_bytes(b"no image")
    made = load(f"folder:{tmp_path}", 0, 0)
    assert (made.name, made.classes, made.synthetic) == ("folder", ("cat", "dog", "eel"), False)
    assert str(tmp_path) not in made.about
    assert made.train.images.shape == (24, 3, 8, 8)
    assert made.validation.labels.bincount().tolist() == [2, 2, 2]
    every = {(80 * label, 20 * image, 7, label) for label in range(3) for image in range(10)}
    assert {*colours(made.train), *colours(made.validation)} == every
    again = load(f"folder:{tmp_path}", 5, 3, seed=0)
    assert colours(again.train) == colours(made.train)[:5]
    assert colours(again.validation) == colours(made.validation)[:3]
    other = load(f"folder:{tmp_path}", 0, 0, seed=1)
    assert colours(other.train) != colours(made.train)
    assert set(colours(other.train)) == set(colours(made.train))


@pytest.mark.parametrize("held", ["val", "validation"])
def test_a_pair_of_folders_is_the_split(tmp_path: Path, held: str) -> None:
    folder_of(tmp_path / "train", 2)
    folder_of(tmp_path / held, 1)
    made = load(f"folder:{tmp_path}", 0, 0)
    assert sorted(colours(made.train)) == [(80 * c, 20 * i, 7, c) for c in range(3) for i in range(2)]
    assert sorted(colours(made.validation)) == [(80 * c, 0, 7, c) for c in range(3)]


def test_what_is_kept_of_an_image_is_its_middle_upright(tmp_path: Path) -> None:
    for name in ("a", "b"):
        for number in range(2):
            wide = Image.new("RGB", (200, 100), (255, 0, 0))
            wide.paste((0, 0, 255), (50, 0, 100, 100))
            wide.paste((0, 255, 0), (100, 0, 150, 100))
            turned = Image.Exif()
            turned[0x0112] = 6  # to be turned to the right
            (tmp_path / name).mkdir(exist_ok=True)
            file = tmp_path / name / f"{number}.png"
            wide.save(file, exif=turned) if name == "b" else wide.save(file)
    made = load(f"folder:{tmp_path}", 0, 0)
    for image, label in zip(*made.train, strict=True):
        upright = image if label == 0 else image.transpose(1, 2)
        assert upright[:, 50, 10].tolist() == [0, 0, 255]
        assert upright[:, 50, 85].tolist() == [0, 255, 0]
        assert upright[0].max() < 100, "red is cut off"


def test_images_of_every_kind_become_rgb(tmp_path: Path) -> None:
    for name in ("a", "b"):
        paint(tmp_path / name / "1.png", (77,), mode="L")
        paint(tmp_path / name / "2.png", (77, 77, 77, 10), mode="RGBA")
        paint(tmp_path / name / "3.gif", (77,), mode="L")
        paint(tmp_path / name / "4.jpg", (77,), (3000, 2000), mode="L")
        paint(tmp_path / name / "5.bmp", (77, 77, 77), (8, 500))
    made = load(f"folder:{tmp_path}", 0, 0)
    assert {colour[:3] for colour in colours(made.train) + colours(made.validation)} == {(77, 77, 77)}


def says(side: int) -> Callable[[Path], None]:
    """A PNG whose head alone says that it is vast."""

    def harm(file: Path) -> None:
        content = bytearray(file.read_bytes())
        content[16:24] = struct.pack(">II", side, side)
        content[29:33] = struct.pack(">I", zlib.crc32(content[12:29]))
        file.write_bytes(content)

    return harm


def loop(file: Path) -> None:
    file.unlink()
    file.symlink_to(file)


def pipe(file: Path) -> None:
    file.unlink()
    os.mkfifo(file)


def inner_folder(file: Path) -> None:
    file.unlink()
    file.mkdir()


def sixteen_bits(file: Path) -> None:
    Image.fromarray(np.full((8, 8), 40_000, dtype=np.uint16)).save(file)


@pytest.mark.parametrize(
    ("harm", "said"),
    [
        (lambda file: file.write_bytes(b""), "dog/3.png cannot be read: UnidentifiedImageError"),
        (lambda file: file.write_text("text"), "dog/3.png cannot be read: UnidentifiedImageError"),
        (lambda file: file.write_bytes(file.read_bytes()[:50]), "dog/3.png cannot be read: "),
        (says(60_000), "dog/3.png cannot be read: DecompressionBombError"),
        (says(10_000), "dog/3.png cannot be read: DecompressionBombWarning"),
        (sixteen_bits, "dog/3.png cannot be read: ValueError: mode I;16 has more than 8 bits"),
        (loop, "dog/3.png is no file"),
        (pipe, "dog/3.png is no file"),
        (inner_folder, "dog/3.png is no file: images lie in the folder of their class"),
    ],
)
def test_an_image_that_is_none_is_named(tmp_path: Path, harm: Callable[[Path], object], said: str) -> None:
    folder_of(tmp_path)
    harm(tmp_path / "dog" / "3.png")
    refused(f"folder:{tmp_path}", said)


def only(root: Path, *names: str) -> None:
    for name in names:
        paint(root / name / "1.png", (1, 2, 3))
        paint(root / name / "2.png", (1, 2, 3))


def emptied(root: Path) -> None:
    only(root, "a", "b")
    (root / "c").mkdir()
    (root / "c" / ".hidden.png").write_bytes(b"")


def two_pairs(root: Path) -> None:
    only(root, "train/a", "train/b", "val/a", "val/b", "validation/a")


def class_loop(root: Path) -> None:
    only(root, "a", "b")
    (root / "c").symlink_to(root / "c")


def alone(root: Path) -> None:
    only(root, "a", "b")
    (root / "b" / "2.png").unlink()


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (lambda root: None, "has 0 class folders: at least 2 are needed"),
        (lambda root: only(root, "a"), "has 1 class folders: at least 2 are needed"),
        (emptied, "c/ has too few images: 0, a class must have at least 2"),
        (alone, "b/ has too few images: 1, a class must have at least 2"),
        (
            lambda root: only(root, "train/a", "train/b", "val/a", "val/c"),
            "class b is in one of train/ and val/",
        ),
        (lambda root: only(root, "train/a", "train/b", "val/a"), "val/ has 1 class folders"),
        (two_pairs, "there are both val/ and validation/"),
        (lambda root: only(root, "train/a", "train/b", "test/a"), "test/a is no file"),
        (class_loop, "c is a link to nothing"),
    ],
)
def test_folders_that_hold_no_classes(tmp_path: Path, make: Callable[[Path], object], said: str) -> None:
    make(tmp_path)
    refused(f"folder:{tmp_path}", said)


def test_what_a_reader_warns_of_stays_unsaid(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder_of(tmp_path, 2)
    real = Image.open

    def open_oddly(file: Path) -> Image.Image:
        warnings.warn("odd, but readable", UserWarning, stacklevel=1)
        return real(file)

    monkeypatch.setattr(Image, "open", open_oddly)
    assert len(load(f"folder:{tmp_path}", 0, 0).train.labels) == 3


def test_a_path_may_hold_colons_and_begin_at_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    folder_of(tmp_path / "a:b", 2)
    assert len(load("folder:~/a:b", 0, 0).classes) == 3


def test_a_folder_that_is_closed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder_of(tmp_path, 2)
    real = Path.iterdir

    def closed(folder: Path) -> Iterator[Path]:  # as the system refuses it; to root nothing is closed
        if folder.name == "cat":
            raise PermissionError(13, "Permission denied")
        return real(folder)

    monkeypatch.setattr(Path, "iterdir", closed)
    refused(f"folder:{tmp_path}", "cannot be read: PermissionError: [Errno 13] Permission denied")


@pytest.mark.parametrize("place", ["", "train"])
@pytest.mark.parametrize("name", ["stray.png", "STRAY.JPEG", "a.webp"])
def test_a_picture_beside_the_classes_is_refused(tmp_path: Path, place: str, name: str) -> None:
    for part in ("train", "val") if place else ("",):
        folder_of(tmp_path / part)
    paint(tmp_path / "any.png", (1, 2, 3))
    (tmp_path / "any.png").rename(tmp_path / place / name)
    said = f"{name} lies beside the folders of the classes: put it into one of them, or elsewhere"
    refused(f"folder:{tmp_path}", said)
    (tmp_path / place / name).unlink()
    assert load(f"folder:{tmp_path}", 0, 0).classes == ("cat", "dog", "eel")
