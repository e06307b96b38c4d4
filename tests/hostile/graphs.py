"""Files named as graphs of ONNX that are something else, damaged or malformed."""

import os
from collections.abc import Sequence
from pathlib import Path
from random import Random

from onnx import helper

from tests.hostile.case import EITHER, MISTAKE, ODD_TEXTS, Case, Made

FILE = "mine.onnx"
COMMANDS = (
    ("count", FILE, "-i", "1x8"),
    ("count", FILE, "-i", "{}:1x8", "-f", "json"),
    ("count", FILE, "-b", "3", "--strict"),
    ("count", FILE, "-i", "8", "--symbolic"),
    ("count", FILE, "--check"),
    ("count", FILE, "--backward"),
    ("compare", FILE, FILE, "-i", "1x8"),
    ("lint", FILE, "-i", "1x8"),
    ("memory", FILE, "-i", "1x8"),
    ("factorize", FILE, "-i", "1x8"),
)
NAMES = ("x", "y", "w", "", "x/y", *(text for text in ODD_TEXTS if text.isprintable()))
OPERATORS = (
    "Relu",
    "MatMul",
    "Add",
    "Conv",
    "If",
    "Loop",
    "Constant",
    "Reshape",
    "LSTM",
    "NoSuch",
    "Identity",
)


def draw(random: Random) -> Case:
    """A command on such a file."""
    about, made = random.choice((_other, _malformed, _damaged))(random)
    command = tuple(word.format(random.choice(NAMES)) for word in random.choice(COMMANDS))
    broken = about == "a file of another form"
    return Case(about, command, {FILE: made}, MISTAKE if broken else EITHER | {1})


def _other(random: Random) -> tuple[str, Made]:
    def fifo(file: Path) -> None:
        os.mkfifo(file)

    def folder(file: Path) -> None:
        file.mkdir()

    heads = (
        b"PK\x03\x04",
        b"\x1f\x8b",
        b"ORTM",
        b"<html>",
        b"{",
        b"",
        b"\xff" * 9,
        b"\0" * 99,
        b"version https://git-lfs",
    )
    forms: list[Made] = [fifo, folder, *(head + random.randbytes(9) for head in heads)]
    return "a file of another form", random.choice(forms)


def _model(random: Random) -> bytes:
    """A graph of a few nodes that read and give what comes."""
    value = helper.make_tensor_value_info
    nodes = [
        helper.make_node(
            random.choice(OPERATORS),
            [random.choice(NAMES) for _ in range(random.randrange(4))],
            [random.choice(NAMES) for _ in range(random.randrange(1, 3))],
            name=random.choice(NAMES),
            **random.choice(({}, {"axis": 10**9}, {"value": 3.0}, {"body": [1]}, {"group": 0})),
        )
        for _ in range(random.randrange(4))
    ]
    several: list[Sequence[str | int | None] | None] = [[1, 8], ["N", 8], [None, None], [], None, [-1, 0]]
    sizes = random.choice([*several, [2**62, 2**62]])
    graph = helper.make_graph(
        nodes,
        random.choice(NAMES),
        [value("x", random.choice((1, 7, 8, 16, 99)), sizes)],
        [value("y", 1, None)],
        [helper.make_tensor("w", 1, [8, 3], [0.5] * 24)],
    )
    model = helper.make_model(
        graph, opset_imports=[helper.make_opsetid("", random.choice((1, 7, 13, 18, 99)))]
    )
    return bytes(model.SerializeToString())


def _malformed(random: Random) -> tuple[str, Made]:
    return "a malformed graph", _model(random)


def _damaged(random: Random) -> tuple[str, Made]:
    content = bytearray(_model(random))
    for _ in range(random.randrange(1, 9)):
        content[random.randrange(len(content))] = random.randrange(256)
    return "a damaged graph", bytes(content[: random.randrange(len(content) + 1)])
