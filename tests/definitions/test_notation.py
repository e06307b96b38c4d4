"""Inception v3 against a transcription of the released network in the literature's own notation."""

from typing import Any

import pytest

import costlab
from costlab.algebra import AdaptiveAvgPool2d, AvgPool2d, Block, Dropout, Flatten, Linear, auxiliary, seq
from tests.definitions.notation import layer, module, outline

A = "1x1 64 | 1x1 48, 5x5 64 | 1x1 64, 3x3 96, 3x3 96 | AP3/1, 1x1 {p}"
C = "1x1 192 | 1x1 {c}, 1x7 {c}, 7x1 192 | 1x1 {c}, 7x1 {c}, 1x7 {c}, 7x1 {c}, 1x7 192 | AP3/1, 1x1 192"
E = "1x1 320 | 1x1 384, [1x3 384 | 3x1 384] | 1x1 448, 3x3 384, [1x3 384 | 3x1 384] | AP3/1, 1x1 192"
RELEASED = {
    "stem": "3x3/2 32 V, 3x3 32 V, 3x3 64, MP3/2, 1x1 80, 3x3 192 V, MP3/2",
    "mixed_5b": A.format(p=32),
    "mixed_5c": A.format(p=64),
    "mixed_5d": A.format(p=64),
    "mixed_6a": "3x3/2 384 V | 1x1 64, 3x3 96, 3x3/2 96 V | MP3/2",
    "mixed_6b": C.format(c=128),
    "mixed_6c": C.format(c=160),
    "mixed_6d": C.format(c=160),
    "mixed_6e": C.format(c=192),
    "mixed_7a": "1x1 192, 3x3/2 320 V | 1x1 192, 1x7 192, 7x1 192, 3x3/2 192 V | MP3/2",
    "mixed_7b": E,
    "mixed_7c": E,
}


@pytest.fixture(scope="module")
def released() -> dict[str, Block]:
    network: Any = costlab.catalog()["inception_v3"](aux=True)
    return dict(network.children)


def test_the_modules_come_in_the_released_order(released: dict[str, Block]) -> None:
    names = list(RELEASED)
    assert list(released) == [*names[:9], "aux", *names[9:], "head"]


@pytest.mark.parametrize("name", RELEASED)
def test_each_module_is_as_transcribed(name: str, released: dict[str, Block]) -> None:
    assert outline(released[name]) == outline(module(RELEASED[name]))


def test_the_head_and_the_auxiliary_head(released: dict[str, Block]) -> None:
    head = seq(AdaptiveAvgPool2d(1), Dropout(0.5), Flatten(), Linear(1000, bias=True))
    assert outline(released["head"]) == outline(head)
    side = auxiliary(AvgPool2d(5, 3), layer("1x1 128"), layer("5x5 768 V"), Flatten(), Linear(1000))
    assert outline(released["aux"]) == outline(side)
