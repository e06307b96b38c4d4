"""Checks of data whose exceptions a model catches, or before which it does more: these decide something."""

from collections.abc import Callable
from typing import Any

from torch import Tensor


class BadValueError(ValueError):
    """An error of one's own."""


def refuse(x: Tensor) -> None:
    if (x > 0).any():
        raise BadValueError("positive")


def refuse_twice(x: Tensor) -> None:
    try:
        refuse(x)
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
        refuse(x)
    except (KeyError, BadValueError):
        x = x + 1
    return x


def raised_as_another(x: Tensor) -> Tensor:
    try:
        refuse_twice(x)
    except LookupError:
        x = x + 1
    return x


def caught_all(x: Tensor) -> Tensor:
    try:
        refuse(x)
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
            refuse(x)
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
        *(mended_or_refused, mended_and_refused, one_of_two_is_caught, the_other_of_two_is_caught),
        *(one_of_two_classes_is_caught, caught_further_out),
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


def if_it_is_strict(x: Tensor, strict: bool = True) -> None:
    if (x < 0).any():  # noqa: SIM102  # is what is tried
        if strict:
            raise ValueError("negative")


NOT_CAUGHT: dict[str, Callable[[Tensor], Any]] = {
    each.__name__: each for each in (another_is_caught, raised_again, raised_with_another, if_it_is_strict)
}
