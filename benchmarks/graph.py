"""What a count of a graph of ONNX takes beside the tools that read such graphs, from the file.

Medians over runs in turn. ``make benchmark``; the tools come with ``costlab[peers]``.
"""

import contextlib
import io
import os
import statistics
import tempfile
import time
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import onnx
import torch

import costlab
from costlab.checking.graph_peers import GRAPH_PEERS

RUNS = 9
LIGHT = Path(onnx.__file__).parent / "backend/test/data/light"
SHIPPED = ["resnet50", "densenet121", "vgg19"]
"""Networks that come with onnx, their weights computed of constants."""


def seconds(work: Callable[[], object]) -> float:
    """Processor time of one call, which others on the machine take nothing from."""
    start = time.process_time()
    with contextlib.redirect_stdout(io.StringIO()):
        work()
    return time.process_time() - start


def exported(folder: Path, name: str) -> Path:
    """A network of the catalog as torch exports it, with its weights."""
    file = folder / f"{name}.onnx"
    sizes: Any = costlab.count(name).input
    x = torch.zeros(1, *sizes)
    torch.onnx.export(costlab.build(name).eval(), (x,), str(file), dynamo=False)
    return file


def once(file: Path) -> list[float]:
    """Seconds of one count by each: costlab first, which reads no weights, then the tools."""

    def loaded(run: Callable[[onnx.ModelProto], object]) -> float:
        return seconds(lambda: run(onnx.load(file)))

    ours = seconds(lambda: costlab.count(str(file)).multiply_adds)
    return [ours, *(loaded(peer.run) for peer in GRAPH_PEERS.values())]


def main() -> None:
    """Measure, and print a Markdown table."""
    warnings.simplefilter("ignore")
    print(f"From the file, ms of processor time, medians of {RUNS} runs in turn, {os.cpu_count()} cores\n")
    heads = ["costlab", *(peer.package for peer in GRAPH_PEERS.values())]
    print(f"| | {' | '.join(heads)} | {' | '.join(f'{name} / costlab' for name in heads[1:])} |")
    print(f"| --- |{' ---: |' * (2 * len(heads) - 1)}")
    with tempfile.TemporaryDirectory() as folder:
        files = {f"{name}, as onnx has it": LIGHT / f"light_{name}.onnx" for name in SHIPPED}
        files |= {f"{name}, exported": exported(Path(folder), name) for name in ("resnet50", "inception_v3")}
        for name, file in files.items():
            once(file)
            runs = [once(file) for _ in range(RUNS)]
            times = " | ".join(f"{1e3 * statistics.median(side):.1f}" for side in zip(*runs, strict=True))
            ratios = [statistics.median(run[k] / run[0] for run in runs) for k in range(1, len(heads))]
            print(f"| {name} | {times} | {' | '.join(f'{ratio:.1f}x' for ratio in ratios)} |", flush=True)


if __name__ == "__main__":
    main()
