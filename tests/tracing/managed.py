"""Checks of data in statements with context managers, some of which let the exception end there."""

import contextlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext, suppress
from contextlib import suppress as ignoring
from typing import Any

import torch
from torch import Tensor

from tests.tracing.caught import refuse


class Swallows:
    """Lets no exception out."""

    def __enter__(self) -> None:
        """Nothing is entered."""

    def __exit__(self, *_: object) -> bool:
        return True


class Watches:
    """Lets all exceptions out."""

    done = 0

    def __enter__(self) -> None:
        """Nothing is entered."""

    def __exit__(self, *_: object) -> None:
        self.done += 1


@contextmanager
def swallowing() -> Iterator[None]:
    try:
        yield
    except ValueError:
        return


@contextmanager
def watching(done: list[int]) -> Iterator[None]:
    try:
        yield
    finally:
        done.append(1)


class Keeps:
    """Has managers as attributes."""

    swallows, watches = Swallows(), Watches()

    def guard(self) -> Any:
        return nullcontext()


KEEPS = Keeps()


def ignored(x: Tensor) -> Tensor:
    with ignoring(ValueError):
        refuse(x)
        return x + 1
    return x


def suppressed_by_an_attribute(x: Tensor) -> Tensor:
    with torch.no_grad(), contextlib.suppress(ValueError):
        refuse(x)
        return x + 1
    return x


def swallowed(x: Tensor) -> Tensor:
    with Swallows():
        refuse(x)
        return x + 1
    return x


def swallowed_by_one_of_two(x: Tensor) -> Tensor:
    with Watches(), Swallows(), torch.no_grad():
        refuse(x)
        return x + 1
    return x


def swallowed_by_a_choice(x: Tensor) -> Tensor:
    with Swallows() if x.shape[0] > 1 else nullcontext():
        refuse(x)
        return x + 1
    return x


def swallowed_by_a_generator(x: Tensor) -> Tensor:
    with swallowing():
        refuse(x)
        return x + 1
    return x


def swallowed_by_an_attribute(x: Tensor) -> Tensor:
    with KEEPS.swallows:
        refuse(x)
        return x + 1
    return x


def entered_from_anywhere(x: Tensor) -> Tensor:
    with KEEPS.guard():
        refuse(x)
        return x + 1
    return x


def suppressed(x: Tensor) -> Tensor:
    with suppress(ValueError):
        refuse(x)
        x = x + 1
    return x


CAUGHT: dict[str, Callable[[Tensor], Any]] = {
    each.__name__: each
    for each in (
        *(suppressed, ignored, suppressed_by_an_attribute, swallowed, swallowed_by_one_of_two),
        *(swallowed_by_a_choice, swallowed_by_a_generator, swallowed_by_an_attribute, entered_from_anywhere),
    )
}


def within_a_context(x: Tensor) -> None:
    with torch.no_grad():
        if (x < 0).any():
            raise ValueError("negative")


def watched(x: Tensor) -> None:
    with Watches() as _, watching([]), KEEPS.watches:
        if (x < 0).any():
            raise ValueError("negative")


def within_one_of_two(x: Tensor) -> None:
    with torch.autocast(x.device.type) if x.shape[0] > 99 else nullcontext():
        if (x < 0).any():
            raise ValueError("negative")


def beside_a_suppressing_one(x: Tensor) -> None:
    with suppress(KeyError):
        x = x + 1
    with torch.no_grad():
        if (x < 0).any():
            raise ValueError("negative")


NOT_CAUGHT: dict[str, Callable[[Tensor], Any]] = {
    each.__name__: each for each in (within_a_context, watched, within_one_of_two, beside_a_suppressing_one)
}
