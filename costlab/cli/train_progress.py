"""The progress of a training run, on standard error."""

from collections.abc import Iterator
from contextlib import contextmanager
from time import monotonic
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from rich.progress import Progress, TaskID

    from costlab.train.record import TrialResult
    from costlab.train.study import Pair
    from costlab.train.trial import TrialProgress


ROOMY = 90
"""Columns of a terminal in which there is room for bars beside the text."""


class ProgressLines:
    """Prints a line for each event: for files and pipes."""

    def __init__(self, mute: bool = False) -> None:
        self._remaining, self._mute = 0, mute

    def note(self, text: str) -> None:
        """Print a message."""
        if not self._mute:
            click.echo(text, err=True)

    def remaining(self, trials: int) -> None:
        """Remember how many trials have no result."""
        self._remaining = trials

    def progress(self, pair: "Pair", progress: "TrialProgress | None") -> None:
        """Print that a trial begins."""
        if progress is None:
            self.note(f"training: {trial_name(pair)}")

    def finished(self, trial: "TrialResult") -> None:
        """Print the result of a trial."""
        self._remaining -= 1
        self.note(f"{describe_result(trial)}; {self._remaining} left")

    def lost(self, pair: "Pair", reason: str) -> None:
        """Print why a trial is no longer trained here."""
        self.note(f"{trial_name(pair)}: {reason}")

    def timing(self, done: int, rounds: int) -> None:
        """Print that the timing begins."""
        if not done and rounds > 1:
            self.note("timing the steps")


class ProgressBars(ProgressLines):
    """Shows a bar for the whole run and one for each trial in training: for terminals."""

    def __init__(self, bars: "Progress") -> None:
        super().__init__()
        self._bars = bars
        self._whole = bars.add_task("trials", total=None, detail="")
        self._began, self._at_first = monotonic(), 0
        self._tasks: dict[Pair, TaskID] = {}
        self._fractions: dict[Pair, float] = {}

    def note(self, text: str) -> None:
        """Print a message above the bars."""
        self._bars.console.print(text, markup=False, highlight=False, soft_wrap=True)

    def remaining(self, trials: int) -> None:
        """Update the bar of the run."""
        super().remaining(trials)
        self._at_first = max(self._at_first, trials)
        self._update_whole()

    def progress(self, pair: "Pair", progress: "TrialProgress | None") -> None:
        """Update the bar of a trial, which is added when it begins."""
        if pair not in self._tasks:
            self._tasks[pair] = self._bars.add_task(trial_name(pair), total=1.0, detail="")
            self._fractions[pair] = 0.0
        if progress is not None:
            done = self._fractions[pair] = progress.step / progress.steps
            self._bars.update(self._tasks[pair], completed=done, detail=_describe_progress(progress))
        self._update_whole()

    def finished(self, trial: "TrialResult") -> None:
        """Remove the bar of a trial, and print its result."""
        self._remove((trial.arm, trial.seed))
        self._remaining -= 1
        self.note(describe_result(trial))
        self._update_whole()

    def lost(self, pair: "Pair", reason: str) -> None:
        """Remove the bar of a trial, and print the reason."""
        self._remove(pair)
        super().lost(pair, reason)

    def _remove(self, pair: "Pair") -> None:
        if pair in self._tasks:
            self._bars.remove_task(self._tasks.pop(pair))
            del self._fractions[pair]

    def timing(self, done: int, rounds: int) -> None:
        """Turn the bar of the run into one of the timing."""
        self._bars.update(self._whole, description="timing", completed=done, total=rounds, detail="")

    def _update_whole(self) -> None:
        finished, total = self._at_first - self._remaining, self._at_first
        done = finished + sum(self._fractions.values())
        detail = f"{finished} of {total} trials"
        if done > 0.02 and self._remaining:
            seconds = monotonic() - self._began
            detail += f", {duration((total - done) * seconds / done)} left"
        self._bars.update(self._whole, completed=done, total=total, detail=detail)


@contextmanager
def show_progress(mute: bool = False) -> Iterator[ProgressLines]:
    """The observer of a run: bars on a terminal, lines elsewhere. With ``mute`` it prints nothing."""
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn
    from rich.table import Column

    terminal = Console(stderr=True)
    if mute or not terminal.is_terminal:
        yield ProgressLines(mute)
        return
    name = Column(no_wrap=True, overflow="ellipsis", ratio=1)
    rest = Column(no_wrap=True, overflow="ellipsis", ratio=2)
    bar = BarColumn(12, table_column=Column(no_wrap=True, min_width=12))
    with Progress(
        TextColumn("{task.description}", markup=False, table_column=name),
        *([bar] if terminal.width >= ROOMY else []),
        TextColumn("{task.fields[detail]}", markup=False, table_column=rest),
        console=terminal,
        expand=True,
        transient=True,
    ) as bars:
        yield ProgressBars(bars)


def trial_name(pair: "Pair") -> str:
    """The arm and the seed of a trial, for people."""
    label, seed = pair
    return f"{label}, seed {seed}"


def describe_result(trial: "TrialResult") -> str:
    """The result of a trial in a line."""
    name = trial_name((trial.arm, trial.seed))
    if trial.top_1 is None:
        return f"failed: {name}: {trial.failure}"
    seconds = sum(epoch.seconds for epoch in trial.epochs)
    return f"done: {name}: top-1 {trial.top_1:.1%}, {duration(seconds)}"


def duration(seconds: float) -> str:
    """A time for people: 45 s, 3 min 5 s, 2 h 10 min."""
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60} s"
    return f"{whole // 3600} h {whole % 3600 // 60} min"


def _describe_progress(progress: "TrialProgress") -> str:
    parts = []
    if progress.last is not None:
        last = progress.last
        parts.append(f"epoch {last.epoch}, loss {last.loss:.3f}, top-1 {last.validation_accuracy:.1%}")
    if progress.images_per_second:
        parts.append(f"{progress.images_per_second:,.0f} images/s")
    return ", ".join(parts)
