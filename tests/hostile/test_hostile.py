"""Hostile targets, options, files and records: each ends in one line, and leaves everything as it was.

A case is drawn from the seed and its own number, so that its name is enough to draw it again:
``HOSTILE_SEED=3 HOSTILE_EXAMPLES=2000 pytest tests/hostile -k targets-17``.
"""

import os
from collections.abc import Callable
from pathlib import Path
from random import Random

import pytest

from costlab.cli.main import COMMANDS
from tests.hostile import budgets, files, graphs, lint, options, processes, records, targets
from tests.hostile.case import Case
from tests.hostile.judge import Place, judge

SEED = os.environ.get("HOSTILE_SEED", "0")
EXAMPLES = int(os.environ.get("HOSTILE_EXAMPLES", "100"))
KINDS: dict[str, tuple[Callable[[Random], Case], int]] = {
    "targets": (targets.draw, 37),
    "graphs": (graphs.draw, 3),
    "options": (options.draw, 27),
    "records": (records.draw, 19),
    "budgets": (budgets.draw, 4),
    "lint": (lint.draw, 1),
    "files": (files.draw, 7),
    "processes": (processes.draw, 2),
}
"""How a case of each kind is drawn, and the share that it has, in percent."""
CASES = [(kind, number) for kind, (_, share) in KINDS.items() for number in range(EXAMPLES * share // 100)]


@pytest.mark.parametrize(("kind", "number"), CASES, ids=[f"{kind}-{number}" for kind, number in CASES])
def test_a_hostile_case(
    kind: str,
    number: int,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    case = KINDS[kind][0](Random(f"{SEED} {kind} {number}"))
    judge(case, Place(tmp_path, monkeypatch), capsys)


def test_every_option_has_wrong_values() -> None:
    """And an option that nobody thought of yet is a `KeyError` of the generator."""
    valued = [each for name in options.BASE for each in options.options_of(name) if not each.is_flag]
    assert {options.long_name(each) for each in valued} == options.WRONG.keys()
    assert options.BASE.keys() == COMMANDS.keys()
