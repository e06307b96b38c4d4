"""The mark of a partial count goes with it, and what only a count of the whole can be used for is refused."""

import copy
import pickle
from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor, nn

import costlab
from costlab import Count, compare, count
from costlab.counting.convention import convention
from costlab.counting.reconcile import account, reconcile
from costlab.errors import CostlabError, DefinitionError
from tests.of_modules import OF_MODULES
from tests.tracing.detectors import CHOICES, Rows, X, detector


def partial_count() -> Count:
    return count(detector(CHOICES["mask"]), X, partial=True)


def test_the_mark_goes_with_the_count() -> None:
    counted = partial_count()
    assert counted.title == "Sequential (partial), input 2x3x8x8, stopped at 2.keep"
    assert counted.total.kind == counted.whole.work.kind == "total (partial)"
    for name in OF_MODULES:  # for some of which the model runs again
        assert counted.under(name).partial == counted.partial
    assert counted.inference.partial == counted.partial
    frame = counted.to_frame()
    assert frame["partial"].all()
    assert not count(nn.ReLU(), (2, 4)).to_frame()["partial"].any()
    assert "stopped at 2.keep" in counted._repr_html_()
    assert "total (partial)" in counted._repr_html_()
    outputs = {row.path: row.output for row in counted.modules(2)}
    assert str(outputs["0"]) == "2x8x8x8"
    assert outputs["2.keep"] is None  # nothing came out of it
    assert counted.modules(0)[0].output is None
    small = count(Rows(), torch.rand(2, 4), partial=True)
    for again in (pickle.loads(pickle.dumps(small)), copy.deepcopy(small)):
        assert again == small
        assert again.partial == small.partial
        assert again.title == small.title
    assert small.root != small.root._replace(block=count(nn.Linear(4, 4), (2, 4)).root.block)


@pytest.mark.filterwarnings("ignore:Lazy modules are a new feature")  # torch's
def test_lazy_modules_that_were_not_reached_have_no_parameters_yet() -> None:
    class Lazy(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.first, self.second = nn.LazyLinear(4), nn.LazyLinear(5)

        def forward(self, x: Tensor) -> Any:
            y = self.first(x)
            return self.second(y[y[:, 0] > 0])

    x = torch.rand(2, 3)
    comparison = compare(nn.Linear(3, 4), Lazy(), input=x, partial=True)
    counted = comparison.counts[1]
    assert counted.partial
    assert counted.partial.unsized
    assert "; second has no sizes yet, so that its parameters are not counted" in counted.partial.reason
    assert (counted.multiply_adds, counted.parameters) == (2 * 3 * 4, 3 * 4 + 4)
    assert comparison.ratio(counted, "parameters") is None


def test_what_is_for_the_whole_is_refused() -> None:
    counted = partial_count()
    refusals: list[tuple[Callable[[], Any], str]] = [
        (lambda: reconcile(counted), "a tool counts the whole or fails"),
        (lambda: account(counted, convention("fvcore")), "a tool counts the whole or fails"),
        (lambda: costlab.check(counted), "cannot be held against a run of the whole"),
    ]
    for call, reason in refusals:
        with pytest.raises(DefinitionError) as raised:
            call()
        message = f"Sequential is counted in part, and {reason}: stopped at 2.keep: "
        assert str(raised.value).startswith(message)
        assert "\n" not in str(raised.value)


def test_there_is_no_ratio_to_a_part() -> None:
    whole = nn.Sequential(nn.Conv2d(3, 8, 3, padding=1))
    parts = detector(CHOICES["mask"])
    for targets in [(whole, parts), (parts, whole), (parts, parts)]:
        comparison = compare(*targets, input=X, partial=True)
        last = comparison.counts[-1]
        for quantity in ("multiply_adds", "activations", "weights", "cost"):
            assert comparison.ratio(last, quantity) is None
            assert comparison.saving(last, quantity) is None
        sizes = [sum(each.numel() for each in model.parameters()) for model in targets]
        ratio = comparison.ratio(last, "parameters")
        assert ratio is not None
        assert ratio * sizes[0] == sizes[1]
        with pytest.raises(DefinitionError, match="counted in part, and what follows may differ or not"):
            comparison.differences(last)
    with pytest.raises(CostlabError, match=r"^2\.keep: "):
        compare(whole, parts, input=X)
    both = compare(whole, nn.Sequential(whole, nn.ReLU()), input=X, partial=True)
    assert both.ratio(both.counts[1]) == 1
