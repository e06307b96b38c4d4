"""Built modules: names equal paths, they run, and they train."""

from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

import costlab
from costlab.algebra import Conv2d, Flatten, Linear, ReLU, add, auxiliary, concat, seq, symbols
from costlab.algebra.modules import TrainingOutput
from costlab.errors import DefinitionError

SMALL: dict[str, Any] = {"width": 0.05, "num_classes": 7}


def test_module_names_are_the_paths() -> None:
    model = costlab.build("inception_v3", aux=True, **SMALL)
    nodes = costlab.count("inception_v3", aux=True, **SMALL).root.nodes()
    assert {name for name, _ in model.named_modules()} == {node.path for node in nodes}


def test_it_runs_and_trains() -> None:
    torch.manual_seed(0)
    model = costlab.build("inception_v3", aux=True, **SMALL)
    x = torch.randn(2, 3, 299, 299)
    trained = model.train()(x)
    assert isinstance(trained, TrainingOutput)
    assert trained.output.shape == (2, 7)
    assert list(trained.auxiliary) == ["aux"]
    assert trained.auxiliary["aux"].shape == (2, 7)
    loss: torch.Tensor = trained.output.sum() + 0.4 * trained.auxiliary["aux"].sum()
    loss.backward()  # type: ignore[no-untyped-call]  # torch gives it no types
    assert all(p.grad is not None for p in model.parameters())
    with torch.no_grad():
        assert model.eval()(x).shape == (2, 7)


def test_without_a_head_it_is_made_of_plain_sequences() -> None:
    model = costlab.build("inception_v3", **SMALL)
    assert type(model) is nn.Sequential
    with torch.no_grad():
        assert model.train()(torch.randn(2, 3, 75, 75)).shape == (2, 7)


def test_joins_do_what_they_say() -> None:
    double = costlab.build(add(seq(), seq(), seq()), (2, 3, 3))
    beside = costlab.build(concat(seq(), ReLU()), (2, 3, 3))
    x = torch.randn(1, 2, 3, 3)
    assert torch.equal(double(x), x + x + x)
    assert torch.equal(beside(x), torch.cat([x, x.relu()], 1))


def test_a_residual_block_keeps_its_input() -> None:
    block = costlab.build(add(seq(), seq(ReLU())), (2, 3, 3))
    x = -torch.ones(1, 2, 3, 3)
    assert torch.equal(block(x), x)


def test_heads_inside_branches_and_heads_are_collected_by_path() -> None:
    head = auxiliary(Flatten(), inner=auxiliary(Linear(3)), last=Linear(2))
    model = costlab.build(seq(body=concat(a=seq(head=head), b=ReLU())), (2, 3, 3))
    result = model.train()(torch.randn(4, 2, 3, 3))
    assert {path: tuple(y.shape) for path, y in result.auxiliary.items()} == {
        "body.a.head": (4, 2),
        "body.a.head.inner": (4, 3),
    }


def test_it_computes_what_the_same_layers_written_in_torch_do() -> None:
    """A residual block with a split and an auxiliary head, beside its equations."""
    block = seq(
        split=concat(a=Conv2d(3, 1), b=seq(Conv2d(2, 3, padding=1), ReLU())),
        head=auxiliary(Flatten(), Linear(4)),
        skip=add(seq(), Conv2d(5, 3, padding=1)),
    )
    model = costlab.build(block, (2, 6, 5))
    named: Any = dict(model.named_modules())
    x = torch.randn(3, 2, 6, 5)
    with torch.no_grad():
        split = torch.cat([named["split.a"](x), named["split.b.0"](x).relu()], dim=1)
        result: Any = model.train()(x)
        assert torch.equal(result.output, split + named["skip.1"](split))
        assert torch.equal(result.auxiliary["head"], named["head.1"](split.flatten(1)))
        assert torch.equal(model.eval()(x), result.output)


@pytest.mark.parametrize("name", ["path", "run", "branches", "_path"])
def test_names_that_torch_does_not_keep_are_free(name: str) -> None:
    block = auxiliary(**{name: ReLU()}) if name != "_path" else concat(run=ReLU(), branches=ReLU())
    assert costlab.build(block, (2, 3, 3))(torch.zeros(1, 2, 3, 3)) is not None


def test_state_dict_round_trip() -> None:
    first, second = (costlab.build("inception_v3", aux=True, **SMALL) for _ in range(2))
    second.load_state_dict(first.state_dict())
    x = torch.randn(1, 3, 299, 299)
    with torch.no_grad():
        assert torch.equal(first.eval()(x), second.eval()(x))


def test_what_is_no_number_cannot_be_built() -> None:
    with pytest.raises(DefinitionError, match=r"stem\.conv_1a\.conv: filters=32\*w is no single number"):
        costlab.build("inception_v3", width=symbols("w"))
    with pytest.raises(DefinitionError, match=r"input=\[5 6\] is no single number"):
        costlab.build(ReLU(), (2, np.array([5, 6]), 3))


@pytest.mark.parametrize("name", ["type", "forward", "training"])
def test_a_name_that_torch_keeps_for_itself(name: str) -> None:
    with pytest.raises(
        DefinitionError, match=f"body.{name}: a torch module has an attribute {name!r} already"
    ):
        costlab.build(seq(body=seq(**{name: Conv2d(1, 1)})), (2, 3, 3))
