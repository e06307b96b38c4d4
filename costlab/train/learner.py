"""The learner: a network with its optimizer, schedule and average, and one step of training.

Optimizers, schedules, clipping, smoothing and averaging are torch's.
"""

from collections.abc import Callable, Iterable
from contextlib import AbstractContextManager, nullcontext
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn
from torch.optim import Optimizer
from torch.optim.lr_scheduler import ChainedScheduler, LinearLR, StepLR
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn

from costlab.algebra.modules import TrainingOutput
from costlab.errors import DefinitionError
from costlab.messages import named
from costlab.train.batches import Batch
from costlab.train.environment import has_bfloat16
from costlab.train.fused import fuse, uses_kernels
from costlab.train.recipe import Recipe
from costlab.train.update import Update

NETWORKS = 256
"""Networks that one process may compile."""


class Sums(NamedTuple):
    """Sums over images, as tensors on the device: the loss, and the images classified correctly."""

    loss: Tensor
    correct: Tensor


class Learner:
    """A network in training on a device, with ``steps`` steps in an epoch.

    ``wrap`` gives the module that runs in training, such as the network in DistributedDataParallel. With
    ``compiled`` torch compiles the forward and backward pass.
    """

    def __init__(
        self,
        network: nn.Module,
        recipe: Recipe,
        steps: int,
        device: torch.device,
        compiled: bool = False,
        wrap: Callable[[nn.Module], nn.Module] = lambda network: network,
    ) -> None:
        self.recipe, self.device = recipe, device
        self.network = network.to(device).to(memory_format=torch.channels_last)  # type: ignore[call-overload]  # torch takes it, its types do not
        self.averaged = _average(self.network, recipe, steps)
        self._floats: tuple[list[Tensor], list[Tensor]] | None = None
        if uses_kernels(device, compiled):
            fuse(self.network)
        run = wrap(self.network)
        self._train: Callable[[Tensor], Tensor | TrainingOutput] = _compiled(run) if compiled else run
        self._update = Update(self.network, recipe)
        self.optimizer = self._update.optimizer
        self.scheduler = _schedule(self.optimizer, recipe, recipe.epochs * steps)
        self._loss = nn.CrossEntropyLoss(label_smoothing=recipe.label_smoothing)

    def step(self, batch: Batch) -> Sums:
        """Train on a batch. Returns the sums over it, without waiting for the device."""
        self.network.train()
        with precision(self.device):
            out = self._train(batch.images)
            output, heads = (out.output, out.auxiliary) if isinstance(out, TrainingOutput) else (out, {})
            if not isinstance(output, Tensor):
                raise DefinitionError(
                    f"in training the network gives {named(output)}, and no tensor of scores"
                )
            own = loss = self._loss(output, batch.labels)
            for head in heads.values():
                loss = loss + self.recipe.aux_weight * self._loss(head, batch.labels)
        loss.backward()
        self._update.step()
        self.scheduler.step()
        self._average()
        return Sums(own.detach() * len(batch.labels), _correct(output, batch.labels))

    @torch.no_grad()
    def _average(self) -> None:
        """Update the average as `AveragedModel.update_parameters` does, but without waiting for a GPU."""
        averaged = self.averaged
        if averaged is None:
            return
        if self._floats is None:
            if not int(averaged.n_averaged):
                averaged.update_parameters(self.network)  # the first update copies the network
                return
            self._floats = _floats(averaged.module), _floats(self.network)
        assert averaged.multi_avg_fn is not None
        averaged.multi_avg_fn(*self._floats, averaged.n_averaged)

    @torch.no_grad()
    def evaluate(self, batches: Iterable[Batch]) -> Sums:
        """Sums over all batches, with one-hot labels; of the averaged network if there is one."""
        network = self.network if self.averaged is None else self.averaged
        network.eval()
        loss, correct = torch.zeros(2, device=self.device)
        for images, labels in batches:
            with precision(self.device):
                output = network(images)
            loss += nn.functional.cross_entropy(output.float(), labels, reduction="sum")
            correct += _correct(output, labels)
        return Sums(loss, correct)

    @property
    def learning_rate(self) -> float:
        """The learning rate of the next step."""
        return float(self.optimizer.param_groups[0]["lr"])

    def state(self) -> dict[str, Any]:
        """Everything that a step changes, in types that torch loads without running code."""
        return {name: part.state_dict() for name, part in self._parts().items()}

    def load(self, state: dict[str, Any]) -> None:
        """Restore a state. Raises `KeyError`, `RuntimeError` or `ValueError` if it is of another network."""
        for name, part in self._parts().items():
            part.load_state_dict(state[name])

    def _parts(self) -> dict[str, Any]:
        parts = {"network": self.network, "optimizer": self._update, "schedule": self.scheduler}
        return parts if self.averaged is None else {**parts, "averaged": self.averaged}


def precision(device: torch.device) -> AbstractContextManager[Any]:
    """Autocast to bfloat16 on a GPU that has it, float32 elsewhere."""
    return torch.autocast("cuda", torch.bfloat16) if has_bfloat16(device) else nullcontext()


def _compiled(run: nn.Module) -> Callable[[Tensor], Tensor | TrainingOutput]:
    """A compiled network. torch takes many networks for one that is recompiled, and limits how often."""
    torch._dynamo.config.recompile_limit = NETWORKS  # noqa: SLF001  # it has no other name
    compiled: Callable[[Tensor], Tensor | TrainingOutput] = torch.compile(run, dynamic=False)
    return compiled


def _floats(network: nn.Module) -> list[Tensor]:
    """The parameters and buffers of a network that are floating-point numbers, and so can be averaged."""
    tensors = (*network.parameters(), *network.buffers())
    return [tensor.detach() for tensor in tensors if tensor.is_floating_point()]


def _average(network: nn.Module, recipe: Recipe, steps: int) -> AveragedModel | None:
    """An exponential average of parameters and buffers, with the half-life of the recipe."""
    if not recipe.average:
        return None
    decay = 0.5 ** (1 / (recipe.average * steps))
    average = get_ema_multi_avg_fn(decay)  # type: ignore[no-untyped-call]  # torch leaves it without types
    return AveragedModel(network, multi_avg_fn=average, use_buffers=True)


def _schedule(optimizer: Optimizer, recipe: Recipe, steps: int) -> ChainedScheduler:
    """Linear warm-up, times a decay in steps from the beginning on."""
    decay = StepLR(optimizer, max(1, round(recipe.lr_decay_every * steps)), recipe.lr_decay)
    warm = round(recipe.warm_up * steps)
    if not warm:
        return ChainedScheduler([decay], optimizer)
    return ChainedScheduler([LinearLR(optimizer, 1 / (warm + 1), total_iters=warm), decay], optimizer)


def _correct(output: Tensor, labels: Tensor) -> Tensor:
    return (output.detach().argmax(1) == labels).sum().float()
