"""README and docs: options are documented, Python runs, links lead somewhere."""

import ast
import re
import tokenize
from collections.abc import Iterator
from importlib import import_module
from io import StringIO
from pathlib import Path
from typing import Any

import click
import pytest

import costlab
import costlab.search
import costlab.train
from costlab.algebra import Shape
from costlab.cli.main import cli
from costlab.report.cell import human
from costlab.targets.resolve import resolve
from costlab.tracing.rules.registry import MODULES
from costlab.train.arms import count_arm, find_experiment
from costlab.train.plan import PRESETS

ROOT = Path(__file__).parents[1]
FILES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
DOCUMENTS = {file.relative_to(ROOT).as_posix(): file.read_text("utf-8") for file in FILES}
TEXT = "".join(DOCUMENTS.values())
ROOMS = (costlab.search, costlab.train, costlab.torch)
"""Rooms whose names are not imported from costlab."""
PYTHON = re.compile(r"```python\n((?:.*\n)*?)```")
CONSOLE = re.compile(r"```console\n((?:.*\n)*?)```")
LINKED = [
    *FILES,
    *(ROOT / "docs" / "api").glob("*.md"),
    *(ROOT / "reports").glob("*.md"),
    *ROOT.glob("C*.md"),
]


def test_outputs_are_shown_in_documents_that_are_kept_alone() -> None:
    kept = "\n<!-- costlab report keeps what the commands below print. -->\n"
    for name, text in DOCUMENTS.items():
        assert ("```console" in text) <= (kept in text), name


def test_nothing_that_is_shown_is_wider_than_a_page() -> None:
    for name, text in DOCUMENTS.items():
        for inside in CONSOLE.findall(text):
            command, *lines = inside.splitlines()
            assert lines, (name, command)
            assert max(map(len, lines)) <= 140, (name, command)


def test_the_readme_is_short() -> None:
    assert DOCUMENTS["README.md"].count("\n") <= 200


def test_the_readme_names_the_two_commands_that_set_themselves_up() -> None:
    assert {"make demo", "make test"} <= set(re.findall(r"^make \w+", DOCUMENTS["README.md"], re.MULTILINE))


def test_every_picture_that_is_shown_is_there_with_the_words_of_its_page() -> None:
    pages = "".join(page.read_text("utf-8") for page in (ROOT / "reports").glob("*.md"))
    for name, text in DOCUMENTS.items():
        shown = re.findall(r"!\[([^\]]+)\]\(((?:\.\./)?reports/\w+\.png)\)", text)
        assert len(shown) == text.count("![")
        for words, file in shown:
            assert ((ROOT / name).parent / file).is_file()
            assert f"![{words}]({Path(file).name})" in pages
    assert TEXT.count("![") > 5


@pytest.mark.parametrize("file", LINKED, ids=lambda file: file.relative_to(ROOT).as_posix())
def test_every_link_leads_to_a_file_and_a_heading(file: Path) -> None:
    text = re.sub(r"```.*?```|`[^`\n]*`", "", file.read_text("utf-8"), flags=re.DOTALL)
    for link in re.findall(r"\]\(([^)\s]+)\)", text):
        if re.match(r"https?://", link):
            continue
        path, _, anchor = link.partition("#")
        target = (file.parent / path).resolve() if path else file
        assert target.is_file(), link
        assert target.is_relative_to(ROOT), link
        if anchor:
            assert anchor in _headings(target), link


def _headings(file: Path) -> set[str]:
    """The anchors of a document's headings, as GitHub and Markdown's table of contents make them."""
    headings = re.findall(r"^#+ (.+)$", file.read_text("utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def test_every_document_is_in_the_menu_of_the_site_and_in_the_readme() -> None:
    menu = (ROOT / "mkdocs.yml").read_text("utf-8").partition("\nnav:\n")[2]
    below = [*(ROOT / "docs").rglob("*.md"), *(ROOT / "reports").glob("*.md")]
    named = set(re.findall(r"[\w/-]+\.md", menu))
    assert {file.relative_to(ROOT).as_posix().removeprefix("docs/") for file in below} <= named
    for name in DOCUMENTS:
        assert name in ("README.md", "docs/index.md") or f"]({name})" in DOCUMENTS["README.md"], name


def test_the_presets_are_told_as_they_are() -> None:
    for name, preset in PRESETS.items():
        assert f"`{name}`: {preset}" in DOCUMENTS["docs/train.md"]


def test_every_public_name_is_in_the_reference() -> None:
    reference = "".join(file.read_text("utf-8") for file in (ROOT / "docs" / "api").glob("*.md"))
    paths = set(re.findall(r"^::: ([\w.]+)$", reference, re.MULTILINE))
    callbacks = {f"costlab.torch.{library}.CostCallback" for library in ("lightning", "transformers")}
    assert callbacks <= paths  # whose libraries take seconds to import
    described = [_named(path) for path in paths - callbacks]
    public = [*(getattr(costlab, name) for name in costlab.__all__)]
    public += [getattr(room, name) for room in ROOMS for name in room.__all__]
    assert sorted(map(id, described)) == sorted(map(id, public))


def _named(path: str) -> object:
    """What a dotted path names, as the reference reads it: a module where there is one of that name."""
    module, _, name = path.rpartition(".")
    assert not (ROOT / f"{path.replace('.', '/')}.py").exists(), path
    return getattr(import_module(module), name)


@pytest.mark.parametrize("name", [name for name, text in DOCUMENTS.items() if "```python" in text])
def test_the_python_of_a_document_runs_and_gives_what_it_says(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    names: dict[str, Any] = {"__name__": "document"}
    try:
        for part in PYTHON.findall(DOCUMENTS[name]):
            for code, value, shown in _run(part, names):
                assert shown is None or repr(value) == shown, code
    finally:
        MODULES.clear()


def _run(source: str, names: dict[str, Any]) -> Iterator[tuple[str, Any, str | None]]:
    """Each expression of a source, with its value and what stands behind it as ``# -> ...``."""
    told = {
        token.start[0]: token.string.removeprefix("# -> ")
        for token in tokenize.generate_tokens(StringIO(source).readline)
        if token.type == tokenize.COMMENT and token.string.startswith("# -> ")
    }
    seen = 0
    for statement in ast.parse(source).body:
        if isinstance(statement, ast.Expr):
            assert statement.end_lineno is not None
            value = eval(compile(ast.Expression(statement.value), "<document>", "eval"), names)
            shown = told.get(statement.end_lineno)
            seen += shown is not None
            yield ast.unparse(statement), value, shown
        else:
            exec(compile(ast.Module([statement], []), "<document>", "exec"), names)
    assert seen == len(told)


def _saved(name: str, folder: Path) -> Path:
    """The part of the documents that is to be saved under a name, saved."""
    (source,) = [part for part in PYTHON.findall(TEXT) if part.startswith(f"# {name}\n")]
    file = folder / name
    file.write_text(source)
    return file


def test_the_network_that_is_written_there_counts(tmp_path: Path) -> None:
    file = _saved("nets.py", tmp_path)
    plain, factorized = (costlab.count(f"{file}:residual:factorized={on}") for on in ("false", "true"))
    assert plain.multiply_adds == 9 * 64 * 64 * 56 * 56
    assert factorized.multiply_adds == 6 * 64 * 64 * 56 * 56
    assert resolve(f"{file}:residual").input == Shape(64, 56, 56)


def test_the_set_that_is_written_there_compares(tmp_path: Path) -> None:
    compared = costlab.compare(ablation=f"{_saved('sets.py', tmp_path)}:widths")
    assert [count.label for count in compared.counts] == ["full", "half", "half, 3x3 for 5x5"]
    assert compared.counts[1].multiply_adds == 1_433_611_440


def test_the_experiment_that_is_written_there_can_be_trained(tmp_path: Path) -> None:
    strides = find_experiment(f"{_saved('experiments.py', tmp_path)}:strides", 1.0)
    assert [count_arm(label, arm.sized(96), 10).side for label, arm in strides.arms.items()] == [48, 48]


def test_the_error_that_is_printed_there_is_raised() -> None:
    with pytest.raises(costlab.ShapeError) as error:
        costlab.count("inception_v3", (3, 64, 64))
    assert f"# {error.value}\n" in DOCUMENTS["docs/python.md"]


def test_the_numbers_in_words_are_recomputed() -> None:
    auxiliary = costlab.count("inception_v3", aux=True)
    words = " ".join(DOCUMENTS["docs/count.md"].split())
    assert (
        f"`aux=true`, it has {auxiliary.multiply_adds:,} multiply-adds and {auxiliary.parameters:,} param"
        in words
    )
    plain = costlab.count("inception_v3")
    (norms,) = [row.work for row in plain.kinds() if row.work.kind == "batch_norm2d"]
    unscaled = int(norms.parameters) // 2  # a scale for each shift
    assert f"{unscaled:,} parameters fewer, {int(plain.parameters) - unscaled:,}, and the same" in words


def test_the_verdicts_in_words_are_those_of_counts() -> None:
    words = " ".join(DOCUMENTS["README.md"].split())
    assert f"in the place of a 5x5 save {100 - 100 * 2 * 9 // 25}%" in words
    inception, googlenet = (int(costlab.count(name).multiply_adds) for name in ("inception_v3", "googlenet"))
    assert f'"5 billion multiply-adds" are {inception / 1e9:.2f},' in words
    assert f"exceeded {inception / googlenet:.1f} times, not 2.5" in words
    three = 9 * (3 * 32 * 149**2 + 32 * 32 * 147**2 + 32 * 64 * 147**2)
    seven = 49 * 3 * 64 * 147**2
    assert round(three / seven, 1) == 3.0
    assert "the stem of three 3x3 costs three times the 7x7 that it replaces" in words


def test_the_hours_in_words_are_those_of_runs() -> None:
    """The paper's images and epochs, with the auxiliary head: FLOP over the peaks of one K40 and one H200."""
    flop = 2 * costlab.training_step(costlab.count("inception_v3", aux=True)).multiply_adds * 128_116_700
    k40, h200 = (int(flop) / 3600 / peak for peak in (4.29e12, 989.4e12))
    words = " ".join(DOCUMENTS["README.md"].split())
    assert f"takes one K40 at least {int(k40)} hours, one H200 at least {h200:.2f}." in words


def test_the_networks_that_are_named_are_there() -> None:
    section = DOCUMENTS["docs/count.md"].partition("\n## What can be counted")[2].partition("\n## ")[0]
    words = section.rpartition("```")[2]
    names = re.findall(r"`(\w+)(?::[^`]*)?`", words)
    assert len(names) > 8
    assert set(names) <= set(costlab.catalog())


def test_the_prices_of_a_point_are_recomputed() -> None:
    budgets = costlab.compare(ablation="inference_budget")
    prices = [budgets.per_point(f"Inception-v3, {crops} crops", "top_1_error") for crops in (12, 144)]
    told = [human(round(price)) for price in prices if price]
    words = " ".join(DOCUMENTS["docs/compare.md"].split())
    assert f"spends {told[0]} multiply-adds" in words
    assert f"with 144 crops {told[1]} on each" in words


def test_every_command_and_option_is_documented() -> None:
    for name in cli.commands:
        assert re.search(rf"\bcostlab {name}\b", TEXT), name
    for command in [cli, *cli.commands.values()]:
        for parameter in command.params:
            if isinstance(parameter, click.Option):
                for flag in parameter.opts:
                    assert re.search(rf"(?<![\w-]){flag}(?![\w-])", TEXT), flag


@pytest.mark.parametrize(
    ("name", "page"),
    [
        ("count", "count"),
        ("compare", "compare"),
        ("explore", "explore"),
        ("budget", "budget"),
        ("scale", "scale"),
        ("training-cost", "training-cost"),
        ("reconcile", "conventions"),
        ("verify", "paper"),
        ("train", "train"),
        ("report", "reports"),
        ("roofline", "roofline"),
        ("measure", "measure"),
        ("factorize", "factorize"),
        ("lint", "lint"),
    ],
)
def test_every_option_stands_on_the_page_of_its_command(name: str, page: str) -> None:
    table = "".join(re.findall(r"^\|.*\|\n", DOCUMENTS[f"docs/{page}.md"], re.MULTILINE))
    for parameter in cli.commands[name].params:
        if isinstance(parameter, click.Option):
            assert any(f"`{flag}" in table or f" {flag} " in table for flag in parameter.opts), parameter.opts


def test_the_commands_that_are_named_can_be_made() -> None:
    makefile = (ROOT / "Makefile").read_text("utf-8")
    for target in set(re.findall(r"\bmake ([a-z]+)", re.sub(r"[Tt]o make \w+", "", TEXT))):
        assert re.search(rf"^{target}:", makefile, re.MULTILINE), target
