"""What is no target is told by its type, with what to give instead; so is what stands in a wrong place."""

import collections
import functools
import types
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

import costlab
from costlab import CostlabError, count
from costlab.targets.resolve import resolve
from tests.test_messages import BIG, Foo, X, fits


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
        "lambda": lambda: [layer],
        "partial": functools.partial(Foo),
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
    "state_dict": "these are the tensors of a model, as in a state_dict: give the model itself",
    "checkpoint": "these are the tensors of a model, as in a state_dict: give the model itself",
    "ScriptFunction": "give a module that calls it",
    "class of modules": "Linear needs in_features=..., out_features=...",
    "optimizer": "give the model whose parameters it updates",
    "wrapper": "a Wrapper is no target: give the module in it, .model",
    "hidden": "a Hidden is no target: give the module in it, ._net",
    "tensor": "a Tensor is no target: give the model, and the tensor as its input",
    "parameter": "a Parameter is no target: give the model, and the tensor as its input",
    "list": "give the module in it, [0] or [1]",
    "long list": "a list of 100 is no target: give the module in it, [0] or [1] or [2], ...",
    "dictionary": "a dict is no target: give the module in it, ['a'] or ['b']",
    "function": "objects returned dict, not a block or a module",
    "lambda": "<lambda> returned list, not a block or a module; give the module in it, [0]",
    "partial": "Foo returned Foo, not a block or a module",
    "method": "forward needs input=...",
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


PLACES: dict[str, Callable[[Any], Any]] = {
    "batch": lambda value: count("stem", batch=value),
    "input": lambda value: count("stem", value),
    "width": lambda value: count("inception_v3", width=value),
    "classes": lambda value: count("inception_v3", num_classes=value),
    "switch": lambda value: count("inception_v3", aux=value),
    "choice": lambda value: count("inception_v3", kernel_7x7=value),
    "ablation": lambda value: costlab.compare(ablation=value),
    "settings": lambda value: costlab.Ablation("a", "A", {"a": value, "b": value}),
    "filters": lambda value: costlab.Conv2d(value, 3),
    "kernel": lambda value: costlab.Conv2d(3, value),
    "padding": lambda value: costlab.Conv2d(3, 3, padding=value),
    "bias": lambda value: costlab.Conv2d(3, 3, bias=value),
    "share": costlab.Dropout,
    "blocks": lambda value: costlab.seq(a=value),
    "rule": costlab.rule,
    "symbols": lambda value: costlab.closed_form("stem", value),
}
ACCEPTED = {
    **{place: {"number"} for place in ("batch", "classes", "filters", "kernel", "padding")},
    "width": {"number", "array"},  # which is as many variants
    "input": {"None"},  # the definition's own
    "rule": {"class of modules"},
}
"""What belongs where, of these objects; every other is refused."""


@pytest.mark.parametrize("place", PLACES)
def test_objects_where_something_else_belongs(place: str) -> None:
    accepted = set()
    for name, value in OBJECTS.items():
        try:
            PLACES[place](value)
        except CostlabError as error:
            fits(str(error))
        else:
            accepted.add(name)
    assert accepted == ACCEPTED.get(place, set())


FILE = """
import functools, torch, warnings
from torch import nn

layer = nn.Linear(4, 4)
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
        ("state", "these are the tensors of a model"),
        ("optimizer", "give the model whose parameters it updates"),
        (
            "scripted",
            "is of type ScriptFunction, not a block, a module, or a function that returns one; give a m",
        ),
        ("builtin", "relu: its parameters are not known: write a function that calls it"),
        ("wrapper", "give the module in it, .model"),
        ("gives_pair", "returned tuple, not a block or a module; give the module in it, [0]"),
        ("gives_state", "returned OrderedDict, not a block or a module; these are the tensors of a model"),
        ("fails", "fails: ValueError: bad a tensor of <object object> (net.py, line 25)"),
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
            "Linear: in_features=a must be a whole number",
        ),
        ("torch:relu", "relu: its parameters are not known"),
    ],
)
def test_arguments_that_a_library_refuses_are_no_bug(target: str, message: str) -> None:
    with pytest.raises(CostlabError) as raised:
        count(target, "2x4")
    fits(str(raised.value))
    assert message in str(raised.value)
