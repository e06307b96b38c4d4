"""What is marked slow is run by one of the commands that run all of it."""

import re
from pathlib import Path

ROOT = Path(__file__).parents[1]


def test_what_is_slow_is_run_by_make() -> None:
    targets = re.split(r"^(?=[a-z]+:)", (ROOT / "Makefile").read_text("utf-8"), flags=re.MULTILINE)
    complete = " ".join(target for target in targets if "-m ''" in target)
    run = [ROOT / path for path in re.findall(r"\btests/[\w/.]+", complete)]
    slow = re.compile(r"^(?!from).*(one_in\(|mark\.slow)", re.MULTILINE)
    files = [file for file in (ROOT / "tests").rglob("test_*.py") if slow.search(file.read_text("utf-8"))]
    left = [file for file in files if not any(file.is_relative_to(path) for path in run)]
    assert not left
    assert len(files) > 20
