"""Windows of steps, by a clock that stands still."""

from hypothesis import given
from hypothesis import strategies as st

from costlab.torch.window import Batch, Window, Windows


class Clock:
    def __init__(self) -> None:
        self.now, self.waits = 0.0, 0

    def read(self) -> float:
        return self.now

    def wait(self) -> None:
        self.waits += 1


def test_a_window_is_what_lies_between_the_ends_of_its_steps() -> None:
    clock = Clock()
    windows = Windows(2, 1, clock.wait, clock.read)
    told = []
    for i in range(6):
        windows.start()
        clock.now += 10**i
        windows.batch(Batch(100 * i, i, None))
        told.append(windows.step())
    assert told == [
        None, None, Window(2, 110, 300, 3, None), None, Window(2, 11000, 700, 7, None), None
    ]  # fmt: skip
    assert clock.waits == 3  # at the ends of the first steps and of two windows


def test_pauses_are_no_part_of_it() -> None:
    clock = Clock()
    windows = Windows(2, 0, clock.wait, clock.read)
    clock.now = 5
    windows.start()
    clock.now = 6
    windows.batch(Batch(1, 1, 1))
    windows.pause()
    windows.pause()
    clock.now = 100
    windows.start()
    windows.start()
    clock.now = 102
    windows.batch(Batch(1, 1, 1))
    assert windows.step() is None
    windows.batch(Batch(1, 1, 1))
    assert windows.step() == Window(2, 3, 3, 3, 3)
    windows.pause()
    clock.now = 2000
    windows.batch(Batch(50, 1, 1))
    assert windows.step() is None  # of which no time is known
    clock.now = 2001
    windows.step()
    clock.now = 2002
    assert windows.step() == Window(2, 2, None, None, None)  # of no batches nothing is known


def test_what_is_not_known_of_a_batch_is_not_known_of_the_window() -> None:
    clock = Clock()
    windows = Windows(1, 0, clock.wait, clock.read)
    windows.start()
    clock.now = 1
    windows.batch(Batch(5, 2, None))
    windows.batch(Batch(None, 2, None))
    assert windows.step() == Window(1, 1, None, 4, None)


@given(
    steps=st.lists(st.tuples(st.lists(st.integers(1, 9), max_size=3), st.integers(1, 9), st.booleans())),
    every=st.integers(1, 4),
    warm_up=st.integers(0, 3),
)
def test_windows_share_what_runs_among_them(
    steps: list[tuple[list[int], int, bool]], every: int, warm_up: int
) -> None:
    """Each step: its batches, its seconds, and whether a pause comes after it."""
    clock = Clock()
    windows = Windows(every, warm_up, clock.wait, clock.read)
    told: list[Window] = []
    for batches, seconds, pauses in steps:
        windows.start()
        clock.now += seconds
        for size in batches:
            windows.batch(Batch(size, 2 * size))
        told += filter(None, [windows.step()])
        if pauses:
            windows.pause()
            clock.now += 1000
    for i, window in enumerate(told):
        of = steps[warm_up + i * every :][:every]
        sizes = [size for batches, _, _ in of for size in batches]
        assert (window.steps, window.seconds) == (every, sum(seconds for _, seconds, _ in of))
        assert (window.multiply_adds, window.samples) == (
            (sum(sizes), 2 * sum(sizes)) if sizes else (None, None)
        )
    assert len(told) == max(0, len(steps) - warm_up) // every
