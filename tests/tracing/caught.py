"""Checks of data whose exceptions a model catches, or before which it does more: these decide something."""

from collections.abc import Callable
from contextlib import suppress
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
        *(suppressed, mended_or_refused, mended_and_refused),
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


def if_it_is_strict(x: Tensor, strict: bool = True) -> None:
    if (x < 0).any():  # noqa: SIM102  # is what is tried
        if strict:
            raise ValueError("negative")


NOT_CAUGHT: dict[str, Callable[[Tensor], Any]] = {
    each.__name__: each
    for each in (another_is_caught, raised_again, raised_with_another, within_a_context, if_it_is_strict)
}
