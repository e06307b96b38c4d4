"""Checkpoints: all that a trial needs to be resumed with the same result, in one file."""

from io import BytesIO
from pathlib import Path
from typing import Any

import torch

from costlab.errors import RunError
from costlab.files import read, write

FILE = "checkpoint.pt"


def save(file: Path, state: dict[str, Any], identity: str) -> None:
    """Replace the checkpoint in a file, atomically. ``identity`` names the trial.

    Raises:
        OutputError: the file cannot be written.
    """
    out = BytesIO()
    torch.save({"identity": identity, **state}, out)
    write(file, out.getvalue(), replace=True)


def load(file: Path, identity: str) -> dict[str, Any] | None:
    """The saved state, its tensors on the CPU; None if there is no such file. Unpickles no code.

    Raises:
        RunError: the file is damaged, or of another trial.
    """
    content = read(file)
    if content is None:
        return None
    try:
        state = torch.load(BytesIO(content), map_location="cpu", weights_only=True)
        saved_identity = state.pop("identity")
    except Exception as error:  # a damaged file may raise anything
        raise damaged_error(file) from error
    if saved_identity != identity:
        raise RunError(f"{file} is of another trial: remove it, and the trial begins anew")
    return dict(state)


def damaged_error(file: Path) -> RunError:
    """The error for a checkpoint that cannot be resumed from."""
    return RunError(f"{file} is damaged: remove it, and the trial begins anew")


def random_state(device: torch.device) -> dict[str, Any]:
    """The state of torch's random number generators."""
    state = {"cpu": torch.get_rng_state()}
    return {**state, "cuda": torch.cuda.get_rng_state(device)} if device.type == "cuda" else state


def set_random_state(state: dict[str, Any], device: torch.device) -> None:
    """Restore the state of torch's random number generators."""
    torch.set_rng_state(state["cpu"])
    if device.type == "cuda" and "cuda" in state:
        torch.cuda.set_rng_state(state["cuda"], device)
