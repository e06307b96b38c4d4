"""Where a trial runs: the choice of the device, and a description of the machine and its software."""

import os
import platform
import subprocess
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import cache
from pathlib import Path

import torch

from costlab import __version__
from costlab.errors import RunError
from costlab.train.record import Environment

ON_A_GPU = 4
"""Workers on one GPU, which a single small network leaves mostly idle."""


def find_device(name: str) -> torch.device:
    """The device of that name; ``auto`` is a GPU if there is one.

    Raises:
        RunError: there is no such device, or not on this machine.
    """
    if name == "auto":
        name = "cuda" if torch.cuda.is_available() else "cpu"
    try:
        device = torch.device(name)
    except RuntimeError:
        raise RunError(f"--device {name}: there is auto, cpu, cuda and cuda:N") from None
    if device.type not in ("cpu", "cuda") or (device.type == "cpu" and device.index is not None):
        raise RunError(f"--device {name}: there is auto, cpu, cuda and cuda:N")
    if device.type == "cuda":
        available = torch.cuda.device_count() if torch.cuda.is_available() else 0
        if (device.index or 0) >= available:
            reason = "torch finds no GPU here"
            if available:
                reason = f"there are {available} GPUs that torch can use"
            raise RunError(f"--device {name}: {reason}; --device cpu trains without")
    return device


def default_workers(device: torch.device, trials: int) -> int:
    """How many trials run side by side by default: one per core of the CPU, a few on a GPU."""
    return max(1, min(trials, ON_A_GPU if device.type == "cuda" else cores()))


def cores() -> int:
    """How many cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


@contextmanager
def single_core_threads() -> Iterator[ThreadPoolExecutor]:
    """A pool of as many threads as there are cores, in each of which torch uses one core.

    For small operations that is faster than torch's own parallel loops, whose threads mostly wait.
    """
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        with ThreadPoolExecutor(cores(), initializer=torch.set_num_threads, initargs=(1,)) as pool:
            yield pool
    finally:
        torch.set_num_threads(before)


def has_bfloat16(device: torch.device) -> bool:
    """Whether a device has bfloat16 arithmetic in hardware."""
    return device.type == "cuda" and torch.cuda.is_bf16_supported(including_emulation=False)


def describe_environment(device: torch.device, workers: int, compiled: bool) -> Environment:
    """The hardware and software of this machine, without any host name or path."""
    gpu = device.type == "cuda"
    return Environment(
        device=torch.cuda.get_device_name(device) if gpu else _processor(),
        driver=_driver() if gpu else "",
        torch=str(torch.__version__),
        python=platform.python_version(),
        system=f"{platform.system()} {platform.machine()}",
        precision="bfloat16" if has_bfloat16(device) else "float32",
        threads=torch.get_num_threads(),
        workers=workers,
        compiled=compiled,
        revision=revision(),
    )


def _processor() -> str:
    """The model of the CPU, and the number of usable cores."""
    try:
        lines = Path("/proc/cpuinfo").read_text("utf-8").splitlines()
    except OSError:
        lines = []
    models = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return f"{models[0] if models else platform.processor() or 'CPU'}, {cores()} cores"


def _driver() -> str:
    version = _output_of("nvidia-smi", "--query-gpu=driver_version", "--format=csv,noheader")
    return f"{version.splitlines()[0] if version else 'unknown'}, CUDA {torch.version.cuda}"


@cache
def revision() -> str:
    """The version of costlab, with the commit if it runs from a checkout."""
    here = Path(__file__).parents[2]
    if not (here / ".git").exists():
        return __version__
    commit = _output_of("git", "-C", str(here), "rev-parse", "--short=12", "HEAD")
    changed = _output_of("git", "-C", str(here), "status", "--porcelain", "--untracked-files=no")
    if not commit:
        return __version__
    return f"{__version__}, {commit}{' with changes' if changed else ''}"


def _output_of(*command: str) -> str:
    """What a command prints; empty if it fails."""
    try:
        done = subprocess.run(command, capture_output=True, check=True, text=True, timeout=10)  # noqa: S603  # fixed words
    except (OSError, subprocess.SubprocessError):
        return ""
    return done.stdout.strip()
