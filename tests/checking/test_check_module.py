"""The cross-check of modules that were traced, and what can be seen to be wrong."""

from collections.abc import Iterator
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.nn.utils import parametrizations, prune

import costlab
from costlab.algebra import Work
from costlab.checking import peers
from costlab.checking.cross_check import check
from costlab.checking.materialize import runnable
from costlab.checking.peers import reports
from costlab.counting.breakdown import grid_of, kernel_of
from costlab.counting.count import Count, count
from costlab.errors import TargetError
from costlab.tracing.rules.registry import CALLS, MODULES


class Net(nn.Module):
    """A layer that runs twice, two alike in a sequence, and a mask by name."""

    def __init__(self) -> None:
        super().__init__()
        self.twice = nn.Conv2d(3, 3, (1, 3), padding=(0, 1))
        self.deep = nn.Sequential(nn.Conv2d(3, 6, 3, groups=3), nn.BatchNorm2d(6), nn.ReLU())
        self.head = nn.Linear(6, 4)

    def forward(self, x: Tensor, *, mask: Tensor | None = None) -> Any:
        x = self.deep(self.twice(self.twice(x)))
        y = x.mean((2, 3))
        return self.head(y if mask is None else y * mask)


X = torch.zeros(2, 3, 6, 6)
NAMED = {"x": X, "mask": torch.zeros(2, 6)}


@pytest.fixture(autouse=True)
def rules() -> Iterator[None]:
    modules, calls = dict(MODULES), dict(CALLS)
    yield
    for table, kept in ((MODULES, modules), (CALLS, calls)):
        table.clear()
        table.update(kept)


def outcomes(counted: Count) -> dict[str, str]:
    return {finding.quantity: finding.problem for finding in check(counted)}


@pytest.mark.parametrize("inputs", [X, NAMED])
def test_all_agree(inputs: Any) -> None:
    assert set(outcomes(count(Net(), inputs)).values()) == {""}


def test_a_step_of_training_agrees() -> None:
    found = outcomes(count(Net(), X, backward=True))
    assert set(found.values()) == {""}
    assert "flops as it charges them" not in found


def test_what_is_counted_wrong_is_named() -> None:
    class Wrong(nn.Linear):
        pass

    net = Net()
    net.head = Wrong(6, 4)
    costlab.rule(Wrong)(lambda out, module, x: Work("linear", multiply_adds=49))
    found = outcomes(count(net, X))
    assert found["FLOPs, two per multiply-add"] == "DIFFERS at head: counted 98, reported 96"
    assert found["flops as it charges them"].startswith("DIFFERS: counted ")
    assert found["parameters"] == ""


def test_what_cannot_run_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(model: nn.Module, inputs: Any) -> int:
        raise RuntimeError("no such operator\nand a trace")

    monkeypatch.setattr(peers, "PEERS", {**peers.PEERS, "fvcore": peers.Peer("fvcore", fails)})
    found = outcomes(count(Net(), X))
    assert found["flops as it charges them"] == ""
    (told,) = [str(each) for each in check(count(Net(), X)) if "fvcore" in each.source]
    assert told.endswith("cannot follow this module: RuntimeError: no such operator")


def test_values_are_made_where_there_are_none() -> None:
    with torch.device("meta"):
        net = Net()
    counted = count(net, "2x3x6x6")
    model, (x,) = runnable(counted)
    assert not any(each.is_meta for each in model.parameters())
    assert all(each.is_meta for each in net.parameters())
    assert (x.shape, x.device.type) == ((2, 3, 6, 6), "cpu")
    assert set(outcomes(counted).values()) == {""}


def test_what_is_too_large_for_the_machine_cannot_be_built() -> None:
    with torch.device("meta"):
        net = nn.Sequential(*(nn.Linear(400_000, 400_000) for _ in range(3)))
    with pytest.raises(TargetError, match="its weights take 1,920 GB, more memory than there is"):
        check(count(net, (1, 400_000, 1, 1)[:2]))


def test_weights_that_are_tied_and_containers_that_are_only_walked_through() -> None:
    class Tied(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.table, self.head = nn.Embedding(10, 4), nn.Linear(4, 10, bias=False)
            self.head.weight = self.table.weight
            self.layers = nn.ModuleList([nn.Linear(4, 4), nn.Linear(4, 4)])

        def forward(self, x: Tensor) -> Any:
            x = self.table(x)
            for layer in self.layers:
                x = layer(x)
            return self.head(x)

    for device in ("cpu", "meta"):
        with torch.device(device):
            net = Tied()
        counted = count(net, "2x3:int64")
        assert counted.parameters == 40 + 2 * 20
        assert counted.held is not None
        assert counted.held.shared == 40
        assert set(outcomes(counted).values()) == {""}
        model, _ = runnable(counted)
        assert sum(each.numel() for each in model.parameters()) == 80


def test_pruned_and_normalized_weights_can_be_run() -> None:
    pruned = nn.Sequential(nn.Conv2d(3, 4, 3), nn.ReLU())
    prune.l1_unstructured(pruned[0], "weight", amount=0.3)  # type: ignore[no-untyped-call]  # torch's own
    assert set(outcomes(count(pruned, X)).values()) == {""}
    normed = nn.Sequential(parametrizations.spectral_norm(nn.Conv2d(3, 4, 3)))
    assert set(outcomes(count(normed, X)).values()) == {""}


def test_an_exported_module_counts() -> None:
    net = nn.Sequential(nn.Conv2d(3, 4, 3), nn.ReLU(), nn.Flatten(), nn.Linear(64, 2))
    exported = torch.export.export(net.eval(), (X,)).module()
    assert count(exported, X).multiply_adds == count(net, X).multiply_adds


def test_modes_are_the_models_own_in_a_step() -> None:
    class Further(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.body, self.side = nn.Linear(4, 4), nn.Linear(4, 4)

        def forward(self, x: Tensor) -> Any:
            return (self.body(x), self.side(x)) if self.training else self.body(x)

    x = torch.zeros(2, 4)
    for net, layers in ((Further().train(), 2), (Further().eval(), 1)):
        counted = count(net, x, backward=True)
        assert counted.multiply_adds == layers * 2 * 2 * 16
        assert set(outcomes(counted).values()) == {""}


def test_the_model_stays_as_it_was() -> None:
    net = Net()
    before = {name: each.clone() for name, each in net.state_dict().items()}
    check(count(net, X, backward=True))
    assert net.training
    assert all(torch.equal(before[name], each) for name, each in net.state_dict().items())
    assert all(each.grad is None for each in net.parameters())


def test_a_tool_leaves_nothing_behind() -> None:
    patched = dict(vars(torch.nn.functional))
    list(reports(Net().eval(), (X,)))
    assert dict(vars(torch.nn.functional)) == patched
    found = dict(reports(nn.Identity(), (X,), ["calflops_macs"]))["calflops_macs"]
    assert found.number is None
    assert found.problem.startswith("StopIteration")
    assert dict(vars(torch.nn.functional)) == patched


def test_breakdowns_of_what_ran() -> None:
    counted = count(Net(), X)
    kernels = {row.work.kind: int(row.work.multiply_adds) for row in counted.grouped(kernel_of)}
    assert kernels["1x3 or 3x1"] == 2 * 2 * 36 * 27
    assert kernels["3x3 depthwise"] == 2 * 16 * 54
    assert kernels["linear"] == 2 * 24
    grids = {row.work.kind: int(row.work.multiply_adds) for row in counted.grouped(grid_of)}
    assert grids == {"6x6": 2 * 2 * 36 * 27, "4x4": 2 * 16 * 54, "vector": 2 * 24}
