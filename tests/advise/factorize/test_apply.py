"""Modules with replacements in them: counted by a trace, and run."""

import pickle
from itertools import product
from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor, nn

from costlab.advise.factorize.factorize import factorize
from costlab.advise.factorize.scheme import SCHEMES
from costlab.algebra.ops.convolution import Conv2d
from costlab.counting.count import count
from costlab.errors import DefinitionError
from costlab.targets.build import build
from costlab.targets.catalog import catalog
from tests.advise.factorize.networks import NETWORKS, SIZE, Residual

WITH_A_RANK = [name for name, each in SCHEMES.items() if each.has_rank]
EVERY = list(product(NETWORKS, SCHEMES))
SAMPLE = [(name, list(SCHEMES)[turn % len(SCHEMES)]) for turn, name in enumerate(NETWORKS)]


def refuse_another_count(name: str, by: str) -> None:
    model = NETWORKS[name]()
    plan = factorize(model, SIZE, by=by, saving=0.2)
    state = [(key, id(value)) for key, value in model.state_dict(keep_vars=True).items()]
    made = plan.apply()
    assert count(made, SIZE).total == plan.saving.after
    assert [(key, id(value)) for key, value in model.state_dict(keep_vars=True).items()] == state
    assert count(model, SIZE).total == plan.before


@pytest.mark.parametrize(("name", "by"), SAMPLE)
def test_modules_count_as_planned(name: str, by: str) -> None:
    refuse_another_count(name, by)


@pytest.mark.slow
@pytest.mark.parametrize(("name", "by"), EVERY)
def test_every_module_counts_as_planned(name: str, by: str) -> None:
    refuse_another_count(name, by)


SHOWN = ("multiply_adds", "bias_adds", "activations", "weights", "parameters")


def refuse_another_network(name: str, by: str) -> None:
    """Auxiliary heads, which a trace in eval mode does not run, are counted by the definition alone."""
    plan = factorize(name, by=by)
    counted = count(plan)
    assert counted.total == plan.saving.after
    with torch.device("meta"):
        traced = count(plan.apply(), plan.found.input, batch=plan.found.batch)
    run = counted.inference.total
    has_heads = run != counted.total
    for each in SHOWN[:-1] if has_heads else SHOWN:
        assert getattr(traced.total, each) == getattr(run, each), each


def test_a_network_of_the_catalog_counts_as_planned() -> None:
    refuse_another_network("alexnet", "tucker")


def convolutional() -> list[str]:
    known = [name for name, definition in catalog().items() if definition.input is not None]
    return [name for name in known if any(isinstance(each.block, Conv2d) for each in count(name).operations)]


@pytest.mark.slow
@pytest.mark.parametrize("by", SCHEMES)
def test_every_network_of_the_catalog_counts_as_planned(by: str) -> None:
    names = convolutional()
    assert {"inception_v3", "resnet50", "vgg16", "regnet_x"} <= set(names)
    for name in names:
        refuse_another_network(name, by)


@st.composite
def layers(draw: st.DrawFn) -> nn.Conv2d:
    """A convolution of any settings that takes an input of 12 x 13."""
    pair = st.tuples(st.integers(1, 4), st.integers(1, 4))
    kernel, dilation = draw(pair), (draw(st.integers(1, 2)), draw(st.integers(1, 2)))
    padding: Any = draw(st.one_of(st.sampled_from(["same", "valid"]), st.tuples(*[st.integers(0, 3)] * 2)))
    stride = (1, 1) if padding == "same" else draw(st.tuples(*[st.integers(1, 3)] * 2))
    sizes = draw(st.integers(1, 5)), draw(st.integers(1, 5))
    mode: Any = draw(st.sampled_from(["zeros", "reflect", "replicate", "circular"]))
    bias = draw(st.booleans())
    return nn.Conv2d(*sizes, kernel, stride, padding, dilation, bias=bias, padding_mode=mode)


@pytest.mark.parametrize("by", WITH_A_RANK)
@pytest.mark.filterwarnings("ignore:Using padding='same' with even kernel")
@given(layer=layers(), double=st.booleans())
@settings(max_examples=12, deadline=None)
def test_at_full_rank_outputs_are_the_same(by: str, layer: nn.Conv2d, double: bool) -> None:
    layer = layer.double() if double else layer
    x = torch.randn(2, layer.in_channels, 12, 13, dtype=layer.weight.dtype)
    with torch.no_grad():
        before, after = layer(x), factorize(layer, x, by=by, full=True).apply()(x)
    refuse_far(after, before, double)


def refuse_far(after: Tensor, before: Tensor, double: bool) -> None:
    assert (after.dtype, after.shape) == (before.dtype, before.shape)
    assert float((after - before).norm()) <= (1e-12 if double else 1e-6) * float(before.norm())


@pytest.mark.parametrize("by", WITH_A_RANK)
def test_whole_networks_give_the_same(by: str) -> None:
    model, x = Residual().double().eval(), torch.randn(2, *SIZE, dtype=torch.float64)
    made = factorize(model, x, by=by, full=True).apply()
    with torch.no_grad():
        refuse_far(made(x), model(x), double=True)
    assert not any(each.training for each in made.modules())


def test_what_is_no_size_is_as_it_was() -> None:
    model: Any = nn.Conv2d(4, 8, 3, padding=1, padding_mode="circular", dtype=torch.bfloat16).eval()
    model = model.to(memory_format=torch.channels_last)
    model.weight.requires_grad_(False)
    made: Any = factorize(model, torch.zeros(1, 4, 8, 8, dtype=torch.bfloat16), by="tucker").apply()
    assert [type(layer) for layer in made] == [nn.Conv2d] * 3
    assert [layer.padding_mode for layer in made] == ["circular"] * 3
    assert {each.dtype for each in made.parameters()} == {torch.bfloat16}
    assert [layer.weight.requires_grad for layer in made] == [False] * 3
    assert made[2].bias.requires_grad
    assert made[2].bias.equal(model.bias)
    assert made[2].bias is not model.bias
    assert made[0].bias is made[1].bias is None
    assert made[1].weight.is_contiguous(memory_format=torch.channels_last)
    assert not any(each.training for each in made.modules())
    with torch.device("meta"):
        empty = factorize(nn.Conv2d(4, 8, 3), (4, 8, 8)).apply()
    assert all(each.is_meta for each in empty.parameters())


def test_a_module_of_several_names_stays_one() -> None:
    made: Any = factorize(NETWORKS["Recurrent"](), SIZE).apply()
    assert made.cell is made.same is made.plain[0]
    assert isinstance(made.cell, nn.Sequential)


class Odd(nn.Module):
    """A network that reads the weights of its convolution itself."""

    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv2d(3, 8, 3)

    def forward(self, x: Tensor) -> Tensor:
        out: Tensor = self.conv(x.to(self.conv.weight.dtype))
        return out


def test_code_that_reads_a_convolution() -> None:
    plan = factorize(Odd(), SIZE)
    with pytest.raises(
        DefinitionError, match=r"uses a convolution in other ways .* attribute 'weight'"
    ) as told:
        plan.apply()
    assert "\n" not in str(told.value)


def test_what_is_made_anew_is_a_target() -> None:
    plan = factorize(Residual, SIZE)
    again = pickle.loads(pickle.dumps(plan.variant))
    assert count(again).total == count(plan).total == plan.saving.after
    one, other = (build(plan).state_dict() for _ in range(2))
    assert list(one) == list(other)
    assert not one["stem.0.0.weight"].equal(other["stem.0.0.weight"])


def test_settings_stay_open() -> None:
    plan = factorize("alexnet", only="conv_3")
    ten = plan.variant.with_settings({"num_classes": 10})
    assert count(pickle.loads(pickle.dumps(ten))).root.output == (10,)
    with pytest.raises(DefinitionError, match=r"conv_3.conv: this is not the convolution that the plan is"):
        count(plan.variant.with_settings({"width": 0.5}))


def test_a_module_is_counted_without_a_copy() -> None:
    model = Residual()
    block: Any = factorize(model, SIZE).variant.subject
    mine = {id(each) for each in model.parameters()}
    assert all(each.is_meta or id(each) in mine for each in block.module.parameters())
