"""The audit notices what moves: definitions changed on disk, broken ones, outcomes recorded otherwise."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from costlab.errors import TargetError
from costlab.paper import MISSION, verify
from costlab.paper.audit import mission_claims
from tests.sampling import one_in

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
    lines = [line.partition(": ") for line in done.stderr.splitlines() if ": moved " in line]
    return {name.removesuffix(" (?)") for names, _, _ in lines for name in names.split(", ")}


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
        "multi-crop",
        "nxn",
    }
    assert "budget-madds: multiply-adds: moved from close at 5713216096 to close at 57" in done.stderr


@pytest.mark.parametrize(
    ("file", "before", "after", "claims"),
    one_in(
        2,
        [
            ("blocks/googlenet.py", "(64, 96, 128, 16, 32, 32)", "(64, 96, 128, 16, 33, 32)", {"table-3"}),
            ("blocks/alexnet.py", "scale(96, width), 11", "scale(98, width), 11", {"vgg-params"}),
            ("blocks/vgg.py", "(2, 2, 4, 4, 4)", "(2, 2, 4, 4, 3)", {"vgg-params", "cost-vs-vgg"}),
            ("blocks/prelu_net.py", "((384, 6),", "((385, 6),", {"vs-he-cost", "vs-he-params"}),
            ("costlab/paper/published.py", '"4.94"', '"4.95"', {"ensemble"}),
            ("blocks/ablations/inference_budget.py", '"6.67"', '"6.76"', {"ensemble", "multi-crop"}),
            ("blocks/ablations/inference_budget.py", '"21.6"', '"21.5"', {"table-3"}),
            (
                "blocks/ablations/inference_budget.py",
                '"26.8", None, "1.5"',
                '"26.8", None, "1.6"',
                {"table-3"},
            ),
            (
                "blocks/table_1.py",
                "modules_17: int = 5",
                "modules_17: int = 6",
                {"budget-madds", "budget-params"},
            ),
            (
                "blocks/table_1.py",
                "conv(scale(288, width), 3)",
                "conv(scale(280, width), 3)",
                {"budget-madds"},
            ),
            ("blocks/ablations/inference_budget.py", "_googlenet(144)", "_googlenet(143)", {"multi-crop"}),
        ],
        several=True,
    ),
)
def test_other_changes(copied: Path, file: str, before: str, after: str, claims: set[str]) -> None:
    change(copied, file, before, after)
    done = run(copied, "two-3x3", *claims)
    assert done.returncode == 1
    assert moved(done) == claims


def test_a_definition_that_does_not_join_is_told_and_the_rest_is_still_audited(copied: Path) -> None:
    strided, plain = 'conv(inner, 3, stride=2, padding="valid"),', "conv(inner, 3),"
    change(copied, "blocks/reduction.py", strided, plain)
    done = run(copied)
    assert done.returncode == 1
    message = (
        ": cannot be recomputed: mixed_7a: branches do not join: b3x3 gives 320x8x8, b7x7x3 gives 192x17x17\n"
    )
    assert done.stderr.startswith("budget-madds, budget-params, weight-per-activation, nxn, ")
    assert message in done.stderr
    assert moved(done) == set()
    assert "28%" in done.stdout


def test_nothing_is_recorded_where_something_is_broken(copied: Path) -> None:
    change(copied, "blocks/vgg.py", "    parts: dict[str, Block] = {}", "    raise KeyError('vgg')")
    done = subprocess.run(
        [sys.executable, "-m", "costlab.paper"],
        capture_output=True,
        text=True,
        check=False,
        cwd=copied,
        env=os.environ | {"PYTHONPATH": str(copied), "PYTHONUTF8": "1"},
    )
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith("nothing is recorded: vgg-params cannot be recomputed: KeyError: 'vgg'")
    assert done.stderr.count("\n") == 1


def test_strict_fails_where_one_of_the_five_falls(copied: Path) -> None:
    inner = "inner, outer = scale(channels, width), "
    change(copied, "blocks/inception.py", f"{inner}scale(192, width)", f"{inner}scale(292, width)")
    done = run(copied, "two-3x3", "--strict")
    assert done.returncode == 1
    assert moved(done) == set()
    assert "strict: budget-madds does not stand: differs" in done.stderr
    assert "strict: budget-params does not stand: differs" in done.stderr
    assert "strict: two-3x3" not in done.stderr


def test_a_definition_that_is_no_longer_unverified_is_told(copied: Path) -> None:
    source = (copied / "blocks/prelu_net.py").read_text()
    (copied / "blocks/prelu_net.py").write_text(source.replace(", unverified=True", ""))
    done = run(copied, "vs-he-cost", "vs-he-params", "vs-bn-inception")
    assert done.returncode == 1
    assert "vs-he-cost, vs-he-params: unverified: moved from True to False" in done.stderr
    assert moved(done) == {"vs-he-cost", "vs-he-params"}


def test_what_is_stated_cannot_be_changed_unseen(copied: Path) -> None:
    change(copied, "costlab/paper/claims/network.py", 'Printed("layers", "42")', 'Printed("layers", "43")')
    done = run(copied, "depth")
    assert done.returncode == 1
    assert "depth: layers: is stated as 43, and was as 42" in done.stderr


@pytest.mark.parametrize(
    ("file", "before", "after", "message"),
    [
        (
            "blocks/vgg.py",
            "    parts: dict[str, Block] = {}",
            "    parts: dict[str, Block] = {}['vgg']",
            "vgg-params, cost-vs-vgg: cannot be recomputed: KeyError: 'vgg' (blocks/vgg.py, line 38)",
        ),
        (
            "blocks/vgg.py",
            "    parts: dict[str, Block] = {}",
            "    raise SystemExit(0)",
            "vgg-params, cost-vs-vgg: cannot be recomputed: SystemExit: 0 (blocks/vgg.py, line 38)",
        ),
        (
            "blocks/prelu_net.py",
            "    parts: dict[str, Block] = {",
            "    parts: dict[str, Block] = [] and {",
            "vs-he-cost (?), vs-he-params (?): cannot be recomputed: TypeError:",
        ),
        (
            "blocks/googlenet.py",
            'large = 5 if branch_5x5 == "5x5" else 3',
            "large = 3",
            "two-3x3-alpha: cannot be recomputed: googlenet has no 5x5 convolution",
        ),
        (
            "blocks/ablations/inference_budget.py",
            '"BN-Inception": (',
            '"BN-inception": (',
            "vs-bn-inception: cannot be recomputed: inference_budget",
        ),
    ],
)
def test_whatever_a_definition_raises_the_rest_is_audited(
    copied: Path, file: str, before: str, after: str, message: str
) -> None:
    change(copied, file, before, after)
    if "BN-inception" in after:
        source = (copied / file).read_text()
        (copied / file).write_text(source.replace('after="BN-Inception")', 'after="BN-inception")'))
    broken = message.partition(": ")[0].replace(" (?)", "").split(", ")
    done = run(copied, *broken, "depth", "two-3x3")
    assert done.returncode == 1
    assert message in done.stderr
    assert "Traceback" not in done.stderr
    assert "two-3x3 " in done.stdout
    assert "depth" not in moved(done)
    assert "make record" not in done.stderr


def test_claims_are_asked_for_by_id_in_any_order_and_once() -> None:
    reported: list[str] = []
    claims = verify("two-2x2", "asymmetric", "two-2x2", progress=reported.append)
    assert [audited.claim.id for audited in claims] == ["two-2x2", "asymmetric"]
    assert reported == ["two-2x2", "asymmetric"]
    assert [audited.claim.id for audited in mission_claims()] == list(MISSION)


@pytest.mark.parametrize("name", ["budget", "", "Two-3x3", ["budget-madds"], None])
def test_an_unknown_claim(name: str) -> None:
    with pytest.raises(TargetError, match=re.escape(f"there is no claim {name!r}")):
        verify(name)
