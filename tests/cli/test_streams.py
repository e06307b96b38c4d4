"""Standard streams that are closed or full, over all commands: no result is lost in silence."""

import json
import shlex
from functools import cache
from pathlib import Path
from subprocess import CompletedProcess

import pytest

from tests.cli.conftest import Run
from tests.cli.test_process import shell
from tests.sampling import one_in

pytestmark = pytest.mark.skipif(
    not Path("/dev/full").exists(), reason="Linux has a device that is always full"
)
PRINTING = (
    "--help",
    "--version",
    "list",
    "count --help",
    "count stem -f csv",
    "count stem -f json -o -",
    "count stem -f netron",
    "compare stem stem:width=0.5 -f markdown",
    "verify depth",
    "report stem -o {tmp}/stem --check",
    "reconcile stem --explain thop ptflops",
    "train --help",
)
"""Commands that print a result: each command, and each form in which a result is put."""
SILENT = (
    "count no_such_network",
    "count",
    "train --resume /nowhere",
    "report /nowhere",
    "verify no_such_claim",
    "no_such_command",
    "count stem -o /dev/full",
    "count stem -o /dev/fd/99",
    "count stem -o /proc/file.json",
)
"""Commands that are mistakes, and print nothing on standard output."""


CHECKED = """
from costlab import Conv2d, Work

class Wrong(Conv2d):
    def work(self, x, y):
        return super().work(x, y)._replace(parameters=3)

net, wrong = Conv2d(4, 3), Wrong(4, 3)
"""


@cache
def plain(command: str) -> CompletedProcess[str]:
    return shell(f"costlab {command}", PYTHONUNBUFFERED="")


def here(command: str, run: Run) -> CompletedProcess[str]:
    """What a report and its check say in this process, which has loaded what takes seconds to load."""
    assert run(*command.removesuffix(" --check").split()).code == 0
    return CompletedProcess(command, *run(*command.split()))


@pytest.mark.parametrize("args", one_in(2, PRINTING))
def test_a_result(args: str, run: Run, tmp_path: Path) -> None:
    """A result that cannot be printed is told in a line; without the other streams it is what it was."""
    command = args.format(tmp=tmp_path)
    whole = here(command, run) if args.startswith("report") else plain(command)
    assert whole.returncode in (0, 1)
    assert whole.stdout
    ways = 1 if args.startswith("report") else 2  # which takes seconds
    for place, reason in ((">&-", "it is closed"), ("> /dev/full", "No space left on device"))[-ways:]:
        lost = shell(f"costlab {command} {place}", PYTHONUNBUFFERED="")
        last = lost.stderr.removeprefix(whole.stderr)
        assert (lost.returncode, last) == (
            2,
            f"costlab: error: standard output cannot be written: {reason}\n",
        )
    if ways == 2:
        both = shell(f"costlab {command} >&- 2>&-")
        assert (both.returncode, both.stdout, both.stderr) == (2, "", "")
    for place in ("2> /dev/full", "<&- 2>&-")[-ways:]:
        done = shell(f"costlab {command} {place}")
        assert (done.returncode, done.stdout) == (whole.returncode, whole.stdout)


@pytest.mark.parametrize("args", one_in(2, SILENT))
def test_a_mistake(args: str) -> None:
    """It is a mistake whether it can be told or not, and that is all that is told."""
    whole = plain(args)
    assert (whole.returncode, whole.stdout) == (2, "")
    assert "Traceback" not in whole.stderr
    for place in ("> /dev/full", "<&- >&-"):
        done = shell(f"costlab {args} {place}")
        assert (done.returncode, done.stdout, done.stderr) == (2, "", whole.stderr)
    for place in ("2> /dev/full", "<&- >&- 2>&-"):
        assert shell(f"costlab {args} {place}").returncode == 2


@pytest.mark.parametrize("place", [">&-", "> /dev/full", "2>&-", "2> /dev/full", "<&- >&- 2>&-"])
def test_a_result_that_goes_to_a_file_needs_no_stream(place: str, tmp_path: Path) -> None:
    """And none of what is printed meanwhile gets into the file, whatever its descriptor."""
    file = tmp_path / "out.json"
    done = shell(f"costlab count stem -o {shlex.quote(str(file))} {place}")
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    assert file.read_text() == plain("count stem -f json").stdout
    assert len(list(tmp_path.iterdir())) == 1


@pytest.mark.parametrize("stream", ["/dev/stdin", "/dev/stderr", "/dev/fd/0", "/dev/fd/2"])
def test_another_stream_that_is_named_as_a_file_and_is_closed(stream: str) -> None:
    assert shell(f"costlab count stem -o {stream} <&- >&- 2>&-").returncode == 2
    assert shell(f"costlab count stem -o {stream} <&- 2>&-").returncode == 2


@pytest.mark.parametrize("stream", ["/dev/stdout", "/dev/fd/1", "/proc/self/fd/1"])
def test_a_stream_that_is_named_as_a_file(stream: str) -> None:
    assert shell(f"costlab count stem -o {stream}").stdout == plain("count stem").stdout
    for place in (">&-", "> /dev/full"):
        lost = shell(f"costlab count stem -o {stream} {place}")
        assert lost.returncode == 2
        assert " cannot be written: " in lost.stderr
        assert lost.stderr.count("\n") == 1


def test_a_check_says_how_it_ended_whether_it_can_be_told_or_not(tmp_path: Path) -> None:
    """Notes and findings are lost on standard error, the exit status is not."""
    (tmp_path / "nets.py").write_text(CHECKED)
    command = f"cd {tmp_path}; costlab count nets.py:{{}} -i 3x8x8 --check -f json"
    for name, status in (("net", 0), ("wrong", 1)):
        done = shell(f"{command.format(name)} 2> /dev/full")
        assert (done.returncode, json.loads(done.stdout)["target"]) == (status, f"nets.py:{name}")
    assert shell(f"{command.format('wrong')} > /dev/full").returncode == 2


def test_a_pipe_that_is_closed_ends_the_command_as_others() -> None:
    done = shell("costlab count inception_v3 -d 9 | true; echo ${PIPESTATUS[0]}")
    assert (done.stdout, done.stderr) in [("141\n", ""), ("0\n", "")]
    done = shell("costlab count stem --check 2>&1 >/dev/null | true; echo ${PIPESTATUS[0]}")
    assert (done.stdout, done.stderr) == ("141\n", "")
