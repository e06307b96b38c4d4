"""Running the command in this process."""

from collections.abc import Callable
from typing import NamedTuple

import pytest

from costlab.cli.main import main


class Result(NamedTuple):
    """What a run of the command left behind."""

    code: int
    out: str
    err: str


Run = Callable[..., Result]


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]) -> Run:
    """``run("count", "stem")``: the exit code and what was printed where."""

    def call(*args: str) -> Result:
        with pytest.raises(SystemExit) as stop:
            main(args)
        code = stop.value.code
        assert isinstance(code, int)
        return Result(code, *capsys.readouterr())

    return call
