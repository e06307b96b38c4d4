"""``costlab explore`` as it is met first: the example that it gives, what there is after an interrupt."""

import csv
import io
import json
import shlex
from pathlib import Path
from typing import Any

import pytest

import costlab
from costlab.cli import listing as listing_of
from costlab.explore.query import listing
from costlab.explore.query.engine import Engine
from costlab.explore.survey import Survey
from costlab.explore.written.vary import read_vary
from costlab.report.tables import explore
from costlab.targets.catalog import catalog
from costlab.targets.resolve import find
from tests.cli.conftest import Run

MINI = ("mini", "--vary", "width=0.5:1.5:0.25", "--vary", "n=3,5,7")


def test_the_example_of_each_definition_gives_axes() -> None:
    for name in catalog():
        variant = find(name)
        (note,) = explore.axes_table(variant).notes or ("",)
        words = shlex.split(str(note))[5:]
        texts = words[1::2]
        assert bool(texts) == bool(variant.parameters)
        definition: Any = variant.subject
        axes = read_vary(texts, definition)
        assert all(len(axis.values) > 1 for axis in axes)
        for axis in axes:  # the default is among them, or between them
            default = variant.parameters[axis.name].default
            assert default in axis.values or min(axis.values) < default < max(axis.values)


def test_as_csv_a_histogram_is_what_was_asked_for(run: Run) -> None:
    code, out, _ = run("explore", *MINI, "--histogram", "4", "-f", "csv")
    rows = list(csv.DictReader(io.StringIO(out)))
    wanted = costlab.Space("mini", width="0.5:1.5:0.25", n=[3, 5, 7]).histogram(bins=4)
    assert code == 0
    assert [int(row["from"]) for row in rows] == [*map(int, wanted.edges[:-1])]
    assert [int(row["members"]) for row in rows] == [*wanted.counts]


def test_a_histogram_that_is_left_out_is_told(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    for module in ("costlab.explore.survey", "costlab.report.tables.explore"):
        monkeypatch.setattr(f"{module}.SPREAD_MAX", 14)
    assert "members by multiply_adds" not in (out := run("explore", *MINI).out)
    assert "more than 14 members have a histogram only when --histogram asks for it" in out
    assert "--histogram asks" not in run("explore", *MINI, "--histogram", "4").out


@pytest.mark.parametrize("at", ["deriving", "counting", "searching by multiply_adds"])
def test_what_was_not_gone_over_has_no_share(run: Run, monkeypatch: pytest.MonkeyPatch, at: str) -> None:
    def stop(*_: Any) -> None:
        raise KeyboardInterrupt

    # Nothing of the part is done: it is stopped before its first slice.
    whole = Engine.sweep

    def sweep(engine: Engine, doing: str, *rest: Any) -> Any:
        return stop() if doing.startswith(at) else whole(engine, doing, *rest)

    monkeypatch.setattr(Engine, "sweep", sweep)
    if at == "deriving":
        monkeypatch.setattr("costlab.explore.query.lowered.lowering_of", stop)
    monkeypatch.setattr("costlab.explore.query.queries.extreme", lambda *_: None)
    code, out, err = run("explore", *MINI, "--where", "multiply_adds < 4e7")
    assert (code, err) == (130, "costlab: error: interrupted\n")
    assert "not counted" in out or "not searched" in out
    assert "gone over" not in out
    code, out, err = run("explore", *MINI, "--top", "2")
    if at != "counting":
        assert (code, out) == (130, "")
        assert err == "costlab: error: interrupted: 0.0% of the space was gone over\n"


@pytest.mark.parametrize("format_", ["csv", "json"])
def test_a_file_is_left_as_it_was_where_no_row_was_written(
    run: Run, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, format_: str
) -> None:
    def frames(_: object) -> Any:
        raise KeyboardInterrupt

    monkeypatch.setattr(listing, "frames", frames)
    old, new = tmp_path / "old.txt", tmp_path / "new.txt"
    old.write_text("what was there")
    for file in (old, new):
        code, _, err = run("explore", *MINI, "--members", "-f", format_, "-o", str(file), "--force")
        assert (code, err) == (130, "costlab: error: interrupted: 0 of 15 rows were written\n")
    assert old.read_text() == "what was there"
    assert [each.name for each in tmp_path.iterdir()] == ["old.txt"]


def test_a_survey_says_how_far_its_part_came() -> None:
    space = costlab.Space("mini", width="0.5:1.5:0.25").where("parameters > 0").on(workers=1)
    survey = Survey(space, unfinished="what meets the conditions is not counted", misfits=())
    space.engine.covered, space.engine.found = 0.25, [3, 4]
    survey.interrupted()
    assert survey.unfinished == (
        "what meets the conditions is not counted: 25.0% of it was gone over, with 7 members in it"
    )


def test_members_near_an_amount_are_counted_as_such(run: Run) -> None:
    ask = ("--where", "n > 3 or width < 0.7", "--within", "20%", "--of", "2e7")
    code, out, _ = run("explore", *MINI, *ask, "-f", "json")
    space = costlab.Space("mini", width="0.5:1.5:0.25", n=[3, 5, 7])
    near = space.where("n > 3 or width < 0.7").near("20%", "2e7")
    content = json.loads(out)
    assert (code, 0 < near.count() < 15) == (0, True)
    assert content["rows"][2]["members"] == "(n > 3 or width < 0.7) and multiply_adds within 20% of 2e7"
    assert content["rows"][2]["count"] == near.count()
    assert content["where"] == ["n > 3 or width < 0.7", "multiply_adds within 20% of 2e7"]
    (row,) = json.loads(run("explore", *MINI, *ask[2:4], "--of", "1", "-f", "json").out)["rows"][2:]
    assert row["count"] == 0
    for shown in (repr(near), near._repr_html_().replace("&lt;", "<").replace("&gt;", ">")):
        assert "where n > 3 or width < 0.7" in shown
        assert "where multiply_adds within 20% of 2e7" in shown


def test_a_member_is_a_target() -> None:
    space = costlab.Space("mini", width="0.5:1:0.25", input=[24, 32])
    best = space.top(2, by="-parameters")
    assert best.title == "mini: the 2 with the least parameters"
    for member in best:
        counted = costlab.count(member)
        assert (counted.label, counted.input) == (member.target, member.input)
        assert (counted.multiply_adds, counted.parameters) == (member.multiply_adds, member.parameters)
    assert sum(each.numel() for each in costlab.build(best[0]).parameters()) == best[0].parameters
    sizes = [int(each.multiply_adds) for each in costlab.compare(best[1], best[0]).counts]
    assert sizes == [best[1].multiply_adds, best[0].multiply_adds]


def test_a_selection_shows_itself_in_a_notebook() -> None:
    space = costlab.Space("mini", width="0.5:1:0.02", input=[24, 32])
    best = space.top(30)
    html = best._repr_html_()
    assert "mini: the 30 with the most multiply_adds" in html
    assert repr(best).count("Member(") == 19  # what is between the first and the last is counted
    for member in (best[0], best[29]):
        assert all(text in html for text in (member.target, str(member.input), f"{member.parameters:,}"))
    assert "... and 11 more" in html
    none = space.where("parameters < 0").top(3)
    assert "the 0 with the most" in none._repr_html_()


@pytest.mark.parametrize("format_", ["csv", "json", "parquet"])
def test_rows_are_written_whole_however_few_at_once(
    run: Run, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, format_: str
) -> None:
    import pandas as pd

    monkeypatch.setattr("costlab.cli.listing.PIECE", 4)
    whole, began = listing_of.WRITERS[format_], 0

    def opened(stream: Any) -> Any:
        put, close = whole(stream)

        def once_too_often(frame: Any) -> None:
            nonlocal began
            began += 1
            put(frame)
            if began == 3:  # as a request that comes while rows are written, and waits for their end
                monkeypatch.setattr("costlab.cli.listing.Whole", _Stopped)

        return once_too_often, close

    monkeypatch.setitem(listing_of.WRITERS, format_, opened)
    file = tmp_path / f"rows.{format_}"
    code, _, err = run("explore", *MINI, "--members", "-o", str(file))
    assert (code, err) == (130, "costlab: error: interrupted: 12 of 15 rows were written\n")
    read: Any = {
        "csv": pd.read_csv,
        "json": lambda it: pd.DataFrame(json.loads(it.read_text())["rows"]),
        "parquet": pd.read_parquet,
    }[format_]
    wanted = costlab.Space("mini", width="0.5:1.5:0.25", n=[3, 5, 7]).to_frame()[:12]
    assert read(file)["multiply_adds"].tolist() == wanted["multiply_adds"].tolist()


class _Stopped:
    def __enter__(self) -> None:
        raise KeyboardInterrupt

    def __exit__(self, *_: object) -> None:
        """Nothing is held."""
