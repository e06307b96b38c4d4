"""Checks of data whose exceptions a model catches, or before which it does more: these decide something."""

import contextlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext, suppress
from contextlib import suppress as ignoring
from typing import Any

import torch
from torch import Tensor


class BadValueError(ValueError):
    """An error of one's own."""


def _refuse(x: Tensor) -> None:
    if (x > 0).any():
        raise BadValueError("positive")


def _refuse_twice(x: Tensor) -> None:
    try:
        _refuse(x)
    except ValueError as error:
        raise KeyError("positive") from error


def raised_inside(x: Tensor) -> Tensor:
    try:
        if (x > 0).any():
            raise ValueError  # noqa: TRY301  # is what is tried
    except ValueError:
        x = x + 1
    return x


def asserted_inside(x: Tensor) -> Tensor:
    try:
        assert not (x > 0).any()
    except AssertionError:
        return x + 1
    return x


def raised_in_a_call(x: Tensor) -> Tensor:
    try:
        _refuse(x)
    except (KeyError, BadValueError):
        x = x + 1
    return x


def raised_as_another(x: Tensor) -> Tensor:
    try:
        _refuse_twice(x)
    except LookupError:
        x = x + 1
    return x


def caught_all(x: Tensor) -> Tensor:
    try:
        _refuse(x)
    except:  # noqa: E722  # is what is tried
        x = x + 1
    return x


def caught_at_once(x: Tensor) -> Tensor:
    if (x > 0).any():
        try:
            raise ValueError  # noqa: TRY301  # is what is tried
        except ValueError:
            return x + 1
    return x


def suppressed(x: Tensor) -> Tensor:
    with suppress(ValueError):
        _refuse(x)
        x = x + 1
    return x


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
        _refuse(x)
        return x + 1
    return x


def suppressed_by_an_attribute(x: Tensor) -> Tensor:
    with torch.no_grad(), contextlib.suppress(ValueError):
        _refuse(x)
        return x + 1
    return x


def swallowed(x: Tensor) -> Tensor:
    with Swallows():
        _refuse(x)
        return x + 1
    return x


def swallowed_by_one_of_two(x: Tensor) -> Tensor:
    with Watches(), Swallows(), torch.no_grad():
        _refuse(x)
        return x + 1
    return x


def swallowed_by_a_choice(x: Tensor) -> Tensor:
    with Swallows() if x.shape[0] > 1 else nullcontext():
        _refuse(x)
        return x + 1
    return x


def swallowed_by_a_generator(x: Tensor) -> Tensor:
    with swallowing():
        _refuse(x)
        return x + 1
    return x


def swallowed_by_an_attribute(x: Tensor) -> Tensor:
    with KEEPS.swallows:
        _refuse(x)
        return x + 1
    return x


def entered_from_anywhere(x: Tensor) -> Tensor:
    with KEEPS.guard():
        _refuse(x)
        return x + 1
    return x


def one_of_two_is_caught(x: Tensor, strict: bool = False) -> Tensor:
    try:
        if (x > 0).any():
            if strict:
                raise KeyError("positive")  # is what is tried
            raise ValueError("positive")  # noqa: TRY301  # is what is tried
    except ValueError:
        return x + 1
    return x


def the_other_of_two_is_caught(x: Tensor, strict: bool = True) -> Tensor:
    try:
        if (x > 0).any():
            if strict:
                raise KeyError("positive")  # noqa: TRY301  # is what is tried
            raise ValueError("positive")  # is what is tried
    except KeyError:
        return x + 1
    return x


def caught_further_out(x: Tensor) -> Tensor:
    try:
        try:
            _refuse(x)
        except KeyError:
            return x
        finally:
            x = x + 1
    except ValueError:
        return x + 1
    return x


def one_of_two_classes_is_caught(x: Tensor, strict: bool = False) -> Tensor:
    try:
        if (x > 0).any():
            raise (KeyError if strict else ValueError)("positive")
    except ValueError:
        return x + 1
    return x


def mended_or_refused(x: Tensor, mends: bool = True) -> Tensor:
    if (x > 0).any():
        if mends:
            x = x + 1
        else:
            raise ValueError("positive")
    return x


def mended_and_refused(x: Tensor, strict: bool = False) -> Tensor:
    if (x > 0).any():
        x = x + 1
        if strict:
            raise ValueError("positive")
    return x


CAUGHT: dict[str, Callable[[Tensor], Any]] = {
    each.__name__: each
    for each in (
        *(raised_inside, asserted_inside, raised_in_a_call, raised_as_another, caught_all, caught_at_once),
        *(suppressed, mended_or_refused, mended_and_refused, ignored, suppressed_by_an_attribute),
        *(swallowed, swallowed_by_one_of_two, swallowed_by_a_choice, swallowed_by_a_generator),
        *(swallowed_by_an_attribute, entered_from_anywhere, one_of_two_is_caught),
        *(the_other_of_two_is_caught, one_of_two_classes_is_caught, caught_further_out),
    )
}


def another_is_caught(x: Tensor) -> None:
    try:
        if (x < 0).any():
            raise ValueError("negative")
    except (TypeError, KeyError):
        x = x + 1


def raised_again(x: Tensor) -> None:
    try:
        if (x < 0).any():
            raise ValueError("negative")  # noqa: TRY301  # is what is tried
    except ValueError:
        x = x - 1
        raise
    finally:
        x = x + 1


def raised_with_another(x: Tensor) -> None:
    try:
        assert not (x < 0).any()
    except AssertionError as error:
        raise ValueError(x.shape) from error


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


def if_it_is_strict(x: Tensor, strict: bool = True) -> None:
    if (x < 0).any():  # noqa: SIM102  # is what is tried
        if strict:
            raise ValueError("negative")


NOT_CAUGHT: dict[str, Callable[[Tensor], Any]] = {
    each.__name__: each
    for each in (
        *(another_is_caught, raised_again, raised_with_another, within_a_context, if_it_is_strict),
        *(watched, within_one_of_two, beside_a_suppressing_one),
    )
}
