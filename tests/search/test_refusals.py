"""What is asked for wrongly of members of spaces: each in a line."""

from pathlib import Path
from typing import Any

import pytest

from costlab import count
from costlab.errors import CostlabError, DefinitionError
from costlab.search import read_written
from costlab.train.arms import count_arm
from tests.search.test_sample import PLAIN, WIDTHS, found

LEAST, MOST = (
    count(f"mini:width={width},{which}", (3, 32, 32)).inference.multiply_adds
    for width, which in ((0.05, "small=1x3+3x1"), (0.3, "large=5x5"))
)


def counted(*spaces: str, **options: Any) -> None:
    for label, arm in found(*spaces, **options).arms.items():
        count_arm(label, arm, 10)


@pytest.mark.parametrize(
    ("spaces", "options", "message"),
    [
        ([WIDTHS], {"sample": 0}, "--sample 0: at least one member of one space is trained"),
        ([WIDTHS], {"sample": 1001}, "--sample: 1,001 members are more than a run has, 1,000"),
        (["mini width=1"], {"sample": 1}, "--sample 1: 'mini' alone would be trained: more members, or --b"),
        ([WIDTHS, PLAIN], {"sample": 501}, "--sample: 1,002 members are more than a run has, 1,000"),
        ([WIDTHS, PLAIN], {"search": "tpe"}, "--search goes over one --space"),
        ([WIDTHS, WIDTHS], {}, "--space: the same space is given twice"),
        ([WIDTHS], {"within": "5%"}, "--within and --of go together"),
        ([WIDTHS], {"within": "x", "of": "1e6"}, "--within: 'x' is no number"),
        (
            [WIDTHS],
            {"within": "1%", "of": "1e3"},
            f"--within 1% --of 1e3: '{WIDTHS}' has no such member: of its 24 members 24 fit, with "
            f"{LEAST:,} to {MOST:,} multiply-adds at 3x32x32",
        ),
        (
            [WIDTHS],
            {"where": ("parameters > 1e9",)},
            "--where: 'mini width=0.05:0.3:0.05 large small' has no",
        ),
        ([WIDTHS], {"where": ("depth > 1",)}, "--where: there is no quantity and no axis 'depth'"),
        ([WIDTHS], {"beside": ("paperr",)}, "--beside paperr: there is no definition 'paperr'"),
        ([WIDTHS], {"beside": ("mini:widht=2",)}, "--beside mini:widht=2: mini has no parameter 'widht'"),
        (
            [WIDTHS],
            {"beside": ("receptive_field",), "side": 12},
            "--beside receptive_field: receptive_field: i",
        ),
        (["nosuch a=1,2"], {}, "--space nosuch: there is no definition 'nosuch'"),
        (["mini width=0.1:0.3"], {}, "--space mini: width: a range needs a step"),
        (["mini depth=1,2"], {}, "--space mini: depth: mini has no parameter 'depth'"),
        (["bottleneck width=8,16"], {}, "the network puts out 2048x32x32, and there are 10 classes"),
        (
            ["inception_v3 width=0.1,0.2"],
            {},
            "--space inception_v3: no member fits: inception_v3:num_classes=10",
        ),
    ],
)
def test_what_cannot_be_trained_is_told_in_a_line(
    spaces: list[str], options: dict[str, Any], message: str
) -> None:
    with pytest.raises(CostlabError) as raised:
        counted(*spaces, **options)
    assert message in str(raised.value)
    assert "\n" not in str(raised.value)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "--space: give a file, or a target with axes"),
        ("mini 'x", '--space "mini \'x": No closing quotation'),
        ("mini", "--space mini: give axes after the target, as in --space 'mini width=0.5:1:0.1'"),
        ("mini =3", "--space mini: '=3' must be NAME=VALUES, or the NAME of a parameter"),
        ("mini large large=5x5", "--space mini: large is varied twice"),
        ("nosuch.toml", "there is no file nosuch.toml"),
        ("target.toml", "target.toml: it names no target"),
        ("vary.toml", "vary.toml: it varies nothing"),
    ],
)
def test_what_is_no_space_is_told(
    text: str, message: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("target.toml").write_text("[vary]\nwidth = [1, 2]\n")
    Path("vary.toml").write_text('target = "mini"\n')
    with pytest.raises(DefinitionError) as raised:
        read_written(text)
    assert message in str(raised.value)


def test_two_files_of_one_name_could_not_be_told_apart(tmp_path: Path) -> None:
    for folder, axis in (("a", "large"), ("b", "small")):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "x.toml").write_text(f'target = "mini"\n[vary]\n{axis} = "*"\n')
    with pytest.raises(DefinitionError, match="--space: two files are named 'x', by which spaces are told"):
        found(str(tmp_path / "a" / "x.toml"), str(tmp_path / "b" / "x.toml"))
