"""Weights that are given: state dicts and files of them."""

from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import save_file
from torch import nn

from costlab.advise.factorize.factorize import factorize
from costlab.advise.factorize.plan import Plan
from costlab.algebra import Conv2d, seq
from costlab.algebra.block import Block
from costlab.errors import CostlabError, DefinitionError
from costlab.targets.build import build
from tests.advise.factorize.networks import NETWORKS, SIZE, Recurrent, Residual

X = torch.randn(2, *SIZE)


def definition() -> Block:
    return seq(first=Conv2d(6, 3, padding="same"), second=Conv2d(8, (3, 5), 2, bias=False))


def refuse_far(after: nn.Module, before: nn.Module) -> None:
    with torch.no_grad():
        torch.testing.assert_close(after.eval()(X), before.eval()(X), rtol=1e-5, atol=1e-6)


def test_of_a_definition(tmp_path: Path) -> None:
    before = build(definition(), SIZE)
    file = tmp_path / "weights.safetensors"
    save_file(before.state_dict(), file)
    plan = factorize(definition(), SIZE, full=True)
    refuse_far(plan.apply(file), before)
    refuse_far(plan.apply(str(file)), before)
    refuse_far(plan.apply(before.state_dict()), before)
    assert all(error < 1e-13 for error in plan.errors(file).values())
    assert list(plan.errors(file)) == ["first", "second"]
    fresh = factorize(definition(), SIZE, by="separable", only="first").apply(file)
    assert fresh.get_parameter("second.weight").equal(before.get_parameter("second.weight"))


@pytest.mark.parametrize("device", ["cpu", "meta"])
def test_of_a_module(device: str) -> None:
    source = Residual()
    for module in source.modules():
        if isinstance(module, nn.BatchNorm2d):
            nn.init.normal_(module.running_mean)  # type: ignore[arg-type]  # it has one
    with torch.device(device):
        model = Residual()
    made = factorize(model, SIZE, full=True).apply(source.state_dict())
    refuse_far(made, source)
    assert not {each.data_ptr() for each in made.parameters()} & {
        each.data_ptr() for each in source.parameters()
    }


def test_of_one_that_is_held_twice() -> None:
    source = Recurrent()
    once = {name: value for name, value in source.state_dict().items() if name.startswith("cell")}
    made: Any = factorize(Recurrent(), SIZE, full=True).apply(once)
    refuse_far(made, source)
    with torch.device("meta"):
        empty = Recurrent()
    refuse_far(factorize(empty, SIZE, full=True).apply(once), source)


def test_of_one_whose_sizes_are_not_known_yet() -> None:
    source, model = NETWORKS["plain"](), NETWORKS["plain"]()
    source.eval()(X)
    refuse_far(factorize(model, SIZE, full=True).apply(source.state_dict()), source)


def test_of_another_type() -> None:
    source = nn.Conv2d(3, 8, 3).half()
    plan = factorize(nn.Conv2d(3, 8, 3), SIZE, full=True)
    made = plan.apply(source.state_dict())
    assert {each.dtype for each in made.parameters()} == {torch.float32}
    refuse_far(made, source.float())


GIVEN: dict[str, tuple[Any, str]] = {
    "missing": ({"first.bias": None}, "weights: 'first.bias' is missing"),
    "several missing": (
        {"first.bias": None, "first.weight": None},
        "'first.weight', 'first.bias' are missing",
    ),
    "sparse": ({"first.weight": torch.ones(6, 3, 3, 3).to_sparse()}, "give a dense tensor"),
    "unknown": ({"third.bias": torch.zeros(3)}, "weights: the network has no 'third.bias'; did you mean"),
    "both": (
        {"first.bias": None, "frist.bias": torch.zeros(6)},
        "weights: 'first.bias' is missing; it has 'frist.bias', which the network does not; did you mean",
    ),
    "sizes": (
        {"second.weight": torch.zeros(8, 6, 5, 3)},
        "weights: second.weight is 8x6x5x3, and the network has 8x6x3x5 there",
    ),
    "no tensor": ({"first.bias": [0.0] * 6}, "weights: first.bias is a list, no tensor"),
    "no values": ({"first.bias": torch.zeros(6, device="meta")}, "first.bias is on the meta device"),
    "complex": ({"first.bias": torch.zeros(6) * 1j}, "first.bias is complex, and the network has"),
    "not finite": ({"first.weight": torch.full((6, 3, 3, 3), torch.inf)}, "first: its weights are not all"),
    "not floating": ({"first.weight": torch.zeros(6, 3, 3, 3, dtype=torch.int8)}, "first: its weights are"),
}


def plan_of_the_definition() -> Plan:
    return factorize(definition(), SIZE, rank=2)


@pytest.mark.parametrize("case", GIVEN)
def test_weights_that_do_not_fit(case: str) -> None:
    changes, message = GIVEN[case]
    state = {**build(definition(), SIZE).state_dict(), **changes}
    state = {name: value for name, value in state.items() if value is not None}
    with pytest.raises(DefinitionError) as caught:
        plan_of_the_definition().apply(state)
    assert message in str(caught.value)


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("none.safetensors", None, "none.safetensors: there is no such file"),
        ("weights.pt", b"", "name a .safetensors file: other files hold code, and are not read"),
        ("empty.safetensors", b"", "empty.safetensors is no .safetensors file"),
        ("odd.safetensors", b"\xff" * 40, "odd.safetensors is no .safetensors file"),
    ],
)
def test_files_that_cannot_be_read(tmp_path: Path, name: str, content: bytes | None, message: str) -> None:
    if content is not None:
        (tmp_path / name).write_bytes(content)
    for use in (plan_of_the_definition().apply, plan_of_the_definition().errors):
        with pytest.raises(CostlabError) as caught:
            use(tmp_path / name)
        assert message in str(caught.value)
        assert "\n" not in str(caught.value)


@pytest.mark.parametrize(("weights", "message"), [(3, "weights=an int"), (nn.Flatten(), "give its state")])
def test_what_holds_no_weights(weights: Any, message: str) -> None:
    with pytest.raises(DefinitionError, match=message):
        plan_of_the_definition().apply(weights)


def test_weights_of_any_magnitude_have_an_error() -> None:
    model = nn.Sequential(nn.Conv2d(2, 3, 3)).double()
    plan = factorize(model, "1x2x6x6:float64")
    usual = plan.errors()["0"]
    for factor in (1e-200, 1e200):
        scaled = {name: each * factor for name, each in model.state_dict().items()}
        assert plan.errors(scaled)["0"] == pytest.approx(usual, rel=1e-9)
    assert repr(plan.errors()) == repr({"0": usual})
