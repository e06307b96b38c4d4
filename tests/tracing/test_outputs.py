"""What is shown to come out of a module is what its forward gives, of a step of training too."""

from dataclasses import dataclass
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from costlab import count


class Aside(nn.Module):
    """Its last operation is not what it gives."""

    def __init__(self) -> None:
        super().__init__()
        self.kept = nn.Linear(4, 8)
        self.aside = nn.Linear(8, 3)

    def forward(self, x: Tensor) -> Tensor:
        kept: Tensor = self.kept(x)
        self.aside(kept)
        return kept


class ToScalar(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.inner = nn.Sequential(nn.Linear(4, 2), nn.ReLU())

    def forward(self, x: Tensor) -> Tensor:
        inner: Tensor = self.inner(x)
        return inner.sum()


class ToDictionary(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.one, self.two = Aside(), nn.Linear(8, 2)

    def forward(self, x: Tensor) -> dict[str, Tensor]:
        one = self.one(x)
        return {"two": self.two(one), "one": one}


class Shared(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.layer = nn.Linear(4, 4)

    def forward(self, x: Tensor) -> Tensor:
        both: Tensor = self.layer(self.layer(x)) + x
        return both


class Functional(nn.Module):
    """It holds no modules, and gives what no operation that is counted does."""

    def __init__(self) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.ones(6, 4))

    def forward(self, x: Tensor) -> Tensor:
        return nn.functional.linear(x, self.weight).reshape(-1, 3, 2)[:, :2]


@dataclass(slots=True)
class Scores:
    """An output without a dictionary of attributes, which leads to itself."""

    scores: Tensor
    itself: "Scores | None" = None

    def __post_init__(self) -> None:
        self.itself = self


class ToAnObject(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.layer = nn.Linear(4, 3)

    def forward(self, x: Tensor) -> Scores:
        return Scores(self.layer(x)[:, :2])


class Repeated(nn.Module):
    def forward(self, x: Tensor) -> Tensor:
        return x.mean(1, keepdim=True).repeat(1, 10)


MODELS: dict[str, Any] = {
    "aside": Aside,
    "scalar": ToScalar,
    "dictionary": ToDictionary,
    "shared": Shared,
    "functional": Functional,
    "functional in another": lambda: nn.Sequential(Functional(), nn.Flatten(), nn.Linear(4, 2)),
    "repeated": Repeated,
    "object": ToAnObject,
    "linear alone": lambda: nn.Linear(4, 7),
    "normalized": lambda: nn.Sequential(nn.Linear(4, 6), nn.BatchNorm1d(6), nn.Dropout(), nn.Softmax(-1)),
    "nested": lambda: nn.Sequential(Aside(), nn.Sequential(nn.Linear(8, 5), nn.Linear(5, 3))),
    "recurrent": lambda: nn.GRU(4, 3),
    "attention": lambda: nn.TransformerEncoderLayer(4, 2, 8, batch_first=True),
}


@pytest.mark.parametrize("backward", [False, True])
@pytest.mark.parametrize("name", MODELS)
def test_the_output_is_that_of_forward(name: str, backward: bool) -> None:
    model = MODELS[name]()
    x = torch.randn(5, 3, 4) if name in ("recurrent", "attention") else torch.randn(5, 4)
    given: dict[str, tuple[int, ...]] = {}
    for path, module in model.named_modules():
        module.register_forward_hook(lambda _m, _i, out, path=path: given.update({path: _first(out)}))
    model(x)
    shown = {
        node.path: tuple(node.output) for node in count(MODELS[name](), x, backward=backward).root.nodes()
    }
    assert given.keys() & shown.keys()
    assert {path: shown[path] for path in given if path in shown} == {
        path: sizes for path, sizes in given.items() if path in shown
    }


def _first(out: Any) -> tuple[int, ...]:
    while not isinstance(out, Tensor):
        if isinstance(out, Scores):
            return tuple(out.scores.shape)
        out = next(iter(out.values() if isinstance(out, dict) else out))
    return tuple(out.shape)
