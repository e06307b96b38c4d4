"""What inference, and a step of training, are said to allocate, beside what they do; and how fast it is said.

Beside costlab's figures stand those of a real run on this CPU: all storages of tensors that are alive at
once; all that the allocator hands out, in which kernels' workspace is; and what torchinfo estimates.
``make benchmark``.
"""

import gc
import time
import warnings
import weakref
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy
from torch.profiler import ProfilerActivity, profile
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

import costlab

CASES = (("inception_v3", 2, 299), ("googlenet", 2, 224), ("resnet50", 2, 224), ("vgg16", 1, 224))
MEGA = 1e6


class Peaks(NamedTuple):
    """Bytes that are allocated at most: in inference, and in a step of training."""

    inference: float
    step: float


class Storages(TorchDispatchMode):
    """The bytes of storages that operators made and that are alive, and the most there were."""

    def __init__(self, there: Iterator[Tensor]) -> None:
        super().__init__()  # type: ignore[no-untyped-call]  # torch leaves it so
        self.there = {each.untyped_storage()._cdata for each in there}
        self.sizes: dict[int, int] = {}
        self.peak = 0

    def __torch_dispatch__(self, function: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        result = function(*args, **(kwargs or {}))
        for leaf in tree_leaves(result):
            if isinstance(leaf, Tensor) and (key := leaf.untyped_storage()._cdata) not in self.there:
                if key not in self.sizes:
                    weakref.finalize(leaf.untyped_storage(), self.sizes.pop, key)
                self.sizes[key] = leaf.untyped_storage().nbytes()
        self.peak = max(self.peak, sum(self.sizes.values()))
        return result


class Real:
    """A network that really runs, with random weights, on noise."""

    def __init__(self, name: str, batch: int, side: int) -> None:
        self.module = costlab.build(name, (3, side, side))
        self.x = torch.randn(batch, 3, side, side)
        self.labels = torch.zeros(batch, dtype=torch.int64)
        self.optimizer = torch.optim.SGD(self.module.parameters(), lr=0.01)

    def infer(self) -> None:
        """A forward pass."""
        self.module.eval()
        with torch.no_grad():
            self.module(self.x)

    def step(self) -> None:
        """A step of training."""
        self.module.train()
        output = self.module(self.x)
        loss: Any = sum([1 * cross_entropy(output, self.labels)])
        loss.backward()
        self.optimizer.step()
        self.optimizer.zero_grad(set_to_none=True)

    def storages(self, run: Callable[[], None]) -> int:
        """The most bytes of storages alive at once."""
        run()
        seen = Storages(iter((*self.module.parameters(), *self.module.buffers(), self.x, self.labels)))
        with seen:
            run()
        return seen.peak

    def allocator(self, run: Callable[[], None]) -> int:
        """The most bytes that the allocator has handed out at once, from its own events."""
        run()
        gc.collect()
        with profile(activities=[ProfilerActivity.CPU], profile_memory=True) as profiled:
            run()
        events: list[tuple[int, int]] = []
        pending = list(profiled.profiler.kineto_results.experimental_event_tree())
        while pending:
            event = pending.pop()
            pending += event.children
            if str(event.tag).endswith("Allocation"):
                events.append((event.start_time_ns, event.extra_fields.alloc_size))
        now = most = 0
        for _, size in sorted(events):
            now += size
            most = max(most, now)
        return most


def timed(work: Callable[[], Any]) -> tuple[Any, float]:
    """What it gives, and the seconds it takes, the second time."""
    work()
    start = time.perf_counter()
    result = work()
    return result, time.perf_counter() - start


def said(name: str, batch: int, side: int) -> Peaks:
    """What costlab says of a definition."""
    asked: dict[str, Any] = {"input": (3, side, side), "batch": batch}
    step = costlab.memory(name, **asked, train=True)
    return Peaks(int(costlab.memory(name, **asked).peak.live), int(step.peak.live))


def traced(module: nn.Module, batch: int, side: int) -> Peaks:
    """What costlab says of its module."""
    asked: dict[str, Any] = {"input": (3, side, side), "batch": batch}
    step = costlab.memory(module.train(), **asked, train=True)
    return Peaks(int(costlab.memory(module, **asked).peak.live), int(step.peak.live))


def estimated(module: nn.Module, batch: int, side: int) -> float:
    """What torchinfo calls the size of a pass forward and back."""
    from torchinfo import summary

    return float(summary(module, input_size=(batch, 3, side, side), verbose=0).total_output_bytes)


def main() -> None:
    """Measure, and print a Markdown table."""
    warnings.simplefilter("ignore")
    print("Allocated at most, MB, and times of a real run\n")
    heads = ("batch", "said", "tensors", "allocator", "said / tensors", "allocator / tensors", "torchinfo")
    print(f"| | {' | '.join(heads)} | s to say | s to trace |\n| --- |{' ---: |' * (len(heads) + 2)}")
    for name, batch, side in CASES:
        real = Real(name, batch, side)
        peaks, seconds = timed(partial(said, name, batch, side))
        _, longer = timed(partial(traced, real.module, batch, side))
        guess = estimated(real.module, batch, side)
        for what, run, peak in (("inference", real.infer, peaks.inference), ("step", real.step, peaks.step)):
            tensors, allocator = real.storages(run), real.allocator(run)
            megabytes = (peak / MEGA, tensors / MEGA, allocator / MEGA)
            cells = [f"{name}, {what}", str(batch), *(f"{each:,.1f}" for each in megabytes)]
            cells += [f"{peak / tensors:.4f}", f"{allocator / tensors:.2f}", f"{guess / MEGA:,.1f}"]
            print(f"| {' | '.join(cells)} | {seconds:.3f} | {longer:.2f} |", flush=True)


if __name__ == "__main__":
    main()
