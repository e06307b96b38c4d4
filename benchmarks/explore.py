"""How many variants a second a space answers for, beside counting them one by one: in one run on one machine.

Each way runs in a process of its own, deriving and importing included, so that its peak memory is its own.
``make benchmark``; ``--slice`` asks a slice of the grid at width 1 alone, in seconds.
"""

import argparse
import os
import subprocess
import sys
import time
import warnings
from collections.abc import Callable
from itertools import product
from random import Random
from typing import Any, NamedTuple

LIMITS = "multiply_adds <= 5e9 and parameters <= 25e6 and activations <= 12e6"
GRID: dict[str, Any] = {
    "input": "139:331",
    "width": "0.25:2:0.01",
    "branch_5x5": ["5x5", "3x3+3x3", "3x3"],
    "pair_3x3": ["3x3+3x3", "5x5"],
    "kernel_7x7": ["1x7+7x1", "7x7"],
    "n": [3, 5, 7, 9, 11],
    "split_3x3": [True, False],
    "reductions": ["parallel", "pool+conv", "conv+pool"],
    "stem_kernel": ["3x3", "7x7"],
    "stem_stride": [2, 1],
    "stem_pool": [True, False],
    "modules_35": "1:6",
    "modules_17": "1:8",
    "modules_8": "1:4",
}
ANYNET: dict[str, Any] = {
    **{f"w{stage}": "8:1024:8" for stage in (1, 2, 3, 4)},
    **{f"d{stage}": "1:16" for stage in (1, 2, 3, 4)},
}
ASKED = {
    "grid": ("inception_v3", GRID, LIMITS, 18_782_945_280, 2_777_203_698),
    "slice": ("inception_v3", {**GRID, "width": [1.0]}, LIMITS, 106_721_280, 2_588_022),
    "AnyNetX": ("anynet_x", ANYNET, "multiply_adds <= 600e6", 17_592_186_044_416, 39_976_796_541),
    "AnyNetX, near": (
        "anynet_x",
        ANYNET,
        "396e6 <= multiply_adds and multiply_adds <= 404e6",
        17_592_186_044_416,
        748_999_888,
    ),
}
"""What is asked: the target, its axes, the limits, how many members there are, and how many are within."""
WAYS = ("compiled", "NumPy")
SAMPLE, ARRAYS, BUILT = 100, 8192, 2
"""Members that are counted one by one, in an array at a time, and rebuilt as modules for fvcore."""


class Usage(NamedTuple):
    """What one way took for so many variants."""

    variants: int
    seconds: float
    cpu: float
    mebibytes: float


def ask(name: str, way: str) -> None:
    """Count the members within limits, and hold the number against the known one."""
    from costlab import Space
    from costlab.explore.query import fast

    fast._use = way == "compiled"
    if fast._use and fast.kernels(0) is None:
        sys.exit("numba is not installed: pip install 'costlab[fast]'")
    target, axes, limits, size, within = ASKED[name]
    settings = {"group_width": 8} if target == "anynet_x" else {}
    space = Space(target, **axes, **settings)
    found = space.size, space.where(limits).count()
    if found != (size, within):
        sys.exit(f"{name}, {way}: {found}, not {(size, within)}")


def process(*arguments: str) -> Usage:
    """Run a way in a process of its own; wall time, and the kernel's figures for processors and memory."""
    start = time.perf_counter()
    child = subprocess.Popen([sys.executable, __file__, *arguments])
    _, status, usage = os.wait4(child.pid, 0)
    seconds = time.perf_counter() - start
    child.returncode = os.waitstatus_to_exitcode(status)
    if child.returncode:
        sys.exit(f"{arguments} failed")
    print(f"{' '.join(arguments[1:])}: {seconds:.1f} s", file=sys.stderr)
    kib = usage.ru_maxrss / (1024 if sys.platform == "darwin" else 1)
    return Usage(ASKED[arguments[1]][3], seconds, usage.ru_utime + usage.ru_stime, kib / 1024)


def timed(variants: int, work: Callable[[], object]) -> Usage:
    """Run a way in this process."""
    start, cpu = time.perf_counter(), time.process_time()
    work()
    return Usage(variants, time.perf_counter() - start, time.process_time() - cpu, 0)


def settings(many: int) -> list[tuple[int, dict[str, Any]]]:
    """Members of the grid, drawn at random: the size of the input, and the settings."""
    from costlab import Space

    random = Random(0)
    axes = {axis.name: axis.values for axis in Space("inception_v3", **GRID).axes}
    drawn = [{name: random.choice(values) for name, values in axes.items()} for _ in range(many)]
    return [(each.pop("input"), each) for each in drawn]


def one_by_one() -> Usage:
    """Counts of single members."""
    import costlab

    members = settings(SAMPLE)

    def work() -> None:
        for side, each in members:
            costlab.count("inception_v3", (3, side, side), **each)

    return timed(SAMPLE, work)


def arrays() -> Usage:
    """Counts of arrays of widths and sizes, for one set of choices."""
    import numpy as np

    import costlab

    widths, sides = (
        np.array(each) for each in zip(*product(np.arange(25, 201) / 100, range(139, 332)), strict=True)
    )

    def work() -> None:
        for at in range(0, len(widths), ARRAYS):
            some = slice(at, at + ARRAYS)
            side = sides[some]
            costlab.count("inception_v3", (3, side, side), width=widths[some])

    return timed(len(widths), work)


def rebuilt() -> Usage:
    """Networks rebuilt as modules, and counted by fvcore."""
    import torch
    from fvcore.nn import ActivationCountAnalysis, FlopCountAnalysis, parameter_count

    import costlab

    warnings.simplefilter("ignore")
    members = settings(BUILT)

    def work() -> None:
        for side, each in members:
            model, x = costlab.build("inception_v3", **each).eval(), torch.zeros(1, 3, side, side)
            for analysis in (FlopCountAnalysis(model, x), ActivationCountAnalysis(model, x)):
                analysis.unsupported_ops_warnings(False).total()
            parameter_count(model)

    return timed(BUILT, work)


def shown(rate: float) -> str:
    """A rate with as many digits as say something."""
    return f"{rate:,.0f}" if rate >= 10 else f"{rate:.2f}"


def main() -> None:
    """Measure, and print a Markdown table."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--ask", nargs=2, metavar=("SPACE", "WAY"), help="what a process of its own does")
    parser.add_argument("--slice", action="store_true", help="a slice of the grid alone")
    options = parser.parse_args()
    if options.ask:
        ask(*options.ask)
        return
    spaces = ("slice",) if options.slice else ("grid", "AnyNetX", "AnyNetX, near")
    ask("slice", "compiled")  # compiles the kernels, which are then kept
    taken = {f"{name}, {way}": process("--ask", name, way) for name in spaces for way in WAYS}
    taken |= {"counts one by one": one_by_one(), "counts of arrays": arrays(), "fvcore, rebuilt": rebuilt()}
    single = taken["counts one by one"]
    rate = single.variants / single.cpu
    print(f"Members of spaces within limits, {os.cpu_count()} cores\n")
    print("| | variants | wall, s | CPU, s | variants/s | per CPU second | MiB | / one by one |")
    print(f"| --- |{' ---: |' * 7}")
    for name, each in taken.items():
        memory = f"{each.mebibytes:.0f}" if each.mebibytes else ""
        print(
            f"| {name} | {each.variants:,} | {each.seconds:.1f} | {each.cpu:.1f} "
            f"| {shown(each.variants / each.seconds)} | {shown(each.variants / each.cpu)} "
            f"| {memory} | {each.variants / each.cpu / rate:,.2f}x |"
        )


if __name__ == "__main__":
    main()
