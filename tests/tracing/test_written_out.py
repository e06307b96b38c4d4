"""What a model pickles, copies or writes to a file while it is counted is what a real run leaves there."""

import copy
import io
import pickle
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from costlab.counting.count import count
from costlab.errors import DependsOnDataError

X = torch.ones(2, 4)


class Runs(nn.Module):
    """A linear layer, with something done before it."""

    def __init__(self, done: Callable[[Any, Tensor], object]) -> None:
        super().__init__()
        self.layer = nn.Linear(4, 4)
        self.register_buffer("steps", torch.arange(4.0))
        self.done = done

    def forward(self, x: Tensor) -> Any:
        y = self.layer(x)
        self.done(self, y)
        return y


def saved(value: Any) -> bytes:
    """As in a file of torch's."""
    file = io.BytesIO()
    torch.save(value, file)
    return file.getvalue()


def loaded(content: bytes) -> Any:
    """What a file has, by torch's reader of tensors alone."""
    return torch.load(io.BytesIO(content), weights_only=True)


WAYS: list[tuple[Callable[[Any], bytes], Callable[[bytes], Any]]] = [
    (pickle.dumps, pickle.loads),
    (lambda value: pickle.dumps(value, protocol=2), pickle.loads),
    (saved, loaded),
]
VALUES: dict[str, Callable[[Any], Any]] = {
    "made": lambda model: torch.eye(3).cumsum(0),
    "part": lambda model: torch.arange(12).view(3, 4)[:, 1:3],
    "buffer": lambda model: model.steps,
    "weight": lambda model: model.layer.weight,
    "state": lambda model: dict(model.state_dict()),
}


@pytest.mark.parametrize("way", WAYS, ids=["pickle", "old protocol", "torch.save"])
@pytest.mark.parametrize("value", VALUES.values(), ids=VALUES)
def test_a_file_has_plain_tensors(way: tuple[Any, Any], value: Callable[[Any], Any], tmp_path: Path) -> None:
    write, read = way
    file = tmp_path / "values"
    model = Runs(lambda model, y: file.write_bytes(write(value(model))))
    assert count(model, X).multiply_adds == 32
    found = read(file.read_bytes())
    model(X)
    right = read(file.read_bytes())
    if not isinstance(found, dict):
        found, right = {"": found}, {"": right}
    assert found.keys() == right.keys()
    for each, other in zip(found.values(), right.values(), strict=True):
        assert type(each) is type(other) in (Tensor, nn.Parameter)
        assert torch.equal(each, other)
        assert each.requires_grad == other.requires_grad
        assert each.clone().sum() == other.sum()


@pytest.mark.parametrize("way", WAYS, ids=["pickle", "old protocol", "torch.save"])
def test_what_is_read_back_decides_as_before(way: tuple[Any, Any]) -> None:
    write, read = way

    def repeated(model: Any, y: Tensor) -> None:
        for _ in range(int(read(write(model.steps)).sum())):
            model.layer(y)

    assert count(Runs(repeated), X).multiply_adds == (1 + 6) * 32


@pytest.mark.parametrize("write", [pickle.dumps, saved])
def test_data_cannot_be_written(write: Callable[[Any], bytes]) -> None:
    with pytest.raises(DependsOnDataError, match="a tensor is pickled, or written to a file; test_written"):
        count(Runs(lambda model, y: write({"y": y})), X)


def test_a_copy_has_the_same_memory() -> None:
    def copied(model: Any, y: Tensor) -> None:
        for each in (model.steps, model.layer.weight.detach()):
            copy.copy(each).zero_()
            assert not each.any()
        weight, other = copy.copy(model.layer.weight), copy.copy(y)
        assert isinstance(weight, nn.Parameter)
        assert weight.requires_grad
        assert other.shape == y.shape
        assert not isinstance(other, nn.Parameter)
        noted: Any = y
        noted.note = "kept"
        assert copy.copy(noted).note == "kept"
        torch.mm(other, weight)

    model: Any = Runs(copied)
    assert count(model, X).multiply_adds == 64
    assert model.steps.tolist() == [0, 1, 2, 3]
    assert count(Runs(copied), X, backward=True).multiply_adds == 32 * 3
