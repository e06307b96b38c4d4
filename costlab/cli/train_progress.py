"""How a training run is shown while it goes, on standard error."""

from collections.abc import Iterator
from contextlib import contextmanager
from time import monotonic
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from rich.progress import Progress, TaskID

    from costlab.train.record import Trial
    from costlab.train.study import Pair
    from costlab.train.trial import Standing


ROOMY = 90
"""Columns of a terminal in which there is room for bars besides words."""


class Lines:
    """What happens, a line each: for files and pipes."""

    def __init__(self, mute: bool = False) -> None:
        self._left, self._mute = 0, mute

    def note(self, text: str) -> None:
        """Say something."""
        if not self._mute:
            click.echo(text, err=True)

    def left(self, pairs: int) -> None:
        """Keep how many trials are left."""
        self._left = pairs

    def at(self, pair: "Pair", standing: "Standing | None") -> None:
        """Say that a trial begins."""
        if standing is None:
            self.note(f"training: {named(pair)}")

    def ended(self, trial: "Trial") -> None:
        """Say what came out."""
        self._left -= 1
        self.note(f"{outcome(trial)}; {self._left} left")

    def lost(self, pair: "Pair", why: str) -> None:
        """Say why a trial is in work here no more."""
        self.note(f"{named(pair)}: {why}")

    def timing(self, done: int, rounds: int) -> None:
        """Say that the timing begins."""
        if not done and rounds > 1:
            self.note("timing the steps")


class Bars(Lines):
    """A bar for the whole and one for each trial in work: for terminals."""

    def __init__(self, bars: "Progress") -> None:
        super().__init__()
        self._bars = bars
        self._whole = bars.add_task("trials", total=None, told="")
        self._began, self._first_left = monotonic(), 0
        self._tasks: dict[Pair, TaskID] = {}
        self._parts: dict[Pair, float] = {}

    def note(self, text: str) -> None:
        """Say something above the bars."""
        self._bars.console.print(text, markup=False, highlight=False, soft_wrap=True)

    def left(self, pairs: int) -> None:
        """Move the bar of the whole."""
        super().left(pairs)
        self._first_left = max(self._first_left, pairs)
        self._told()

    def at(self, pair: "Pair", standing: "Standing | None") -> None:
        """Move the bar of a trial."""
        if pair not in self._tasks:
            self._tasks[pair] = self._bars.add_task(named(pair), total=1.0, told="")
            self._parts[pair] = 0.0
        if standing is not None:
            self._parts[pair] = standing.step / standing.steps
            self._bars.update(self._tasks[pair], completed=self._parts[pair], told=_where(standing))
        self._told()

    def ended(self, trial: "Trial") -> None:
        """Take the bar of a trial away, and say what came out."""
        self._remove((trial.arm, trial.seed))
        self._left -= 1
        self.note(outcome(trial))
        self._told()

    def lost(self, pair: "Pair", why: str) -> None:
        """Take the bar of a trial away, and say why."""
        self._remove(pair)
        super().lost(pair, why)

    def _remove(self, pair: "Pair") -> None:
        if pair in self._tasks:
            self._bars.remove_task(self._tasks.pop(pair))
            del self._parts[pair]

    def timing(self, done: int, rounds: int) -> None:
        """Turn the bar of the whole into one of the timing."""
        self._bars.update(self._whole, description="timing", completed=done, total=rounds, told="")

    def _told(self) -> None:
        done = self._first_left - self._left + sum(self._parts.values())
        taken, total = monotonic() - self._began, self._first_left
        told = f"{self._first_left - self._left} of {total} trials"
        if done > 0.02 and self._left:
            told += f", {duration((total - done) * taken / done)} left"
        self._bars.update(self._whole, completed=done, total=total, told=told)


@contextmanager
def watched(mute: bool = False) -> Iterator[Lines]:
    """Where a run tells how it goes; ``mute`` where another process tells it."""
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn
    from rich.table import Column

    terminal = Console(stderr=True)
    if mute or not terminal.is_terminal:
        yield Lines(mute)
        return
    name = Column(no_wrap=True, overflow="ellipsis", ratio=1)
    rest = Column(no_wrap=True, overflow="ellipsis", ratio=2)
    bar = BarColumn(12, table_column=Column(no_wrap=True, min_width=12))
    with Progress(
        TextColumn("{task.description}", markup=False, table_column=name),
        *([bar] if terminal.width >= ROOMY else []),
        TextColumn("{task.fields[told]}", markup=False, table_column=rest),
        console=terminal,
        expand=True,
        transient=True,
    ) as bars:
        yield Bars(bars)


def named(pair: "Pair") -> str:
    """A trial in words."""
    label, seed = pair
    return f"{label}, seed {seed}"


def outcome(trial: "Trial") -> str:
    """What came out of a trial, in a line."""
    name = named((trial.arm, trial.seed))
    if trial.top_1 is None:
        return f"failed: {name}: {trial.failure}"
    seconds = sum(epoch.seconds for epoch in trial.epochs)
    return f"done: {name}: top-1 {trial.top_1:.1%}, {duration(seconds)}"


def duration(seconds: float) -> str:
    """A time as people say it: 45 s, 3 min 5 s, 2 h 10 min."""
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60} s"
    return f"{whole // 3600} h {whole % 3600 // 60} min"


def _where(standing: "Standing") -> str:
    told = []
    if standing.last is not None:
        last = standing.last
        told.append(f"epoch {last.epoch}, loss {last.loss:.3f}, top-1 {last.validation_accuracy:.1%}")
    if standing.images_per_second:
        told.append(f"{standing.images_per_second:,.0f} images/s")
    return ", ".join(told)
