"""What a project's pyproject.toml says of lint: where it is found, what wins, and what is malformed in it."""

from pathlib import Path

import pytest

from costlab.advise.lint.configuration import Configuration, find_configuration, read_configuration
from costlab.advise.lint.lint import EXPENSIVE_SHARE
from costlab.errors import CostlabError

TABLE = "[tool.costlab.lint]\n"


def configured(folder: Path, text: str) -> Configuration:
    (folder / "pyproject.toml").write_text(text)
    return find_configuration(folder)


def test_every_key_is_read(tmp_path: Path) -> None:
    found = configured(
        tmp_path,
        """
        [tool.costlab.lint]
        select = ["ALL"]
        ignore = ["pinch", "large-kernel"]
        expensive-share = 0.25
        [tool.costlab.lint.per-module-ignores]
        "stem.*" = ["convolution-before-pool"]
        head = []
        """,
    )
    assert found == Configuration(
        tmp_path / "pyproject.toml",
        ("ALL",),
        ("pinch", "large-kernel"),
        {"stem.*": ("convolution-before-pool",), "head": ()},
        0.25,
    )
    assert found.options == {
        "select": ("ALL",),
        "ignore": ("pinch", "large-kernel"),
        "per_module_ignores": {"stem.*": ("convolution-before-pool",), "head": ()},
        "expensive_share": 0.25,
    }


@pytest.mark.parametrize(
    ("written", "share"),
    [("0", 0), ("1", 1), ("0.2", 0.2), ("1e-1", 0.1), ("'20%'", 0.2), ("'12.5 %'", 0.125), ("'100%'", 1)],
)
def test_a_share_is_a_number_or_a_percentage(tmp_path: Path, written: str, share: float) -> None:
    assert configured(tmp_path, f"{TABLE}expensive-share = {written}").expensive_share == share


def test_an_empty_table_says_nothing_and_is_the_one_that_holds(tmp_path: Path) -> None:
    inner = tmp_path / "inner"
    inner.mkdir()
    configured(tmp_path, f"{TABLE}ignore = ['pinch']")
    assert configured(inner, TABLE) == Configuration(inner / "pyproject.toml")


def test_the_nearest_that_says_something_of_lint_holds(tmp_path: Path) -> None:
    inner = tmp_path / "a" / "b"
    inner.mkdir(parents=True)
    assert find_configuration(inner).expensive_share == EXPENSIVE_SHARE
    configured(tmp_path, f"{TABLE}ignore = ['pinch']")
    (tmp_path / "a" / "pyproject.toml").write_text("[project]\nname = 'mine'\n[tool.costlab.budget.a]\n")
    assert find_configuration(inner).ignore == ("pinch",)
    assert find_configuration(inner).file == tmp_path / "pyproject.toml"
    assert configured(inner, f"{TABLE}select = ['pinch']").ignore == ()


def test_what_is_typed_wins(tmp_path: Path) -> None:
    found = configured(tmp_path, f"{TABLE}select = ['pinch', 'large-kernel']\nignore = ['pinch']")
    assert found.but(None, ()) == found
    more = found.but(None, ("large-kernel",))
    assert (more.select, more.ignore) == (("pinch", "large-kernel"), ("pinch", "large-kernel"))
    other = found.but(("pinch",), ())
    assert (other.select, other.ignore) == (("pinch",), ())
    for wrong in (("pich",), ("",)):
        with pytest.raises(CostlabError, match=r"^--select: there is no rule"):
            found.but(wrong, ())
        with pytest.raises(CostlabError, match=r"^--ignore: there is no rule"):
            found.but(None, wrong)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[tool.costlab]\nlint = 3", "tool.costlab.lint: 3 is no table"),
        ("[[tool.costlab.lint]]", "tool.costlab.lint: [a dict] is no table"),
        (f"{TABLE}ingore = []", "tool.costlab.lint: there is no key 'ingore'; did you mean ignore?"),
        (f"{TABLE}per_module_ignores = {{}}", "tool.costlab.lint: there is no key 'per_module_ignores'; did"),
        (f"{TABLE}'' = 3", "tool.costlab.lint: there is no key ''; there is select, ignore, per-module-ign"),
        (f'{TABLE}"\\u001b[31m" = 3', "tool.costlab.lint: there is no key '\\x1b[31m'; there is select"),
        (f"{TABLE}ignore = 'pinch'", "tool.costlab.lint.ignore: 'pinch' is no list of rules, such as ["),
        (
            f"{TABLE}ignore = ['pich']",
            "tool.costlab.lint.ignore: there is no rule 'pich'; did you mean pinch?",
        ),
        (
            f"{TABLE}select = ['PINCH']",
            "tool.costlab.lint.select: there is no rule 'PINCH'; did you mean pin",
        ),
        (f"{TABLE}select = ['pinch', 3]", "tool.costlab.lint.select[1]: 3 is no name of a rule"),
        (f"{TABLE}select = [['pinch']]", "tool.costlab.lint.select[0]: ['pinch'] is no name of a rule"),
        (f"{TABLE}select = true", "tool.costlab.lint.select: True is no list of rules"),
        (
            f"{TABLE}per-module-ignores = ['pinch']",
            'tool.costlab.lint.per-module-ignores: [\'pinch\'] is no table, such as { "stem.*" = ["pinch"] }',
        ),
        (
            f"{TABLE}per-module-ignores = {{ 'stem.*' = 'pinch' }}",
            "tool.costlab.lint.per-module-ignores.'stem.*': 'pinch' is no list of rules",
        ),
        (
            f"{TABLE}per-module-ignores = {{ stem = ['pich'] }}",
            "tool.costlab.lint.per-module-ignores.stem: there is no rule 'pich'; did you mean pinch?",
        ),
        (
            f"{TABLE}expensive-share = 20",
            "tool.costlab.lint.expensive-share: 20 is no share from 0 to 1, such",
        ),
        (f"{TABLE}expensive-share = 1.01", "tool.costlab.lint.expensive-share: 1.01 is no share from 0 to 1"),
        (f"{TABLE}expensive-share = -0.1", "tool.costlab.lint.expensive-share: -0.1 is no share from 0 to 1"),
        (f"{TABLE}expensive-share = nan", "tool.costlab.lint.expensive-share: NaN is no share from 0 to 1"),
        (
            f"{TABLE}expensive-share = inf",
            "tool.costlab.lint.expensive-share: Infinity is no share from 0 to",
        ),
        (f"{TABLE}expensive-share = true", "tool.costlab.lint.expensive-share: True is no share from 0 to 1"),
        (
            f"{TABLE}expensive-share = '0.2'",
            "tool.costlab.lint.expensive-share: '0.2' is no share from 0 to 1",
        ),
        (f"{TABLE}expensive-share = '101%'", "tool.costlab.lint.expensive-share: '101%' is no share from 0 "),
        (f"{TABLE}expensive-share = '٣%'", "tool.costlab.lint.expensive-share: '٣%' is no share from 0 to 1"),
        (f"{TABLE}expensive-share = 1979-05-27", "tool.costlab.lint.expensive-share: a date is no share"),
        ("[tool]\ncostlab = 'x'", "tool.costlab: 'x' is no table"),
    ],
)
def test_what_is_wrong_in_the_table_is_refused_by_its_key(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(CostlabError) as refused:
        configured(tmp_path, text)
    assert str(refused.value).startswith(f"{tmp_path / 'pyproject.toml'}: {message}")
    assert str(refused.value).isprintable()
    assert len(str(refused.value)) < 600


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"[tool", "is no TOML: "),
        (b"\xff", "is no TOML: "),
        (b"a = " + b"[" * 100_000, "is nested too deeply"),
    ],
)
def test_a_file_that_is_none_is_named(tmp_path: Path, content: bytes, message: str) -> None:
    file = tmp_path / "pyproject.toml"
    file.write_bytes(content)
    with pytest.raises(CostlabError) as searched:
        find_configuration(tmp_path)
    with pytest.raises(CostlabError) as asked:
        read_configuration(file)
    for refused in (searched, asked):
        assert str(refused.value).startswith(f"{file} {message}")


def test_a_folder_of_that_name_is_named(tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").mkdir()
    with pytest.raises(CostlabError, match=r"pyproject\.toml cannot be read"):
        find_configuration(tmp_path)


def test_a_file_can_be_named(tmp_path: Path) -> None:
    file = tmp_path / "lint.toml"
    file.write_text(f"{TABLE}ignore = ['pinch']")
    assert read_configuration(file) == Configuration(file, None, ("pinch",))
    file.write_text("[project]")
    with pytest.raises(CostlabError, match=r"lint\.toml has no \[tool\.costlab\.lint\]"):
        read_configuration(file)
    with pytest.raises(CostlabError, match="there is no such file"):
        read_configuration(tmp_path / "nosuch.toml")
    with pytest.raises(CostlabError, match=r"is no file: name a TOML file with \[tool\.costlab\.lint\]"):
        read_configuration(tmp_path)
