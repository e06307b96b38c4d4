"""What a definition is said to hold, against its module as it really runs, to the byte."""

import os
import re
from typing import Any, NamedTuple, cast

import pytest
import torch
from hypothesis import HealthCheck, Phase, assume, given, settings
from hypothesis import strategies as st

import costlab
from costlab import (
    BatchNorm2d,
    Block,
    Conv2d,
    DefinitionError,
    Flatten,
    Linear,
    LocalResponseNorm,
    MaxPool2d,
    PReLU,
    Shape,
    build,
    count,
    seq,
)
from costlab.algebra.combine import without_heads
from costlab.algebra.modules import to_module
from costlab.algebra.shape import AnyShape
from costlab.targets.catalog import catalog
from costlab.targets.resolve import resolve
from tests.hardware.real import inference_peak, step_of
from tests.hardware.small_blocks import BLOCKS, RGB
from tests.random_blocks import counted

EXAMPLES = int(os.environ.get("FUZZ_EXAMPLES", "15"))
OPTIMIZERS: dict[str, Any] = {
    "sgd": lambda own, momentum: torch.optim.SGD(own, 0.1, momentum=momentum),
    "rmsprop": lambda own, momentum: torch.optim.RMSprop(own, 0.1, momentum=momentum),
    "adam": lambda own, _: torch.optim.Adam(own),
    "adamw": lambda own, _: torch.optim.AdamW(own),
}


SAME = pytest.mark.filterwarnings("ignore:Using padding='same'")
"""torch says that it copies an input then; that the copy is counted is judged here."""


class How(NamedTuple):
    """How a network is trained."""

    optimizer: str = "sgd"
    momentum: bool = False
    dtype: Any = "float32"


HOW = [How(), How(momentum=True), How("rmsprop"), How("rmsprop", True), How("adam"), How("adamw")]


def as_said(block: Block, x: AnyShape, batch: int, how: How) -> dict[str, Any]:
    """What costlab says that a step of training holds, and a forward pass without gradients."""
    step = costlab.memory(block, x, batch=batch, train=True, **how._asdict())
    at_rest = costlab.memory(block, x, batch=batch, dtype=how.dtype)
    return {
        "kept": step.kept,
        "of the input": sum(each.size for each in step.keeps if each.is_input),
        "peak": step.peak_bytes,
        "state": step.state,
        "weights": step.weights,
        "gradients": step.gradients,
        "buffers": step.buffers,
        "input": step.given,
        "inference peak": at_rest.peak_bytes,
        "weights at rest": at_rest.weights,
    }


def as_run(block: Block, x: AnyShape, batch: int, how: How) -> dict[str, Any]:
    """The same of the module, run on tensors with values."""
    node, dtype = block.walk(x), getattr(torch, how.dtype)
    module, at_rest = to_module(node).to(dtype), to_module(without_heads(node)).to(dtype)
    given = torch.randn(batch, *map(int, x), dtype=dtype)
    real = step_of(module, (given,), lambda own: OPTIMIZERS[how.optimizer](own, 0.9 * how.momentum))
    weights = bytes_of(module.parameters())
    return {
        "kept": real.kept,
        "of the input": real.of_input,
        "peak": real.peak,
        "state": real.state,
        "weights": weights,
        "gradients": weights,
        "buffers": bytes_of(module.buffers()),
        "input": bytes_of([given]),
        "inference peak": inference_peak(at_rest, given),
        "weights at rest": bytes_of(at_rest.parameters()),
    }


def bytes_of(tensors: Any) -> int:
    """What tensors hold."""
    return sum(each.numel() * each.element_size() for each in tensors)


@SAME
@pytest.mark.parametrize("name", BLOCKS)
def test_small_networks_hold_what_is_said(name: str) -> None:
    number = list(BLOCKS).index(name)
    is_halved = (
        number % 3 == 1 and "local response norm" not in name
    )  # torch has it in float32 alone, on a CPU
    how = HOW[number % len(HOW)]._replace(dtype="bfloat16" if is_halved else "float32")
    batch = number % 2 + 1
    assert as_said(BLOCKS[name], RGB, batch, how) == as_run(BLOCKS[name], RGB, batch, how)


@pytest.mark.parametrize("dtype", ["float32", "bfloat16"])
@pytest.mark.parametrize("how", HOW, ids=str)
def test_every_optimizer_holds_what_is_said(how: How, dtype: str) -> None:
    block = seq(Conv2d(3, 2, bias=False), BatchNorm2d(), PReLU(), Flatten(), Linear(2), Linear(9))
    how, x = how._replace(dtype=dtype), Shape(1, 3, 3)
    assert as_said(block, x, 2, how) == as_run(block, x, 2, how)


@SAME
@settings(
    max_examples=EXAMPLES,
    deadline=None,
    suppress_health_check=list(HealthCheck),
    phases=[Phase.generate, Phase.shrink],
    database=None,
    print_blob=True,
)
@given(counted(), st.booleans(), st.integers(1, 2), st.sampled_from(HOW), st.booleans())
def test_random_blocks_hold_what_is_said(
    example: tuple[Shape, Block], learns_first: bool, batch: int, how: How, halved: bool
) -> None:
    x, block = example
    if learns_first:
        block = seq(Conv2d(x.channels, 1, bias=False), block)
    operations = [node.block for node in block.walk(x).nodes()]
    # torch's way back through a window that sees padding alone writes where no memory is.
    assume(not any(isinstance(each, MaxPool2d) and is_wide(each) for each in operations))
    if halved and not any(isinstance(each, LocalResponseNorm) for each in operations):
        how = how._replace(dtype="bfloat16")
    try:
        said = as_said(block, x, batch, how)
    except DefinitionError as error:
        refusal = str(error)
    else:
        assert said == as_run(block, x, batch, how)
        return
    assert re.search("no parameters that could be trained|on one value per channel", refusal), refusal
    with pytest.raises((RuntimeError, ValueError), match=r"grad|empty parameter list|more than 1 value"):
        as_run(block, x, batch, how)


def is_wide(pool: MaxPool2d) -> bool:
    """Whether a window may lie in the padding."""
    return pool.dilation != (1, 1) and pool.padding != (0, 0)


CHEAP = ("auxiliary_classifier", "inception_a", "mini")
"""What every run tries of the catalog."""


@pytest.mark.parametrize(
    "name", [each if each in CHEAP else pytest.param(each, marks=pytest.mark.slow) for each in catalog()]
)
def test_the_catalog_holds_what_is_said(name: str) -> None:
    usual: Any = resolve(name).input
    for batch, size, how in ((2, "3x107x107", How("rmsprop")), (3, "3x139x123", How("adam"))):
        found = resolve(name, size if usual[0] == 3 else None)
        block, x = found.block, cast("Shape", found.input)
        if count(block, x).parameters == 0:
            real = inference_peak(build(block, x), torch.randn(batch, *map(int, x)))
            assert costlab.memory(block, x, batch=batch).peak_bytes == real
            continue
        assert as_said(block, x, batch, how) == as_run(block, x, batch, how)
