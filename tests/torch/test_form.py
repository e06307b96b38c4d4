"""What tells a step from another: the form of the module and of what comes in; and where samples are."""

from collections.abc import Callable
from enum import Enum
from types import SimpleNamespace
from typing import Any

import pytest
import torch
from torch import Tensor, nn

import costlab
from costlab.torch import step_cost
from costlab.torch.form import first_of_batch
from tests.torch.test_utilization import FIRST, ROWS, STEP, adds, stack

IMAGE = torch.rand(3, 5, 5)


@pytest.fixture
def traces(monkeypatch: pytest.MonkeyPatch) -> list[object]:
    """The modules that were traced."""
    seen: list[object] = []

    def counted(module: Any, *args: Any, **options: Any) -> costlab.Count:
        seen.append(module)
        return costlab.count(module, *args, **options)

    monkeypatch.setattr(step_cost, "count", counted)
    return seen


def test_a_step_is_traced_once(traces: list[object]) -> None:
    model = stack()
    assert [adds(model, torch.rand(ROWS, 8)) for _ in range(3)] == [STEP] * 3
    assert len(traces) == 1
    assert adds(model, torch.rand(2 * ROWS, 8)) == 2 * STEP
    assert adds(model, torch.rand(ROWS, 8, requires_grad=True)) == STEP + FIRST
    assert len(traces) == 3


class Batch:
    """A batch that keeps no dictionary of its attributes."""

    __slots__ = ("x",)

    def __init__(self, rows: int) -> None:
        self.x = torch.rand(rows, 8)


class Way(Enum):
    ONCE, TWICE = 1, 2


class Switched(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.layer = nn.Linear(8, 8)

    def forward(self, x: Any, way: Any = "once") -> Any:
        y = self.layer(x.x if isinstance(x, Batch) else x)
        return self.layer(y) if way in ("twice", Way.TWICE) else y


def test_what_is_kept_is_bounded_and_the_oldest_goes(
    traces: list[object], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(step_cost, "REMEMBERED", 2)
    monkeypatch.setattr(step_cost, "FORMS", 2)
    model = stack()
    for rows in (1, 2, 3, 3, 2):
        adds(model, torch.rand(rows, 8))
    assert len(traces) == 3
    adds(model, torch.rand(1, 8))
    assert len(traces) == 4
    for learns in (False, True, False):
        model[0].requires_grad_(learns)
        adds(model, torch.rand(1, 8))
    assert len(traces) == 5
    assert len(step_cost._known[model]) == 2
    model.eval()
    adds(model, torch.rand(1, 8))
    assert len(step_cost._known[model]) == 2


def test_what_comes_in_is_part_of_the_form(traces: list[object]) -> None:
    model, x, once = Switched(), torch.rand(ROWS, 8), ROWS * 64
    assert [adds(model, (x, way)) for way in ("once", Way.ONCE)] == [2 * once] * 2
    assert [adds(model, (x, way)) for way in ("twice", Way.TWICE)] == [5 * once] * 2
    assert adds(model, {"x": x, "way": "twice"}) == 5 * once
    assert adds(model, {"x": x, "way": "once"}) == 2 * once
    assert [adds(model, (Batch(rows),)) for rows in (ROWS, 2 * ROWS)] == [2 * once, 4 * once]
    del traces[:]
    assert adds(model, (x, ["once"])) == adds(model, (x, ["of a caption"])) == 2 * once
    assert len(traces) == 1


def freeze(model: nn.Sequential) -> None:
    model[0].requires_grad_(False)


def stride(model: nn.Sequential) -> None:
    layer = model[0]
    assert isinstance(layer, nn.Conv2d)
    layer.stride = (2, 2)


def widen(model: nn.Sequential) -> None:
    model.append(nn.Conv2d(4, 4, 1))


def hook(model: nn.Sequential) -> None:
    model.register_forward_hook(lambda _, inputs, output: model[1](output))


def replace(model: nn.Sequential) -> None:
    model.forward = lambda x: model[1](model[1](model[0](x)))  # type: ignore[method-assign]  # as wrappers do


@pytest.mark.parametrize("change", [freeze, stride, widen, hook, replace])
def test_a_change_of_the_module_is_counted(change: Callable[[nn.Sequential], None]) -> None:
    def fresh() -> nn.Sequential:
        return nn.Sequential(nn.Conv2d(3, 4, 1), nn.Conv2d(4, 4, 1))

    model, x = fresh(), torch.rand(1, 3, 8, 8)
    before = adds(model, x)
    change(model)
    changed = fresh()
    change(changed)
    assert adds(model, x) == adds(changed, x) != before


def test_the_sizes_of_buffers_are_part_of_the_form() -> None:
    class Projects(nn.Module):
        onto: Tensor

        def __init__(self) -> None:
            super().__init__()
            self.register_buffer("onto", torch.rand(8, 8))

        def forward(self, x: Tensor) -> Any:
            return x @ self.onto

    model = Projects()
    assert adds(model, torch.rand(ROWS, 8)) == ROWS * 8 * 8
    model.onto = torch.rand(8, 32)
    assert adds(model, torch.rand(ROWS, 8)) == ROWS * 8 * 32


def test_a_switch_and_the_mode_are_part_of_the_form() -> None:
    class Twice(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.layer, self.twice, self.steps = nn.Linear(8, 8), False, 0

        def forward(self, x: Tensor) -> Any:
            self.steps += 1
            return self.layer(self.layer(x)) if self.twice or not self.training else self.layer(x)

    model, once = Twice(), ROWS * 64
    assert adds(model, torch.rand(ROWS, 8)) == 2 * once
    model.twice = True
    assert adds(model, torch.rand(ROWS, 8)) == 5 * once
    model.twice = False
    model.eval()
    assert adds(model, torch.rand(ROWS, 8)) == 5 * once
    assert model.steps == 0


@pytest.mark.parametrize(
    ("batch", "samples"),
    [
        (torch.rand(8, 4), 8),
        ([torch.rand(8, 4), torch.zeros(8)], 8),
        ({"name": "a", "x": torch.rand(8, 4), "more": [IMAGE]}, 8),
        (({"x": torch.rand(8, 4)},), 8),
        (({"x": torch.rand(8, 4)}, torch.zeros(8)), 8),
        (([IMAGE, IMAGE], [{"boxes": torch.rand(2, 4)}]), None),  # as for detection
        ([{"image": IMAGE}, {"image": IMAGE}], None),
        ({"images": [IMAGE, IMAGE], "x": torch.rand(8, 4)}, None),
        ("none", None),
    ],
)
def test_samples_lie_along_the_first_axis_of_a_tensor(batch: Any, samples: int | None) -> None:
    first = first_of_batch(batch)
    assert (None if first is None else len(first)) == samples


def test_a_batch_that_holds_itself_has_no_samples() -> None:
    circle = SimpleNamespace(x=None)
    circle.x = circle
    circle.y = torch.rand(2)
    assert first_of_batch(circle) is None
