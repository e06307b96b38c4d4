"""Code of users: what it prints, raises or asks for ends in one line, and it finds what lies beside it."""

import importlib
import os
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from costlab.algebra import Conv2d
from costlab.counting.count import count
from costlab.errors import CostlabError
from costlab.targets.resolve import resolve
from costlab.targets.user_code import load_file


@pytest.mark.parametrize(
    ("code", "complaint"),
    [
        ("x = (", "broken.py: SyntaxError: '(' was never closed (broken.py, line 1)"),
        ("\nraise ValueError('two\\nlines')", "broken.py: ValueError: two lines (broken.py, line 2)"),
        ("import sys\nsys.exit(3)", "broken.py: SystemExit: 3 (broken.py, line 2)"),
        (
            "import no_such_thing",
            "broken.py: ModuleNotFoundError: No module named 'no_such_thing' (broken.py, line 1)",
        ),
        ("net = lambda: 3", "<lambda> returned int, not a block or a module"),
        ("import costlab.algebra as a\nnet = lambda: a.Conv2d(0, 1)", "Conv2d: filters=0 must be at least 1"),
    ],
)
def test_a_file_that_fails(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, code: str, complaint: str
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("broken.py").write_text(code)
    with pytest.raises(CostlabError) as refusal:
        resolve("broken.py:net", "3x8x8")
    assert str(refusal.value) == complaint


@pytest.mark.parametrize("form", ["namesake.py", "namesake/__init__.py"])
def test_namesakes_beside_two_files_are_kept_apart(tmp_path: Path, form: str) -> None:
    """Each file gets the module that lies beside it, whichever came first; others' modules stay."""
    before = dict(sys.modules)
    for kernel in (3, 7):
        namesake = tmp_path / str(kernel) / form
        namesake.parent.mkdir(parents=True)
        namesake.write_text(f"KERNEL = {kernel}\n")
        (tmp_path / str(kernel) / "net.py").write_text(
            "from namesake import KERNEL\nfrom costlab.algebra import Conv2d\nnet = Conv2d(KERNEL, 1)\n"
        )
    for kernel in (3, 7, 3):
        found = resolve(f"{tmp_path}/{kernel}/net.py:net", (3, 9, 9))
        assert found.block == Conv2d(kernel, 1)
    assert {name: sys.modules.get(name) for name in before} == before
    sys.modules.pop("namesake")


def test_what_the_caller_imported_stays(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "callers.py").write_text("from costlab.algebra import ReLU\nnet = ReLU()\n")
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere" / "other.py").write_text("from costlab.algebra import ReLU\nnet = ReLU()\n")
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(tmp_path)
    mine = importlib.import_module("callers")
    assert resolve("callers:net", "3").block is mine.net
    resolve("elsewhere/other.py:net", "3")
    assert sys.modules["callers"] is mine
    del sys.modules["callers"]


def test_counts_in_threads_leave_the_process_as_it_was(tmp_path: Path) -> None:
    for i in range(4):
        (tmp_path / str(i)).mkdir()
        (tmp_path / str(i) / "namesake.py").write_text(f"import time\ntime.sleep(0.01)\nFILTERS = {i + 1}\n")
        (tmp_path / str(i) / "net.py").write_text(
            "from namesake import FILTERS\nfrom costlab.algebra import Conv2d\nnet = Conv2d(FILTERS, 1)\n"
        )
    stdout, path = sys.stdout, list(sys.path)
    with ThreadPoolExecutor(4) as pool:
        targets = [f"{tmp_path}/{i % 4}/net.py:net" for i in range(24)]
        counts = list(pool.map(lambda target: count(target, (3, 9, 9)), targets))
    assert [counted.root.output[0] for counted in counts] == [i % 4 + 1 for i in range(24)]
    assert sys.stdout is stdout
    assert sys.path == path
    sys.modules.pop("namesake")


RUDE = """
import functools
from dataclasses import dataclass
from costlab import ReLU, Conv2d

@dataclass(frozen=True)
class Failing(ReLU):
    def output(self, x):
        print("printed")
        raise ValueError("mine")

class Leaving(ReLU):
    def output(self, x):
        raise SystemExit(0)

class Rude(BaseException):
    pass

def base():
    raise Rude("stop")

failing, leaving, partial = Failing(), Leaving(), functools.partial(Conv2d, 4, 3)

def annotated(x: "Nothing" = 3):
    return ReLU()

def endless():
    return endless()

def misuses():
    import numpy
    return numpy.rot90(numpy.eye(2), axes=(1,))
"""


@pytest.mark.parametrize(
    ("attribute", "complaint"),
    [
        ("failing", "rude.py:failing: ValueError: mine (rude.py, line 10)"),
        ("leaving", "rude.py:leaving: SystemExit: 0 (rude.py, line 14)"),
        ("base", "base: Rude: stop (rude.py, line 20)"),
        ("annotated", "annotated: an annotation cannot be read: name 'Nothing' is not defined"),
        ("annotated:x=3", "annotated: an annotation cannot be read: name 'Nothing' is not defined"),
        (
            "misuses",
            "misuses: ValueError: len(axes) must be 2. (rude.py, line 32)",
        ),
        ("endless", "endless: RecursionError: maximum recursion depth exceeded (rude.py, line 28)"),
    ],
)
def test_rude_code_is_told_in_one_line(
    tmp_path: Path, attribute: str, complaint: str, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "rude.py"
    file.write_text(RUDE)
    with pytest.raises(CostlabError) as refusal:
        resolve(f"{file}:{attribute}", "3x8x8").walk()
    assert str(refusal.value).replace(f"{tmp_path}/", "") == complaint
    assert capsys.readouterr().out == ""


def test_any_callable_will_do(tmp_path: Path) -> None:
    file = tmp_path / "rude.py"
    file.write_text(RUDE)
    assert resolve(f"{file}:partial", "3x8x8").block == Conv2d(4, 3)


def test_a_file_is_read_as_it_is_now(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Bytecode knows an edit by its second and size: another within the same second would be missed."""
    monkeypatch.setattr(sys, "dont_write_bytecode", False)
    file = tmp_path / "edited.py"
    for value in (4, 5):
        file.write_text(f"SIZE = {value}\n")
        os.utime(file, (1_000_000_000, 1_000_000_000))
        module, _ = load_file(str(file))
        assert value == module.SIZE
