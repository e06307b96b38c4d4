"""The update of parameters by their gradients: torch's optimizer, on a CPU for all parameters at once."""

from collections.abc import Sequence
from copy import deepcopy
from itertools import pairwise
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.utils import clip_grad_norm_
from torch.optim import SGD, Optimizer, RMSprop

from costlab.train.recipe import Recipe


class Update:
    """The optimizer of a recipe. A parameter without a gradient is left as it is.

    On a CPU the optimizer is given all parameters as one, so that small ones cost no calls each. The network
    keeps its own: their values are fetched and brought back at each step.
    """

    def __init__(self, network: nn.Module, recipe: Recipe) -> None:
        self._parameters, self._clip = list(network.parameters()), recipe.clip
        self._strides = [parameter.stride() for parameter in self._parameters]
        self._whole: nn.Parameter | None = None
        if self._parameters and all(map(_is_plain, self._parameters)) and not _overlap(self._parameters):
            self._whole = nn.Parameter(torch.cat([_values(parameter) for parameter in self._parameters]))
        self.optimizer = _optimizer(self._parameters if self._whole is None else [self._whole], recipe)

    @torch.no_grad()
    def step(self) -> None:
        """Change the parameters by their gradients, and drop those."""
        if self._whole is None:
            self._change(self._parameters)
        else:
            self._change_at_once(self._whole)
        for parameter in self._parameters:
            parameter.grad = None

    def state_dict(self) -> dict[str, Any]:
        """The state of torch's optimizer of each parameter, so that it is the same on every device."""
        saved = self.optimizer.state_dict()
        if self._whole is None:
            return saved
        states: list[dict[str, Any]] = [{} for _ in self._parameters]
        for name, value in saved["state"].get(0, {}).items():
            for state, part in zip(states, self._parts(name, value), strict=True):
                state[name] = part
        groups = [{**group, "params": list(range(len(states)))} for group in saved["param_groups"]]
        return {"state": dict(enumerate(states)) if states[0] else {}, "param_groups": groups}

    def load_state_dict(self, saved: dict[str, Any]) -> None:
        """Restore a state of torch's optimizer of each parameter. Raises `ValueError` if it is of others."""
        if self._whole is not None:
            groups = [{**group, "params": [0]} for group in saved["param_groups"]]
            if [len(group["params"]) for group in saved["param_groups"]] != [len(self._parameters)]:
                raise ValueError("the state is of other parameters")
            states = [saved["state"].get(i, {}) for i in range(len(self._parameters))]
            names = {name: value for state in states for name, value in state.items()}
            whole = {name: self._joined(name, value, states) for name, value in names.items()}
            saved = {"state": {0: whole} if whole else {}, "param_groups": groups}
        self.optimizer.load_state_dict(saved)

    def _parts(self, name: str, value: Any) -> list[Any]:
        """What the optimizer keeps of all parameters, for each of them."""
        if not _is_by_value(name, value):
            return [deepcopy(value) for _ in self._parameters]
        parts = torch.split(value, [parameter.numel() for parameter in self._parameters])
        return [
            part.as_strided(parameter.shape, stride)
            for part, parameter, stride in zip(parts, self._parameters, self._strides, strict=True)
        ]

    def _joined(self, name: str, value: Any, states: Sequence[dict[str, Any]]) -> Any:
        """What the optimizer keeps of all parameters, given it for each of them; 0 where it has none yet."""
        if not _is_by_value(name, value):
            return value
        parts = [state.get(name) for state in states]
        for parameter, part in zip(self._parameters, parts, strict=True):
            if part is not None and part.shape != parameter.shape:
                raise ValueError("the state is of parameters of other shapes")
        return torch.cat(list(map(_in_order, self._parameters, parts)))

    def _change(self, parameters: Sequence[nn.Parameter]) -> None:
        if self._clip:
            clip_grad_norm_(parameters, self._clip)
        self.optimizer.step()

    def _change_at_once(self, whole: nn.Parameter) -> None:
        self._restore_strides()
        own = [_values(parameter) for parameter in self._parameters]
        torch.cat(own, out=whole.data)
        whole.grad = torch.cat([_in_order(parameter, parameter.grad) for parameter in self._parameters])
        left = [i for i, parameter in enumerate(self._parameters) if parameter.grad is None]
        before = self._states(whole) if left else {}
        self._change([whole])
        sizes = [len(values) for values in own]
        parts = torch.split(whole.detach(), sizes)
        kept = [i for i in range(len(own)) if i not in left] if left else range(len(own))
        torch._foreach_copy_([own[i] for i in kept], [parts[i] for i in kept])  # its documented name
        for name, state in self._states(whole).items() if left else ():
            then = torch.split(before.get(name, torch.zeros_like(state)), sizes)
            now = torch.split(self.optimizer.state[whole][name], sizes)
            for i in left:
                now[i].copy_(then[i])

    def _restore_strides(self) -> None:
        """Lay values that a network has replaced as they lay at first, which the optimizer's still do."""
        for parameter, stride in zip(self._parameters, self._strides, strict=True):
            if parameter.stride() != stride:
                parameter.data = torch.empty_strided(parameter.shape, stride).copy_(parameter)

    def _states(self, whole: nn.Parameter) -> dict[str, Tensor]:
        """What the optimizer keeps for each value."""
        kept: dict[str, Any] = self.optimizer.state[whole]
        return {name: state.clone() for name, state in kept.items() if _is_by_value(name, state)}


def _is_plain(parameter: nn.Parameter) -> bool:
    """Whether a parameter is of float32 on a CPU, its values side by side in some order."""
    return (
        parameter.device.type == "cpu"
        and parameter.dtype == torch.float32
        and parameter.layout == torch.strided
        and parameter.numel() > 0
        and torch.empty_like(parameter).stride() == parameter.stride()  # torch keeps what is dense
    )


def _values(parameter: nn.Parameter) -> Tensor:
    """The values of a parameter in the order in which they lie."""
    values = parameter.detach()
    return values.as_strided((values.numel(),), (1,))


def _in_order(parameter: nn.Parameter, tensor: Tensor | None) -> Tensor:
    """The values of a tensor in the order of those of a parameter of its shape; 0 if there is none."""
    if tensor is None:
        return torch.zeros(parameter.numel(), dtype=parameter.dtype)
    if tensor.layout != torch.strided:
        tensor = tensor.to_dense()
    if tensor.stride() != parameter.stride():
        tensor = torch.empty_like(parameter).copy_(tensor)
    return tensor.as_strided((tensor.numel(),), (1,))


def _is_by_value(name: str, state: Any) -> bool:
    """Whether an optimizer keeps this for each value of a parameter."""
    return isinstance(state, Tensor) and name != "step"


def _overlap(parameters: Sequence[nn.Parameter]) -> bool:
    """Whether some parameters share values, which each of them changes."""
    places = sorted((p.data_ptr(), p.data_ptr() + p.numel() * p.element_size()) for p in parameters)
    return any(start < end for (_, end), (start, _) in pairwise(places))


def _optimizer(parameters: Sequence[nn.Parameter], recipe: Recipe) -> Optimizer:
    common: dict[str, Any] = {
        "lr": recipe.learning_rate,
        "momentum": recipe.momentum,
        "weight_decay": recipe.weight_decay,
    }
    if recipe.optimizer == "sgd":
        return SGD(parameters, **common)
    return RMSprop(parameters, alpha=recipe.decay, eps=recipe.epsilon, **common)
