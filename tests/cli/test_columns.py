"""``--columns``, ``--caption`` and ``--label``: in every format of every command that prints a table."""

import csv
import io
import json

import pytest

from tests.cli.conftest import Run

COMMANDS = {
    "count": ("count", "inception_a"),
    "count by kind": ("count", "inception_a", "--by", "kind"),
    "count in symbols": ("count", "conv_nxn", "--symbolic", "C"),
    "compare": ("compare", "-a", "nxn"),
    "compare in symbols": ("compare", "-a", "nxn", "--symbolic", "C"),
    "differences": ("compare", "-a", "nxn", "--diff"),
    "explore": ("explore", "inception_a", "--vary", "pool=32:64:32"),
    "axes": ("explore", "inception_a"),
    "members": ("explore", "inception_a", "--vary", "pool=32:64:32", "--top", "1"),
    "budget": ("budget", "inception_a", "--max-parameters", "1M"),
    "reconcile": ("reconcile", "inception_a"),
    "explain": ("reconcile", "inception_a", "--explain", "fvcore", "thop"),
    "verify": ("verify", "two-3x3", "-v"),
    "lint": ("lint", "alexnet"),
    "list": ("list",),
    "list one": ("list", "inception_a"),
    "list sets": ("list", "--ablations"),
    "list conventions": ("list", "--conventions"),
    "list a convention": ("list", "--conventions", "fvcore"),
}


def rows(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text)))


@pytest.mark.parametrize("words", COMMANDS.values(), ids=COMMANDS)
def test_any_columns_in_any_order(run: Run, words: tuple[str, ...]) -> None:
    whole = rows(run(*words, "-f", "csv").out)
    names = list(reversed(whole[0]))
    for chosen in (names, names[:1], names[1::2]):
        option = ("--columns", ",".join(chosen))
        found = rows(run(*words, "-f", "csv", *option).out)
        assert found == [{name: row[name] for name in chosen} for row in whole]
        assert list(found[0]) == chosen
        for form in ("table", "markdown", "latex"):
            code, out, err = run(*words, "-f", form, *option)
            assert (code, err.startswith("costlab: error")) == (0, False)
            assert out.strip()


@pytest.mark.parametrize("words", COMMANDS.values(), ids=COMMANDS)
@pytest.mark.parametrize("form", ["table", "csv", "json", "markdown", "latex"])
def test_a_column_that_is_not_there_is_told_with_those_that_are(
    run: Run, words: tuple[str, ...], form: str
) -> None:
    known = list(rows(run(*words, "-f", "csv").out)[0])
    code, out, err = run(*words, "-f", form, "--columns", f"{known[0]},nonesuch")
    line = next(line for line in err.splitlines() if "error" in line)
    assert (code, out) == (2, "")
    assert line.startswith("costlab: error: --columns: there is no column 'nonesuch'; there is ")
    assert known[0] in line.rpartition("there is ")[2].split(", ")


def test_the_order_is_kept_in_every_format(run: Run) -> None:
    words = ("count", "stem", "--columns", "multiply_adds,module")
    assert run(*words, "-f", "csv").out.startswith("multiply_adds,module\n")
    assert list(json.loads(run(*words, "-f", "json").out)["rows"][0]) == ["multiply_adds", "module"]
    assert list(json.loads(run(*words, "-f", "json").out)["total"]) == ["multiply_adds", "module"]
    assert "| multiply-adds (MACs) | module |" in run(*words, "-f", "markdown").out
    assert r"\begin{tabular}{@{}rl@{}}" in run(*words, "-f", "latex").out
    assert run(*words).out.splitlines()[2].split() == ["multiply-adds", "module"]


def test_each_of_several_tables_shows_those_that_it_has(run: Run) -> None:
    words = ("compare", "-a", "nxn", "--diff", "--columns")
    both = run(*words, "variant,multiply_adds,module").out
    assert both.count("variant") == 2
    assert "What differs" in both
    assert "What differs" not in run(*words, "variant,multiply_adds").out
    assert run(*words, "variant,module,change").out.startswith("What differs from nxn\n")
    content = json.loads(run(*words, "multiply_adds,module", "-f", "json").out)
    assert list(content["rows"][0]) == ["multiply_adds"]
    assert list(content["differences"][0]) == ["module"]
    only = json.loads(run(*words, "module", "-f", "json").out)
    assert "rows" not in only
    assert only["differences"]
    published = run("compare", "-a", "inference_budget", "--columns", "variant,reported_in").out
    assert published.count("variant") == 1


def test_what_is_said_of_columns_holds_of_those_that_are_shown(run: Run) -> None:
    assert "ratio and saving" not in run("compare", "-a", "nxn", "--columns", "variant,parameters").out
    assert "ratio and saving" in run("compare", "-a", "nxn", "--columns", "variant,parameters_ratio").out
    whole = run("reconcile", "inception_v3").out
    assert "the number is the sum of multiply-adds in it and the terms beside them" in whole
    (row,) = [row for row in rows(run("reconcile", "inception_v3", "-f", "csv").out) if row["tool"] == "thop"]
    terms = list(row)[list(row).index("multiply_adds") : list(row).index("difference")]
    assert int(row["number"]) == sum(int(row[name] or 0) for name in terms)
    few = f"tool,number,multiply_adds,{terms[1]},difference"
    some = run("reconcile", "inception_v3", "--columns", few).out
    assert "the sum of" not in some
    assert "the difference is from one per multiply-add" in some
    assert "the difference is" not in run("reconcile", "inception_v3", "--columns", "tool,number").out


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("--columns", ""), "--columns: '' has an empty name in it"),
        (("--columns", "module,"), "--columns: 'module,' has an empty name in it"),
        (("--columns", "module,module"), "--columns: module is named twice"),
        (("--columns", "module", "-f", "netron"), "--columns does not go with --format netron"),
        (("--caption", "A"), "--caption is for --format latex"),
        (("--label", "A", "-f", "json"), "--label is for --format latex"),
        (("--label", "a}b", "-f", "latex"), "--label: 'a}b' is no label"),
        (("--label", "", "-f", "latex"), "--label: '' is no label"),
        (("--caption", " \n", "-f", "latex"), "--caption: ' \\n' is no text"),
    ],
)
def test_mistakes_are_told_in_one_line(run: Run, words: tuple[str, ...], message: str) -> None:
    code, out, err = run("count", "stem", *words)
    assert (code, out, err.count("\n")) == (2, "", 1)
    assert message in err


def test_a_caption_and_labels(run: Run) -> None:
    words = ("compare", "-a", "nxn", "--diff", "-f", "latex")
    out = run(*words, "--caption", "Costs,\n\nin 100%", "--label", "tab:nxn_1").out
    assert r"\caption{Costs, in 100\%}" in out
    assert out.count(r"\caption{") == out.count(r"\begin{table}") == 2
    assert r"\label{tab:nxn_1}" in out
    assert r"\label{tab:nxn_1-2}" in out
    only = run(*words, "--label", "a").out
    assert r"\caption{An n x n convolution, and 1 x n with n x 1, input 192x17x17, batch 1}" in only


def test_no_tool_runs_for_a_column_that_is_not_there(run: Run) -> None:
    code, _, err = run("reconcile", "inception_a", "--run", "--columns", "nonesuch")
    assert (code, err.count("\n")) == (2, 1)
    assert "reported, verdict" in err
