"""What costlab says of errors and objects of others: one line, one sentence, no address and no values."""

import collections
import functools
import re
import threading
import types
import warnings
from collections.abc import Callable
from pathlib import Path
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
from costlab.targets.resolve import resolve

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
    "a method": raises(lambda x: TypeError(f"{Does(_doubled).forward} failed")),
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
    "of a distribution": lambda x: torch.distributions.Normal(torch.tensor([float("nan")] * 40), 1.0),
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
    assert told("an object") == "ValueError: cannot use <tests.test_messages.Foo object> here"
    assert told("two sentences") == "RuntimeError: The first is told"
    assert told("sentences in lines").startswith("RuntimeError: The first is told")
    assert told("empty lines") == "ValueError: no such thing"
    assert told("no text") == "AssertionError"
    assert told("a text that fails") == "Odd"
    assert told("frames of C++") == "RuntimeError: no kernel"
    large = told("a pool that is too large")
    assert large.startswith("RuntimeError: Given input size: (1x2x4), calculated output size: ")
    assert large.endswith(", output size is too small")
    assert "dimension 0, expected 4 in dimension 1 but got 1" in told("sizes to concatenate")
    assert told("another size of a layer").endswith("expected 3, got 4")


@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # torch's, of scripts
def objects() -> dict[str, Any]:
    layer = nn.Linear(4, 4)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        scripted = torch.jit.script(_doubled)

    class Wrapper:
        def __init__(self) -> None:
            self.model, self.count = layer, 3

        def __call__(self, x: Tensor) -> Tensor:
            return layer(x)  # type: ignore[no-any-return]  # torch says Any

    class Hidden:
        def __init__(self) -> None:
            self._net = layer

    return {
        "ExportedProgram": torch.export.export(layer, (X,)),
        "state_dict": layer.state_dict(),
        "checkpoint": {"epoch": 3, "model": layer.state_dict()},
        "ScriptFunction": scripted,
        "class of modules": nn.Linear,
        "class": Foo,
        "optimizer": torch.optim.SGD(layer.parameters(), 0.1),
        "scheduler": torch.optim.lr_scheduler.StepLR(torch.optim.SGD(layer.parameters(), 0.1), 1),
        "wrapper": Wrapper(),
        "hidden": Hidden(),
        "tensor": BIG,
        "parameter": layer.weight,
        "list": [layer, layer],
        "long list": [layer] * 100,
        "dictionary": {"a": layer, "b": nn.ReLU()},
        "function": objects,
        "lambda": lambda: layer,
        "partial": functools.partial(nn.Linear, 4, 4),
        "method": layer.forward,
        "generator": (each for each in [1]),
        "object": Foo(),
        "objects": [Foo(), {"a": Foo()}],
        "array": np.random.rand(9, 9),
        "graph": torch.fx.symbolic_trace(layer).graph,
        "loader": torch.utils.data.DataLoader([1, 2]),  # type: ignore[arg-type]  # a list does
        "dtype": torch.float32,
        "device": torch.device("cpu"),
        "sizes": torch.Size([1, 3, 8, 8]),
        "None": None,
        "number": 3,
        "large number": 10**5000,
        "bytes": b"inception_v3",
        "set": {1, 2},
        "namespace": types.SimpleNamespace(model=layer),
        "module of Python": types,
        "counter": collections.Counter("abc"),
        "path": Path("net.py"),
        "deep": [[[[[[BIG] * 9] * 9] * 9]]],
        "recursive": _recursive(),
    }


def _doubled(x: Tensor) -> Tensor:
    return x + x


def _recursive() -> list[Any]:
    found: list[Any] = []
    found.append(found)
    return found


OBJECTS = objects()
INSTEAD = {
    "ExportedProgram": "an ExportedProgram is no target: give the module that it holds, .module()",
    "state_dict": "these are the tensors of a model, as in a state_dict: give the model itself",
    "checkpoint": "these are the tensors of a model, as in a state_dict: give the model itself",
    "ScriptFunction": "TorchScript hides what runs in it: give a module that calls what it was made from",
    "class of modules": "Linear is no target: give a module made of it, Linear(...)",
    "optimizer": "give the model whose parameters it updates",
    "wrapper": "a Wrapper is no target: give the module in it, .model",
    "hidden": "a Hidden is no target: give the module in it, ._net",
    "tensor": "a Tensor is no target: give the model, and the tensor as its input",
    "parameter": "a Parameter is no target: give the model, and the tensor as its input",
    "list": "give the module in it, [0] or [1]",
    "long list": "a list of 100 is no target: give the module in it, [0] or [1] or [2], ...",
    "dictionary": "a dict is no target: give the module in it, ['a'] or ['b']",
    "function": "objects is no target: give what it returns",
    "namespace": "a SimpleNamespace is no target: give the module in it, .model",
    "number": "3 is no target: a target is a name from costlab list",
}


@pytest.mark.parametrize("name", OBJECTS)
def test_objects_that_are_no_targets(name: str) -> None:
    value = OBJECTS[name]
    for call in (
        lambda: count(value, X),
        lambda: costlab.compare(value, value, input=X),
        lambda: resolve(value),
    ):
        with pytest.raises(CostlabError) as raised:
            call()
        fits(str(raised.value))
        assert INSTEAD.get(name, "is no target: ") in str(raised.value)


@pytest.mark.parametrize("name", OBJECTS)
def test_objects_where_something_else_belongs(name: str) -> None:
    value = OBJECTS[name]
    calls: list[Callable[[], Any]] = [
        lambda: count("stem", batch=value),
        *([] if name == "recursive" else [lambda: count("stem", value)]),
        lambda: count("inception_v3", width=value),
        lambda: count("inception_v3", num_classes=value),
        lambda: count("inception_v3", aux=value),
        lambda: count("inception_v3", kernel_7x7=value),
        lambda: costlab.compare(ablation=value),
        lambda: costlab.Ablation("a", "A", {"a": value, "b": value}),
        lambda: costlab.Conv2d(value, 3),
        lambda: costlab.Conv2d(3, value),
        lambda: costlab.Conv2d(3, 3, padding=value),
        lambda: costlab.Conv2d(3, 3, bias=value),
        lambda: costlab.Dropout(value),
        lambda: costlab.seq(a=value),
        lambda: costlab.rule(value),
        lambda: costlab.closed_form("stem", value),
    ]
    for call in calls:
        try:
            call()
        except CostlabError as error:
            fits(str(error))


FILE = """
import functools, torch, warnings
from torch import nn

layer = nn.Linear(4, 4)
program = torch.export.export(layer, (torch.rand(2, 4),))
state = layer.state_dict()
optimizer = torch.optim.SGD(layer.parameters(), 0.1)
with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    scripted = torch.jit.script(torch.nn.functional.relu)
builtin = torch.relu
half = functools.partial(nn.Linear, 4)

class Wrapper:
    def __init__(self): self.model = layer
    def __call__(self, *inputs): return self.model(*inputs)

class Maker:
    def __init__(self): self.model = layer
    def __call__(self, width=4): return nn.Linear(4, width)

wrapper, maker = Wrapper(), Maker()
def gives_program(): return program
def gives_pair(): return layer, {}
def gives_state(): return state
def fails(): raise ValueError(f"bad {layer.weight} of {object()}. And more.")
class Wrong(nn.Module):
    def __init__(self, width=5):
        super().__init__()
        self.conv = nn.Conv2d(4, width, 3, groups=2)
    def forward(self, x): return x
"""


@pytest.mark.parametrize(
    ("target", "message"),
    [
        (
            "program",
            "program is of type ExportedProgram, not a block, a module, or a function that returns one; ",
        ),
        ("program", "give the module that it holds, .module()"),
        ("state", "these are the tensors of a model"),
        ("optimizer", "give the model whose parameters it updates"),
        ("scripted", "TorchScript hides what runs in it"),
        ("builtin", "relu: its parameters are not known: write a function that calls it"),
        ("wrapper", "give the module in it, .model"),
        (
            "gives_program",
            "returned ExportedProgram, not a block or a module; give the module that it holds, .m",
        ),
        ("gives_pair", "returned tuple, not a block or a module; give the module in it, [0]"),
        ("gives_state", "returned OrderedDict, not a block or a module; these are the tensors of a model"),
        ("fails", "fails: ValueError: bad a tensor of <object object> (net.py, line 27)"),
        ("Wrong", "out_channels must be divisible by groups"),
    ],
)
def test_what_a_file_holds(tmp_path: Path, target: str, message: str) -> None:
    file = tmp_path / "net.py"
    file.write_text(FILE)
    with pytest.raises(CostlabError) as raised:
        count(f"{file}:{target}", "2x4")
    text = str(raised.value).replace(f"{tmp_path}/", "")
    fits(text)
    assert message in text
    assert count(f"{file}:layer", "2x4").multiply_adds == 2 * 4 * 4
    assert count(f"{file}:maker:width=3", "2x4").multiply_adds == 2 * 4 * 3
    assert count(f"{file}:half:out_features=5", "2x4").multiply_adds == 2 * 4 * 5


@pytest.mark.parametrize(
    ("target", "message"),
    [
        (
            "torch.nn:Conv2d:in_channels=3,out_channels=4,kernel_size=3,groups=2",
            "Conv2d: ValueError: in_channels",
        ),
        (
            "torch.nn:TransformerEncoderLayer:d_model=5,nhead=2",
            "AssertionError: embed_dim must be divisible by",
        ),
        (
            "torch.nn:Linear:in_features=a,out_features=4",
            "Linear: TypeError: empty(): argument 'size' failed",
        ),
        ("torch:relu", "relu: its parameters are not known"),
    ],
)
def test_arguments_that_a_library_refuses_are_no_bug(target: str, message: str) -> None:
    with pytest.raises(CostlabError) as raised:
        count(target, "2x4")
    fits(str(raised.value))
    assert message in str(raised.value)


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
