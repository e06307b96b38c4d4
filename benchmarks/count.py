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
COSTLAB = [str(Path(sys.executable).with_name("costlab")), "count", "inception_v3"]
# Bytecode may be cached, as it is for installed packages.
ENVIRONMENT = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
FVCORE = [sys.executable, "-W", "ignore", str(HERE / "fvcore_count.py")]


class Usage(NamedTuple):
    """What one process took."""

    seconds: float
    mebibytes: float


def process(command: list[str]) -> Usage:
    """Run to the end; wall time, and the kernel's own figure for peak memory."""
    start = time.perf_counter()
    child = subprocess.Popen(command, stdout=subprocess.DEVNULL, env=ENVIRONMENT)
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


class InProcess(NamedTuple):
    """Seconds of one count, with what is counted made beforehand and made anew."""

    network: float
    anew: float


def in_process() -> list[tuple[InProcess, InProcess]]:
    """costlab on a block and from the name; fvcore on a module and with the building of it."""
    warnings.simplefilter("ignore")
    import torch
    from fvcore.nn import ActivationCountAnalysis, FlopCountAnalysis, parameter_count

    import costlab

    block = costlab.catalog()["inception_v3"]()
    model = costlab.build("inception_v3").eval()
    x = torch.zeros(1, 3, 299, 299)

    def fvcore(module: torch.nn.Module) -> object:
        flops = FlopCountAnalysis(module, x).unsupported_ops_warnings(False).total()
        activations = ActivationCountAnalysis(module, x).unsupported_ops_warnings(False).total()
        return flops, activations, parameter_count(module)[""]

    def once() -> tuple[InProcess, InProcess]:
        ours = InProcess(
            statistics.median(seconds(lambda: costlab.count(block, (3, 299, 299)).total) for _ in range(20)),
            statistics.median(seconds(lambda: costlab.count("inception_v3").total) for _ in range(20)),
        )
        theirs = InProcess(
            seconds(lambda: fvcore(model)),
            seconds(lambda: fvcore(costlab.build("inception_v3").eval())),
        )
        return ours, theirs

    once()
    return [once() for _ in range(RUNS)]


def main() -> None:
    """Measure, and print a Markdown table."""
    process(COSTLAB), process(FVCORE)
    runs = [(process(COSTLAB), process(FVCORE)) for _ in range(RUNS)]
    counts = in_process()
    rows = [
        ("process: wall time, s", "{:.3f}", [(a.seconds, b.seconds) for a, b in runs]),
        ("process: peak memory, MiB", "{:.0f}", [(a.mebibytes, b.mebibytes) for a, b in runs]),
        (
            "one count, network made beforehand, ms",
            "{:.2f}",
            [(1e3 * a.network, 1e3 * b.network) for a, b in counts],
        ),
        ("one count, network made anew, ms", "{:.2f}", [(1e3 * a.anew, 1e3 * b.anew) for a, b in counts]),
    ]
    print(f"Inception v3 at 299x299, medians of {RUNS} runs in turn, {os.cpu_count()} cores\n")
    print("| | costlab | fvcore | fvcore / costlab |\n| --- | ---: | ---: | ---: |")
    for what, form, pairs in rows:
        sizes = " | ".join(form.format(statistics.median(side)) for side in zip(*pairs, strict=True))
        print(f"| {what} | {sizes} | {statistics.median(b / a for a, b in pairs):.0f}x |")


if __name__ == "__main__":
    main()
