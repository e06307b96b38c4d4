"""Spaces in files are read strictly, and as they are written."""

import json
import os
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from costlab.decode import is_line
from costlab.errors import CostlabError, DefinitionError
from costlab.explore.written.space_file import SpaceFile, read_space

WRITTEN = """
# the networks between two budgets
target = "anynet_x"
input = "3x224x224"
where = ["w2 >= w1", "multiply_adds <= 5e9"]

[vary]
w1 = "8:1024:8"
width = [0.1, 2]
form = ["5x5", '3x3+3x3']
deep = [true, false]
layers = [[3, 4], [6]]
reductions = "*"
"""


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "space.toml"


def test_a_space_is_read(file: Path) -> None:
    file.write_text(WRITTEN)
    space = read_space(file)
    assert space[:3] == ("anynet_x", "3x224x224", ("w2 >= w1", "multiply_adds <= 5e9"))
    assert dict(space.vary) == {
        "w1": "8:1024:8",
        "width": (0.1, 2),
        "form": ("5x5", "3x3+3x3"),
        "deep": (True, False),
        "layers": ((3, 4), (6,)),
        "reductions": "*",
    }
    file.write_text("")
    assert read_space(file) == (None, None, (), {})


LINES = st.text(max_size=20).filter(is_line)
NUMBERS = st.integers(-(2**70), 2**70) | st.floats(allow_nan=False, allow_infinity=False)
VALUES = st.recursive(
    LINES | NUMBERS | st.booleans(), lambda inner: st.lists(inner, max_size=3).map(tuple), max_leaves=4
)
AXES = st.dictionaries(LINES, LINES | st.lists(VALUES, max_size=4).map(tuple), max_size=4)
SPACES = st.builds(
    SpaceFile, st.none() | LINES, st.none() | LINES, st.lists(LINES, max_size=3).map(tuple), AXES
)


def _toml(value: Any) -> str:
    """A plain value as TOML; its numbers are written as Python's are."""
    if isinstance(value, tuple):
        return f"[{', '.join(map(_toml, value))}]"
    return (
        repr(value).lower()
        if not isinstance(value, str)
        else json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
    )


def _written(space: SpaceFile) -> str:
    head = {"target": space.target, "input": space.input, "where": space.where or None}
    lines = [f"{name} = {_toml(value)}" for name, value in head.items() if value is not None]
    table = [f"{_toml(name)} = {_toml(values)}" for name, values in space.vary.items()]
    return "\n".join([*lines, "[vary]", *table])


@given(SPACES)
def test_what_is_written_is_read_back(tmp_path_factory: pytest.TempPathFactory, space: SpaceFile) -> None:
    file = tmp_path_factory.getbasetemp() / "written.toml"
    file.write_text(_written(space), "utf-8")
    back = read_space(file)
    assert repr([*back[:3], dict(back.vary)]) == repr([*space[:3], dict(space.vary)])


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        ("targets = 'x'", "there is no field 'targets'; did you mean target?"),
        ("target = 3", "target: 3 is no text"),
        ('target = "a\\u001bb"', "target: 'a\\x1bb' must be text on one line"),
        ("where = 'n > 3'", "where: 'n > 3' is no list"),
        ("where = ['n > 3', 4]", "where[1]: 4 is no text"),
        ("where = ['''n\n> 3''']", "where[0]: 'n\\n> 3' must be text on one line"),
        ("vary = 3", "vary: 3 is no table"),
        ("vary = ['n=3']", "is no table"),
        ("[vary]\nn = 3", "vary.n: 3 is no list of values: write [3]"),
        ("[vary]\nn = true", "write [true]"),
        ("[vary]\nn = [1979-05-27]", "vary.n[0]: a date is no number"),
        ("[vary]\nn = 1979-05-27", "vary.n: a date is no list"),
        ("[vary]\nn = [{a = 1}]", "vary.n[0]: a dict is no number"),
        ("[vary.n]\nm = [3]", "vary.n: a dict is no list"),
        ("[vary]\nn = [3]\nn = [4]", "it is no TOML: Cannot overwrite a value (at"),
        ("target = 'x'\nwhere = [", "it is no TOML: Invalid value (at end of document)"),
        ("\n\nn m = 3", "(at line 3, column 3)"),
        ("x = " + "9" * 5000, "too large"),
        ("x = " + "[" * 5000, "nested too deeply"),
        (b"target = '\xff'", "it is no text in UTF-8"),
        (b"\x00", "it is no TOML"),
    ],
)
def test_what_is_no_space_is_refused_in_one_line(file: Path, content: str | bytes, reason: str) -> None:
    file.write_bytes(content if isinstance(content, bytes) else content.encode())
    with pytest.raises(DefinitionError) as refused:
        read_space(file)
    message = str(refused.value)
    assert message.startswith(f"{file}: ")
    assert reason in message
    assert message.isprintable()


def test_what_is_no_file_is_refused(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "large").write_bytes(b"#" * 1_000_001)
    (tmp_path / "folder").mkdir()
    (tmp_path / "whole").write_text("target = 'x'")
    (tmp_path / "link").symlink_to(tmp_path / "whole")
    (tmp_path / "circle").symlink_to(tmp_path / "circle")
    reasons: dict[str, Any] = {
        "pipe": "is no file",
        "large": "is larger than 1,000,000 bytes",
        "folder": "cannot be read: Is a directory",
        "link": "is a link",
        "circle": "is a link",
        "missing": "there is no file",
    }
    for name, reason in reasons.items():
        with pytest.raises(CostlabError, match=reason):
            read_space(tmp_path / name)
