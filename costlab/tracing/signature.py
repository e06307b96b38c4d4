"""Whether a model takes what it is called with."""

import inspect
from types import FunctionType
from typing import Any

from torch import nn

from costlab.errors import DefinitionError
from costlab.messages import first_sentence


def refuse_unfitting(model: nn.Module, args: Any, kwargs: Any) -> None:
    """Refuse arguments that the forward of a model does not take.

    Raises:
        DefinitionError: it takes others.
    """
    if not kwargs and _takes(model, len(args) + 1):
        return
    try:
        signature = inspect.signature(model.forward)
    except (TypeError, ValueError, AttributeError):
        return
    try:
        signature.bind(*args, **kwargs)
    except TypeError as error:
        wanted = signature.replace(return_annotation=inspect.Signature.empty)
        raise DefinitionError(
            f"{type(model).__name__}: {error}: it is called with {first_sentence(str(wanted))}; "
            "give --input [name:]sizes[:dtype] for each"
        ) from None


def _takes(model: nn.Module, number: int) -> bool:
    """Whether its forward is a plain method for so many arguments in order; its signature takes longer."""
    function = getattr(getattr(model, "forward", None), "__func__", None)
    if type(function) is not FunctionType:
        return False
    code = function.__code__
    required = code.co_argcount - len(function.__defaults__ or ())
    return not code.co_kwonlyargcount and required <= number <= code.co_argcount
