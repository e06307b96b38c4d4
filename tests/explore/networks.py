"""Networks whose sizes are written out by hand."""

from costlab import BatchNorm2d, Block, Conv2d, Dim, Flatten, Linear, add, block, concat, seq


@block(input="3x8x8")
def small(a: Dim = 4, b: Dim = 6, deep: bool = False) -> Block:
    """Three convolutions, branches that are joined, and a linear layer."""
    more = {"third": Conv2d(b, 1, bias=False)} if deep else {}
    return seq(
        stem=Conv2d(a, 3, padding="same"),
        body=seq(first=Conv2d(b, 3, padding="same", bias=False), second=BatchNorm2d(), **more),
        both=concat(left=Conv2d(a, 1, bias=False), right=seq()),
        same=add(here=seq(), there=Conv2d(a + b, 1, bias=False)),
        head=seq(flat=Flatten(), fc=Linear(10)),
    )


def multiply_adds(a: int = 4, b: int = 6, deep: bool = False) -> dict[str, int]:
    """What the modules of it multiply, by path."""
    return {
        "stem": 64 * 9 * 3 * a,
        "body.first": 64 * 9 * a * b,
        "body.third": 64 * b * b * deep,
        "both.left": 64 * b * a,
        "same.there": 64 * (a + b) ** 2,
        "head.fc": 64 * (a + b) * 10,
    }


def parameters(a: int = 4, b: int = 6, deep: bool = False) -> dict[str, int]:
    """What the modules of it learn, by path."""
    return {
        "stem": 9 * 3 * a + a,
        "body.first": 9 * a * b,
        "body.second": 2 * b,
        "body.third": b * b * deep,
        "both.left": b * a,
        "same.there": (a + b) ** 2,
        "head.fc": 64 * (a + b) * 10 + 10,
    }


def activations(a: int = 4, b: int = 6, deep: bool = False) -> dict[str, int]:
    """What its convolutions and linear layers put out, by path."""
    return {
        "stem": 64 * a,
        "body.first": 64 * b,
        "body.third": 64 * b * deep,
        "both.left": 64 * a,
        "same.there": 64 * (a + b),
        "head.fc": 10,
    }


BY_HAND = {"multiply_adds": multiply_adds, "parameters": parameters, "activations": activations}
