"""Inputs of modules: what is typed, and what is handed over in Python."""

from pathlib import Path
from typing import Any

import pytest
import torch

from costlab.algebra import Shape
from costlab.algebra.inputs import Inputs, TensorInput, as_input, as_inputs, shape_of
from costlab.algebra.shape import Sizes, Vector
from costlab.errors import CostlabError, DefinitionError
from costlab.targets.resolve import call_by_name

IMAGE = Inputs([TensorInput(Sizes(1, 3, 32, 32))])


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ("3x32x32", Shape(3, 32, 32)),
        ((3, 32, 32), Shape(3, 32, 32)),
        ("10", Vector(10)),
        ("1x3x32x32", IMAGE),
        ((1, 3, 32, 32), IMAGE),
        (["1x3x32x32"], IMAGE),
        ("2x8x4:float32", Inputs([TensorInput(Sizes(2, 8, 4))])),
        ("2x8", Inputs([TensorInput(Sizes(2, 8))])),
        ("2x8:int64", Inputs([TensorInput(Sizes(2, 8), "int64")])),
        ("scalar:int64", Inputs([TensorInput(Sizes(), "int64")])),
        ("mask:2x8:bool", Inputs((), {"mask": TensorInput(Sizes(2, 8), "bool")})),
        (
            ("2x8:int64", "mask:2x8:bool"),
            Inputs([TensorInput(Sizes(2, 8), "int64")], {"mask": TensorInput(Sizes(2, 8), "bool")}),
        ),
    ],
)
def test_what_is_typed(given: Any, expected: object) -> None:
    assert as_input(given) == expected


def test_tensors_and_their_like() -> None:
    x = torch.zeros(2, 8)
    assert str(as_input(x)) == "2x8"
    assert as_input((x, 3)).args == (x, 3)  # type: ignore[union-attr]  # these are inputs
    assert str(as_input({"x": x, "scale": 2.0, "parts": [x, None]})) == "x:2x8 scale:2.0 parts:(2x8, None)"
    assert as_input(IMAGE) is IMAGE
    assert as_inputs(IMAGE) is IMAGE
    assert str(Inputs()) == "none"
    assert repr(IMAGE) == "<inputs 1x3x32x32>"
    assert hash(IMAGE) == hash(as_input("1x3x32x32"))
    other: object = Shape(3, 32, 32)
    assert other != IMAGE


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ("3x", "input='3x' must be channels x height x width"),
        (["x", "y"], r"input='x' must be \[name:\]sizes\[:dtype\]"),
        (("a:2", "a:3"), "the input a is given twice"),
        ("a:b:c:d", "must be"),
        ((1, 2.5, 3), "input height=2.5 must be a whole number"),
        (3, r"input=3 must be \(channels"),
    ],
)
def test_what_is_none(given: Any, told: str) -> None:
    with pytest.raises(DefinitionError, match=told):
        as_input(given, call_by_name)


def test_a_function_of_the_users_makes_them(tmp_path: Path) -> None:
    file = tmp_path / "makes.py"
    file.write_text(
        "import torch\n"
        "def one(): return torch.zeros(2, 3)\n"
        "def two(): return torch.zeros(2, 3), torch.zeros(4)\n"
        "def named(): return {'mask': torch.zeros(2, dtype=torch.bool)}\n"
        "def fails(): raise ValueError('no data')\n"
        "number = 3\n"
    )
    assert str(as_input(f"{file}:one", call_by_name)) == "2x3"
    assert str(as_input([f"{file}:two", f"{file}:named"], call_by_name)) == "2x3 4:float32 mask:2:bool"
    for name, told in (("fails", "no data"), ("number", "is no function"), ("missing", "has no 'missing'")):
        with pytest.raises(CostlabError, match=told):
            as_input(f"{file}:{name}", call_by_name)


def test_where_the_shape_of_one_is_needed() -> None:
    assert shape_of(Shape(3, 4, 5), "net", "a closed form") == (3, 4, 5)
    with pytest.raises(DefinitionError, match="net: a closed form is for definitions"):
        shape_of(IMAGE, "net", "a closed form")
