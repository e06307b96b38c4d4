"""The command as a process: what it imports, how it ends, what it prints where."""

import fcntl
import json
import os
import pty
import signal
import struct
import subprocess
import sys
import termios
from contextlib import suppress
from pathlib import Path

import pytest

HEAVY = {"torch", "numpy", "sympy", "pandas", "matplotlib", "fvcore", "rich", "costlab.paper"}
COUNTING = {
    "costlab": {"errors", "interrupts", "messages"},
    "costlab.algebra": {
        *("block", "combine", "define", "dim", "inputs", "misfits", "parameter", "ratio", "saved", "several"),
        *("shape", "window", "work"),
    },
    "costlab.algebra.ops": {
        *("activation", "convolution", "elementwise", "linear", "normalization", "pooling"),
        *("regularization", "reshape"),
    },
    "costlab.targets": {"catalog", "like", "resolve", "target", "torch_module"},
    "costlab.counting": {"count", "marks", "overview", "row"},
    "costlab.report": {"cell", "table", "text"},
    "costlab.report.tables": {"count"},
    "costlab.cli": {"convention", "count", "inputs", "lazy", "main", "output", "streams", "tables"},
}
"""The rooms of costlab, and what is in them, that a count of a definition may load."""
NOT_COUNTING = {
    *("csv", "fractions", "importlib.metadata", "json", "multiprocessing", "pathlib", "shutil", "textwrap"),
    "tomllib",
}
"""What takes a start milliseconds and is none of a count's business."""
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
        ["train", "--help"],
        ["count", "--help"],
        ["explore", "--help"],
        ["explore", "inception_v3"],
        ["count", "inception_v3"],
        ["count", "inception_v3:width=0.5", "--by", "kind", "--format", "json"],
        ["count", "inception_v3", "--format", "markdown"],
        ["compare", "--ablation", "inference_budget"],
        ["budget", "stem", "--max-parameters", "1M", "--against", "stem", "--max-increase", "1%"],
    ],
)
def test_counting_imports_nothing_heavy(args: list[str]) -> None:
    done = execute(*args, code=LISTING)
    assert done.returncode == 0
    assert done.stdout
    loaded = set(done.stderr.split())
    assert "costlab" in loaded
    assert not loaded & HEAVY


@pytest.mark.parametrize("args", [["inception_v3"], ["inception_v3:width=0.5", "--by", "kind", "-b", "8"]])
def test_a_count_loads_these_rooms_and_no_others(args: list[str]) -> None:
    loaded = set(execute("count", *args, code=LISTING).stderr.split())
    known = {*COUNTING, *(f"{room}.{name}" for room, names in COUNTING.items() for name in names)}
    assert {name for name in loaded if name.partition(".")[0] == "costlab"} <= known
    assert not loaded & NOT_COUNTING


def test_importing_the_package_imports_nothing_heavy() -> None:
    code = "import sys, costlab; costlab.count('inception_v3'); print(*sys.modules)"
    loaded = set(
        subprocess.run(
            [sys.executable, "-c", code], capture_output=True, text=True, check=True
        ).stdout.split()
    )
    assert not loaded & HEAVY


def test_importing_the_package_loads_none_of_its_rooms() -> None:
    """Nor do the operations, whose names are asked of their room only where somebody wants them."""
    code = "import sys, costlab; print(*(name for name in sys.modules if name.startswith('costlab.')))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "\n"


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
        env=os.environ | {"PYTHONSAFEPATH": ""},
    )
    assert done.returncode == 2
    assert "blocks.py hides the package 'blocks' that comes with costlab: rename it" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_closed_pipe_is_no_traceback() -> None:
    command = f'"{sys.executable}" -m costlab count inception_v3 -d 9 | head -1'
    done = subprocess.run(command, shell=True, capture_output=True, text=True, check=False)
    assert done.stdout == "inception_v3, input 3x299x299, batch 1\n"
    assert done.stderr == ""


def shell(command: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """A shell's command with ``costlab`` in it."""
    return subprocess.run(
        ["bash", "-c", command.replace("costlab", f"'{sys.executable}' -m costlab")],
        capture_output=True,
        text=True,
        check=False,
        encoding="utf-8",
        errors="surrogateescape",
        env=os.environ | {"PYTHONUTF8": "1"} | environment,
    )


def test_a_closed_pipe_is_no_failed_check() -> None:
    done = shell("costlab count inception_v3 -d 9 -f json | true; echo ${PIPESTATUS[0]}")
    assert done.stdout in (f"{128 + signal.SIGPIPE}\n", "0\n")


def test_streams_that_are_open_already_are_written_to(tmp_path: Path) -> None:
    assert "1,340,779,616" in shell("costlab count stem -o /dev/stdout | cat").stdout
    assert "1,340,779,616" in shell("costlab count stem -o >(cat)").stdout
    file = tmp_path / "out.txt"
    done = shell(f"(echo before; costlab count stem -o /dev/stdout; echo after) > '{file}'")
    assert done.stderr == ""
    alone = shell("costlab count stem").stdout
    assert file.read_text() == f"before\n{alone}after\n"
    done = shell("costlab count inception_e:width=0.05 -f json --check -o /dev/stdout")
    assert json.loads(done.stdout)["rows"]
    assert shell("costlab count stem -o /dev/stderr").stderr == alone
    done = shell(f"exec 3> '{file}'; echo before >&3; costlab count stem -o /dev/fd/3; echo after >&3")
    assert (done.stdout, done.stderr) == ("", "")
    assert file.read_text() == f"before\n{alone}after\n"


def test_names_that_the_terminal_lacks(tmp_path: Path) -> None:
    (tmp_path / "名.py").write_text("from costlab.algebra import ReLU\nnet = ReLU()\n")
    done = shell(f"cd '{tmp_path}'; costlab count 名.py:net -i 3", PYTHONIOENCODING="latin-1")
    assert done.returncode == 0
    assert done.stdout.startswith("\\u540d.py:net, input 3")
    done = shell(f"cd '{tmp_path}'; cp 名.py $'b\\xff.py'; costlab count $'b\\xff.py:net' -i 3 -o out.json")
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize(
    ("settings", "bold"), [({}, True), ({"NO_COLOR": "1"}, False), ({"TERM": "dumb"}, False)]
)
@pytest.mark.parametrize("args", [["count", "stem"], ["list"]])
def test_colors_on_a_terminal(args: list[str], settings: dict[str, str], bold: bool) -> None:
    shown = on_a_terminal(args, 100, {"TERM": "xterm"} | settings)
    assert ("\x1b[1m" in shown) == bold


def test_a_narrow_terminal_and_the_spinner() -> None:
    shown = on_a_terminal(["count", "inception_v3"], 60, {"NO_COLOR": "1"})
    assert "5,713,216,096" in shown
    assert all(len(line) <= 60 for line in shown.splitlines())
    checked = on_a_terminal(["count", "inception_e:width=0.05", "--check"], 100, {"TERM": "xterm"})
    assert "loading PyTorch and fvcore" in checked  # what comes after may be over before it is drawn
    assert checked.count("agreed on 43 modules") == 11


def on_a_terminal(args: list[str], columns: int, settings: dict[str, str]) -> str:
    """What the command shows on a terminal of that width."""
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 40, columns, 0, 0))
    environment = {name: value for name, value in os.environ.items() if name not in ("NO_COLOR", "COLUMNS")}
    child = subprocess.Popen(
        [sys.executable, "-m", "costlab", *args],
        stdout=theirs,
        stderr=theirs,
        env=environment | {"PYTHONUTF8": "1"} | settings,
    )
    os.close(theirs)
    shown = b""
    with suppress(OSError):  # a terminal that the last process has left
        while part := os.read(ours, 65536):
            shown += part
    os.close(ours)
    assert child.wait() == 0
    return shown.decode()


def test_a_terminal_that_knows_only_ascii() -> None:
    done = execute("count", "stem", PYTHONUTF8="0", PYTHONIOENCODING="ascii")
    assert done.returncode == 0
    assert done.stdout.isascii()
    assert "1,340,779,616" in done.stdout
