"""Checkpoints: all that a trial needs to go on as if nothing had happened, in one file."""

from io import BytesIO
from pathlib import Path
from typing import Any

import torch

from costlab.errors import RunError
from costlab.files import read, write

FILE = "checkpoint.pt"


def save(file: Path, state: dict[str, Any], identity: str) -> None:
    """Write a state in the place of an older one, whole or not at all.

    ``identity`` says which trial it is of. Raises `OutputError` if it cannot be written.
    """
    out = BytesIO()
    torch.save({"identity": identity, **state}, out)
    write(file, out.getvalue(), replace=True)


def load(file: Path, identity: str) -> dict[str, Any] | None:
    """The state, its tensors on the CPU; None if there is no such file. Runs no code that a file might hold.

    Raises:
        RunError: it is damaged, or of another trial.
    """
    content = read(file)
    if content is None:
        return None
    try:
        state = torch.load(BytesIO(content), map_location="cpu", weights_only=True)
        found = state.pop("identity")
    except Exception as error:  # a damaged file may raise anything
        raise damaged(file) from error
    if found != identity:
        raise RunError(f"{file} is of another trial: remove it, and the trial begins anew")
    return dict(state)


def damaged(file: Path) -> RunError:
    """What is said of a file that cannot be gone on from."""
    return RunError(f"{file} is damaged: remove it, and the trial begins anew")


def random_state(device: torch.device) -> dict[str, Any]:
    """Where torch's random numbers stand."""
    state = {"cpu": torch.get_rng_state()}
    return {**state, "cuda": torch.cuda.get_rng_state(device)} if device.type == "cuda" else state


def set_random_state(state: dict[str, Any], device: torch.device) -> None:
    """Go on with random numbers where they stood."""
    torch.set_rng_state(state["cpu"])
    if device.type == "cuda" and "cuda" in state:
        torch.cuda.set_rng_state(state["cuda"], device)
