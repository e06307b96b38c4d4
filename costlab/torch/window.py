"""Windows of steps: what was done in them, and in what time."""

from collections.abc import Callable
from typing import NamedTuple


class Batch(NamedTuple):
    """What forward and backward did on one batch; what is not known is None."""

    multiply_adds: int | None
    samples: int | None = None
    tokens: int | None = None


NOTHING = Batch(None)


class Window(NamedTuple):
    """Steps one after another: what they did, None where it is not known of a batch, and their seconds."""

    steps: int
    seconds: float
    multiply_adds: int | None
    samples: int | None
    tokens: int | None


class Windows:
    """Adds up what the steps of a training loop do, and tells it once in so many steps, with the time.

    The first steps are left out. The device is waited for at the ends of a window and at pauses alone, so
    that the loop runs ahead of it in between as it does without.
    """

    def __init__(
        self, every: int, warm_up: int, synchronize: Callable[[], None], clock: Callable[[], float]
    ) -> None:
        self._every, self._left = every, warm_up
        self._synchronize, self._clock = synchronize, clock
        self._began: float | None = None
        self._runs = False
        self._empty()

    def _empty(self) -> None:
        self._seconds, self._steps = 0.0, 0
        self._batches: list[Batch] = []

    def _read(self) -> float:
        self._synchronize()
        return self._clock()

    @property
    def runs(self) -> bool:
        """Whether the time runs."""
        return self._runs

    def start(self) -> None:
        """Let the time run: before a batch, where it does not yet."""
        if not self._runs and not self._left:
            self._began = self._read()
        self._runs = True

    def pause(self) -> None:
        """Stop the time, for what is no part of a step."""
        if self._began is not None:
            self._seconds += self._read() - self._began
            self._began = None
        self._runs = False

    def batch(self, done: Batch) -> None:
        """A batch went forward and back; one of the first steps, or of no time, does not count."""
        if self._runs and not self._left:
            self._batches.append(done)

    def step(self) -> Window | None:
        """The parameters were stepped: the window that ends with it, if one does.

        Of a step while the time stood nothing is known, so it does not count; the time runs from then on.
        """
        if not self._runs:
            self.start()
            return None
        if self._left:
            self._left -= 1
            if not self._left:
                self._began = self._read()
            return None
        self._steps += 1
        if self._steps < self._every:
            return None
        self.pause()
        made = Window(self._steps, self._seconds, *map(_sum, zip(*self._batches or [NOTHING], strict=True)))
        self._empty()
        self._began, self._runs = self._clock(), True
        return made


def _sum(sizes: tuple[int | None, ...]) -> int | None:
    return None if None in sizes else sum(each for each in sizes if each is not None)
