"""The audit notices what moves: definitions changed on disk, broken ones, outcomes recorded otherwise."""

import os
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from costlab.errors import DefinitionError, TargetError
from costlab.paper import CLAIMS, MISSION, Claim, verify
from costlab.paper import audit as auditing
from costlab.paper.recorded import FILE, Recorded, recorded, written
from costlab.paper.stated import Printed, Value, Verdict
from costlab.paper.working import Working

ROOT = Path(__file__).parents[2]


@pytest.fixture
def copied(tmp_path: Path) -> Path:
    """The two packages in a folder of their own, to be changed."""
    for package in ("costlab", "blocks"):
        shutil.copytree(ROOT / package, tmp_path / package, ignore=shutil.ignore_patterns("__pycache__"))
    return tmp_path


def change(folder: Path, file: str, before: str, after: str) -> None:
    source = (folder / file).read_text()
    assert source.count(before) == 1
    (folder / file).write_text(source.replace(before, after))


def run(folder: Path, *args: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "costlab", "verify", *args],
        capture_output=True,
        text=True,
        check=False,
        cwd=folder,
        env=os.environ | {"PYTHONPATH": str(folder), "PYTHONUTF8": "1"},
    )


def moved(done: subprocess.CompletedProcess[str]) -> set[str]:
    return {line.partition(",")[0] for line in done.stderr.splitlines() if ": moved: " in line}


def test_an_untouched_copy_is_as_recorded(copied: Path) -> None:
    done = run(copied)
    assert (done.returncode, done.stderr) == (0, "")


def test_a_changed_channel_count_makes_it_fail_with_the_claims_that_moved(copied: Path) -> None:
    """One module's 96 channels become 97: no verdict changes, and yet it does not pass."""
    change(
        copied,
        "blocks/inception.py",
        "conv(scale(64, width), 1), *pair(scale(96, width), pair_3x3)",
        "conv(scale(64, width), 1), *pair(scale(97, width), pair_3x3)",
    )
    done = run(copied)
    assert done.returncode == 1
    # Whatever counts Inception v3, and nothing else.
    assert moved(done) == {
        "budget-madds",
        "budget-params",
        "doubling",
        "cost-vs-googlenet",
        "cost-vs-vgg",
        "receptive-field",
        "resize-16x",
        "table-3",
        "vs-bn-inception",
        "vs-he-cost",
        "vs-he-params",
    }
    assert "budget-madds, multiply-adds: moved: close with 5713216096, now close with 57" in done.stderr


@pytest.mark.parametrize(
    ("file", "before", "after", "claims"),
    [
        ("blocks/googlenet.py", "(64, 96, 128, 16, 32, 32)", "(64, 96, 128, 16, 33, 32)", {"table-3"}),
        ("blocks/alexnet.py", "scale(96, width), 11", "scale(98, width), 11", {"vgg-params"}),
        ("blocks/vgg.py", "(2, 2, 4, 4, 4)", "(2, 2, 4, 4, 3)", {"vgg-params", "cost-vs-vgg"}),
        ("blocks/prelu_net.py", "((384, 6),", "((385, 6),", {"vs-he-cost", "vs-he-params"}),
        ("blocks/inference_budget.py", '"3.58"', '"3.59"', {"ensemble"}),
        ("costlab/paper/reported.py", '"4.94"', '"4.95"', {"ensemble"}),
    ],
)
def test_other_changes(copied: Path, file: str, before: str, after: str, claims: set[str]) -> None:
    change(copied, file, before, after)
    done = run(copied)
    assert done.returncode == 1
    assert claims <= moved(done)
    assert "two-3x3" not in moved(done)


def test_a_definition_that_does_not_join_is_told_and_the_rest_is_still_audited(copied: Path) -> None:
    strided, plain = 'conv(inner, 3, stride=2, padding="valid"),', "conv(inner, 3),"
    change(copied, "blocks/reduction.py", strided, plain)
    done = run(copied)
    assert done.returncode == 1
    assert (
        "budget-madds cannot be recomputed: mixed_7a: branches do not join: b3x3 gives 320x8x8, "
        "b7x7x3 gives 192x17x17\n"
    ) in done.stderr
    assert moved(done) == set()
    assert "28%" in done.stdout


def test_strict_fails_where_one_of_the_five_falls(copied: Path) -> None:
    inner = "inner, outer = scale(channels, width), "
    change(copied, "blocks/inception.py", f"{inner}scale(192, width)", f"{inner}scale(292, width)")
    done = run(copied, "two-3x3", "--strict")
    assert done.returncode == 1
    assert moved(done) == set()
    assert "strict: budget-madds does not stand: differs" in done.stderr
    assert "strict: budget-params does not stand: differs" in done.stderr
    assert "strict: two-3x3" not in done.stderr


def test_the_record_is_what_is_found_and_reads_back() -> None:
    outcomes = {each.claim.id: [outcome.found for outcome in each.outcomes] for each in verify()}
    assert FILE.read_text("utf-8") == written(outcomes)
    assert {name: list(figures) for name, figures in recorded().items()} == outcomes
    assert set(tomllib.loads(FILE.read_text("utf-8"))) == {"figures"}


def test_a_record_is_never_what_is_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    lie = {"budget-params": (Recorded(Verdict.EXACT, "1"),)}
    monkeypatch.setattr(auditing, "recorded", lambda: lie)
    (each,) = verify("budget-params")
    assert each.outcomes[0].value == 23_834_568
    assert each.moved == each.outcomes
    (other,) = verify("budget-madds")
    assert other.moved[0].expected is None


def test_claims_are_asked_for_by_id_in_any_order_and_once() -> None:
    told: list[str] = []
    audited = verify("two-2x2", "asymmetric", "two-2x2", progress=told.append)
    assert [each.claim.id for each in audited] == ["two-2x2", "asymmetric"]
    assert told == ["two-2x2", "asymmetric"]
    assert [each.claim.id for each in auditing.mission()] == list(MISSION)


@pytest.mark.parametrize("name", ["budget", "", "Two-3x3"])
def test_an_unknown_claim(name: str) -> None:
    with pytest.raises(TargetError, match=f"there is no claim {name!r}"):
        verify(name)


def test_a_recomputation_that_gives_too_few_values_is_no_outcome(monkeypatch: pytest.MonkeyPatch) -> None:
    def short(work: Working) -> list[Value]:
        return []

    monkeypatch.setitem(CLAIMS, "short", Claim("short", "1", "Short.", (Printed("", "1"),), short))
    with pytest.raises(ValueError, match="zip"):
        verify("short")


def test_what_cannot_be_recomputed_differs(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(work: Working) -> list[Value]:
        raise DefinitionError("it is broken")

    monkeypatch.setitem(CLAIMS, "broken", Claim("broken", "1", "Broken.", (Printed("", "1"),), broken))
    (each,) = verify("broken")
    assert (each.verdict, each.problem, each.stands) == (Verdict.DIFFERS, "it is broken", False)
    assert each.outcomes[0].deviation is None
