"""The layout of code, against Python's own reader and ruff's formatter."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from costlab.advise.factorize.factorize import factorize
from costlab.advise.factorize.rewrite.code import file_name, rewrite_code
from costlab.advise.factorize.rewrite.layout import (
    WIDTH,
    Expression,
    call,
    docstring,
    imports,
    laid_out,
    quoted,
    several,
)
from costlab.targets.build import build

LEAVES = st.one_of(st.integers(0, 10**30).map(str), st.text(max_size=30).map(quoted))


def groups(inner: st.SearchStrategy[Expression]) -> st.SearchStrategy[Expression]:
    parts = st.lists(inner, max_size=4)
    calls = st.builds(lambda parts, more: call("name", *parts, **dict(zip("abcd", more))), parts, parts)  # noqa: B905  # as many as there are
    return calls | parts.map(lambda parts: several(*parts))


@settings(max_examples=10, deadline=None)
@given(st.recursive(LEAVES, groups, max_leaves=20), st.integers(0, 3))
def test_what_is_laid_out_is_what_stands_on_one_line(expression: Expression, level: int) -> None:
    above = "".join(f"{'    ' * depth}if x:\n" for depth in range(level))
    lines = list(laid_out("y = ", expression, level))
    plain = f"{'    ' * level}y = {expression}"
    assert ast.dump(ast.parse(above + "\n".join(lines))) == ast.dump(ast.parse(above + plain))
    assert all(len(line) <= WIDTH or not line.endswith(("),", ")")) for line in lines)


def test_by_hand() -> None:
    inside = call("seq", call("Conv2d", "64", several("1", "3"), bias="False"), call("ReLU"))
    assert str(inside) == "seq(Conv2d(64, (1, 3), bias=False), ReLU())"
    assert list(laid_out("x = ", call("f", "a" * 60, inside))) == [
        "x = f(",
        f"    {'a' * 60},",
        "    seq(Conv2d(64, (1, 3), bias=False), ReLU()),",
        ")",
    ]
    assert str(several("1")) == "(1,)"


def test_docstrings() -> None:
    assert list(docstring(["What it is."], 1)) == ['    """What it is."""']
    assert list(docstring(["It is.", "    a \\\n      b"])) == [
        'r"""It is.',
        "",
        "    a \\",
        "      b",
        '"""',
    ]


def test_imports_are_sorted() -> None:
    names = [("b", "x"), ("a", "seq"), ("a", "Add"), ("a", "ReLU"), ("a", "seq"), ("a", "Block")]
    assert list(imports(names)) == ["from a import Add, Block, ReLU, seq", "from b import x"]


@pytest.mark.slow
def test_ruff_finds_nothing_to_change(tmp_path: Path) -> None:
    plans = [
        factorize(name, by=by) for name in ("resnet50", "inception_v3") for by in ("tucker", "separable")
    ]
    with torch.device("meta"):
        plans += [factorize(build("googlenet"), "3x224x224", by="3x3-pairs")]
    for plan in plans:
        (tmp_path / file_name(plan)).write_text(rewrite_code(plan))
    for command in (["format", "--check"], ["check", "--select", "E,F,I,W,UP,D1"]):
        words = [sys.executable, "-m", "ruff", *command, "--isolated", str(tmp_path)]
        ran = subprocess.run(words, check=False, capture_output=True, text=True)
        assert ran.returncode == 0, ran.stdout
