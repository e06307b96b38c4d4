"""Folders of images that cannot be trained on: damaged, endless, misplaced, or something else."""

import os
import pickle
import struct
import zlib
from functools import cache
from io import BytesIO
from pathlib import Path
from random import Random

from PIL import Image

from tests.hostile.case import SIGNS, Case, Made
from tests.hostile.records import Touches


@cache
def picture(kind: str = "PNG", mode: str = "RGB", side: int = 8) -> bytes:
    """A small picture."""
    out = BytesIO()
    Image.new(mode, (side, side)).save(out, kind)
    return out.getvalue()


def bomb(side: int) -> bytes:
    """A PNG whose head promises that many pixels a side, and that holds none."""
    head = struct.pack(">IIBBBBB", side, side, 8, 2, 0, 0, 0)
    parts = ((b"IHDR", head), (b"IDAT", zlib.compress(bytes(100))), (b"IEND", b""))
    chunks = (struct.pack(">I", len(d)) + n + d + struct.pack(">I", zlib.crc32(n + d)) for n, d in parts)
    return b"\x89PNG\r\n\x1a\n" + b"".join(chunks)


def no_picture(random: Random) -> tuple[str, Made]:
    """What lies among the images, and is none that can be read."""
    whole = picture()
    made: dict[str, Made] = {
        "nothing": b"",
        "a text": b"no picture",
        "a page": b"<svg xmlns='http://www.w3.org/2000/svg'/>",
        "half a picture": whole[: random.randrange(9, 41)],
        "a head alone": whole[:8],
        "zeros": bytes(4096),
        "a bomb": bomb(60_000),
        "a larger bomb": bomb(2**31 - 1),
        "no side": bomb(0),
        "16 bits": picture("TIFF", "I;16"),
        "floats": picture("TIFF", "F"),
        "a pickle": pickle.dumps(Touches()),
        "a folder": Path.mkdir,
        "a pipe": os.mkfifo,
        "a link to nothing": lambda file: file.symlink_to("nothing"),
        "a link to itself": lambda file: file.symlink_to(file.name),
        "a device": lambda file: file.symlink_to("/dev/zero"),
        "somebody's text": lambda file: file.symlink_to("/etc/passwd"),
        "code": b"%!PS\n(pwned) (w) file\n",
    }
    about = random.choice(list(made))
    return about, made[about]


NAMES = (
    "x.png",
    "x.jpg",
    "x",
    "x.py",
    " .png",
    "ü" * 60 + ".png",
    "-rf.png",
    "<b>.png",
    *(f"x{s}.png" for s in SIGNS if s != "\n"),
)


def classes(*names: str, each: int = 40, side: int = 8) -> dict[str, Made]:
    """Folders of classes with so many pictures."""
    return {f"{name}/{i}.png": picture(side=side) for name in names for i in range(each)}


def _misplaced(random: Random) -> tuple[str, dict[str, Made]]:
    stray = random.choice(("stray.png", "stray.JPG", "stray.jpeg", "stray.webp", "a.gif"))
    two = classes("a", "b")
    made: dict[str, dict[str, Made]] = {
        "nothing": {".keep": b""},
        "one class": classes("a"),
        "an empty class": {**two, "c/.keep": b""},
        "a class of one": {**two, "c/x.png": picture()},
        "a picture beside the classes": {**two, stray: picture()},
        "a picture beside the classes of a part": {
            **classes("train/a", "train/b", "val/a", "val/b"),
            f"train/{stray}": picture(),
        },
        "a picture beside the parts": {**classes("train/a", "train/b", "val/a", "val/b"), stray: picture()},
        "two validations": classes(
            "train/a", "train/b", "val/a", "val/b", "validation/a", "validation/b", each=2
        ),
        "other classes": classes("train/a", "train/b", "val/a", "val/c", each=2),
        "a folder in a class": {**two, "a/more/x.png": picture()},
        "too few": classes("a", "b", each=3),
        "pictures smaller than any network takes": classes("a", "b", side=random.randrange(1, 8)),
        "files alone": {f"{i}.png": picture() for i in range(5)},
        "a class that is a link to itself": {**two, "c": lambda file: file.symlink_to("c")},
        "a class that is a link to nothing": {**two, "c": lambda file: file.symlink_to("nothing")},
        "a class that is a pipe": {**classes("a"), "b": os.mkfifo},
    }
    about = random.choice(list(made))
    return about, made[about]


def _cifar(random: Random) -> tuple[str, dict[str, Made]]:
    """The files of CIFAR-10, of which one is wrong."""
    record = bytes(3073)
    good: dict[str, Made] = {f"data_batch_{i}.bin": record * 40 for i in range(1, 6)}
    good |= {"test_batch.bin": record * 40, "batches.meta.txt": b"\n".join(b"c%d" % i for i in range(10))}
    name = random.choice(list(good))
    wrong: dict[str, Made] = {
        "nothing": b"",
        "a byte more": record * 40 + b"\0",
        "a byte less": record * 40 + bytes(3072),
        "a pickle": pickle.dumps(Touches()),
        "labels of others": b"\x63" + bytes(3072),
        "a folder": Path.mkdir,
        "a pipe": os.mkfifo,
        "a link to itself": lambda file: file.symlink_to(file.name),
        "a device": lambda file: file.symlink_to("/dev/zero"),
    }
    about = random.choice(list(wrong))
    if random.random() < 0.2:
        del good[name]
        return f"{name} is missing", good
    if random.random() < 0.2:
        return "the version of Python", {
            "data_batch_1": pickle.dumps(Touches()),
            "batches.meta": pickle.dumps(Touches()),
        }
    return f"{name} is {about}", {**good, name: wrong[about]}


def draw(random: Random) -> Case:
    """Training on images that cannot be trained on."""
    kind = random.choice(("picture", "picture", "folder", "folder", "cifar"))
    source = "folder"
    if kind == "picture":
        name = random.choice(NAMES)
        about, made = no_picture(random)
        files = {**classes("a", "b"), f"{random.choice('ab')}/{name}": made}
        about = f"{name!r} is {about}"
    elif kind == "folder":
        about, files = _misplaced(random)
    else:
        source = "cifar10"
        about, files = _cifar(random)
    shown = {f"pics/{name}": made for name, made in files.items()}
    words = ("train", "large_5x5", "--data", f"{source}:pics", "-o", "run")
    return Case(
        f"images: {about}", words, shown, rude=False, names="--data", notes=("looking at ", "reading ")
    )
