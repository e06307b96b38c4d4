"""Models that stop because of their data are counted up to there, and only these; nothing is changed."""

import random
from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from costlab import Work, count
from costlab.errors import DefinitionError, DependsOnDataError, TargetError
from costlab.tracing.rules.registry import MODULES
from tests.tracing.detectors import BACKBONE, BOXES, CHOICES, SCORES, Rows, X, detector


@pytest.mark.parametrize("name", CHOICES)
@pytest.mark.parametrize("deep", [0, 1, 3])
def test_what_ran_up_to_the_choice_is_counted(name: str, deep: int) -> None:
    model = detector(CHOICES[name], deep)
    assert model(X).shape[-1] == 4  # it runs
    path = "2" + ".0" * deep
    with pytest.raises(DependsOnDataError, match="; costlab count --partial, partial=True in Python, counts"):
        count(model, X)
    counted = count(model, X, partial=True)
    assert counted.partial
    assert counted.partial.path == f"{path}.keep"
    assert "the values" in counted.partial.reason
    assert "--partial" not in counted.partial.reason
    assert counted.multiply_adds == BACKBONE + BOXES + SCORES
    assert counted.activations == 2 * 64 * (8 + 4 + 1)
    assert counted.by_module()["0"] == BACKBONE
    assert counted.by_module()[path] == BOXES + SCORES
    # Parameters are known all the same; those of the layer that comes after were not reached.
    assert counted.parameters == sum(each.numel() for each in model.parameters())
    rows = {row.path: row for row in counted.rows}
    assert rows[f"{path}.keep.after"].operation == "not_reached"
    assert rows[f"{path}.keep.after"].work.parameters == 4 * 4 + 4


def test_the_model_and_the_process_are_as_before() -> None:
    model = detector(CHOICES["mask"]).train()
    model[0].register_forward_pre_hook(lambda *_: None)
    model.register_buffer("seen", torch.zeros(3))
    before = {id(m): (type(m), dict(vars(m)), m.training) for m in model.modules()}
    tensors = {name: (id(each), each.clone()) for name, each in model.state_dict(keep_vars=True).items()}
    process = (torch.get_rng_state(), random.getstate(), torch.is_grad_enabled(), torch.get_default_dtype())
    hooks = [dict(each) for each in vars(nn.modules.module).values() if isinstance(each, dict)]
    for _ in range(2):
        assert count(model, X, partial=True).multiply_adds == BACKBONE + BOXES + SCORES
    assert {id(m): (type(m), dict(vars(m)), m.training) for m in model.modules()} == before
    for name, each in model.state_dict(keep_vars=True).items():
        assert id(each) == tensors[name][0]
        assert torch.equal(each, tensors[name][1])
    assert torch.equal(torch.get_rng_state(), process[0])
    assert (random.getstate(), torch.is_grad_enabled(), torch.get_default_dtype()) == process[1:]
    assert [dict(each) for each in vars(nn.modules.module).values() if isinstance(each, dict)] == hooks
    assert model(X).shape[-1] == 4


class Cache:
    """What a caller hands in, and a model changes."""

    def __init__(self) -> None:
        self.boxes, self.all, self.steps = torch.rand(2, 4), [torch.rand(1)], torch.tensor([3])


class Changes(nn.Module):
    """Changes all that it can reach, and then stops."""

    def __init__(self) -> None:
        super().__init__()
        self.fc, self.log = nn.Linear(4, 4), [1]
        self.register_buffer("seen", torch.zeros(2, dtype=torch.long))

    def forward(self, x: Tensor, cache: Cache) -> Any:
        self.get_buffer("seen").add_(1)
        self.log.append(2)
        self.extra = x
        cache.boxes = self.fc(cache.boxes)
        cache.all.append(x)
        cache.steps += 1
        return x[x > 0]


def test_what_was_handed_in_is_as_before() -> None:
    model, cache, x = Changes(), Cache(), torch.rand(2, 4)
    held, attributes = dict(vars(cache)), set(vars(model))
    boxes, entries = cache.boxes.clone(), list(cache.all)
    for _ in range(2):
        counted = count(model, {"x": x, "cache": cache}, partial=True)
        assert counted.partial
        assert counted.multiply_adds == 2 * 4 * 4
    assert vars(cache) == held
    assert torch.equal(cache.boxes, boxes)
    assert cache.all == entries
    assert cache.steps.tolist() == [3]
    assert set(vars(model)) == attributes
    assert model.log == [1]
    assert model.get_buffer("seen").tolist() == [0, 0]


def test_a_model_that_runs_through_has_no_mark() -> None:
    model = nn.Sequential(nn.Linear(4, 3), nn.ReLU())
    cases: list[tuple[Any, Any]] = [(model, (2, 4)), ("stem", None)]
    for target, x in cases:
        plain, partial = count(target, x), count(target, x, partial=True)
        assert partial == plain
        assert partial.partial is None
        assert "partial" not in partial.title
        assert partial.whole.work.kind == "total"
    step = count(model, torch.rand(2, 4), backward=True, partial=True)
    assert step == count(model, torch.rand(2, 4), backward=True)


class First(nn.Module):
    """Stops with its very first operation."""

    def __init__(self) -> None:
        super().__init__()
        self.after = nn.Linear(4, 4)

    def forward(self, x: Tensor) -> Any:
        return self.after(x[: int(x.sum())])


def test_the_very_first_operation() -> None:
    counted = count(First(), torch.rand(2, 4), partial=True)
    assert (counted.multiply_adds, counted.activations, counted.parameters) == (0, 0, 20)
    assert counted.partial
    assert counted.partial.path == ""
    assert str(counted.partial).startswith("stopped at the root: what it does depends")
    assert [row.operation for row in counted.rows] in (["not_reached"], ["sum", "not_reached"])

    class Bare(nn.Module):
        def forward(self, x: Tensor) -> Any:
            return x.tolist()

    bare = count(Bare(), torch.rand(2, 4), partial=True)
    assert (bare.rows, bare.multiply_adds, bool(bare.partial)) == ((), 0, True)


class Twice(nn.Module):
    """Calls a shared module once on indices that are known, and once on what only the data tells."""

    def __init__(self) -> None:
        super().__init__()
        self.shared = Times()

    def forward(self, x: Tensor) -> Any:
        return self.shared(self.shared(x, torch.tensor(2)), x.sum())


class Times(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.layer = nn.Linear(4, 4)

    def forward(self, x: Tensor, times: Tensor) -> Tensor:
        x = self.layer(x)
        for _ in range(int(times)):
            x = self.layer(x)
        return x


def test_a_stop_inside_a_shared_module() -> None:
    counted = count(Twice(), torch.rand(2, 4), partial=True)
    assert counted.multiply_adds == (3 + 1) * 2 * 4 * 4
    assert counted.partial
    assert counted.partial.path == "shared"
    assert counted.parameters == 20
    assert counted.held
    assert counted.held.unused == 0


@pytest.mark.parametrize("kind", ["register_forward_pre_hook", "register_forward_hook"])
def test_a_stop_inside_a_hook(kind: str) -> None:
    model = nn.Sequential(nn.Linear(4, 4), nn.Sequential(nn.Linear(4, 4)), nn.Linear(4, 4))
    hooked = model.get_submodule("1.0")
    getattr(hooked, kind)(lambda module, *values: bool(values[-1][0].sum() > 0) and None)
    before = (dict(hooked._forward_hooks), dict(hooked._forward_pre_hooks))
    counted = count(model, torch.rand(2, 4), partial=True)
    ran = 1 if kind == "register_forward_pre_hook" else 2
    assert counted.multiply_adds == ran * 2 * 4 * 4
    assert counted.partial
    assert "1.0".startswith(counted.partial.path)
    assert (dict(hooked._forward_hooks), dict(hooked._forward_pre_hooks)) == before


def test_a_stop_inside_a_module_with_a_rule(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(MODULES, Rows, lambda *_: Work("ruled", multiply_adds=7))
    counted = count(nn.Sequential(nn.Linear(4, 4), nn.Sequential(Rows())), torch.rand(2, 4), partial=True)
    assert counted.multiply_adds == 2 * 4 * 4
    assert counted.partial
    assert counted.partial.path == "1.0"
    assert "the rule of 1.0 is for all of it, so that nothing in it is counted" in counted.partial.reason


@torch.library.custom_op("costlab_test_partial::halved", mutates_args=())
def halved(x: Tensor) -> Tensor:
    return x[: len(x) // 2].clone()


LIBRARY: Any = torch.library
OPERATORS = LIBRARY.Library("costlab_test_partial", "FRAGMENT")
OPERATORS.define("first(Tensor x) -> Tensor")
OPERATORS.impl("first", lambda x: x[:1].clone(), "CPU")


@pytest.mark.parametrize("name", ["halved", "first"])
def test_an_operator_that_cannot_run_without_values(name: str) -> None:
    operator = getattr(torch.ops.costlab_test_partial, name)

    class Halves(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.fc = nn.Linear(4, 4)

        def forward(self, x: Tensor) -> Any:
            return self.fc(operator(self.fc(x)))

    counted = count(Halves(), torch.rand(2, 4), partial=True)
    assert counted.multiply_adds == 2 * 4 * 4
    assert counted.partial
    reason = f"costlab_test_partial::{name} does not run on tensors without values"
    assert counted.partial.reason.startswith(reason)


def raises(error: BaseException) -> Callable[[Tensor, Tensor], Any]:
    def choose(boxes: Tensor, scores: Tensor) -> Any:
        raise error

    return choose


@pytest.mark.parametrize(
    "choose",
    [
        raises(ValueError("mine")),
        raises(ValueError("no meta data of this image")),
        raises(RuntimeError("Tensor on device meta, says the model itself")),
        raises(NotImplementedError()),
        raises(StopIteration()),
        lambda boxes, scores: boxes[:, :3],  # the layer after it takes four
        lambda boxes, scores: boxes @ boxes,
        lambda boxes, scores: boxes.view(7, -1),
        lambda boxes, scores: boxes.no_such_thing,
        lambda boxes, scores: vars(nn)["no such thing"],
    ],
)
def test_no_other_error_makes_a_partial_count(choose: Callable[[Tensor, Tensor], Any]) -> None:
    with pytest.raises(TargetError) as raised:
        count(detector(choose), X, partial=True)
    assert type(raised.value) is TargetError
    assert "partial" not in str(raised.value)
    assert str(raised.value).startswith("2.keep")


def test_an_interrupt_and_a_call_that_does_not_fit_stay_what_they_are() -> None:
    with pytest.raises(KeyboardInterrupt):
        count(detector(raises(KeyboardInterrupt())), X, partial=True)
    with pytest.raises(DefinitionError, match="too many positional arguments"):
        count(detector(CHOICES["mask"]), (X, X), partial=True)


class Cuts(torch.autograd.Function):
    """Its gradient depends on data, its output does not."""

    @staticmethod
    def forward(ctx: Any, x: Tensor) -> Tensor:
        return x * 1

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> Tensor:
        return gradients[0] * float(gradients[0].sum())


def test_no_part_of_a_step_of_training_is_counted() -> None:
    class Cut(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.fc = nn.Linear(4, 4)

        def forward(self, x: Tensor) -> Any:
            return Cuts.apply(self.fc(x))  # type: ignore[no-untyped-call]  # torch leaves it without types

    for model, x in [(detector(CHOICES["mask"]), X), (Cut(), torch.rand(2, 4))]:
        for partial in (False, True):
            with pytest.raises(DependsOnDataError, match="a step of training is not counted in part"):
                count(model, x, backward=True, partial=partial)
