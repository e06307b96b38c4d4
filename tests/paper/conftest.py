"""The command runs here as in its own tests."""

from tests.cli.conftest import Run, run

__all__ = ["Run", "run"]
