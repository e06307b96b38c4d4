"""How a network runs whose memory is asked: the options of `costlab.memory`, beside the batch."""

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from costlab.errors import DefinitionError

RUNNING: Mapping[str, Any] = {
    "train": False,
    "optimizer": "sgd",
    "momentum": False,
    "average": False,
    "dtype": None,
}
"""The options, as they are by default."""
OF_TRAINING = ("optimizer", "momentum", "average")


def changed_of(**running: Any) -> dict[str, Any]:
    """Those of `RUNNING` that are not as by default."""
    return {name: value for name, value in running.items() if value != RUNNING[name]}


def in_words(running: Mapping[str, Any], otherwise: str = "float32") -> str:
    """How it runs, in a few words: ``a step of training with adam, batch 32, bfloat16``.

    ``otherwise`` is the type where none is given.
    """
    how = {**RUNNING, "batch": 1, **running}
    more = [f" and {name}" for name in ("momentum", "average") if how[name]]
    what = f"a step of training with {how['optimizer']}{''.join(more)}" if how["train"] else "inference"
    return f"{what}, batch {how['batch']}, {how['dtype'] or otherwise}"


def refuse_untrained(running: Iterable[str], write: Callable[[str], str]) -> None:
    """Refuse options of training where nothing is trained; ``write`` gives a name as it is written there.

    Raises:
        DefinitionError: there is one without ``train``.
    """
    given = [*running]
    idle = next((name for name in given if name in OF_TRAINING), None)
    if idle is not None and "train" not in given:
        raise DefinitionError(f"{write(idle)} goes with {write('train')}")
