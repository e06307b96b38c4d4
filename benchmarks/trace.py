"""How long a module takes to be counted: by costlab, fvcore, FlopCounterMode and thop, in one run.

Medians over runs in turn, so that a machine whose speed drifts slows all. ``make benchmark``.
"""

import os
import statistics
import time
import warnings
from collections.abc import Callable

import torch
from torch import Tensor, nn

RUNS = 9
Counter = Callable[[nn.Module, Tensor], object]


class Transformer(nn.Module):
    """A vision transformer of the usual small size, on patches of 16 x 16."""

    def __init__(self, width: int = 384, layers: int = 12, heads: int = 6) -> None:
        super().__init__()
        self.patches = nn.Conv2d(3, width, 16, 16)
        layer = nn.TransformerEncoderLayer(width, heads, 4 * width, batch_first=True, norm_first=True)
        self.body = nn.TransformerEncoder(layer, layers, enable_nested_tensor=False)
        self.head = nn.Linear(width, 1000)

    def forward(self, x: Tensor) -> Tensor:
        tokens = self.patches(x).flatten(2).transpose(1, 2)
        head: Tensor = self.head(self.body(tokens).mean(1))
        return head


def counters() -> dict[str, Counter]:
    """Each tool, as it is called on a model and an input."""
    import thop
    from fvcore.nn import FlopCountAnalysis
    from torch.utils.flop_counter import FlopCounterMode

    import costlab

    def flop_counter(model: nn.Module, x: Tensor) -> object:
        with FlopCounterMode(display=False) as counter, torch.no_grad():
            model(x)
        return counter.get_total_flops()

    def fvcore(model: nn.Module, x: Tensor) -> object:
        analysis = FlopCountAnalysis(model, x).unsupported_ops_warnings(enabled=False)
        return analysis.uncalled_modules_warnings(enabled=False).tracer_warnings("none").total()

    return {
        "costlab": lambda model, x: costlab.count(model, x).total,
        "fvcore": fvcore,
        "FlopCounterMode": flop_counter,
        "thop": lambda model, x: thop.profile(model, (x,), verbose=False),
    }


def models() -> dict[str, tuple[nn.Module, Tensor]]:
    """What is counted, each with an input."""
    import costlab

    network: dict[str, tuple[nn.Module, Tensor]] = {}
    for name in ("inception_v3", "resnet50", "vgg16", "mini"):
        shape = tuple(map(int, costlab.count(name).root.input))
        network[name] = costlab.build(name).eval(), torch.zeros(1, *shape)
    return network | {"vision transformer, small": (Transformer().eval(), torch.zeros(1, 3, 224, 224))}


def milliseconds(counter: Counter, model: nn.Module, x: Tensor) -> float:
    """Wall time of one count."""
    start = time.perf_counter()
    counter(model, x)
    return 1e3 * (time.perf_counter() - start)


def main() -> None:
    """Measure, and print a Markdown table."""
    warnings.simplefilter("ignore")
    tools = counters()
    print(f"One count of a module in process, ms, medians of {RUNS} runs in turn, {os.cpu_count()} cores\n")
    print(f"| | {' | '.join(tools)} | fvcore / costlab | costlab / the fastest other |")
    print(f"| --- |{' ---: |' * (len(tools) + 2)}")
    for name, (model, x) in models().items():
        for counter in tools.values():
            counter(model, x)  # what is imported or cached once
        runs = [
            {tool: milliseconds(counter, model, x) for tool, counter in tools.items()} for _ in range(RUNS)
        ]
        times = {tool: statistics.median(run[tool] for run in runs) for tool in tools}
        others = min(time for tool, time in times.items() if tool != "costlab")
        shown = " | ".join(f"{each:.1f}" for each in times.values())
        ratios = times["fvcore"] / times["costlab"], times["costlab"] / others
        print(f"| {name} | {shown} | {ratios[0]:.1f}x | {ratios[1]:.2f}x |")


if __name__ == "__main__":
    main()
