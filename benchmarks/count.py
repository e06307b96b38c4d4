"""How much less a count takes than fvcore's: as a process and in process, in one run on one machine.

Medians over runs in turn, so that a machine whose speed drifts slows both. ``make benchmark``.
"""

import os
import statistics
import subprocess
import sys
import time
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

RUNS = 7
HERE = Path(__file__).parent
COSTLAB = [sys.executable, "-m", "costlab", "count", "inception_v3"]
FVCORE = [sys.executable, str(HERE / "fvcore_count.py")]


class Usage(NamedTuple):
    """What one process took."""

    seconds: float
    mebibytes: float


def process(command: list[str]) -> Usage:
    """Run to the end; wall time, and the kernel's own figure for peak memory."""
    start = time.perf_counter()
    child = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    _, status, usage = os.wait4(child.pid, 0)
    seconds = time.perf_counter() - start
    child.returncode = os.waitstatus_to_exitcode(status)
    if child.returncode:
        sys.exit(f"{command} failed")
    kib = usage.ru_maxrss / (1024 if sys.platform == "darwin" else 1)
    return Usage(seconds, kib / 1024)


def seconds(work: Callable[[], object]) -> float:
    """Wall time of one call."""
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def in_process() -> tuple[list[float], list[float]]:
    """Seconds of a count from the name to the totals, and of fvcore's on a model built beforehand."""
    warnings.simplefilter("ignore")
    import torch
    from fvcore.nn import ActivationCountAnalysis, FlopCountAnalysis, parameter_count

    import costlab

    model = costlab.build("inception_v3").eval()
    x = torch.zeros(1, 3, 299, 299)

    def ours() -> object:
        return costlab.count("inception_v3").total

    def theirs() -> object:
        flops = FlopCountAnalysis(model, x).unsupported_ops_warnings(False).total()
        activations = ActivationCountAnalysis(model, x).unsupported_ops_warnings(False).total()
        return flops, activations, parameter_count(model)[""]

    ours(), theirs()
    pairs = [(statistics.median(seconds(ours) for _ in range(20)), seconds(theirs)) for _ in range(RUNS)]
    return [a for a, _ in pairs], [b for _, b in pairs]


def main() -> None:
    """Measure, and print a Markdown table."""
    process(COSTLAB), process(FVCORE)
    pairs = [(process(COSTLAB), process(FVCORE)) for _ in range(RUNS)]
    ours, theirs = in_process()
    rows = [
        ("process, wall time (s)", [a.seconds for a, _ in pairs], [b.seconds for _, b in pairs], "{:.3f}"),
        ("process, peak memory (MiB)", [a.mebibytes for a, _ in pairs], [b.mebibytes for _, b in pairs], "{:.0f}"),
        ("in process, one count (ms)", [1e3 * s for s in ours], [1e3 * s for s in theirs], "{:.2f}"),
    ]
    print(f"Inception v3 at 299x299: median of {RUNS} runs in turn, {os.cpu_count()} cores\n")
    print("| | costlab | fvcore | fvcore / costlab |\n| --- | ---: | ---: | ---: |")
    for what, a, b, form in rows:
        ratio = statistics.median(y / x for x, y in zip(a, b, strict=True))
        print(f"| {what} | {form.format(statistics.median(a))} | {form.format(statistics.median(b))} | {ratio:.0f}x |")


if __name__ == "__main__":
    main()
