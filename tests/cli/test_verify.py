"""``costlab verify`` as people and programs see it."""

import csv
import io
import json
import re
from pathlib import Path

import pytest

from costlab.paper import CLAIMS, verify
from costlab.report.tables.verify import derivation_table, verify_table
from tests.cli.conftest import Run
from tests.sampling import one_in


def test_every_claim_is_shown_with_its_verdict(run: Run) -> None:
    code, out, err = run("verify")
    assert (code, err) == (0, "")
    assert max(map(len, out.splitlines())) <= 140
    for name in CLAIMS:
        assert f"\n{name} " in out
    assert (
        "33 claims, each by its weakest figure: 7 exact, 6 holds, 2 close, 6 not countable, 12 differs" in out
    )
    (budget,) = [line for line in out.splitlines() if line.startswith("budget-madds")]
    assert budget.split() == [
        *("budget-madds", "abstract", "multiply-adds", "5", "billion", "±15%"),
        *("5,713,216,096", "+14.26%", "close"),
    ]


def test_what_is_close_or_differs_is_nowhere_called_verified(run: Run) -> None:
    for form in ("table", "markdown", "latex", "json", "csv"):
        out = run("verify", "budget-madds", "depth", "-f", form, "--verbose").out
        for line in out.splitlines():
            assert (
                "verified" not in line
                or "not verified" in line
                or '"unverified"' in line
                or ",unverified" in line
            )


def test_csv_and_json_hold_exact_values(run: Run) -> None:
    rows = list(csv.DictReader(io.StringIO(run("verify", "-f", "csv").out)))
    content = json.loads(run("verify", "-f", "json").out)
    assert [row["claim"] for row in rows] == [row["claim"] for row in content["rows"]]
    by_claim = {row["claim"]: row for row in reversed(rows)}
    assert by_claim["5x5-vs-3x3"]["value"] == "25/9"
    assert by_claim["budget-madds"]["value"] == "5713216096"
    assert by_claim["budget-madds"]["deviation"] == "22288003/156250000"  # 713216096 / 5000000000, both by 32
    assert {row["verdict"] for row in rows} == {row["expected_verdict"] for row in rows}
    assert content["verdicts"]["differs"] == 12
    assert {claim["id"]: claim["verdict"] for claim in content["claims"]}["depth"] == "differs"
    assert "steps" not in content["claims"][0]


def test_counted_and_reported_stand_in_columns_of_their_own(run: Run) -> None:
    rows = list(csv.DictReader(io.StringIO(run("verify", "-f", "csv").out)))
    reported = {(row["claim"], row["figure"]) for row in rows if row["from_reported"]}
    assert reported == {
        ("cost-vs-googlenet", "from table 3"),
        ("vs-bn-inception", "from table 3"),
        ("auxiliary", "gain by table 3"),
        ("regime", "epochs of figure 2"),
        ("ensemble", "by GoogLeNet's"),
        ("ensemble", "better than the best"),
    }
    assert not any(row["counted"] and row["from_reported"] for row in rows)


def test_verbose_shows_the_formula_and_the_numbers_put_in(run: Run) -> None:
    out = run("verify", "two-3x3", "--verbose").out
    assert "multiply-adds saved   1 - 90,316,800 / 125,440,000   7/25 (0.28)" in out
    assert "Two 3x3 convolutions in place of a 5x5 save 28%" in out
    (claim,) = json.loads(run("verify", "two-3x3", "-v", "-f", "json").out)["claims"]
    assert claim["steps"][2] == {
        "quantity": "multiply-adds saved",
        "formula": "1 - 90,316,800 / 125,440,000",
        "value": "7/25",
        "reported": False,
        "unverified": False,
    }
    assert run("verify", "relu-vs-linear", "-v").out.count("to be shown by training: large_5x5") == 1


def test_what_cannot_be_counted_points_to_what_would_have_to_be_trained(run: Run) -> None:
    assert "not countable: only training could show it; --verbose says" in run("verify", "relu-vs-linear").out
    assert "only training" not in run("verify", "two-3x3").out
    claims = json.loads(run("verify", "relu-vs-linear", "two-3x3", "-f", "json").out)["claims"]
    assert claims[0]["shown_by"] == ["large_5x5: the variants 3x3+3x3 and 3x3+3x3, linear between"]
    assert claims[0]["tried_by"] == ["costlab train linear"]
    assert not {"shown_by", "tried_by"} & claims[1].keys()


def test_how_to_train_what_cannot_be_counted_is_told(run: Run) -> None:
    shown = run("verify", "medium-grids", "receptive-field", "regime", "two-3x3").out
    assert (
        "\nmedium-grids: tried at a reduced scale by costlab train nxn and by costlab train small_3x3\n"
        in shown
    )
    assert "\nreceptive-field: tried at a reduced scale by costlab train receptive_field\n" in shown
    assert "\nregime: nothing that costlab trains tries it\n" in shown
    assert "\ntwo-3x3: " not in shown
    assert "; tried at a reduced scale by costlab train linear" in run("verify", "relu-vs-linear", "-v").out
    (regime,) = json.loads(run("verify", "regime", "-f", "json").out)["claims"]
    assert regime["tried_by"] == []


def test_derivations_as_csv_are_one_table_with_exact_values(run: Run) -> None:
    rows = list(csv.DictReader(io.StringIO(run("verify", "-v", "-f", "csv").out)))
    assert set(rows[0]) > {"claim", "quantity", "formula", "value", "reported", "unverified", "verdict"}
    figures = list(csv.DictReader(io.StringIO(run("verify", "-f", "csv").out)))
    assert [{key: row[key] for key in figures[0]} for row in rows if row["verdict"]] == figures
    assert list(dict.fromkeys(row["claim"] for row in rows)) == list(CLAIMS)
    (saved,) = [row for row in rows if row["claim"] == "asymmetric" and row["quantity"].endswith(" saved")]
    assert saved["value"] == "1/3"
    steps = {row["quantity"]: row for row in rows if row["claim"] == "vs-bn-inception"}
    assert (steps["by the billions of table 3"]["reported"], steps["as counted"]["reported"]) == (
        "True",
        "False",
    )


def test_what_follows_from_the_papers_figures_has_a_column_of_its_own(run: Run) -> None:
    out = run("verify", "ensemble", "-v").out
    assert "value      from reported" in out
    assert "from reported" not in run("verify", "two-3x3", "-v").out.partition("two-3x3 (3.1)")[2]
    rows = json.loads(run("verify", "vs-bn-inception", "-f", "json").out)["rows"]
    assert [row["reported"] for row in rows] == [True, False]


@pytest.mark.parametrize("name", one_in(3, CLAIMS))
def test_every_derivation_in_every_form(run: Run, name: str) -> None:
    for form in ("table", "markdown", "latex"):
        code, out, err = run("verify", name, "-v", "-f", form)
        assert (code, err) == (0, "")
        assert not re.search(r"None(?! of)", out)
    assert CLAIMS[name].statement in run("verify", name, "-v", "-f", "markdown").out


def test_unverified_definitions_are_marked(run: Run) -> None:
    for form in ("table", "markdown", "latex"):
        out = run("verify", "vs-he-params", "-f", form, "-v").out
        assert out.count("13.87x (?)") == 1
        assert "prelu_net_c (?), 3x224x224" in out.replace("\\_", "_")
        assert "not verified against their source" in out
    rows = json.loads(run("verify", "vs-he-params", "two-3x3", "-f", "json").out)["rows"]
    assert [row["unverified"] for row in rows] == [True, True, True, False, False]


def test_strict_says_that_the_five_stand(run: Run) -> None:
    code, out, err = run("verify", "two-2x2", "--strict", "-f", "csv")
    assert code == 0
    assert len(out.splitlines()) == 2
    assert err == (
        "strict: the five stand: 5x5-vs-3x3 exact, two-3x3 exact, asymmetric exact, budget-madds close, "
        "budget-params holds\n"
    )


def test_a_file_is_written_and_not_replaced_unasked(run: Run, tmp_path: Path) -> None:
    file = tmp_path / "claims.md"
    assert run("verify", "-o", str(file)).code == 0
    before = file.read_text()
    assert before.count("\n| ") > len(CLAIMS)
    code, _, err = run("verify", "two-3x3", "-o", str(file))
    assert (code, err) == (2, f"costlab: error: {file} exists: give --force to replace it\n")
    assert file.read_text() == before
    assert run("verify", "two-3x3", "-o", str(file), "--force").code == 0
    assert file.read_text() != before


def test_an_unknown_id_is_the_users_mistake(run: Run) -> None:
    code, out, err = run("verify", "budget")
    assert (code, out) == (2, "")
    assert err == (
        "costlab: error: there is no claim 'budget'; did you mean budget-madds or budget-params? "
        "(see costlab verify)\n"
    )


@pytest.mark.parametrize(
    ("width", "missing"), [(100, ""), (80, "section"), (60, "section, figure, deviation")]
)
def test_terminals_of_any_width_show_every_value(width: int, missing: str) -> None:
    table = verify_table(verify())
    shown = table.to_text(width)
    left_out = " ".join(shown.split()).partition("no room for: ")[2]
    assert left_out == missing
    assert max(map(len, shown.splitlines())) <= width
    for row in (table.record(row) for row in table.rows):
        value = row["from_reported"] if row["reported"] else row["counted"]
        assert all(part in shown for part in value.split())
    for each in verify():
        assert max(map(len, derivation_table(each).to_text(80).splitlines())) <= 80
