"""Requests to end that arrive where what they raise is swallowed, and what waits until it is whole."""

import os
import pty
import signal
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

import pytest

from costlab.files import PART
from costlab.interrupts import Unseen

HEAD = """
import os, signal, sys, time
from costlab import ReLU
net = ReLU()

def ask():
    os.kill(os.getpid(), signal.SIG{signal})

def mark():
    open("mark", "w").close()
"""
SWALLOWED = {
    "an except": """
        try:
            ask(); time.sleep(30)
        except BaseException:
            pass
    """,
    "an except, again and again": """
        for _ in range(4):
            try:
                ask(); time.sleep(0.3)
            except BaseException:
                pass
        time.sleep(30)
    """,
    "an except, before what takes long": """
        try:
            ask(); time.sleep(30)
        except BaseException:
            pass
        time.sleep(30)
    """,
    "another error": """
        try:
            ask(); time.sleep(30)
        except BaseException as error:
            raise ImportError("half of it") from None
    """,
    "an exit": """
        try:
            ask(); time.sleep(30)
        except BaseException:
            sys.exit(0)
    """,
    "a destructor": """
        class Gone:
            def __del__(self):
                ask(); time.sleep(0.01)
        Gone()
        time.sleep(30)
    """,
    "a weak reference": """
        import weakref
        class Gone: pass
        gone = Gone()
        reference = weakref.ref(gone, lambda _: (ask(), time.sleep(0.01)))
        del gone
        time.sleep(30)
    """,
    "a search for garbage": """
        import gc
        gc.callbacks.append(lambda *_: (ask(), time.sleep(0.01)))
        gc.collect()
        gc.callbacks.pop()
        time.sleep(30)
    """,
    "a function that C calls": """
        import ctypes
        back = ctypes.CFUNCTYPE(None)(lambda: (ask(), time.sleep(0.01), None)[2])
        back()
        time.sleep(30)
    """,
    "a thread that is waited for": """
        import threading
        thread = threading.Thread(target=lambda: (ask(), time.sleep(30)), daemon=True)
        thread.start()
        thread.join()
    """,
    "an import": """
        import importlib, pathlib
        pathlib.Path("inner.py").write_text("ask(); time.sleep(30)")
        import builtins
        builtins.ask, builtins.time = ask, time
        try:
            import inner
        except BaseException:
            pass
        time.sleep(30)
    """,
}
"""What a file of a user's does with a request that is made as it is loaded."""


def count(folder: Path, code: str, name: str = "TERM") -> subprocess.CompletedProcess[str]:
    lines = "\n".join(line.removeprefix(" " * 8) for line in code.splitlines())
    (folder / "net.py").write_text(HEAD.format(signal=name) + lines)
    return subprocess.run(
        [sys.executable, "-m", "costlab", "count", "net.py:net", "-i", "3x8x8"],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
        timeout=20,
    )


@pytest.mark.parametrize("place", SWALLOWED)
def test_a_request_that_is_swallowed_ends_the_command(place: str, tmp_path: Path) -> None:
    name = ("TERM", "INT", "HUP")[list(SWALLOWED).index(place) % 3]
    done = count(tmp_path, SWALLOWED[place], name)
    assert (done.returncode, done.stdout, done.stderr) == (130, "", "costlab: error: interrupted\n")


@pytest.mark.parametrize("more", ["", "ask(); "])
def test_clearing_up_is_not_interrupted(more: str, tmp_path: Path) -> None:
    """Neither by what is raised again, nor by further requests, which are impatience."""
    done = count(
        tmp_path, f"try:\n    ask(); time.sleep(30)\nfinally:\n    {more}time.sleep(0.5); {more}mark()"
    )
    assert (done.returncode, done.stdout, done.stderr) == (130, "", "costlab: error: interrupted\n")
    assert (tmp_path / "mark").exists()


def test_clearing_up_that_takes_too_long_is(tmp_path: Path) -> None:
    code = "import costlab.interrupts\ncostlab.interrupts.PATIENCE = 0.2\n"
    code += "try:\n    ask(); time.sleep(30)\nfinally:\n    time.sleep(0.4); ask(); mark()"
    done = count(tmp_path, code)
    assert (done.returncode, done.stdout, done.stderr) == (130, "", "costlab: error: interrupted\n")
    assert not (tmp_path / "mark").exists()


def test_a_request_after_the_work_is_done_changes_nothing(tmp_path: Path) -> None:
    plain = count(tmp_path, "")
    assert plain.returncode == 0
    late = count(tmp_path, "import atexit\natexit.register(lambda: (ask(), time.sleep(30)))")
    assert (late.returncode, late.stdout, late.stderr) == (0, plain.stdout, "")
    later = count(
        tmp_path,
        "class Last:\n    def __del__(self, ask=ask): ask()\nimport builtins; builtins.last = Last()\n"
        "import threading\nthreading.Thread(target=lambda: time.sleep(0.2)).start()",
    )
    assert (later.returncode, later.stdout, later.stderr) == (0, plain.stdout, "")


def test_requests_that_the_command_was_started_to_ignore_are_ignored(tmp_path: Path) -> None:
    (tmp_path / "net.py").write_text(HEAD.format(signal="HUP") + "ask(); time.sleep(0.1)")
    command = f"trap '' HUP; '{sys.executable}' -m costlab count net.py:net -i 3x8x8"
    done = subprocess.run(["bash", "-c", command], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")


WRITING = """
import os, signal, sys
from costlab import interrupts
from costlab.files import write
from pathlib import Path

interrupts.take_requests()
sync = os.fsync
def asked(number):
    os.kill(os.getpid(), signal.SIGINT)
    sync(number)
os.fsync = asked
try:
    write(Path("file"), "new", replace=True)
except KeyboardInterrupt:
    print(Path("file").read_text())
    try:
        write(Path("other"), "new", replace=True)
    finally:
        interrupts.leave()
"""


def test_a_file_is_written_whole_before_a_request_is_obeyed(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("old")
    done = subprocess.run(
        [sys.executable, "-u", "-c", WRITING], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout, done.stderr) == (130, "new\n", "")
    assert sorted(file.name for file in tmp_path.iterdir()) == ["file", "other"]


def test_what_a_killed_process_left_is_swept_out_by_the_next(tmp_path: Path) -> None:
    gone = subprocess.Popen([sys.executable, "-c", ""])
    gone.wait()
    (tmp_path / f"{PART}{gone.pid}-abc").write_text("half")
    (tmp_path / f"{PART}{os.getpid()}-abc").write_text("half, so far")
    (tmp_path / f"{PART}notes").write_text("mine")
    done = subprocess.run(
        [sys.executable, "-m", "costlab", "report", "stem", "-o", str(tmp_path)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert sorted(file.name for file in tmp_path.glob(f"{PART}*")) == [
        f"{PART}{os.getpid()}-abc",
        f"{PART}notes",
    ]


def test_a_terminal_that_is_closed_ends_the_command(tmp_path: Path) -> None:
    """What is printed then has no place to go."""
    (tmp_path / "net.py").write_text(HEAD.format(signal="HUP") + "mark(); time.sleep(30)")
    ours, theirs = os.openpty()
    child = subprocess.Popen(
        [sys.executable, "-m", "costlab", "count", "net.py:net"],
        cwd=tmp_path,
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        start_new_session=True,
    )
    os.close(theirs)
    while not (tmp_path / "mark").exists():
        assert child.poll() is None
    os.close(ours)
    child.send_signal(signal.SIGHUP)
    assert child.wait(timeout=20) == 130


def test_ctrl_c_on_a_terminal() -> None:
    """The line of the progress is gone, the cursor is back, and one line says what happened."""
    child, terminal = pty.fork()
    if not child:
        os.execve(
            sys.executable,
            [sys.executable, "-m", "costlab", "count", "inception_v3", "--check"],
            os.environ | {"TERM": "xterm", "NO_COLOR": "1"},
        )
    shown = b""
    with suppress(OSError):  # a terminal that the last process has left
        while part := os.read(terminal, 65536):
            if b"loading PyTorch" in part and b"loading PyTorch" not in shown:
                os.write(terminal, b"\x03")
            shown += part
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 130
    after = shown.rpartition(b"\x1b[?25h")[2].decode()  # shows the cursor
    assert after.endswith("\x1b[2Kcostlab: error: interrupted\r\n")
    assert shown.count(b"interrupted") == 1


WORKING = """
import signal, time
from costlab.interrupts import ignore_requests
ignore_requests()
print("begun", flush=True)
time.sleep(0.3)
print("done", signal.pthread_sigmask(signal.SIG_BLOCK, ()))
"""


def test_a_process_that_another_ends_sees_no_request_from_its_birth_on() -> None:
    with Unseen():
        child = subprocess.Popen([sys.executable, "-c", WORKING], stdout=subprocess.PIPE, text=True)
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        child.send_signal(number)
    assert child.stdout is not None
    assert child.stdout.readline() == "begun\n"
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        child.send_signal(number)
    assert child.communicate()[0] == "done set()\n"
    assert child.returncode == 0
    assert not signal.pthread_sigmask(signal.SIG_BLOCK, ())


def test_a_process_that_the_users_code_forks_is_their_own(tmp_path: Path) -> None:
    code = """
        import multiprocessing
        with multiprocessing.get_context("fork").Pool(2) as pool:  # which ends its workers by a request
            pool.map(abs, [1, 2])
        child = multiprocessing.get_context("fork").Process(target=time.sleep, args=(30,))
        child.start()
        child.terminate()
        child.join()
        print("ended by", child.exitcode)
    """
    done = count(tmp_path, code)
    assert (done.returncode, done.stderr) == (0, f"ended by {-signal.SIGTERM}\n")
