"""Random blocks: trees of every operation and combinator, with odd sizes, that fit together."""

from hypothesis import strategies as st

from costlab.algebra import (
    AdaptiveAvgPool2d,
    AnyShape,
    Block,
    Conv2d,
    Flatten,
    Linear,
    Operation,
    ReLU,
    Shape,
    Vector,
    add,
    auxiliary,
    concat,
    seq,
)
from costlab.errors import CostlabError
from tests.samples import field_pools, operation_classes

CLASSES = operation_classes()
POOLS = {cls: field_pools(cls) for cls in CLASSES}

shapes = st.builds(Shape, st.integers(1, 12), st.integers(1, 13), st.integers(1, 13))


@st.composite
def operations(draw: st.DrawFn, x: AnyShape) -> Operation:
    """An operation that accepts ``x``: of four tries the first that does, else ReLU."""
    for _ in range(4):
        cls = draw(st.sampled_from(CLASSES))
        try:
            operation = cls(**{name: draw(st.sampled_from(pool)) for name, pool in POOLS[cls].items()})
            operation.output(x)
        except CostlabError:
            continue
        return operation
    return ReLU()


@st.composite
def blocks(draw: st.DrawFn, x: AnyShape, depth: int = 3) -> Block:
    """A block that accepts ``x``."""
    form = draw(st.sampled_from(["operation", "seq", "concat", "add", "auxiliary"])) if depth else "operation"
    if form == "operation":
        return draw(operations(x))
    if form in ("seq", "auxiliary"):
        parts: list[Block] = []
        y = x
        for _ in range(draw(st.integers(0, 4))):
            parts.append(draw(blocks(y, depth - 1)))
            y = parts[-1].output(y)
        return seq(*parts) if form == "seq" else auxiliary(*parts)
    branches = [draw(blocks(x, depth - 1)) for _ in range(draw(st.integers(1, 3)))]
    goal = branches[0].output(x)
    fitted = [branches[0], *(fit(branch, x, goal, form == "add") for branch in branches[1:])]
    return add(*fitted) if form == "add" else concat(*fitted)


def fit(branch: Block, x: AnyShape, goal: AnyShape, whole: bool) -> Block:
    """The branch, followed by what it takes to join ``goal``: in all dimensions if ``whole``."""
    y = branch.output(x)
    parts = [branch]
    if isinstance(goal, Shape):
        if not isinstance(y, Shape):  # nothing makes a map of a vector: leave the branch out
            assert isinstance(x, Shape)
            parts, y = [], x
        if y[1:] != goal[1:]:
            parts.append(AdaptiveAvgPool2d((goal.height, goal.width)))
        if whole and y.channels != goal.channels:
            parts.append(Conv2d(goal.channels, 1))
    else:
        if isinstance(y, Shape):
            parts.append(Flatten())
        if whole and seq(*parts).output(x) != goal:
            assert isinstance(goal, Vector)
            parts.append(Linear(goal.features))
    return seq(*parts)


@st.composite
def counted(draw: st.DrawFn) -> tuple[Shape, Block]:
    """An input shape and a block that accepts it."""
    x = draw(shapes)
    return x, draw(blocks(x))
