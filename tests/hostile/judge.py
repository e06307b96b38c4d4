"""The judge: how a command ended, what it said, and that it left everything as it was."""

import hashlib
import importlib
import json
import os
import resource
import signal
import stat
import subprocess
import sys
import tempfile
import threading
import time
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from costlab.cli.main import main
from tests.hostile.case import Case

SECONDS = 10
"""Of a processor, that a command may take."""
GIVEN_UP = 30
MEMORY = 2**30
"""Bytes that a command may take beyond what others took."""
LONGEST = 1_600
"""Signs of a message at most, the name of the folder among them."""
WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND
ON_PATHS = (
    "os.mkdir",
    "os.remove",
    "os.rename",
    "os.rmdir",
    "os.link",
    "os.symlink",
    "os.chmod",
    "os.truncate",
)
NEVER = (
    "pickle.find_class",
    "socket.connect",
    "os.system",
    "os.exec",
    "os.posix_spawn",
    "os.spawn",
    "webbrowser.open",
)
CACHE = "torchinductor_"
"""The beginning of the name of a folder that torch makes for itself."""
HEAVY = (
    "torch",
    "sympy",
    "pandas",
    "matplotlib.pyplot",
    "optuna",
    "sqlalchemy",
    "costlab.report.figure",
    "PIL.Image",
)
"""What is imported first, so that no case is charged for it."""


class Ended(NamedTuple):
    """How a command ended."""

    code: object
    out: str
    err: str
    seconds: float = 0.0


class Audit:
    """What Python's hooks tell of files that are written, code that is unpickled, processes, connections."""

    def __init__(self) -> None:
        self.root: Path | None = None
        self.asked = ""
        self.seen: list[str] = []
        sys.addaudithook(self._note)

    def _note(self, event: str, args: tuple[Any, ...]) -> None:
        if self.root is None:
            return
        if event in NEVER or (event == "subprocess.Popen" and args[0] != "git"):
            self.seen.append(f"{event} {args!r:.200}")
        elif event in ON_PATHS or (event == "open" and isinstance(args[2], int) and args[2] & WRITING):
            for path in args[: 2 if event in ("os.rename", "os.link") else 1]:
                if isinstance(path, str | bytes | Path) and not self._is_inside(os.fsdecode(path)):
                    self.seen.append(f"{event} {os.fsdecode(path)!r}")

    def _is_inside(self, path: str) -> bool:
        whole = os.path.realpath(path) if "\0" not in path else path
        if "__pycache__" in path:  # a module that is imported for the first time is kept compiled
            return True
        if self.asked and (path in self.asked or str(Path(path).parent) in self.asked):
            return True
        return whole.startswith((f"{self.root}/", "/dev/", "/proc/self/fd/"))

    @contextmanager
    def watching(self, root: Path, asked: str) -> Iterator[None]:
        """Note what happens outside of a folder, but where it was asked to, and what may happen nowhere."""
        self.root, self.asked, self.seen = root, asked, []
        try:
            yield
        finally:
            self.root = None


_audit: list[Audit] = []


def audit() -> Audit:
    """The one of this process: a hook stays for good."""
    if not _audit:
        for name in HEAVY:
            importlib.import_module(name)
        _audit.append(Audit())
    return _audit[0]


class Place:
    """A working folder with folders above it, a home and a folder for temporary files, all watched."""

    def __init__(self, root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.root = root.resolve()
        self.work = self.root / "above" / "of" / "work"
        for folder in (self.work, self.root / "home", self.root / "tmp"):
            folder.mkdir(parents=True)
        (self.root / "precious").write_text("mine")
        (self.root / "above" / "precious").write_text("mine")
        monkeypatch.chdir(self.work)
        monkeypatch.setenv("TMPDIR", str(self.root / "tmp"))
        for name in ("HOME", "XDG_CACHE_HOME", "XDG_CONFIG_HOME"):
            monkeypatch.setenv(name, str(self.root / "home"))
        monkeypatch.setattr(tempfile, "tempdir", None)

    def snapshot(self) -> dict[str, tuple[Any, ...]]:
        """Everything below the root: what it is, and its content."""
        return {str(each.relative_to(self.root)): _state(each) for each in self._all()}

    def _all(self) -> Iterator[Path]:
        for place, folders, files in os.walk(self.root):
            yield from (Path(place, name) for name in (*folders, *files) if not name.startswith(CACHE))


def _state(path: Path) -> tuple[Any, ...]:
    status = path.lstat()
    if stat.S_ISLNK(status.st_mode):
        return "link", str(path.readlink())
    if not stat.S_ISREG(status.st_mode):
        return (stat.S_IFMT(status.st_mode), stat.S_IMODE(status.st_mode))
    if status.st_size > 2**24 or not status.st_mode & stat.S_IRUSR:
        return "file", status.st_mode, status.st_size, status.st_mtime_ns
    return "file", status.st_mode, status.st_mtime_ns, hashlib.sha256(path.read_bytes()).hexdigest()


def process_state() -> dict[str, Any]:
    """What a command run in this process leaves as it was."""
    import torch

    return {
        "path": list(sys.path),
        "folder": Path.cwd(),
        # torch sets variables for its compiler, as soon as an optimizer or what measures has loaded it.
        "environment": {k: v for k, v in os.environ.items() if not k.startswith("TORCHINDUCTOR_")},
        "streams": (sys.stdout, sys.stderr, sys.stdin),
        "modules": {name: id(module) for name, module in sys.modules.items()},
        "signals": {name: signal.getsignal(name) for name in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)},
        "threads": set(threading.enumerate()),
        "torch": (torch.get_default_dtype(), torch.is_grad_enabled(), torch.get_default_device()),
        "random": bytes(torch.get_rng_state().numpy()),
        "limit": sys.getrecursionlimit(),
        "warnings": list(warnings.filters),
    }


def assert_process_as_it_was(before: dict[str, Any], case: Case) -> None:
    """New modules are the user's code, which Python keeps; all else is as it was."""
    after = process_state()
    of_code = {"random"} if case.files else set()  # making a layer draws its weights
    changed = [name for name in before.keys() - {"modules"} - of_code if before[name] != after[name]]
    assert not changed, (
        f"{case}: {changed} changed: {[(before[name], after[name]) for name in changed]!r:.500}"
    )
    gone = [name for name, known in before["modules"].items() if after["modules"].get(name) != known]
    assert not gone, f"{case}: modules replaced: {gone}"


def in_process(case: Case, capsys: pytest.CaptureFixture[str]) -> Ended:
    """The command, called in this process; one that hangs is interrupted."""

    def give_up(*_: object) -> None:
        raise KeyboardInterrupt

    previous = signal.signal(signal.SIGALRM, give_up)
    signal.alarm(GIVEN_UP)
    began = time.process_time()
    try:
        main(case.words)
        code: object = "none"
    except SystemExit as stop:
        code = stop.code
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, previous)
    return Ended(code, *capsys.readouterr(), time.process_time() - began)


def in_a_process(case: Case) -> Ended:
    """The command as a process, without standard input."""
    clone = str(Path(__file__).parents[2])
    words = [word.encode("utf-8", "surrogateescape") for word in case.words]
    done = subprocess.run(
        [os.fsencode(sys.executable), b"-P", b"-m", b"costlab", *words],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        check=False,
        timeout=GIVEN_UP,
        env=os.environ | {"PYTHONPATH": clone, "PYTHONUTF8": "1", "PYTHONDONTWRITEBYTECODE": "1"},
    )
    out, err = (each.decode("utf-8", "surrogateescape") for each in (done.stdout, done.stderr))
    return Ended(done.returncode, out, err)


def judge(case: Case, place: Place, capsys: pytest.CaptureFixture[str]) -> Ended:
    """Run a case, and hold it against everything that every command owes."""
    for name, made in case.files.items():
        file = place.work / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(made) if isinstance(made, bytes) else made(file)
    watched = audit()
    before, state = place.snapshot(), process_state()
    held = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    if case.alone:
        ended = in_a_process(case)
    else:
        with watched.watching(place.root, " ".join(word for word in case.words if "/proc/" in word)):
            ended = in_process(case, capsys)
    taken = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - held) * 1024
    told = f"{case} [{ended.code}] {ended.err[:1000]!r}"
    assert ended.code in case.codes, told
    assert "Traceback" not in ended.err + ended.out, told
    assert ended.seconds < SECONDS, f"{told}\ntook {ended.seconds} s"
    assert taken < MEMORY, f"{told}\ntook {taken} bytes"
    assert watched.seen == [], f"{told}\n{watched.seen}"
    if not case.rude and not case.alone:
        assert_process_as_it_was(state, case)
    _judge_streams(case, ended, told)
    after = place.snapshot()
    moved = {name for name in before.keys() | after.keys() if before.get(name) != after.get(name)}
    work = place.work.relative_to(place.root)
    assert moved <= {str(work / name) for name in case.writes}, f"{told}\nfiles: {sorted(moved)}"
    return ended


def _judge_streams(case: Case, ended: Ended, told: str) -> None:
    if ended.code == 0:
        assert ended.out or case.writes, told
        if "json" in case.words:
            json.loads(ended.out)
        return
    if ended.code == 2:
        assert ended.out == "", told
        lines = [line for line in ended.err.split("\n")[:-1] if not line.startswith(("\0", *case.notes))]
        lines = [line for line in lines if line.startswith("costlab: ")] if case.rude else lines
        assert ended.err.endswith("\n"), told
        assert lines[-1].startswith("costlab: error: "), told
        assert len(lines) == 1, told
        assert lines[-1].isprintable(), told
        assert len(lines[-1]) <= LONGEST, told
        assert "a bug in costlab" not in ended.err, told
        assert case.names in lines[-1], told


Judge = Callable[[Case], Ended]
