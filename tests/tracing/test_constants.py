"""What does not come from data has values: what is decided by it is decided, as when the model runs."""

import os
from itertools import cycle
from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

from costlab import count
from tests.sampling import one_in
from tests.tracing.constants import CONSTRUCTORS, DECISIONS, DEVICES, GLOBAL, IN_PLACE, KINDS, Decides

EXAMPLES = int(os.environ.get("FUZZ_EXAMPLES", "50"))
X, GIVEN = torch.rand(2, 6), torch.tensor([1, 0, 2, 2])


def flops(model: nn.Module, *inputs: Any) -> int:
    """What PyTorch's counter says of a run on real tensors, in multiply-adds."""
    with FlopCounterMode(display=False) as counter, torch.no_grad():
        model.eval()(*inputs)
    return int(counter.get_total_flops()) // 2


def assert_as_it_runs(model: nn.Module) -> None:
    """The count is what runs, and the caller's tensors are as they were."""
    before = [each.clone() for each in (GIVEN, GLOBAL, *model.parameters(), *model.buffers())]
    counted = count(model, (X, GIVEN))
    after = [GIVEN, GLOBAL, *model.parameters(), *model.buffers()]
    assert all(map(torch.equal, before, after))
    copies = GIVEN.clone(), GLOBAL.clone()
    try:
        assert counted.multiply_adds == flops(model, X, GIVEN)
    finally:
        GIVEN.copy_(copies[0])
        GLOBAL.copy_(copies[1])


@settings(max_examples=EXAMPLES, deadline=None)
@given(
    make=st.sampled_from(sorted(CONSTRUCTORS)),
    kind=st.sampled_from(KINDS),
    device=st.sampled_from(sorted(DEVICES)),
    changes=st.lists(st.sampled_from(sorted(IN_PLACE)), max_size=3),
    decision=st.sampled_from(sorted(DECISIONS)),
)
def test_what_constants_decide_is_decided(
    make: str, kind: torch.dtype, device: str, changes: list[str], decision: str
) -> None:
    torch.manual_seed(0)
    assert_as_it_runs(Decides(make, kind, device, changes, decision))


@pytest.mark.parametrize("change", one_in(3, sorted(IN_PLACE)))
def test_what_is_done_in_place_is_done(change: str) -> None:
    for kind in (torch.int64, torch.float32):
        assert_as_it_runs(Decides("tensor", kind, "of the activation", [change], "loop"))


@pytest.mark.parametrize("make", one_in(3, sorted(CONSTRUCTORS)))
def test_however_they_are_made(make: str) -> None:
    for device, decision in zip(cycle(DEVICES), DECISIONS, strict=False):
        assert_as_it_runs(Decides(make, torch.int64, device, [], decision))


def test_a_constant_is_written_as_it_is() -> None:
    class Writes(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.layer = nn.Linear(6, 6)

        def forward(self, x: torch.Tensor, given: torch.Tensor) -> Any:
            steps = (
                len(f"{torch.tensor(123)}") + ("1, 2" in repr(torch.arange(3))) + ("1, 0, 2" in str(given))
            )
            return [self.layer(x) for _ in range(steps)]

    assert_as_it_runs(Writes())
    assert count(Writes(), (X, GIVEN)).multiply_adds == 5 * 2 * 36
