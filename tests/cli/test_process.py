"""The command as a process: what it imports, how it ends, what it prints where."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

HEAVY = {"torch", "numpy", "sympy", "pandas", "matplotlib", "fvcore"}
ENTRY = "import sys; from costlab.cli.main import main; sys.argv[0] = 'costlab'; main()"
LISTING = (
    "import sys, atexit; atexit.register(lambda: print(*sorted(sys.modules), file=sys.stderr)); " + ENTRY
)


def execute(*args: str, code: str = ENTRY, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", code, *args],
        capture_output=True,
        text=True,
        check=False,
        encoding="utf-8",
        env=os.environ | {"PYTHONUTF8": "1"} | environment,
    )


@pytest.mark.parametrize(
    "args",
    [
        ["--help"],
        ["list"],
        ["count", "--help"],
        ["count", "inception_v3"],
        ["count", "inception_v3:width=0.5", "--by", "kind", "--format", "json"],
        ["count", "inception_v3", "--format", "markdown"],
    ],
)
def test_counting_imports_nothing_heavy(args: list[str]) -> None:
    done = execute(*args, code=LISTING)
    assert done.returncode == 0
    assert done.stdout
    loaded = {name.partition(".")[0] for name in done.stderr.split()}
    assert "costlab" in loaded
    assert not loaded & HEAVY


def test_importing_the_package_imports_nothing_heavy() -> None:
    code = "import sys, costlab; costlab.count('inception_v3'); print(*sys.modules)"
    loaded = set(
        subprocess.run(
            [sys.executable, "-c", code], capture_output=True, text=True, check=True
        ).stdout.split()
    )
    assert not loaded & HEAVY


def test_the_console_script_is_installed() -> None:
    script = Path(sys.executable).with_name("costlab")
    done = subprocess.run([script, "count", "stem"], capture_output=True, text=True, check=False)
    assert done.returncode == 0
    assert "1,340,779,616" in done.stdout


def test_as_a_module() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "costlab", "--version"], capture_output=True, text=True, check=False
    )
    assert done.stdout.startswith("costlab, version")


def test_a_foreign_blocks_file_in_the_working_folder_is_named(tmp_path: Path) -> None:
    (tmp_path / "blocks.py").write_text("mine = 1\n")
    done = subprocess.run(
        [sys.executable, "-m", "costlab", "count", "stem"],
        capture_output=True,
        text=True,
        check=False,
        cwd=tmp_path,
    )
    assert done.returncode == 2
    assert "blocks.py hides the package 'blocks' that comes with costlab: rename it" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_closed_pipe_is_no_traceback() -> None:
    command = f'"{sys.executable}" -m costlab count inception_v3 -d 9 | head -1'
    done = subprocess.run(command, shell=True, capture_output=True, text=True, check=False)
    assert done.stdout == "inception_v3, input 3x299x299, batch 1\n"
    assert done.stderr == ""


def test_a_terminal_that_knows_only_ascii() -> None:
    done = execute("count", "stem", PYTHONUTF8="0", PYTHONIOENCODING="ascii")
    assert done.returncode == 0
    assert done.stdout.isascii()
    assert "1,340,779,616" in done.stdout
