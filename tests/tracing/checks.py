"""Checks of data, as models write them; no test is here, since pytest writes the assertions of tests anew."""

from collections.abc import Callable
from typing import Any

import torch
import torch.nn.functional as F  # noqa: N812  # as everybody calls it
from torch import Tensor


def raises_if(x: Tensor) -> None:
    if (x < 0).any():
        raise ValueError("negative")


def raises_unless(x: Tensor) -> None:
    if not torch.isfinite(x.sum()).item():
        raise ValueError(f"not finite: {x.shape}")


def asserts(x: Tensor) -> None:
    assert x.max() < 5, "too large"


def asserts_both(x: Tensor) -> None:
    assert x.max() < 5 and x.min() > -3  # noqa: PT018  # both in one is what is tried


def asserts_either(x: Tensor) -> None:
    assert x.sum() > 0 or (x > 2).all()


def says_and_raises(x: Tensor) -> None:
    if (x < 0).any() or (x > 9).any():
        names = [str(each) for each in x.shape]
        raise RuntimeError(" ".join(names))


def raises_after_two(x: Tensor) -> None:
    if x.mean() < 0 and x.std() > 3:
        for _ in range(2):
            x = x + 1
        raise ValueError(x.shape)


def raises_else(x: Tensor) -> Tensor:
    if bool(x.sum() > 0):
        return x
    raise ValueError("not positive")


def in_a_loop(x: Tensor) -> None:
    for row in x:
        if row.sum() < 0:
            raise ValueError("negative")


def in_torch(x: Tensor) -> None:
    F.gaussian_nll_loss(x, x, x.abs())


CHECKS: dict[str, Callable[[Tensor], Any]] = {
    each.__name__: each
    for each in (
        *(raises_if, raises_unless, asserts, asserts_both, asserts_either, says_and_raises),
        *(raises_after_two, raises_else, in_a_loop, in_torch),
    )
}
