"""Combinators: values that compose, print, compare and hash; joins that are checked."""

import pytest

from costlab.algebra import (
    BatchNorm2d,
    Block,
    Conv2d,
    Dropout,
    Flatten,
    Linear,
    LocalResponseNorm,
    MaxPool2d,
    ReLU,
    Sequence,
    Shape,
    Vector,
    add,
    auxiliary,
    concat,
    seq,
)
from costlab.algebra.block import Node
from costlab.counting.count import count
from costlab.errors import DefinitionError, ShapeError
from costlab.targets.catalog import catalog

X = Shape(8, 12, 12)


def paths(node: Node) -> list[str]:
    return [below.path for below in node.nodes()]


def test_names_become_paths() -> None:
    net = seq(Conv2d(4, 3), body=concat(a=seq(ReLU()), b=ReLU()))
    assert paths(net.walk(X)) == ["", "0", "body", "body.a", "body.a.0", "body.b"]


def test_blocks_are_values() -> None:
    def make(channels: int = 4) -> Block:
        return seq(a=Conv2d(channels, (3, 3), padding=1), b=add(seq(), ReLU()))

    assert make() == make()
    assert hash(make()) == hash(make())
    assert make() != make(5)
    assert Conv2d(4, 3) == Conv2d(4, (3, 3))
    assert Conv2d(4, 3, padding="valid") == Conv2d(4, 3, padding=0)
    assert len({make(), make(), make(5)}) == 2


def test_blocks_print_as_a_tree() -> None:
    text = str(seq(a=concat(x=ReLU(), y=ReLU()), b=Linear(3)))
    assert text.splitlines() == [
        "sequence of 2:",
        "  a: concat of 2:",
        "    x: ReLU()",
        "    y: ReLU()",
        "  b: Linear(features=3, bias=True)",
    ]


def test_shapes_of_joins() -> None:
    assert concat(Conv2d(4, 1), seq(), ReLU()).output(X) == Shape(20, 12, 12)
    assert add(seq(), Conv2d(8, 3, padding=1)).output(X) == X
    assert concat(seq(Flatten(), Linear(3)), Flatten()).output(X) == Vector(3 + 8 * 144)
    assert seq().output(X) == X
    assert auxiliary(Conv2d(1, 12)).output(X) == X


@pytest.mark.parametrize(
    ("block", "complaint"),
    [
        (concat(a=ReLU(), b=MaxPool2d(2)), "net: branches do not join: a gives 8x12x12, b gives 8x6x6"),
        (add(a=ReLU(), b=Conv2d(9, 1)), "net: branches do not join: a gives 8x12x12, b gives 9x12x12"),
        (concat(a=ReLU(), b=Flatten()), "net: branches do not join: a gives 8x12x12, b gives 1152"),
        (seq(Conv2d(2, 1), Conv2d(2, 13)), "net.1: kernel=13x13 does not fit height=12 with padding=0"),
        (
            Conv2d(2, 7, padding=(0, 1), dilation=2),
            "net: kernel=7x7 dilation=2x2 does not fit height=12 with padding=0x1",
        ),
        (MaxPool2d((2, 13)), "net: kernel=2x13 does not fit width=12 with padding=0"),
        (Conv2d(3, 1, groups=3), "net: channels=8 must be divisible by groups=3"),
        (Linear(3), "net: linear needs a vector, got a feature map of 8x12x12: put Flatten() before it"),
        (
            seq(a=Flatten(), b=MaxPool2d(2)),
            "net.b: max_pool2d needs a feature map (channels, height, width), got a vector of 1152",
        ),
        (auxiliary(x=seq(Conv2d(1, 20))), "net.x.0: kernel=20x20 does not fit height=12 with padding=0"),
    ],
)
def test_what_does_not_fit_is_named_with_its_path(block: Block, complaint: str) -> None:
    with pytest.raises(ShapeError) as refusal:
        seq(net=block).output(X)
    assert str(refusal.value) == complaint


def test_bad_construction_is_refused() -> None:
    with pytest.raises(DefinitionError, match="groups=3"):
        Conv2d(4, 1, groups=3)
    with pytest.raises(DefinitionError, match='padding="same" needs stride=1'):
        Conv2d(4, 3, stride=2, padding="same")
    with pytest.raises(DefinitionError, match='padding=\'full\' must be a number, a pair, "same" or "valid"'):
        Conv2d(4, 3, padding="full")  # type: ignore[arg-type]  # a wrong type is what is tested
    with pytest.raises(DefinitionError, match="Conv2d: kernel=0 must be at least 1"):
        Conv2d(4, (3, 0))
    with pytest.raises(DefinitionError, match=r"Conv2d: kernel=\(1, 2, 3\) must be one number or"):
        Conv2d(4, (1, 2, 3))  # type: ignore[arg-type]  # a wrong type is what is tested
    with pytest.raises(DefinitionError, match="MaxPool2d: padding=2 must be at most half of kernel=3x3"):
        MaxPool2d(3, padding=2)
    with pytest.raises(DefinitionError, match="needs at least one branch"):
        concat()
    with pytest.raises(DefinitionError, match="0=relu is not a block"):
        seq("relu")  # type: ignore[arg-type]  # a wrong type is what is tested
    with pytest.raises(DefinitionError, match=r"'a\.b' is no name for a block"):
        seq(**{"a.b": ReLU()})
    with pytest.raises(DefinitionError, match="the name 'a' is given twice"):
        Sequence((("a", ReLU()), ("a", ReLU())))


def test_settings_that_are_no_dimensions_are_checked() -> None:
    with pytest.raises(DefinitionError, match="Conv2d: bias='no' must be True or False"):
        Conv2d(4, 1, bias="no")  # type: ignore[arg-type]  # a wrong type is what is tested
    with pytest.raises(DefinitionError, match="BatchNorm2d: eps='x' must be a number"):
        BatchNorm2d(eps="x")  # type: ignore[arg-type]  # a wrong type is what is tested
    with pytest.raises(DefinitionError, match="Dropout: p='x' must be a number"):
        Dropout("x")  # type: ignore[arg-type]  # a wrong type is what is tested
    with pytest.raises(DefinitionError, match=r"Dropout: p=1\.5 must be between 0 and 1"):
        Dropout(1.5)
    with pytest.raises(DefinitionError, match="LocalResponseNorm: alpha=nan must be a number"):
        LocalResponseNorm(alpha=float("nan"))
    assert Dropout(0) == Dropout(0.0)


def test_children_may_come_in_a_list() -> None:
    listed = Sequence([("a", ReLU())])  # type: ignore[arg-type]  # a wrong type is what is tested
    assert listed == seq(a=ReLU())
    assert hash(listed) == hash(seq(a=ReLU()))
    with pytest.raises(DefinitionError, match="sequence: 1 is no name for a block"):
        Sequence(((1, ReLU()),))  # type: ignore[arg-type]  # a wrong type is what is tested
    with pytest.raises(DefinitionError, match=r"0=<definition stem> is not a block; call it to get one"):
        seq(catalog()["stem"])  # type: ignore[arg-type]  # a wrong type is what is tested


def test_titles() -> None:
    assert Conv2d(4, 3).title == "conv2d 3x3"
    assert Conv2d(4, (1, 7), stride=2, groups=2).title == "conv2d/2 groups 1x7/2"
    assert MaxPool2d(3, 2).title == "max_pool2d 3x3/2"


def test_a_walk_threads_the_shape_once() -> None:
    """A chain of n blocks inside each other costs n shape rules, not n squared."""
    calls = 0

    class Counted(ReLU):
        def output(self, x: object) -> Shape:
            nonlocal calls
            calls += 1
            return X

    block: Block = Counted()
    for _ in range(50):
        block = seq(block, Counted())
    count(block, X)
    assert calls == 51
