"""Weights of a module as the content of a file of safetensors."""

from typing import Any

from costlab.errors import DefinitionError, one_line


def as_safetensors(module: Any) -> bytes:
    """The state of a module, each tensor by its name and in memory of its own, so that each is in the file.

    Raises:
        DefinitionError: something in it is no tensor, or of a type that such a file cannot hold.
    """
    import torch
    from safetensors import SafetensorError
    from safetensors.torch import save

    state = module.state_dict()
    for name, held in state.items():
        if not isinstance(held, torch.Tensor):
            raise DefinitionError(f"{name} is no tensor, and safetensors holds no others")
    try:
        return save({name: held.detach().cpu().contiguous().clone() for name, held in state.items()})
    # Of a type that it has no name for, it raises KeyError; of other layouts, and without values, torch does.
    except (SafetensorError, ValueError, KeyError, RuntimeError) as error:
        raise DefinitionError(f"the weights cannot be written as safetensors: {one_line(error)}") from error
