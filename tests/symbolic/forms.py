"""What the tests of closed forms share."""

import os
from typing import Any

from hypothesis import HealthCheck, reject, settings

from costlab.algebra import (
    AvgPool2d,
    BatchNorm2d,
    Block,
    Conv2d,
    Dim,
    MaxPool2d,
    Ratio,
    ReLU,
    Shape,
    add,
    auxiliary,
    block,
    concat,
    in_between,
    scale,
    seq,
)
from costlab.algebra.work import QUANTITIES
from costlab.counting.count import count
from costlab.errors import ShapeError
from costlab.symbolic import ClosedForm, closed_form

EXAMPLES = int(os.environ.get("FUZZ_EXAMPLES", "12"))
SLOW = settings(deadline=None, max_examples=EXAMPLES, suppress_health_check=list(HealthCheck))


def quantities(target: Any, *args: Any, **kwargs: Any) -> dict[str, int]:
    total: Any = count(target, *args, **kwargs).total
    return {name: getattr(total, name) for name in QUANTITIES}


def form_or_skip(made: Block, x: Shape, *names: str) -> ClosedForm:
    """The closed form, unless branches join for this one size alone."""
    try:
        return closed_form(made, *names, input=x)
    except ShapeError as refusal:
        assert "branches cannot be proved to join" in str(refusal)  # noqa: PT017  # another refusal is no reason to reject
        reject()


@block(input=("channels", "size", "size"))
def mixed(
    channels: Dim = 8,
    size: Dim = 31,
    n: Dim = 3,
    filters: Dim = 12,
    width: Ratio = 1.0,
    depth: int = 2,
    stride: Dim = 3,
    bias: bool = True,
) -> Block:
    """Everything that a closed form may be in."""
    inner = in_between(channels, scale(filters, width))
    body = [seq(Conv2d(filters, n, padding="same"), BatchNorm2d(), ReLU()) for _ in range(depth)]
    return seq(
        first=Conv2d(inner, n, bias=bias),
        body=seq(*body),
        skip=add(seq(), Conv2d(filters, 1)) if depth else seq(),
        split=concat(MaxPool2d(3, 2), Conv2d(scale(filters, width), 3, 2), AvgPool2d(3, 2)),
        head=auxiliary(Conv2d(4, 1)),
        last=Conv2d(5, 1, 3),
    )
