"""Modules that run in other threads, and on tensors that only a library can read: told in one line."""

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from costlab import count
from costlab.errors import TargetError


def forgets(layer: nn.Module, x: Tensor) -> Any:
    thread = threading.Thread(target=layer, args=(x,))
    thread.start()
    thread.join()
    return x


def collects(layer: nn.Module, x: Tensor) -> Any:
    made: list[Any] = [None, None]

    def run(place: int) -> None:
        made[place] = layer(x)

    threads = [threading.Thread(target=run, args=(place,)) for place in range(2)]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    return made[0] + made[1]


def pools(layer: nn.Module, x: Tensor) -> Any:
    with ThreadPoolExecutor(2) as pool:
        return sum(pool.map(layer, [x, x]))


def catches(layer: nn.Module, x: Tensor) -> Any:
    with ThreadPoolExecutor(1) as pool:
        try:
            return pool.submit(layer, x).result()
        except RuntimeError:
            return layer(x)


class Threaded(nn.Module):
    def __init__(self, runs: Callable[[nn.Module, Tensor], Any]) -> None:
        super().__init__()
        self.layer, self.runs = nn.Linear(8, 8), runs

    def forward(self, x: Tensor) -> Any:
        return self.runs(self.layer, x)


@pytest.mark.parametrize("runs", [forgets, collects, pools, catches])
@pytest.mark.parametrize("backward", [False, True])
def test_what_runs_in_another_thread_is_told(
    runs: Any, backward: bool, capfd: pytest.CaptureFixture[str]
) -> None:
    before = threading.excepthook
    with pytest.raises(TargetError) as caught:
        count(Threaded(runs), torch.rand(2, 8), backward=backward)
    assert (
        str(caught.value) == "Threaded: some of it runs in another thread, where a count does not follow it"
    )
    assert threading.excepthook is before
    assert capfd.readouterr().err == ""


def test_a_thread_that_leaves_tensors_alone_is_let_be() -> None:
    def waits(layer: nn.Module, x: Tensor) -> Any:
        seen: list[int] = []
        forgets(lambda _: seen.append(1), x)  # type: ignore[arg-type]  # no module, but called like one
        return layer(x) if seen else x

    assert count(Threaded(waits), torch.rand(2, 8)).multiply_adds == 128


def opaque() -> list[Any]:
    from torch.utils import mkldnn  # which warns of itself

    plain = nn.Sequential(nn.Conv2d(3, 4, 3), nn.ReLU(), nn.Flatten(), nn.Linear(64, 2)).eval()
    fast = torch.jit.optimize_for_inference(torch.jit.script(plain))
    converted: Any = mkldnn.to_mkldnn(plain)  # type: ignore[no-untyped-call]  # torch leaves it without types
    return [fast, converted, torch.jit.optimize_for_inference(torch.jit.script(converted))]


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_layouts_that_only_a_library_reads_are_told() -> None:
    x = torch.rand(2, 3, 6, 6)
    for model in opaque():
        model(x)
        for given in (x, x.to_mkldnn()):
            with pytest.raises(TargetError, match="mkldnn's own layout"):
                count(model, given)
