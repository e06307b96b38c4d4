"""The machine that is measured, as far as its numbers depend on it."""

import platform
from pathlib import Path

import torch

from costlab.hardware.timing.calibration import Machine


def this_machine(device: torch.device, threads: int, clock: str) -> Machine:
    """What computes here; the machine's own name is no part of it."""
    name = torch.cuda.get_device_name(device) if device.type == "cuda" else _processor()
    return Machine(" ".join(name.split()), threads, torch.__version__, clock)


def _processor() -> str:
    """The model of the CPU, as Linux or Python says it."""
    try:
        lines = Path("/proc/cpuinfo").read_text("utf-8", "replace").splitlines()
    except OSError:
        lines = []
    models = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return next(filter(None, models), "") or platform.processor() or platform.machine() or "a CPU"
