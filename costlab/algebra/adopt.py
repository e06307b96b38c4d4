"""Modules of PyTorch as blocks: the one place that reaches for the room that traces them."""

import sys
from collections.abc import Callable
from importlib import import_module
from typing import Any

from costlab.algebra.block import Block
from costlab.errors import CostlabError


def is_module(value: object) -> bool:
    """Whether the value is an ``nn.Module``. If torch has not been imported, nothing is."""
    torch = sys.modules.get("torch")
    return torch is not None and isinstance(value, torch.nn.Module)


def is_module_class(value: object) -> bool:
    """Whether the value is a class of modules."""
    torch = sys.modules.get("torch")
    return torch is not None and isinstance(value, type) and issubclass(value, torch.nn.Module)


def adopted(value: object) -> Any:
    """A module as a block, which is traced when it is walked; what is none stays what it is."""
    if not is_module(value):
        return value
    block: Block = import_module("costlab.tracing.module").Module(value)
    return block


def in_training(block: Block, x: Any) -> Any:
    """A step of training of a block: its module, to be traced forward and back.

    Raises:
        DefinitionError, ShapeError: the module of the block cannot be built.
    """
    stepping: Callable[[Block, Any], Block] = import_module("costlab.tracing.module").in_training
    return stepping(block, x)


def made_by(function: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
    """What a function makes; a module without memory for its weights, where it can be made so."""
    torch = sys.modules.get("torch")
    if torch is None:
        return adopted(function(*args, **kwargs))
    try:
        with torch.device("meta"):
            made = function(*args, **kwargs)
    except CostlabError:
        raise
    except Exception:  # it looks at values while it is made
        made = function(*args, **kwargs)
    return adopted(made)
