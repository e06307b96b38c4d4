"""What the page of budgets shows for projects, tried: its table, its network, its workflow, its hook."""

import os
import re
import subprocess
import sys
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest

import costlab
from costlab.cli.main import cli
from tests.cli.conftest import Run

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "budget.md").read_text("utf-8")
DEFINITION = """
from costlab import AdaptiveAvgPool2d, Conv2d, Flatten, Linear, ReLU, block, seq

@block(input="3x32x32")
def net(width: int = 16):
    first = Conv2d(width, 3, stride=2, padding=1)
    second = Conv2d(4 * width, 3, stride=2, padding=1)
    return seq(first, ReLU(), second, AdaptiveAvgPool2d(1), Flatten(), Linear(10))
"""
"""The network of the page without PyTorch, which takes seconds to load."""


def shown(language: str, start: str) -> str:
    """The block of the page that begins so."""
    (block,) = re.findall(rf"```{language}\n({re.escape(start)}(?:.*\n)*?)```", PAGE)
    return str(block)


def test_the_project_that_is_written_there_is_within_its_budgets(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "pyproject.toml").write_text(shown("toml", "# pyproject.toml"))
    (tmp_path / "networks.py").write_text(shown("python", "# networks.py"))
    code, out, err = run("budget")
    assert (code, err) == (2, "costlab: error: large: reference.json: there is no such file\n")
    words = ("networks.py:net:width=64", "-i", "3x32x32", "-o", "reference.json")
    assert run("count", *words).code == 0
    code, out, err = run("budget")
    assert (code, err) == (0, "")
    assert out.startswith("3 budgets of pyproject.toml: all within\n")
    (tmp_path / "definition.py").write_text(DEFINITION)
    model, block = (costlab.count(f"{name}.py:net", "3x32x32").total for name in ("networks", "definition"))
    assert (model.multiply_adds, model.parameters) == (block.multiply_adds, block.parameters)


class Repository:
    """A repository with what the page shows, and the steps of its workflow."""

    def __init__(self, folder: Path) -> None:
        (steps,) = import_module("yaml").safe_load(shown("yaml", "name: budget"))["jobs"].values()
        self.scripts = [step["run"] for step in steps["steps"] if "run" in step]
        self.folder, self.summary = folder / "work", folder / "summary.md"
        self.bin = folder / "bin"
        for each in (self.folder, self.bin):
            each.mkdir()
        script = self.bin / "costlab"
        script.write_text(f'#!/bin/sh\nexec "{sys.executable}" -P -m costlab "$@"\n')
        script.chmod(0o755)
        (self.folder / "pyproject.toml").write_text(shown("toml", "# pyproject.toml"))
        (self.folder / "networks.py").write_text(DEFINITION)
        self.shell("git init -q -b main . && git add . && git commit -qm one")
        self.shell("git update-ref refs/remotes/origin/main main && git switch -qc change")

    def shell(self, script: str) -> "subprocess.CompletedProcess[str]":
        """A script, run as a step is."""
        return subprocess.run(
            ["bash", "-e", "-c", script],
            cwd=self.folder,
            capture_output=True,
            text=True,
            check=False,
            env=os.environ
            | {f"GIT_{who}_{what}": "a@b.c" for who in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")}
            | {
                "PATH": f"{self.bin}:{os.environ['PATH']}",
                "PYTHONPATH": str(ROOT),
                "GITHUB_WORKSPACE": str(self.folder),
                "GITHUB_BASE_REF": "main",
                "GITHUB_STEP_SUMMARY": str(self.summary),
            },
        )


def test_the_workflow_that_is_written_there_fails_where_something_grew(tmp_path: Path) -> None:
    repository = Repository(tmp_path)
    _, count_main, hold = repository.scripts
    network = repository.folder / "networks.py"
    network.write_text(DEFINITION.replace("second, Ada", "second, Conv2d(4 * width, 1), Ada"))
    for script, status in ((count_main, 0), (hold, 1)):
        done = repository.shell(script)
        assert done.returncode == status, done.stderr
    assert [line.split(" ")[:2] for line in done.stderr.splitlines()] == [
        ["large:", name] for name in ("multiply-adds", "parameters", "activations")
    ]
    summary = repository.summary.read_text()
    assert summary.startswith("**3 budgets of pyproject.toml: 1 over**")
    assert "| large | multiply-adds | +0.5% |" in summary
    network.write_text(DEFINITION)
    done = repository.shell(hold)
    assert (done.returncode, done.stderr) == (0, "")
    assert "all within" in repository.summary.read_text()


def test_the_hook_is_one_that_pre_commit_takes() -> None:
    manifest: Any = import_module("pre_commit.clientlib").load_manifest(str(ROOT / ".pre-commit-hooks.yaml"))
    (hook,) = [each for each in manifest if each["id"] == "costlab-budget"]
    name, *words = hook["entry"].split()
    assert (name, hook["pass_filenames"]) == ("costlab", False)
    assert hook["language"] in ("system", "unsupported")  # which is its name since pre-commit 4.4
    assert words[0] in cli.commands
    example = import_module("yaml").safe_load(shown("yaml", "# .pre-commit-config.yaml"))
    assert example["repos"][0]["hooks"] == [{"id": hook["id"]}]
