"""Weights that are given: a state dict, or a file of one, held to a network; and put into one."""

from collections.abc import Mapping
from os import PathLike
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from costlab.algebra.parameter import closest
from costlab.algebra.traced import child_path
from costlab.errors import DefinitionError
from costlab.files import read_given
from costlab.messages import a, first_sentence, named
from costlab.tracing.stand_in import Uninitialized

MOST_BYTES = 2**37
EXTRA = "_extra_state"
"""What modules keep beside tensors, of any type, under a name that ends so."""
COUNTER = "num_batches_tracked"
"""A buffer of normalizations that older files lack; torch takes it as 0 then."""
MANY = 3


def read_weights(weights: Any) -> Mapping[str, Any]:
    """A state dict, from a file where its path is given.

    Raises:
        DefinitionError: it is none, or the file is no .safetensors file or cannot be read for want of the
            package.
        OutputError: the file cannot be read.
    """
    if isinstance(weights, str | PathLike):
        return _loaded(Path(weights))
    if isinstance(weights, nn.Module):
        raise DefinitionError(f"weights={type(weights).__name__}: give its state dict, module.state_dict()")
    if not isinstance(weights, Mapping):
        what = a(type(weights).__name__)
        raise DefinitionError(f"weights={what}: give a state dict, or the path of a .safetensors file")
    return weights


def _loaded(file: Path) -> Mapping[str, Tensor]:
    wanted = "name a .safetensors file"
    if file.suffix.lower() != ".safetensors":
        raise DefinitionError(
            f"weights={file}: {wanted}: other files hold code, and are not read; "
            "safetensors.torch.save_model(module, file) writes one"
        )
    try:
        from safetensors import SafetensorError
        from safetensors.torch import load
    except ImportError:
        brings = "pip install 'costlab[safetensors]'"
        raise DefinitionError(f"weights={file}: safetensors is not installed: {brings}") from None
    content = read_given(file, MOST_BYTES, wanted, DefinitionError)
    try:
        return load(content)
    except (SafetensorError, KeyError, ValueError) as error:
        raise DefinitionError(f"{file} is no .safetensors file: {first_sentence(error)}") from None


def fitted(weights: Any, model: nn.Module) -> dict[str, Any]:
    """The weights by every name that the state of a network has; one that is held twice may be given once.

    Raises:
        DefinitionError: as `read_weights`; or a name is missing or unknown, or a tensor has other sizes or
            no values.
        OutputError: the file cannot be read.
    """
    given = dict(read_weights(weights))
    state = model.state_dict(keep_vars=True)
    given |= _by_other_names(given, state)
    for name, tensor in state.items():
        if name not in given and name.endswith(COUNTER) and tensor.is_meta:
            given[name] = torch.zeros_like(tensor, device="cpu")
    missing = [name for name in state if name not in given and not name.endswith((EXTRA, COUNTER))]
    unknown = [name for name in given if name not in state]
    if missing:
        told = f"weights: {_some(missing)} {'is' if len(missing) == 1 else 'are'} missing"
        if unknown:
            told += f"; it has {_some(unknown)}, which the network does not{closest(missing[0], unknown)}"
        raise DefinitionError(told)
    if unknown:
        raise DefinitionError(
            f"weights: the network has no {_some(unknown)}{closest(str(unknown[0]), state)}"
        )
    for name, value in given.items():
        if not name.endswith(EXTRA):
            _refuse_unfit(name, value, state[name])
    return given


def _by_other_names(given: Mapping[str, Any], state: Mapping[str, Any]) -> dict[str, Any]:
    """What is given under one of the names of a tensor, under the others: files hold it once."""
    held = {id(tensor): given[name] for name, tensor in state.items() if name in given}
    return {
        name: held[id(tensor)] for name, tensor in state.items() if name not in given and id(tensor) in held
    }


def _some(names: list[str]) -> str:
    """Some names, the first of them in full."""
    shown = ", ".join(named(name) for name in names[:MANY])
    return f"{shown} and {len(names) - MANY} more" if len(names) > MANY else shown


def _refuse_unfit(name: str, value: Any, wanted: Tensor) -> None:
    if not isinstance(value, Tensor):
        raise DefinitionError(f"weights: {name} is {a(type(value).__name__)}, no tensor")
    if value.is_meta:
        raise DefinitionError(f"weights: {name} is on the meta device, where it has no values")
    if isinstance(wanted, Uninitialized):
        return
    if value.shape != wanted.shape:
        has, needs = (_sizes(each) for each in (value, wanted))
        raise DefinitionError(f"weights: {name} is {has}, and the network has {needs} there")
    if value.is_complex() and not wanted.is_complex():
        raise DefinitionError(f"weights: {name} is complex, and the network has {wanted.dtype} there")


def _sizes(tensor: Tensor) -> str:
    return "x".join(map(str, tensor.shape)) or "a single number"


def put_into(model: nn.Module, state: Mapping[str, Any]) -> None:
    """Put values into a network, of its types and on its devices; what is on meta gets memory first.

    It may have more than what is given.
    """
    made: dict[int, tuple[Tensor, Tensor]] = {}
    for path, module in model.named_modules(remove_duplicate=False):
        for name, old in _held(module):
            value = state.get(child_path(path, name))
            if value is not None and old.is_meta and not isinstance(old, Uninitialized):
                made[id(old)] = old, _with_memory(old, value.device)
    for module in model.modules():
        for name, old in _held(module):
            if id(old) in made:
                held: Any = module._parameters if name in module._parameters else module._buffers
                held[name] = made[id(old)][1]
    model.load_state_dict(dict(state), strict=False)


def _held(module: nn.Module) -> list[tuple[str, Tensor]]:
    """The tensors of a module by name, not those of the modules in it."""
    held = (*module._parameters.items(), *module._buffers.items())
    return [(name, tensor) for name, tensor in held if tensor is not None]


def _with_memory(tensor: Tensor, device: torch.device) -> Tensor:
    made = torch.empty_like(tensor, device=device)
    return nn.Parameter(made, tensor.requires_grad) if isinstance(tensor, nn.Parameter) else made
