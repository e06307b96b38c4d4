"""Small networks with all that may change what is held: branches, joins, heads, views, what is frozen."""

from typing import Any

from costlab import (
    AdaptiveAvgPool2d,
    AdaptiveMaxPool2d,
    AvgPool2d,
    BatchNorm2d,
    Block,
    Conv2d,
    Dropout,
    Flatten,
    Linear,
    LocalResponseNorm,
    MaxPool2d,
    PReLU,
    ReLU,
    Shape,
    Softmax,
    add,
    auxiliary,
    concat,
    seq,
)


def conv(filters: int, kernel: Any, **settings: Any) -> Block:
    """A convolution as Inception v3 has them."""
    return seq(conv=Conv2d(filters, kernel, bias=False, **settings), bn=BatchNorm2d(scale=False), relu=ReLU())


def inception(filters: int) -> Block:
    """Four branches as those of inception_a."""
    return concat(
        b1x1=conv(filters, 1),
        b5x5=seq(conv(filters, 1), conv(2 * filters, 5, padding=2)),
        b3x3dbl=seq(conv(filters, 1), conv(filters, 3, padding=1), conv(filters, 3, padding=1)),
        pool=seq(AvgPool2d(3, 1, 1), conv(filters, 1)),
    )


def residual(filters: int) -> Block:
    """A sum with what came in."""
    body = seq(conv(filters, 3, padding=1), Conv2d(filters, 3, padding=1, bias=False), BatchNorm2d())
    return seq(add(seq(), body), ReLU())


def head(filters: int) -> Block:
    """An auxiliary classifier."""
    return auxiliary(AvgPool2d(2), conv(filters, 1), Flatten(), Linear(5))


END = (AdaptiveAvgPool2d(1), Flatten(), Linear(7))
RGB = Shape(3, 13, 11)
BLOCKS: dict[str, Block] = {
    "inception": seq(conv(4, 3), inception(3), inception(2), *END),
    "residual": seq(conv(4, 3), residual(4), residual(4), *END),
    "residual at the input": seq(residual(3), *END),
    "heads": seq(conv(4, 3), head(3), inception(3), head(2), Dropout(), *END),
    "head within a head": seq(conv(4, 3), auxiliary(AdaptiveAvgPool2d(4), head(2), Conv2d(3, 1)), *END),
    "head before anything is learned": seq(auxiliary(AdaptiveAvgPool2d(1), Flatten()), conv(4, 3), *END),
    "all that is learned in a head": auxiliary(PReLU(), Conv2d(2, 3)),
    "ensemble": add(seq(conv(4, 3), *END), seq(conv(2, 5), *END), seq(inception(2), *END)),
    "dropout": seq(Conv2d(4, 3), Dropout(0.5), Conv2d(4, 1), Dropout(0.0), Conv2d(2, 1), Dropout(1.0)),
    "dropout first": seq(Dropout(), Conv2d(4, 3)),
    "dropout of nothing, twice": seq(Conv2d(4, 3), concat(Dropout(0.0), Dropout(0.0), ReLU())),
    "pools that round up": seq(
        Conv2d(4, 3), MaxPool2d(3, 2, ceil_mode=True), AvgPool2d(2, 2, ceil_mode=True), ReLU(), *END
    ),
    "pool first": seq(MaxPool2d(2), concat(AvgPool2d(3, 1, 1), Conv2d(4, 3, padding=1)), Conv2d(2, 1)),
    "uneven same": seq(Conv2d(4, 2, padding="same"), ReLU(), Conv2d(5, (1, 4), padding="same"), *END),
    "local response norm": seq(Conv2d(12, 3), LocalResponseNorm(5), ReLU(), *END),
    "local response norm over more than there is": seq(Conv2d(1, 1), LocalResponseNorm(9), MaxPool2d(5)),
    "local response norm first": seq(LocalResponseNorm(3), Conv2d(2, 1)),
    "prelu": seq(PReLU(), Conv2d(4, 3), PReLU(per_channel=True), Conv2d(4, 3), PReLU(), *END, PReLU(True)),
    "prelu on what is pooled": seq(
        PReLU(), add(AdaptiveAvgPool2d((3, 2)), seq(PReLU(), AdaptiveAvgPool2d((3, 2))))
    ),
    "softmax in the middle": seq(Conv2d(4, 3), Softmax(), Conv2d(4, 1), *END, Softmax(), Linear(3)),
    "flattened": seq(Conv2d(2, 3), Flatten(), Linear(9), Flatten(), ReLU(), Linear(4)),
    "flattened branches": seq(
        Conv2d(2, 3),
        concat(
            Flatten(), seq(ReLU(), Flatten()), Flatten(), seq(Flatten(), Linear(3)), seq(ReLU(), Flatten())
        ),
        Linear(2),
    ),
    "adaptive": seq(Conv2d(4, 3), AdaptiveMaxPool2d((5, 3)), AdaptiveAvgPool2d((2, 3)), Conv2d(2, 1)),
    "same branch": seq(
        Conv2d(4, 3), concat(ReLU(), ReLU()), add(ReLU(), ReLU(), ReLU()), add(seq(), seq()), Conv2d(2, 1)
    ),
    "identity branches": seq(Conv2d(4, 3), concat(seq(), seq(), ReLU()), add(seq(), ReLU(), seq())),
    "nested joins": seq(
        Conv2d(4, 3),
        concat(add(seq(), concat(Conv2d(2, 1), Conv2d(2, 1))), concat(ReLU(), seq(), add(ReLU()))),
    ),
    "groups": seq(Conv2d(6, 3, groups=3), ReLU(), Conv2d(6, 3, groups=6, dilation=(2, 1)), *END),
}
