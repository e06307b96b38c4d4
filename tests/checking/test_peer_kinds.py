"""Every tool reports what is predicted of inputs without a batch, modules under several parents, products."""

from collections.abc import Mapping

import pytest
import torch
from torch import nn

import costlab
from tests.checking.probes import SIZES, Inputs
from tests.checking.product_probes import PRODUCTS
from tests.checking.shared_probes import SHARED
from tests.checking.test_peers import CALFLOPS, PROBES, TOOLS, predicted, reported
from tests.checking.unbatched_probes import UNBATCHED, Drawn

NO_BATCH = "it looks for an axis that an input without a batch lacks, or finds other channels than it expects"
SEEKING = ("thop", "ptflops", "flopco", *CALFLOPS)
A_VECTOR = "it looks for two axes of a vector"
FAILING: Mapping[str, Mapping[str, str]] = {
    "unbatched": dict.fromkeys(SEEKING, NO_BATCH),
    "vectors": {**dict.fromkeys(SEEKING, NO_BATCH), "fvcore": A_VECTOR},
    "products": {
        **dict.fromkeys(["fvcore", "ptflops", "ptflops_aten"], A_VECTOR),
        **dict.fromkeys(CALFLOPS, NO_BATCH),
        "torchprofile": "attention and what is added to a product have to be of the same sizes as the others",
    },
}
"""Tools that fail on some probes of a kind, and why; elsewhere none does."""


def hold(kind: str, model: nn.Module, inputs: Inputs) -> None:
    """Hold what the tools report against what is predicted, those that do not fail."""
    ours, theirs = predicted(costlab.count(model, inputs)), reported(model, inputs)
    failing = {tool for tool, report in theirs.items() if isinstance(report, str)}
    assert failing <= FAILING.get(kind, {}).keys(), theirs
    compared = [tool for tool in TOOLS if tool not in failing]
    assert {tool: theirs[tool] for tool in compared} == {tool: ours[tool] for tool in compared}


@pytest.mark.filterwarnings("ignore:Using padding='same' with even kernel lengths")
@pytest.mark.parametrize("name", UNBATCHED)
def test_inputs_without_a_batch(name: str) -> None:
    make, inputs = UNBATCHED[name]
    torch.manual_seed(0)
    kind = "vectors" if inputs[0].dim() == 1 else "unbatched" if name.endswith("_unbatched") else "batched"
    hold(kind, make().eval(), inputs)


@pytest.mark.parametrize("name", SHARED)
def test_modules_that_several_hold_or_none(name: str) -> None:
    make, inputs = SHARED[name]
    torch.manual_seed(0)
    hold("shared", make().eval(), inputs)


@pytest.mark.filterwarnings("ignore:Using padding='same' with even kernel lengths")
@pytest.mark.parametrize("name", PRODUCTS)
def test_products_that_broadcast(name: str) -> None:
    make, inputs = PRODUCTS[name]
    hold("products", make().eval(), inputs)


def activations(model: nn.Module, inputs: Inputs) -> int:
    """What fvcore says; it fails on no more than flops do."""
    from fvcore.nn import ActivationCountAnalysis  # which warns when it is loaded

    analysis = ActivationCountAnalysis(model, inputs).unsupported_ops_warnings(enabled=False)
    return int(analysis.uncalled_modules_warnings(enabled=False).tracer_warnings("none").total())


@pytest.mark.filterwarnings("ignore")  # fvcore and the jit of torch warn of much
@pytest.mark.parametrize("name", PROBES)
def test_activations_as_fvcore_counts_them(name: str) -> None:
    probe, size = PROBES[name], SIZES[1]
    model, inputs = probe.make(size).eval(), size.inputs(probe.inputs)
    assert costlab.count(model, inputs).under("fvcore").activations == activations(model, inputs)


KINDS: Mapping[str, Drawn] = {**UNBATCHED, **SHARED, **PRODUCTS}


@pytest.mark.filterwarnings("ignore")  # fvcore and the jit of torch warn of much
@pytest.mark.parametrize("name", KINDS)
def test_activations_of_these_kinds(name: str) -> None:
    make, inputs = KINDS[name]
    model = make().eval()
    assert costlab.count(model, inputs).under("fvcore").activations == activations(model, inputs)
