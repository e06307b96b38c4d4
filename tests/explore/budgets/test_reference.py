"""References in files: what ``costlab count -f json`` wrote is read, and anything else is refused."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from torch import nn

import costlab
from costlab.errors import CostlabError, TargetError
from costlab.explore.budgets import count_file
from costlab.explore.budgets.reference import is_file_name
from costlab.report.tables.count import By, count_table
from tests.explore.networks import BY_HAND, small


def written(folder: Path, depth: int = 1, by: By = "module", **changes: Any) -> Path:
    """The file of a count of the small network."""
    file = folder / "reference.json"
    file.write_text(count_table(costlab.count(small, **changes), depth, by).to_json())
    return file


def by_path(sizes: dict[str, int], depth: int) -> dict[str, int]:
    """Sizes by the path of the module at a depth."""
    sums: dict[str, int] = {}
    for path, size in sizes.items():
        at = ".".join(path.split(".")[:depth])
        sums[at] = sums.get(at, 0) + size
    return sums


@given(*[st.integers(1, 6)] * 4, st.booleans(), st.booleans(), st.sampled_from([0, 1, 2, 9]))
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_the_modules_that_grew_are_those_of_the_file(
    tmp_path: Path, a: int, b: int, c: int, d: int, deep: bool, deeper: bool, depth: int
) -> None:
    before: dict[str, Any] = {"a": a, "b": b, "deep": deep}
    after: dict[str, Any] = {"a": c, "b": d, "deep": deeper}
    held = costlab.budget(small, **after, against=written(tmp_path, depth, **before), max_increase="0%")
    assert held.reference is not None
    assert held.reference.target.startswith("small")
    for check in held.checks:
        was, now = (by_path(BY_HAND[check.quantity](**made), depth) for made in (before, after))
        assert (check.before, check.size) == (sum(was.values()), sum(now.values()))
        grown = {(path, size - was[path]) for path, size in now.items() if size > was[path]}
        parts = {(part.path, part.increase) for part in check.modules or ()}
        assert parts == (grown if check.over else set())


def test_what_was_divided_and_is_not_any_more_is_held_as_one(tmp_path: Path) -> None:
    file = tmp_path / "reference.json"
    two = costlab.seq(a=costlab.seq(x=costlab.Linear(2), y=costlab.Linear(3)), b=costlab.Linear(4))
    one = costlab.seq(a=costlab.Linear(6), b=costlab.Linear(5), c=costlab.Linear(7))
    file.write_text(count_table(costlab.count(two, (10,)), 9).to_json())
    held = costlab.budget(one, (10,), against=file, max_increase="0%")
    grown = {part.path: (part.before, part.size) for part in held.checks[0].modules or ()}
    assert grown == {"a": (20 + 6, 60), "b": (12, 30), "c": (0, 35)}


def test_a_model_is_held_against_its_own_file(tmp_path: Path) -> None:
    file, model = tmp_path / "reference.json", nn.Sequential(nn.Linear(8, 4), nn.ReLU(), nn.Linear(4, 2))
    file.write_text(count_table(costlab.count(model, torch.zeros(3, 8)), 2).to_json())
    assert costlab.budget(model, torch.zeros(3, 8), against=str(file), max_increase="0%").within
    with pytest.raises(TargetError, match="was counted at 3x8"):
        costlab.budget(model, torch.zeros(2, 8), against=file, max_increase="0%")


@pytest.mark.parametrize("name", ["fvcore", "flops"])
def test_a_convention_is_read_as_it_was_written(tmp_path: Path, name: str) -> None:
    file = tmp_path / "reference.json"
    counted = costlab.count(small).under(name)
    file.write_text(count_table(counted, 9).to_json())
    held = costlab.budget(small, convention=name, against=file, max_increase="0%")
    assert held.within
    assert held.checks[0][:3] == ("cost", counted.cost, counted.cost)
    with pytest.raises(TargetError, match=f"in {name}, small in multiply_adds"):
        costlab.budget(small, against=file, max_increase="0%")


def test_what_holds_no_modules_still_holds_totals(tmp_path: Path) -> None:
    held = costlab.budget(small, a=5, against=written(tmp_path, by="kind"), max_increase="0%")
    assert all(check.modules is None for check in held.over)
    file = written(tmp_path)
    content = json.loads(file.read_text())
    for row in content["rows"]:
        del row["parameters"]
    file.write_text(json.dumps(content))
    assert costlab.budget(small, against=file, max_increase="0%").within


def test_sizes_of_any_length_are_read(tmp_path: Path) -> None:
    one = costlab.count(small, batch=2**31 - 1)
    file = tmp_path / "reference.json"
    file.write_text(count_table(one, 0).to_json())
    assert costlab.budget(small, batch=2**31 - 1, against=file, max_increase="0%").within


CHANGES: dict[str, Callable[[dict[str, Any]], Any]] = {
    "of no version": lambda it: it.pop("version"),
    "of the next version": lambda it: it.update(version=2),
    "of a version in words": lambda it: it.update(version="1"),
    "of a version that is true": lambda it: it.update(version=True),
    "of a version with a point": lambda it: it.update(version=1.0),
    "of another format": lambda it: it.update(format="costlab budget"),
    "of no format": lambda it: it.pop("format"),
    "in part": lambda it: it.update(partial={"stopped_at": "", "reason": ""}),
    "without a batch": lambda it: it.pop("batch"),
    "with a batch that is none": lambda it: it.update(batch="1"),
    "with an input that is none": lambda it: it.update(input={"c": 3}),
    "with an input of words": lambda it: it.update(input=["3", 8, 8]),
    "with a field more": lambda it: it.update(extra=1),
    "with a target that steers a terminal": lambda it: it.update(target="\x1b[31mred"),
    "with a target that is none": lambda it: it.update(target=3),
    "with heads that are none": lambda it: it.update(auxiliary_heads=1),
    "without a total": lambda it: it.pop("total"),
    "with a total that is none": lambda it: it.update(total=[]),
    "without parameters": lambda it: it["total"].pop("parameters"),
    "with a negative total": lambda it: it["total"].update(parameters=-1),
    "with a total that is true": lambda it: it["total"].update(activations=True),
    "with a rounded total": lambda it: it["total"].update(multiply_adds=1e9),
    "with another total": lambda it: it["total"].update(multiply_adds=3),
    "without rows": lambda it: it.update(rows={}),
    "with rows that are none": lambda it: it["rows"].append(3),
    "with a row again": lambda it: it["rows"].append(it["rows"][0]),
    "without a row": lambda it: it["rows"].pop(),
    "with a negative row": lambda it: it["rows"][0].update(parameters=-3),
    "with a module that is none": lambda it: it["rows"][0].update(module=3),
    "with kinds that are none": lambda it: it.update(not_counted=3),
    "of another input": lambda it: it.update(input=[3, 9, 9]),
    "of another batch": lambda it: it.update(batch=2),
    "of another convention": lambda it: it.update(convention="nosuch"),
    "without heads": lambda it: it.update(auxiliary_heads=False),
    "of a step": lambda it: it.update(training_step=True),
}


@pytest.mark.parametrize("change", CHANGES)
def test_a_file_that_was_changed_is_refused_by_name(tmp_path: Path, change: str) -> None:
    file = written(tmp_path)
    content = json.loads(file.read_text())
    CHANGES[change](content)
    file.write_text(json.dumps(content))
    refused(file)


def refused(file: Path) -> str:
    """What is said of a file that is refused."""
    with pytest.raises(CostlabError) as error:
        costlab.budget(small, against=file, max_increase="1%")
    message = str(error.value)
    assert str(file) in message
    assert message.isprintable()
    return message


def test_a_file_that_is_cut_anywhere_is_refused(tmp_path: Path) -> None:
    file = written(tmp_path)
    content = file.read_bytes()
    for length in range(0, len(content) - 2, 97):
        file.write_bytes(content[:length])
        assert " is no JSON: " in refused(file)


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"null",
        b"[]",
        b"3",
        b'"x"',
        b"{}",
        b"\xff\xfe\x00",
        b"NaN",
        b"[" * 100_000,
        b"9" * 5000,
        b"a,b\n1,2\n",
    ],
)
def test_what_is_no_count_is_refused(tmp_path: Path, content: bytes) -> None:
    file = tmp_path / "reference.json"
    file.write_bytes(content)
    refused(file)


def test_what_is_no_file_or_too_large_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert refused(tmp_path).endswith("is no file: name one that costlab count -f json wrote")
    assert refused(tmp_path / "nosuch.json").endswith("there is no such file")
    assert "is no file: name one" in refused(Path("/dev/zero"))
    loop = tmp_path / "loop.json"
    loop.symlink_to(loop)
    refused(loop)
    file = written(tmp_path)
    monkeypatch.setattr(count_file, "MOST_BYTES", file.stat().st_size - 1)
    assert "is larger than " in refused(file)


def test_which_names_are_those_of_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for name in ("stem", "counts", "here.txt", "nets.py"):
        (tmp_path / name).write_text("")
    (tmp_path / "folder").mkdir()
    assert [*map(is_file_name, ("counts", "here.txt", "folder", "nosuch.json", "X.JSON", "a/b.json"))] == [
        True
    ] * 6
    others = ("stem", "nets.py", "nets.py:net", "nosuch", "pkg.module:net", "", "\0", "a" * 5000, "stem:n=3")
    assert not any(map(is_file_name, others))
