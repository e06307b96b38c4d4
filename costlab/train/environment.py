"""Where a trial is run: device, versions, revision; and which device that is to be."""

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
"""Workers on one GPU: a small network leaves most of it idle."""


def device_named(name: str) -> torch.device:
    """The device of that name, with the GPU first for ``auto``.

    Raises:
        RunError: it is none, or this machine has none.
    """
    if name == "auto":
        name = "cuda" if torch.cuda.is_available() else "cpu"
    try:
        device = torch.device(name)
    except RuntimeError:
        raise RunError(f"--device {name}: there is auto, cpu, cuda and cuda:N") from None
    if device.type not in ("cpu", "cuda"):
        raise RunError(f"--device {name}: there is auto, cpu, cuda and cuda:N")
    if device.type == "cuda":
        found = torch.cuda.device_count() if torch.cuda.is_available() else 0
        if (device.index or 0) >= found:
            told = f"there are {found} GPUs that torch can use" if found else "torch finds no GPU here"
            raise RunError(f"--device {name}: {told}; --device cpu trains without")
    return device


def workers_on(device: torch.device, trials: int) -> int:
    """How many trials to run side by side: one per core of the CPU, a few on a GPU."""
    return max(1, min(trials, ON_A_GPU if device.type == "cuda" else cores()))


def cores() -> int:
    """How many cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


@contextmanager
def threads_of_one_core() -> Iterator[ThreadPoolExecutor]:
    """As many threads as there are cores, in each of which torch takes one core.

    Small operations that share out each of their loops wait for each other more than they work.
    """
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        with ThreadPoolExecutor(cores(), initializer=torch.set_num_threads, initargs=(1,)) as pool:
            yield pool
    finally:
        torch.set_num_threads(before)


def has_bfloat16(device: torch.device) -> bool:
    """Whether a device multiplies bfloat16 itself."""
    return device.type == "cuda" and torch.cuda.is_bf16_supported(including_emulation=False)


def environment(device: torch.device, workers: int, compiled: bool) -> Environment:
    """What is to be known of this machine and its programs; no name and no path of it."""
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
    """The model of the CPU, with the cores that may be used."""
    try:
        lines = Path("/proc/cpuinfo").read_text("utf-8").splitlines()
    except OSError:
        lines = []
    models = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return f"{models[0] if models else platform.processor() or 'CPU'}, {cores()} cores"


def _driver() -> str:
    told = _said("nvidia-smi", "--query-gpu=driver_version", "--format=csv,noheader")
    return f"{told.splitlines()[0] if told else 'unknown'}, CUDA {torch.version.cuda}"


@cache
def revision() -> str:
    """The version of costlab, with the commit where it is run from a checkout."""
    here = Path(__file__).parents[2]
    if not (here / ".git").exists():
        return __version__
    commit = _said("git", "-C", str(here), "rev-parse", "--short=12", "HEAD")
    changed = _said("git", "-C", str(here), "status", "--porcelain", "--untracked-files=no")
    return f"{__version__}, {commit}{' with changes' * bool(changed)}" if commit else __version__


def _said(*command: str) -> str:
    """What a command prints; nothing if it fails."""
    try:
        done = subprocess.run(command, capture_output=True, check=True, text=True, timeout=10)  # noqa: S603  # fixed words
    except (OSError, subprocess.SubprocessError):
        return ""
    return done.stdout.strip()
