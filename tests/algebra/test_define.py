"""Definitions and their parameters: checked by name and type, read from text."""

import functools
import pickle
from enum import Enum
from typing import Any, Literal

import numpy as np
import pytest

from costlab.algebra import Block, Conv2d, Definition, Dim, Ratio, ReLU, Shape, block, scale, seq, symbols
from costlab.errors import DefinitionError
from costlab.targets.resolve import resolve


@block(figure="Figure 0", input="3x8x8")
def sample(
    channels: Dim,
    width: Ratio = 1.0,
    form: Literal["one", "two"] = "one",
    deep: bool = False,
    repeats: int = 1,
    bias: bool | None = None,
    label: str = "x",
    rate: float = 0.5,
) -> Block:
    """A block to test with: ``(C, H, W) -> (channels, H, W)``.

    Args:
        channels: how many filters.
        width: a multiplier
            of them.
    """
    return seq(Conv2d(scale(channels, width), 1, bias=bool(bias)), *[ReLU()] * repeats)


def test_a_definition_says_what_it_is() -> None:
    assert isinstance(sample, Definition)
    assert (sample.name, sample.figure, str(sample.input)) == ("sample", "Figure 0", "3x8x8")
    assert sample.summary == "A block to test with: ``(C, H, W) -> (channels, H, W)``."
    assert [str(p) for p in sample.parameters.values()] == [
        "channels",
        "width=1.0",
        "form=one",
        "deep=false",
        "repeats=1",
        "bias=None",
        "label=x",
        "rate=0.5",
    ]
    assert sample.parameters["width"].note == "a multiplier of them."
    assert sample.parameters["form"].takes == "one or two"


def test_what_it_makes_bears_its_name_but_equals_what_it_is() -> None:
    assert sample(4).title == "sample"
    assert sample(4) == seq(Conv2d(4, 1, bias=False), ReLU())


def test_text_is_read_by_type() -> None:
    text = "channels=8, width=0.5,form=two,deep=TRUE,repeats=3,bias=none,label=a b,rate=1e-1"
    assert sample.read(text) == {
        "channels": 8,
        "width": 0.5,
        "form": "two",
        "deep": True,
        "repeats": 3,
        "bias": None,
        "label": "a b",
        "rate": 0.1,
    }
    assert sample.read("") == {}


def untyped(layers=(1, 2), name="n", anything=None):  # type: ignore[no-untyped-def]  # without types is what is tested
    return ReLU()


def test_a_plain_function_will_do() -> None:
    plain = Definition(untyped)
    assert plain.read("layers=[3, 4],name=b,anything=none") == {
        "layers": [3, 4],
        "name": "b",
        "anything": "none",
    }
    assert plain(layers=[3]) == ReLU()


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("chanels=3", "sample has no parameter 'chanels'; did you mean channels?"),
        ("zzz=3", "sample has no parameter 'zzz'; there is channels, width, form"),
        ("channels", "sample: 'channels' must be name=value"),
        ("channels=1,channels=2", "sample: channels is given twice"),
        ("channels=four", "sample: channels=four must be a whole number"),
        ("channels=1.5", "sample: channels=1.5 must be a whole number"),
        ("channels=1,width=wide", "sample: width=wide must be a number"),
        ("channels=1,deep=yes", "sample: deep=yes must be true or false"),
        ("channels=1,form=three", "sample: form=three must be one or two"),
        ("channels=" + "9" * 5000, "sample: channels=999"),
    ],
)
def test_text_that_says_nothing(text: str, complaint: str) -> None:
    with pytest.raises(DefinitionError) as refusal:
        sample.read(text)
    assert str(refusal.value).startswith(complaint)


def test_text_nested_too_deeply_is_refused() -> None:
    with pytest.raises(DefinitionError, match="untyped: layers="):
        Definition(untyped).read("layers=" + "-" * 100_000 + "1")


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        ({}, "sample needs channels=..."),
        ({"channels": 0}, "sample: channels=0 must be at least 1"),
        ({"channels": 1.0}, "sample: channels=1.0 must be a whole number"),
        ({"channels": 1, "width": 0}, "sample: width=0 must be a positive number"),
        ({"channels": 1, "width": float("nan")}, "sample: width=nan must be a positive number"),
        ({"channels": 1, "width": "wide"}, "sample: width='wide' must be a number"),
        ({"channels": 1, "deep": 1}, "sample: deep=1 must be true or false"),
        ({"channels": 1, "repeats": True}, "sample: repeats=True must be a whole number"),
        ({"channels": 1, "form": "three"}, "sample: form=three must be one or two"),
        ({"channels": 1, "label": 3}, "sample: label=3 must be text"),
        ({"channels": 1, "rate": "fast"}, "sample: rate=fast must be a number"),
        ({"channels": 1, "depth": 3}, "sample has no parameter 'depth'"),
    ],
)
def test_arguments_of_the_wrong_kind(arguments: dict[str, object], complaint: str) -> None:
    with pytest.raises(DefinitionError) as refusal:
        sample(**arguments)  # type: ignore[arg-type]  # wrong types are what is tested
    assert str(refusal.value).startswith(complaint)


def test_symbols_and_arrays_are_dimensions() -> None:
    c, w = symbols("c w")
    assert sample(c, width=w).output(Shape(3, 8, 8))[0] == c * w
    swept = sample(np.array([4, 8])).output(Shape(3, 8, 8))
    assert np.asarray(swept[0]).tolist() == [4, 8]


def test_numbers_of_numpy_are_numbers() -> None:
    numbers: Any = {"channels": np.int64(3), "repeats": np.int64(2), "rate": np.float64(0.25)}
    assert sample(**numbers) == sample(3, repeats=2)
    with pytest.raises(DefinitionError, match="sample: repeats=True must be a whole number"):
        sample(3, repeats=np.bool_(True))  # type: ignore[arg-type]  # a wrong type is what is tested


def test_a_multiplier_may_be_left_out() -> None:
    def scaled(width: Ratio | None = None) -> Block:
        return Conv2d(4, 1) if width is None else Conv2d(scale(4, width), 1)

    definition = Definition(scaled)
    assert definition.read("width=0.5") == {"width": 0.5}
    assert definition.read("width=none") == {"width": None}
    assert definition(None) == definition() == Conv2d(4, 1)
    with pytest.raises(DefinitionError, match=r"scaled: width=-5 must be a positive number"):
        definition(-5)


def test_arguments_are_bound_as_python_binds_them() -> None:
    def rest(channels: int, *others: int, bias: bool = False) -> Block:
        return Conv2d(channels + sum(others), 1, bias=bias)

    assert Definition(rest)(1, 5) == Conv2d(6, 1, bias=False)
    with pytest.raises(DefinitionError, match="sample: too many positional arguments"):
        sample(4, 1.0, "one", False, 1, None, "x", 0.5, 9)  # type: ignore[call-arg]  # an argument too many is what is tested
    with pytest.raises(DefinitionError, match="sample: multiple values for argument 'channels'"):
        sample(4, channels=4)  # type: ignore[misc]  # an argument given twice is what is tested


def test_definitions_are_pickled_by_name() -> None:
    assert pickle.loads(pickle.dumps(sample)) is sample
    assert repr(sample) == "<definition sample>"
    for function in (untyped, functools.partial(untyped, layers=(3,))):
        copied = pickle.loads(pickle.dumps(Definition(function, "Figure 9")))
        assert (copied.name, copied.figure, copied()) == ("untyped", "Figure 9", ReLU())


def test_choices_of_every_kind() -> None:
    class Size(Enum):
        SMALL = 1

    def chosen(
        a: Literal["x", None] = None,  # noqa: PYI061  # a form that people write
        b: Literal[Size.SMALL] = Size.SMALL,
        c: Literal[b"x", 1] = 1,
    ) -> Block:
        return ReLU()

    definition = Definition(chosen)
    assert definition(None, Size.SMALL, b"x") == definition(a="x", c=1) == ReLU()
    for arguments in ({"a": "y"}, {"c": True}, {"b": 1}, {"a": np.array([1])}):
        with pytest.raises(DefinitionError, match=r"chosen: \w=.* must be "):
            definition(**arguments)


def test_what_a_function_carries_does_not_take_the_place_of_the_definitions() -> None:
    def carrying(size: int = 3) -> Block:
        return ReLU()

    carrying.input = "oops"  # type: ignore[attr-defined]  # functions carry what they are given
    carrying.parameters = "oops"  # type: ignore[attr-defined]  # functions carry what they are given
    assert Definition(carrying).input is None
    assert list(Definition(carrying).parameters) == ["size"]


def test_notes_are_read_in_the_usual_forms() -> None:
    def noted(a: int = 1, b: int = 2, c: int = 3) -> Block:
        """A summary
        of two lines.

        Args:
            a (int): the first,
                at length.

            b:
                the second.

            c: the third.

        Returns:
            d: no parameter.
        """
        return ReLU()

    definition = Definition(noted)
    assert definition.summary == "A summary of two lines."
    assert [p.note for p in definition.parameters.values()] == [
        "the first, at length.",
        "the second.",
        "the third.",
    ]


def test_what_returns_no_block_is_told() -> None:
    def wrong() -> Block:
        return 3  # type: ignore[return-value]  # a wrong type is what is tested

    with pytest.raises(DefinitionError, match="wrong returned int, not a block"):
        Definition(wrong)()


@block(input=("channels", "size", "size"))
def tied(channels: Dim = 8, size: Dim = 9, filters: Dim = 4) -> Block:
    """A block whose input depends on its parameters."""
    return seq(Conv2d(channels, 1), Conv2d(filters, (size, 1)))


def test_an_input_may_depend_on_parameters() -> None:
    assert tied.input == Shape(8, 9, 9)
    assert tied.ties == {"channels": (0,), "size": (1, 2)}
    assert resolve(tied).input == Shape(8, 9, 9)
    assert resolve(tied, channels=5).input == Shape(5, 9, 9)
    given = resolve(tied, (6, 7, 7))
    assert given.block == tied(channels=6, size=7)
    assert resolve(tied, (6, 7, 7), channels=6).block == given.block
    assert resolve(tied, (6, 7, 7), filters=3).block == tied(6, 7, 3)
    assert pickle.loads(pickle.dumps(tied)).input == tied.input


def test_an_input_that_does_not_agree_with_the_parameters_is_refused() -> None:
    with pytest.raises(DefinitionError, match="tied: channels=5 must be the input's, and that is 6x9x9"):
        resolve(tied, (6, 9, 9), channels=5)
    with pytest.raises(DefinitionError, match="tied: size=7 must be the input's, and that is 8x7x9"):
        resolve(tied, (8, 7, 9))


def test_an_input_that_names_no_parameter_is_refused() -> None:
    wrong = block(input=("chanels", 9, 9))(lambda channels=3: Conv2d(channels, 1))
    for shape in (None, (3, 9, 9)):
        with pytest.raises(DefinitionError, match="no parameter 'chanels'; did you mean channels"):
            resolve(wrong, shape)


def test_an_input_of_a_parameter_without_default_is_known_once_that_is_given() -> None:
    needy = block(input=("channels", 9, 9))(lambda channels: Conv2d(channels, 1))
    assert needy.input is None
    assert resolve(needy, channels=4).input == Shape(4, 9, 9)
