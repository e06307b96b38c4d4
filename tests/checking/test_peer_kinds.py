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
from tests.sampling import one_in

UNBATCHED_CONVOLUTIONS = [
    f"{name}_{{rank}}d_unbatched"
    for name in ("conv", "conv_groups", "conv_same", "conv_circular", "conv_twice", "transposed_twice")
]
UNBATCHED_CELLS = [f"{kind}_cell_unbatched" for kind in ("lstm", "gru", "rnn")]
NO_BATCH = [
    *(name.format(rank=rank) for name in UNBATCHED_CONVOLUTIONS for rank in (1, 2, 3)),
    *UNBATCHED_CELLS,
    *("F.conv1d_unbatched", "F.conv2d_unbatched_same"),
]
FAILING: Mapping[str, frozenset[str]] = {
    # They look for an axis that an input without a batch lacks, or find other channels than they expect.
    **dict.fromkeys(CALFLOPS, frozenset(NO_BATCH)),
    "flopco": frozenset(
        name.format(rank=2) for name in [*UNBATCHED_CONVOLUTIONS, "square_{rank}d_unbatched"]
    ),
    "ptflops": frozenset(
        [
            *UNBATCHED_CELLS,
            *(f"{name}_unbatched" for name in ("attention", "attention_weights", "encoder", "crossing")),
        ]
    ),
    # It looks for two axes of a vector.
    "fvcore": frozenset(
        [
            *("linears_unbatched", "layer_norm_unbatched"),
            *(
                f"{way}_{rank}x1"
                for way in ("@", "torch.matmul", "x.matmul", "torch.linalg.matmul")
                for rank in (1, 2, 3)
            ),
        ]
    ),
    # Attention and what is added to a product have to be of the same sizes as the others.
    "torchprofile": frozenset(
        ["torch.baddbmm_spread", "F.scaled_dot_product_attention_2", "F.scaled_dot_product_attention_4_one"]
    ),
}
"""The probes that a tool fails on; elsewhere none does."""


def hold(name: str, model: nn.Module, inputs: Inputs) -> None:
    """Hold what the tools report against what is predicted, those that do not fail."""
    ours, theirs = predicted(costlab.count(model, inputs)), reported(model, inputs)
    failing = {tool for tool, report in theirs.items() if isinstance(report, str)}
    assert failing == {tool for tool, probes in FAILING.items() if name in probes}, theirs
    compared = [tool for tool in TOOLS if tool not in failing]
    assert {tool: theirs[tool] for tool in compared} == {tool: ours[tool] for tool in compared}


def test_what_tools_fail_on_are_probes() -> None:
    assert frozenset().union(*FAILING.values()) <= KINDS.keys()


@pytest.mark.filterwarnings("ignore:Using padding='same' with even kernel lengths")
@pytest.mark.parametrize("name", one_in(3, UNBATCHED))
def test_inputs_without_a_batch(name: str) -> None:
    make, inputs = UNBATCHED[name]
    torch.manual_seed(0)
    hold(name, make().eval(), inputs)


@pytest.mark.parametrize("name", one_in(3, SHARED))
def test_modules_that_several_hold_or_none(name: str) -> None:
    make, inputs = SHARED[name]
    torch.manual_seed(0)
    hold(name, make().eval(), inputs)


@pytest.mark.filterwarnings("ignore:Using padding='same' with even kernel lengths")
@pytest.mark.parametrize("name", one_in(3, PRODUCTS))
def test_products_that_broadcast(name: str) -> None:
    make, inputs = PRODUCTS[name]
    hold(name, make().eval(), inputs)


def activations(model: nn.Module, inputs: Inputs) -> int:
    """What fvcore says; it fails on no more than flops do."""
    from fvcore.nn import ActivationCountAnalysis  # which warns when it is loaded

    analysis = ActivationCountAnalysis(model, inputs).unsupported_ops_warnings(enabled=False)
    return int(analysis.uncalled_modules_warnings(enabled=False).tracer_warnings("none").total())


@pytest.mark.filterwarnings("ignore")  # fvcore and the jit of torch warn of much
@pytest.mark.parametrize("name", one_in(3, PROBES))
def test_activations_as_fvcore_counts_them(name: str) -> None:
    probe, size = PROBES[name], SIZES[1]
    model, inputs = probe.make(size).eval(), size.inputs(probe.inputs)
    assert costlab.count(model, inputs).under("fvcore").activations == activations(model, inputs)


KINDS: Mapping[str, Drawn] = {**UNBATCHED, **SHARED, **PRODUCTS}


@pytest.mark.filterwarnings("ignore")  # fvcore and the jit of torch warn of much
@pytest.mark.parametrize("name", one_in(3, KINDS))
def test_activations_of_these_kinds(name: str) -> None:
    make, inputs = KINDS[name]
    model = make().eval()
    assert costlab.count(model, inputs).under("fvcore").activations == activations(model, inputs)
