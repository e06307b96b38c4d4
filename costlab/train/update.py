"""The update of parameters by their gradients: torch's optimizer, on a CPU for all parameters at once."""

from collections.abc import Sequence
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
        self._whole: nn.Parameter | None = None
        if self._parameters and all(_is_plain(parameter) for parameter in self._parameters):
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

    def _change(self, parameters: Sequence[nn.Parameter]) -> None:
        if self._clip:
            clip_grad_norm_(parameters, self._clip)
        self.optimizer.step()

    def _change_at_once(self, whole: nn.Parameter) -> None:
        own = [_values(parameter) for parameter in self._parameters]
        torch.cat(own, out=whole.data)
        whole.grad = torch.cat([_gradient(parameter) for parameter in self._parameters])
        left = [i for i, parameter in enumerate(self._parameters) if parameter.grad is None]
        before = self._states(whole) if left else {}
        self._change([whole])
        sizes = [len(values) for values in own]
        parts = torch.split(whole.detach(), sizes)
        kept = [i for i in range(len(own)) if i not in left] if left else range(len(own))
        torch._foreach_copy_(
            [own[i] for i in kept], [parts[i] for i in kept]
        )  # torch documents it by this name
        for name, state in self._states(whole).items() if left else ():
            then = torch.split(before.get(name, torch.zeros_like(state)), sizes)
            now = torch.split(self.optimizer.state[whole][name], sizes)
            for i in left:
                now[i].copy_(then[i])

    def _states(self, whole: nn.Parameter) -> dict[str, Tensor]:
        """What the optimizer keeps for each value."""
        kept: dict[str, Any] = self.optimizer.state[whole]
        return {
            name: state.clone()
            for name, state in kept.items()
            if isinstance(state, Tensor) and state.shape == whole.shape
        }


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


def _gradient(parameter: nn.Parameter) -> Tensor:
    """The gradient of a parameter in the order of its values; 0 if there is none."""
    gradient = parameter.grad
    if gradient is None:
        return torch.zeros(parameter.numel())
    if gradient.stride() != parameter.stride():
        gradient = torch.empty_like(parameter).copy_(gradient)
    return gradient.as_strided((gradient.numel(),), (1,))


def _optimizer(parameters: Sequence[nn.Parameter], recipe: Recipe) -> Optimizer:
    common: dict[str, Any] = {
        "lr": recipe.learning_rate,
        "momentum": recipe.momentum,
        "weight_decay": recipe.weight_decay,
    }
    if recipe.optimizer == "sgd":
        return SGD(parameters, **common)
    return RMSprop(parameters, alpha=recipe.decay, eps=recipe.epsilon, **common)
