"""What costlab says of errors and objects of others: one line, one sentence, no address and no values."""

import collections
import re
import threading
import types
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional

import costlab
from costlab import CostlabError, count
from costlab.errors import DefinitionError, first_line, one_line
from costlab.messages import LONGEST, SHORT, first_sentence, named

X = torch.rand(2, 4)
BIG = torch.rand(7, 5)
ADDRESS = re.compile(r"0x[0-9a-f]{4,}", re.IGNORECASE)
DUMP = re.compile(r"tensor\(|array\(|Parameter containing|\d\.\d+,? +-?\d\.\d+,? +-?\d\.\d+")
SENTENCES = re.compile(r"[^.]\.\s+[A-Z]")


def fits(message: str) -> None:
    """Hold a message to what each of costlab's is."""
    assert message == message.strip()
    assert "\n" not in message
    assert not ADDRESS.search(message)
    assert not DUMP.search(message)
    assert not SENTENCES.search(message)
    assert "a bug in costlab" not in message
    assert len(message) <= 300


class Foo:
    """Has no text of its own."""


class Does(nn.Module):
    """Calls a function."""

    def __init__(self, function: Callable[[Tensor], Any]) -> None:
        super().__init__()
        self.function, self.weight = function, nn.Parameter(torch.rand(6, 6))

    def forward(self, x: Tensor) -> Any:
        return self.function(x)


def raises(error: Callable[[Tensor], BaseException]) -> Callable[[Tensor], Any]:
    def function(x: Tensor) -> Any:
        raise error(x)

    return function


BROKEN: dict[str, Callable[[Tensor], Any]] = {
    # what a model raises itself
    "a tensor is the key": raises(lambda x: KeyError(BIG)),
    "a tensor in the text": raises(lambda x: ValueError(f"bad weights {BIG} found")),
    "a parameter": raises(lambda x: ValueError(f"bad {nn.Parameter(BIG)} found")),
    "tensors in a dictionary": raises(lambda x: KeyError({"a": BIG, "b": [BIG, BIG]})),
    "a state_dict": raises(lambda x: ValueError(nn.Linear(5, 5).state_dict())),
    "a stand-in": raises(lambda x: ValueError(f"bad {x}")),
    "an array": raises(lambda x: ValueError(np.random.rand(5, 5))),
    "arrays in a list": raises(lambda x: ValueError([np.random.rand(9)])),
    "numbers in a list": raises(lambda x: ValueError(BIG.tolist())),
    "an object": raises(lambda x: ValueError(f"cannot use {Foo()} here")),
    "objects in a list": raises(lambda x: TypeError([Foo(), Foo(), print, raises, types])),
    "a function": raises(lambda x: TypeError(f"{raises} got an unexpected argument")),
    "a method": raises(lambda x: TypeError(f"{Does(torch.relu).forward} failed")),
    "a thread's lock": raises(lambda x: RuntimeError(threading.Lock())),
    "a number in hex": raises(lambda x: RuntimeError(f"invalid pointer {id(x):#x}")),
    "a module": raises(lambda x: ValueError(nn.Sequential(nn.Linear(3, 3), nn.ReLU()))),
    "two sentences": raises(lambda x: RuntimeError("The first is told. The second is not. Nor a third.")),
    "sentences in lines": raises(lambda x: RuntimeError("The first is told.\nThe second is not.")),
    "empty lines": raises(lambda x: ValueError("\n\n  no such thing\n\nat all")),
    "no text": raises(AssertionError),
    "a long text": raises(lambda x: ValueError("a long text " * 500)),
    "a long word": raises(lambda x: ValueError("a" * 5000)),
    "a text that fails": raises(lambda x: type("Odd", (ValueError,), {"__str__": lambda self: 1 / 0})()),
    "frames of C++": raises(
        lambda x: RuntimeError("no kernel\nException raised from f at a.cpp:1\nframe #0: 0x7f")
    ),
    # what torch raises, in Python and in C++
    "of a distribution": lambda x: torch.distributions.Normal(
        torch.tensor([float("nan")] * 40), 1.0, validate_args=True
    ),
    "sizes to concatenate": lambda x: torch.cat([x, x[:, :1]], 0),
    "sizes of a product": lambda x: x @ x,
    "a view": lambda x: x.view(3, -1),
    "an index": lambda x: x[5],
    "a type of indices": lambda x: functional.embedding(x, x),
    "letters": lambda x: torch.einsum("ij,jk->ik", x, x),
    "a convolution that is too large": lambda x: functional.conv2d(x[None, None], torch.rand(1, 1, 9, 9)),
    "a pool that is too large": lambda x: functional.max_pool2d(x[None], 9),
    "another size of a layer": lambda x: nn.LSTM(3, 3).forward(x),
    "attention": lambda x: nn.MultiheadAttention(6, 2).forward(x, x, x),
    "a state that is loaded": lambda x: nn.Linear(3, 3).load_state_dict({"weight": BIG, "other": BIG}),
    "a normalization": lambda x: functional.layer_norm(x, (7,)),
    "one value": lambda x: functional.instance_norm(x[:, :, None]),
    "an unknown operator": lambda x: torch.ops.aten.no_such_thing,
    "a wrong argument": lambda x: functional.softmax(x, *[x] * 9),  # type: ignore[arg-type]  # it is what is tested
    "a wrong type": lambda x: functional.pad(x, Foo()),  # type: ignore[arg-type]  # it is what is tested
    "no such attribute": lambda x: x.no_such_thing,  # type: ignore[attr-defined]  # it is what is tested
    "a script": lambda x: torch.jit.script(lambda y: y)(x),  # noqa: PLW0108  # it has no source
    # what depends on data
    "item": lambda x: x.sum().item(),
    "numpy": lambda x: x.detach().numpy(),
    "a mask": lambda x: x[x > 0],
    "unique": lambda x: torch.unique(x, dim=0),
    "format": lambda x: f"{x[0, 0]:.2f}",
    "a check of data": lambda x: torch._assert(bool(x.sum() > 0), f"wrong: {BIG}"),  # type: ignore[no-untyped-call]  # torch leaves it without types
}


@pytest.mark.parametrize("name", BROKEN)
@pytest.mark.parametrize("backward", [False, True])
@pytest.mark.filterwarnings("ignore:`torch.jit")  # torch's
def test_errors_in_a_model(name: str, backward: bool) -> None:
    model = nn.Sequential(nn.Linear(4, 4), Does(BROKEN[name]))
    with pytest.raises(CostlabError) as raised:
        count(model, X, backward=backward)
    message = str(raised.value)
    fits(message)
    assert message.startswith("1")


def test_the_words_that_are_left_say_what_is_wrong() -> None:
    def told(name: str) -> str:
        with pytest.raises(CostlabError) as raised:
            count(Does(BROKEN[name]), X)
        return str(raised.value).removeprefix("Does: ")

    assert told("a tensor is the key") == "KeyError: a tensor"
    assert told("a tensor in the text") == "ValueError: bad weights a tensor found"
    assert told("no such attribute") == "AttributeError: 'Tensor' object has no attribute 'no_such_thing'"
    assert told("an object") == "ValueError: cannot use <tests.test_messages.Foo object> here"
    assert told("two sentences") == "RuntimeError: The first is told"
    assert told("sentences in lines").startswith("RuntimeError: The first is told")
    assert told("empty lines") == "ValueError: no such thing"
    assert told("no text") == "AssertionError: a tensor"
    assert told("a text that fails") == "Odd"
    assert told("frames of C++") == "RuntimeError: no kernel"
    large = told("a pool that is too large")
    assert large.startswith("RuntimeError: Given input size: (1x2x4), calculated output size: ")
    assert large.endswith(", output size is too small")
    assert "dimension 0, expected 4 in dimension 1 but got 1" in told("sizes to concatenate")
    assert told("another size of a layer").endswith("expected 3, got 4")


@pytest.mark.parametrize("long", ["a" * 3000, "a_" * 99 + "b"])
def test_long_names_are_cut(long: str) -> None:
    layer = nn.Linear(4, 4)
    calls: list[Callable[[], Any]] = [
        lambda: count(long),
        lambda: count(f"torch.nn:{long}"),
        lambda: count(f"torch.nn:Linear:{long}=3"),
        lambda: count(f"inception_v3:width={long}"),
        lambda: count("inception_v3", kernel_7x7=long),
        lambda: count("inception_v3", **{long: 3}),  # type: ignore[arg-type]  # a parameter of any name
        lambda: count("stem", long),
        lambda: count(layer, f"2x4:{long}"),
        lambda: count(layer, {long: X}),
        lambda: count(layer, {f"{long}{i}": X for i in range(20)}, batch=2),
        lambda: costlab.compare(ablation=long),
        lambda: costlab.compare("stem", "stem")[long],
        lambda: costlab.compare("stem", "stem").ratio("stem", long),
        lambda: costlab.convention(long),
        lambda: count("stem").under(long),
        lambda: costlab.verify(long),
        lambda: costlab.closed_form("stem", long),
    ]
    for call in calls:
        with pytest.raises(CostlabError) as raised:
            call()
        fits(str(raised.value))


def test_sentences() -> None:
    for text, told in {
        "One. Two": "One",
        "See e.g. Foo": "See e.g. Foo",
        "Use i.e. Bar. Then": "Use i.e. Bar",
        "Shape (1, 2). Got (3)": "Shape (1, 2), got (3)",
        "is 3.5 of torch.Size([2])": "is 3.5 of torch.Size([2])",
        "It ends.": "It ends.",
        "wait... Then": "wait... Then",
        "mode <A object at 0x7f12>.Hint: set it": "mode <A object>",
        "a\nb": "a b",
        "Tensor tensor([[1.,\n 2.]], device='cpu') is bad": "Tensor a tensor is bad",
        "": "",
    }.items():
        assert first_sentence(text) == told
    assert (
        first_sentence(FileNotFoundError(2, "No such file", "/a. B/c")) == "[Errno 2] No such file: '/a. B/c'"
    )
    assert len(first_sentence("word " * 100)) <= LONGEST
    assert one_line(DefinitionError("Ours. It stays.")) == "DefinitionError: Ours. It stays."
    assert one_line(ValueError("a\nb")) == "ValueError: a b"
    assert first_line(ValueError("a\nb")) == "ValueError: a"
    assert one_line("a. B\n c") == "a. B c"


def test_values() -> None:
    for value, told in {
        3: "3",
        "a": "'a'",
        "a" * 99: f"'{'a' * (SHORT - 3)}...'",
        (1, 2.5): "(1, 2.5)",
        (1,): "(1,)",
        print: "print",
        Foo: "Foo",
        None: "None",
        True: "True",
        10**99: "about 2**328",
    }.items():
        assert named(value) == told
    assert named([1, None, "b"]) == "[1, None, 'b']"
    assert named(Foo()) == "a Foo"
    assert named({"a": 1}) == "a dict"
    assert named(torch.tensor(3)) == "tensor(3)"
    assert named(BIG) == "a Tensor"
    assert named(collections.OrderedDict()) == "an OrderedDict"
    assert named(costlab.symbols("H") + 1) == "H + 1"
    assert named(list(range(100))) == "a list of 100"
