"""``costlab explore``: what it says of small spaces, against all their members, counted one by one."""

import csv
import io
import itertools
import json
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

import costlab
from costlab.explore.query.engine import Engine
from tests.cli.conftest import Run
from tests.cli.exploring import AXES, NET, NETS, SIZES, SPACE
from tests.cli.test_process import on_a_terminal

Row = dict[str, Any]


@pytest.fixture(autouse=True)
def nets(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "nets.py").write_text(NETS)
    monkeypatch.chdir(tmp_path)


@pytest.fixture(scope="module")
def members(tmp_path_factory: pytest.TempPathFactory) -> list[Row]:
    """All members that fit, each counted by itself."""
    file = tmp_path_factory.mktemp("brute") / "nets.py"
    file.write_text(NETS)
    found = []
    for values in itertools.product(*AXES.values()):
        row: Row = dict(zip(AXES, values, strict=True))
        settings = {name: value for name, value in row.items() if name != "input"}
        try:
            counted = costlab.count(f"{file}:net", (3, row["input"], row["input"]), **settings)
        except costlab.ShapeError:
            continue
        found.append({**row, **{name: getattr(counted, name) for name in SIZES}})
    assert 0 < len(found) < 192
    return found


def rows(run: Run, *words: str) -> list[Row]:
    code, out, err = run("explore", *words, "-f", "json")
    assert (code, err) == (0, "")
    content = json.loads(out)
    found: list[Row] = content["rows"]
    return found


def plain(row: Row) -> tuple[Any, ...]:
    """A member by its axes and quantities, as it stands in JSON; the input is a shape there."""
    side = row["input"]
    side = int(side.rpartition("x")[2]) if isinstance(side, str) else side
    return (*(row[name] for name in AXES if name != "input"), side, *(row[name] for name in SIZES))


def small(row: Row) -> bool:
    return bool(row["multiply_adds"] <= 20_000 and (row["n"] > 1 or row["kind"] == "b"))


SMALL = ("--where", "multiply_adds <= 2e4 and (n > 1 or kind == 'b')")


def test_what_exists_fits_and_meets_conditions(run: Run, members: list[Row]) -> None:
    code, out, err = run("explore", *SPACE, *SMALL, "--histogram", "4", "-f", "json")
    assert (code, err) == (0, "")
    content = json.loads(out)
    met = [row for row in members if small(row)]
    assert [row["count"] for row in content["rows"]] == [192, len(members), len(met)]
    assert sum(row["members"] for row in content["misfits"]) == 192 - len(members)
    for row in content["extremes"]:
        end = {"least": min, "most": max}[row["end"]]
        assert row["value"] == row[row["quantity"]] == end(each[row["quantity"]] for each in met)
        assert plain(row) in map(plain, met)
    bins = content["histogram"]
    assert [row["members"] for row in bins] == [
        sum(row["from"] <= each["multiply_adds"] < row["below"] for each in met) for row in bins
    ]
    assert len(bins) == 4
    assert sum(row["members"] for row in bins) == len(met)


@pytest.mark.parametrize(
    ("by", "value"),
    [
        (None, lambda row: row["multiply_adds"]),
        ("-parameters", lambda row: -row["parameters"]),
        ("2*parameters - activations", lambda row: 2 * row["parameters"] - row["activations"]),
        ("n*parameters + filters", lambda row: row["n"] * row["parameters"] + row["filters"]),
    ],
)
def test_the_best_members(run: Run, members: list[Row], by: str | None, value: Callable[[Row], int]) -> None:
    found = rows(run, *SPACE, *SMALL, "--top", "7", *(("--by", by) if by else ()))
    ranked = sorted((value(row) for row in members if small(row)), reverse=True)
    assert [value(dict(zip(row_names(), plain(row), strict=True))) for row in found] == ranked[:7]
    assert set(map(plain, found)) <= {plain(row) for row in members if small(row)}


def row_names() -> list[str]:
    return [*(name for name in AXES if name != "input"), "input", *SIZES]


def test_members_are_shown_as_targets_that_count(run: Run) -> None:
    for row in rows(run, *SPACE, "--sample", "4", "--seed", "3"):
        counted = json.loads(run("count", row["target"], "--input", row["input"], "-f", "json").out)
        assert [counted["total"][name] for name in SIZES] == [row[name] for name in SIZES]
    table = run("explore", *SPACE, "--top", "1").out
    assert rows(run, *SPACE, "--top", "1")[0]["target"] in table


def test_the_front(run: Run, members: list[Row]) -> None:
    values = {(row["multiply_adds"], -row["parameters"]) for row in members}
    front = {a for a in values if not any(b != a and b[0] <= a[0] and b[1] <= a[1] for b in values)}
    found = rows(run, *SPACE, "--pareto", "multiply_adds,-parameters")
    assert [(row["multiply_adds"], -row["parameters"]) for row in found] == sorted(front)


def test_samples_are_of_what_is_near_and_can_be_repeated(run: Run, members: list[Row]) -> None:
    near = ("--within", "20%", "--of", "900", "--by", "parameters")
    found = rows(run, *SPACE, "--sample", "5", *near)
    assert found == rows(run, *SPACE, "--sample", "5", *near, "--seed", "0", "--workers", "2")
    fitting = {plain(row) for row in members if 720 <= row["parameters"] <= 1080}
    drawn = set(map(plain, found))
    assert len(drawn) == 5 < len(fitting)
    assert drawn <= fitting
    assert set(map(plain, rows(run, *SPACE, "--sample", "999", *near))) == fitting


def test_all_members_in_each_format(run: Run, members: list[Row], tmp_path: Path) -> None:
    import pyarrow.parquet as pq

    want = sorted(plain(row) for row in members if small(row))
    assert sorted(map(plain, rows(run, *SPACE, *SMALL, "--members"))) == want
    words = ("explore", *SPACE, *SMALL, "--members")
    code, out, err = run(*words, "-f", "csv")
    assert (code, err) == (0, "")
    written = [{name: read(row[name]) for name in row} for row in csv.DictReader(io.StringIO(out))]
    assert sorted(map(plain, written)) == want
    for name in ("it.csv", "it.json", "it.parquet"):
        assert run(*words, "-o", name).code == 0
        assert run(*words, "-o", name).code == 2  # it is there
        assert run(*words, "-o", name, "--force") == (0, "", "")
    assert (tmp_path / "it.csv").read_text() == out
    assert sorted(map(plain, pq.read_table("it.parquet").to_pylist())) == want
    assert sorted(map(plain, json.loads((tmp_path / "it.json").read_text())["rows"])) == want
    two = list(csv.reader(io.StringIO(run(*words, "-f", "csv", "--columns", "parameters,n").out)))
    assert two[0] == ["parameters", "n"]
    assert len(two) == 1 + len(want)
    assert run(*words).out.count(NET) == len(want) + 1
    assert run(*words, "-f", "csv", "--columns", "nosuch").code == 2


def read(text: str) -> Any:
    """A value of a table in CSV."""
    words = {"True": True, "False": False}
    return words.get(text, text) if text.isalpha() else float(text) if "." in text else int(text)


def test_no_members_are_tables_without_rows(run: Run) -> None:
    import pyarrow.parquet as pq

    none = (*SPACE, "--where", "multiply_adds < 0")
    assert rows(run, *none, "--members") == []
    assert run("explore", *none, "--members", "-f", "csv").out.startswith(
        "filters,width,n,deep,kind,input,mul"
    )
    assert run("explore", *none, "--members", "-o", "none.parquet").code == 0
    assert pq.read_table("none.parquet").num_rows == 0
    assert set(pq.read_table("none.parquet").column_names) >= {*AXES, *SIZES}
    for ask in (("--top", "3"), ("--sample", "3"), ("--pareto", "parameters,activations"), ("--members",)):
        assert rows(run, *none, *ask) == []
        assert "no member meets the conditions" in run("explore", *none, *ask).out
    assert run("explore", *none).code == 0


def test_numbers_beyond_64_bits_are_kept_in_each_format(run: Run, tmp_path: Path) -> None:
    import pyarrow.parquet as pq

    (tmp_path / "wide.py").write_text(
        "from costlab import Conv2d, Dim, block, seq\n@block(input='2147483000x99999x99999')\n"
        "def wide(filters: Dim = 2147483000):\n    return seq(Conv2d(filters, 9, bias=False))\n"
    )
    words = ("wide.py:wide", "--vary", "filters=7,2147483000", "--members")
    want = [int(costlab.count("wide.py:wide", filters=each).multiply_adds) for each in (7, 2_147_483_000)]
    assert want[1] > 2**64
    assert [row["multiply_adds"] for row in rows(run, *words)] == want
    assert run("explore", *words, "-o", "wide.parquet").code == 0
    assert [int(row["multiply_adds"]) for row in pq.read_table("wide.parquet").to_pylist()] == want


def test_a_space_in_a_file(run: Run, tmp_path: Path, members: list[Row]) -> None:
    (tmp_path / "space.toml").write_text(
        f"target = '{NET}'\nwhere = ['n >= filters']\n[vary]\nn = '1:8'\nfilters = [2, 5]\ndeep = '*'\n"
        "input = [7, 9]\nkind = ['a', 'b']\nwidth = '0.5:1:0.25'\n"
    )
    want = {plain(row) for row in members if row["n"] >= row["filters"]}
    found = rows(run, "--space", "space.toml", "--vary", "n=1,3,7,8", "--members")
    assert set(map(plain, found)) == want
    content = json.loads(run("explore", "--space", "space.toml", "--where", "n < 7", "-f", "json").out)
    assert content["where"] == ["n >= filters", "n < 7"]
    assert content["axes"]["n"] == list("12345678")


def test_the_axes_of_a_target(run: Run) -> None:
    found = {row["axis"]: row["default"] for row in rows(run, NET)}
    assert found == {"filters": "4", "width": "1.0", "n": "3", "deep": "false", "kind": "a", "input": "9"}
    out = run("explore", f"{NET}:n=5").out
    assert "\nn " not in out
    example = out.rpartition("costlab explore ")[2].split()
    assert run("explore", *example).code == 0


def test_a_picture(run: Run, tmp_path: Path) -> None:
    assert run("explore", *SPACE, *SMALL, "--top", "1", "--plot", "it.png").code == 0
    with Image.open(tmp_path / "it.png") as picture:
        assert min(picture.size) > 300
    before = (tmp_path / "it.png").read_bytes()
    assert run("explore", *SPACE, "--plot", "it.png").code == 2
    assert (tmp_path / "it.png").read_bytes() == before
    assert run("explore", *SPACE, *SMALL, "--plot", "it.png", "--force").code == 0


def test_what_was_found_is_shown_when_it_is_interrupted(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = Engine._tell

    def tell(engine: Engine, doing: str, state: Any, done: int, slices: int) -> None:
        whole(engine, doing, state, done, slices)
        if "searching" in doing:
            raise KeyboardInterrupt

    monkeypatch.setattr(Engine, "_tell", tell)
    code, out, err = run("explore", *SPACE, *SMALL, "--top", "3")
    assert (code, err) == (130, "costlab: error: interrupted\n")
    assert "found so far" in out
    assert "interrupted: 100.0% of the space was gone over" in out


def test_a_narrow_terminal_is_written_on_after_the_progress() -> None:
    shown = on_a_terminal(["explore", *SPACE, "--top", "3"], 60, {"NO_COLOR": "1"})
    table = shown.rpartition(f"{NET}: the 3 with")[2]
    assert "─" in table
    assert max(map(len, table.splitlines())) <= 60
    assert "\x1b[1m" not in shown


def test_the_python_of_the_same(members: list[Row]) -> None:
    space = costlab.Space(NET, **{name: values for name, values in AXES.items() if name != "kind"}, kind="b")
    some = [row for row in members if row["kind"] == "b"]
    assert len(space.to_frame()) == space.count() == len(some)
    top = space.where("n > 1").top(2, by="parameters/3 - activations/7")
    best = max(
        Fraction(row["parameters"], 3) - Fraction(row["activations"], 7) for row in some if row["n"] > 1
    )
    assert Fraction(top[0].parameters, 3) - Fraction(top[0].activations, 7) == best
    compared = costlab.compare(ablation=top)
    assert [int(each.multiply_adds) for each in compared.counts[1:]] == [each.multiply_adds for each in top]
