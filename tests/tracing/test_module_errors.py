"""Whatever goes wrong in a module is told in one line, with the module where it happened."""

import re
import warnings
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.nn.utils.rnn import pack_padded_sequence

from costlab import CostlabError, count
from costlab.algebra.inputs import Inputs
from costlab.errors import DefinitionError, DependsOnDataError, TargetError
from tests.cli.conftest import Run, run

__all__ = ["run"]

X = torch.rand(2, 4)
PART = "; costlab count --partial, partial=True in Python, counts what runs up to there"
VALUES = "what it does depends on the values of its data, which a count does not have"


class Inner(nn.Module):
    """A layer, and then what a function does with its output."""

    def __init__(self, function: Callable[[Any], Any]) -> None:
        super().__init__()
        self.function, self.fc = function, nn.Linear(4, 4)

    def forward(self, x: Tensor) -> Any:
        return self.function(self.fc(x))


def nested(function: Callable[[Any], Any]) -> nn.Module:
    return nn.Sequential(nn.Linear(4, 4), nn.Sequential(nn.ReLU(), Inner(function)))


def told(model: nn.Module, inputs: Any, **settings: Any) -> str:
    with pytest.raises(CostlabError) as raised:
        count(model, inputs, **settings)
    assert type(raised.value) in (TargetError, DefinitionError, DependsOnDataError)
    text = str(raised.value)
    assert "\n" not in text
    return text


def raises(error: BaseException) -> Callable[[Any], Any]:
    def function(x: Any) -> Any:
        raise error

    return function


@pytest.mark.parametrize("backward", [False, True])
def test_what_forward_raises_is_told_with_its_module(backward: bool) -> None:
    for error, text in [
        (ValueError("no\nsuch thing"), "1.1: ValueError: no"),
        (KeyError("a"), "1.1: KeyError: 'a'"),
        (AssertionError(), "1.1: AssertionError"),
        (StopIteration(), "1.1: StopIteration"),
    ]:
        assert told(nested(raises(error)), X, backward=backward) == text
    assert told(Inner(raises(ValueError("mine"))), X, backward=backward) == "Inner: ValueError: mine"
    with pytest.raises(KeyboardInterrupt):
        count(nested(raises(KeyboardInterrupt())), X)


class Trying(nn.Module):
    """Catches what its first layer raises."""

    def __init__(self, then: str) -> None:
        super().__init__()
        self.a, self.b, self.c = nn.Linear(3, 3), nn.Linear(5, 5), nn.Linear(4, 4)
        self.then = then

    def forward(self, x: Tensor) -> Any:
        try:
            self.a(x)
        except RuntimeError:
            if self.then == "while":
                return self.b(x)
            x = self.c(x)
            if self.then == "again":
                raise
        if self.then == "later":
            return self.b(x)
        if self.then == "itself":
            raise ValueError(self.then)
        return self.c(x)


@pytest.mark.parametrize(
    ("then", "place"),
    [("while", "0.b"), ("again", "0.a"), ("later", "0.b"), ("itself", "0")],
)
def test_an_error_that_was_caught_is_not_where_another_happened(then: str, place: str) -> None:
    assert told(nn.Sequential(Trying(then)), X).startswith(f"{place}: ")


def test_an_error_that_was_caught_is_none() -> None:
    counted = count(nn.Sequential(Trying("nothing")), X)
    assert counted.multiply_adds == 2 * 2 * 4 * 4
    assert [row.path for row in counted.rows if row.work.multiply_adds != 0] == ["0.c.call", "0.c.call_2"]


DEPENDENT: dict[str, Callable[[Any], Any]] = {
    "nonzero": lambda x: x.nonzero() + 1,
    "where": lambda x: x[torch.where(x > 0)],
    "how many": lambda x: range(len(x.nonzero())),
    "shape": lambda x: torch.zeros(x.nonzero().shape),
    "mask": lambda x: x[x > 0],
    "item": lambda x: x.sum().item(),
    "if": lambda x: x if x.sum() > 0 else -x,
    "while": lambda x: any(each > 0 for each in x.flatten()),
    "int": lambda x: x[: int(x.sum())],
    "list": lambda x: x.tolist(),
    "array": lambda x: x.detach().cpu().numpy(),
    "text": lambda x: f"{x[0, 0]:.2f}",
    "close": lambda x: torch.allclose(x, x),
    "repeat": lambda x: x.repeat_interleave(x[:, 0].long(), 0),
    "lengths": lambda x: pack_padded_sequence(x[None], x[0, :1].long()),
}


@pytest.mark.parametrize("name", DEPENDENT)
def test_what_depends_on_data_is_told_so(name: str) -> None:
    text = told(nested(DEPENDENT[name]), X)
    assert text.startswith(f"1.1: {VALUES} (")
    line = DEPENDENT[name].__code__.co_firstlineno
    assert text.endswith(f"; test_module_errors.py, line {line}){PART}")


@pytest.mark.parametrize("name", ["unique", "equal", "masked_select", "bincount"])
def test_operators_without_values(name: str) -> None:
    others: dict[str, Callable[[Any], Any]] = {
        "unique": torch.unique,
        "equal": lambda x: torch.equal(x, x.clone()),
        "masked_select": lambda x: torch.masked_select(x, x > 0),
        "bincount": lambda x: torch.bincount(x[0].long()),
    }
    text = told(nested(others[name]), X)
    assert text.startswith(f"1.1: {VALUES} (aten::")
    assert re.search(r"\(aten::_?\w+; test_module_errors.py, line \d+\)", text)
    assert text.endswith(PART)


def test_inputs_that_a_module_does_not_take() -> None:
    class Model(nn.Module):
        def forward(self, tokens: Tensor, *, mask: Tensor) -> Tensor:
            return tokens * mask

    wants = "it is called with (tokens: torch.Tensor, *, mask: torch.Tensor); give --input"
    for inputs, reason in [
        (X, "missing a required argument: 'mask'"),
        ((X, X), "too many positional arguments"),
        ({"tokens": X, "mask": X, "musk": X}, "got an unexpected keyword argument 'musk'"),
        ({"mask": X}, "missing a required argument: 'tokens'"),
        (Inputs(), "missing a required argument: 'tokens'"),
        (Inputs([X], {"tokens": X, "mask": X}), "multiple values for argument 'tokens'"),
    ]:
        text = told(Model(), inputs)
        assert text.startswith(f"Model: {reason}: {wants}")
    assert told(Model(), None) == "Model has no input shape of its own: give one, such as 3x224x224"


def test_inputs_that_do_not_fit() -> None:
    channels = "the input (1, 5, 8, 8) has 5 channels, and the weight (4, 3, 3, 3) in 1 groups takes 3"
    model = nn.Sequential(nn.Sequential(nn.Conv2d(3, 4, 3)), nn.ReLU())
    for inputs in ("1x5x8x8", torch.rand(1, 5, 8, 8)):
        assert told(model, inputs) == f"0.0: RuntimeError: {channels}"
    meant = "it was called with 1x5x8x8: if 5x8x8 has its batch in it, write 5x8x8:float32"
    assert told(model, (5, 8, 8)) == f"0.0: RuntimeError: {channels}; {meant}"
    assert told(model, "1x3x2x2").startswith("0.0: RuntimeError: ")
    assert told(nn.Sequential(nn.Linear(4, 4)), torch.rand(2, 5)).startswith("0: RuntimeError: ")
    assert told(nn.Embedding(4, 4), X).startswith("Embedding: RuntimeError: Expected tensor for argument")
    assert told(nn.Linear(4, 4), "2x4:flaot32").startswith("input=2x4:flaot32: there is no type 'flaot32'; ")
    assert told(nn.Linear(4, 4), "2x4:nn") == "input=2x4:nn: there is no type 'nn'"


def test_convolutions_without_filters() -> None:
    for rank, kind in enumerate((nn.Conv1d, nn.Conv2d, nn.Conv3d), 1):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # torch says that there is nothing to initialize
            layer = kind(4, 0, 1)
        x = torch.rand(1, 4, *[3] * rank)
        with pytest.raises(RuntimeError):
            layer(x)
        weight = (0, 4, *[1] * rank)
        assert (
            told(nn.Sequential(layer), x) == f"0: RuntimeError: a weight {weight} in 1 groups has no filters"
        )


def test_modules_that_cannot_be_counted() -> None:
    assert told(nn.ModuleList([nn.ReLU()]), X).startswith("ModuleList: NotImplementedError: ")


FILE = """
import torch
from torch import nn

number = 3
fine = nn.Linear(4, 3)

class Bad(nn.Module):
    def forward(self, x):
        return x[x > 0]

def made():
    return nn.Sequential(nn.Linear(4, 4), Bad())

def nothing():
    return 7

def fails():
    raise ValueError("not today")
"""


@pytest.mark.parametrize(
    ("attribute", "reason"),
    [
        ("number", "number"),
        ("missing", "missing"),
        ("made", f"1: {VALUES}"),
        ("nothing", "nothing"),
        ("fails", "not today"),
        ("Bad", VALUES),
    ],
)
def test_the_command_ends_with_one_line(
    run: Run,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    attribute: str,
    reason: str,
) -> None:
    (tmp_path / "net.py").write_text(FILE)
    monkeypatch.chdir(tmp_path)
    assert run("count", "net.py:fine", "-i", "2x4").code == 0
    code, out, err = run("count", f"net.py:{attribute}", "-i", "2x4")
    assert (code, out) == (2, "")
    assert reason in err
    assert len(err.strip().splitlines()) == 1


SWALLOWED: dict[str, Callable[[Tensor], Any]] = {
    "item": lambda y: y.sum().item(),
    "numpy": lambda y: y.numpy(),
    "tolist": lambda y: y.tolist(),
    "mask": lambda y: y[y > 0],
    "loop": lambda y: list(y[y[:, 0] > 0]),
}


@pytest.mark.parametrize("reads", SWALLOWED)
def test_a_model_that_goes_on_without_its_data_is_told(reads: str) -> None:
    class Suppresses(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.fc = nn.Linear(4, 4)

        def forward(self, x: Tensor) -> Any:
            with suppress(Exception):
                SWALLOWED[reads](self.fc(x))
                return x
            return self.fc(self.fc(x))

    model = nn.Sequential(nn.Linear(4, 4), Suppresses())
    assert re.match(rf"1: {VALUES} \([\w:.,() ]+; {Path(__file__).name}, line \d+\)", told(model, X))
    stopped = count(model, X, partial=True)
    assert stopped.partial is not None
    assert stopped.partial.path == "1"
    assert stopped.multiply_adds == 2 * 2 * 4 * 4
