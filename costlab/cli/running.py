"""Options that say how a network runs whose memory is asked: trained or not, in what type, on how many."""

import functools
from collections.abc import Callable
from typing import Any, NamedTuple, TypeVar

import click

from costlab.explore.budgets.limits import as_limit
from costlab.explore.quantities import PEAK_MEMORY
from costlab.explore.running import RUNNING, changed_of, refuse_untrained
from costlab.explore.space import Space
from costlab.hardware.held.optimizer import OPTIMIZERS
from costlab.hardware.held.precision import PRECISIONS

R = TypeVar("R")
MOST = "--max-peak-memory"
OPTIONS = (
    click.option(
        "--train", is_flag=True, help="Peak memory is that of a step of training, not of inference."
    ),
    click.option(
        "--optimizer",
        type=click.Choice(OPTIMIZERS),
        default=RUNNING["optimizer"],
        show_default=True,
        help="With --train: which.",
    ),
    click.option("--momentum", is_flag=True, help="With --train: SGD or RMSProp with momentum."),
    click.option("--average", is_flag=True, help="With --train: an average of the weights is held, too."),
    click.option(
        "--dtype",
        type=click.Choice(PRECISIONS),
        help="What peak memory is held in.  [default: float32, a module's own]",
    ),
)


def running_options(command: Callable[..., R]) -> Callable[..., R]:
    """``--train`` and what goes with it: ``running`` has what is not as by default."""

    @functools.wraps(command)
    def with_running(**given: Any) -> R:
        return command(running=changed_of(**{name: given.pop(name) for name in RUNNING}), **given)

    wrapped: Callable[..., R] = with_running
    for option in reversed(OPTIONS):
        wrapped = option(wrapped)
    return wrapped


class PeakMemory(NamedTuple):
    """What is asked of the memory of a space's members: the condition as it is written, and how they run."""

    condition: str | None
    running: dict[str, Any]

    @property
    def conditions(self) -> dict[str, tuple[str, ...]]:
        """The condition by the option that gave it."""
        return {} if self.condition is None else {MOST: (self.condition,)}

    @property
    def asked(self) -> list[str]:
        """The options that were given."""
        return [*self.conditions, *(f"--{name}" for name in self.running)]

    def of(self, space: Space) -> Space:
        """The space with the memory of its members, if anything says how they run."""
        return space.with_memory(**self.running) if self.running else space


def peak_memory_options(command: Callable[..., R]) -> Callable[..., R]:
    """The options about the memory of a space's members, as one `PeakMemory`."""

    @running_options
    @functools.wraps(command)
    def with_memory(most: str | None, batch: int | None, running: dict[str, Any], **given: Any) -> R:
        condition = None if most is None else f"{PEAK_MEMORY} <= {_as_condition(most)}"
        batches = {} if batch is None else {"batch": batch}
        refuse_untrained(running, lambda name: f"--{name}")
        return command(memory=PeakMemory(condition, batches | running), **given)

    batch = click.option(
        "-b", "--batch", type=click.IntRange(min=1), help="Inputs at once, for peak memory.  [default: 1]"
    )
    limit = click.option(
        MOST, "most", metavar="BYTES", help="The most bytes held at once, such as 16GiB or 16GB."
    )
    return limit(batch(with_memory))


def _as_condition(most: str) -> str:
    """A limit as it can stand in a condition: as it was typed, but without commas, spaces and a plain B."""
    number = as_limit(MOST, most, PEAK_MEMORY)
    typed = "".join(most.split()).replace(",", "")
    return typed if typed[-2:].lower() == "ib" else str(number)
