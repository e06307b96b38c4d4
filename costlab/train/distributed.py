"""One trial over several processes, each with a part of every batch: torch's DistributedDataParallel.

With batch norm over the whole batch, the result is that of one process up to the order of sums.
"""

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, TypeVar, cast

import torch
from torch import Tensor, distributed, nn
from torch.nn.parallel import DistributedDataParallel

from costlab.errors import CostlabError, RunError

T = TypeVar("T")


@dataclass(frozen=True)
class Group:
    """The processes that train together: the number of this one, and how many there are."""

    rank: int = 0
    world: int = 1

    @property
    def leads(self) -> bool:
        """Whether it is this process that writes files and evaluates."""
        return self.rank == 0

    @property
    def part(self) -> slice:
        """What this process takes of each batch."""
        return slice(self.rank, None, self.world)

    def together(self, network: nn.Module) -> nn.Module:
        """The network with batch norm over the batches of all processes."""
        if self.world == 1:
            return network
        if next(network.parameters()).is_cuda:
            converted: nn.Module = nn.SyncBatchNorm.convert_sync_batchnorm(network)  # type: ignore[no-untyped-call]  # torch leaves it without types
            return converted
        return _all_joint(network)

    def wrap(self, network: nn.Module) -> nn.Module:
        """The network with gradients averaged over all processes."""
        return network if self.world == 1 else DistributedDataParallel(network)

    def total(self, sums: Tensor) -> Tensor:
        """Sums over the images of all processes."""
        if self.world > 1:
            distributed.all_reduce(sums)
        return sums

    def shared(self, value: Any) -> Any:
        """What the leading process has, in all of them."""
        if self.world == 1:
            return value
        held = [value]
        distributed.broadcast_object_list(held, src=0)
        return held[0]

    def led(self, make: Callable[[], T]) -> T:
        """What the leading process makes, in all of them; what is wrong with it is raised in all of them."""
        if self.world == 1:
            return make()
        made: tuple[T | None, str] = (None, "")
        if self.leads:
            try:
                made = make(), ""
            except CostlabError as error:
                made = None, str(error)
        value, told = self.shared(made)
        if told:
            raise RunError(told)
        return cast("T", value)

    def gathered(self, value: Any) -> list[Any]:
        """What each process has, by number."""
        if self.world == 1:
            return [value]
        found: list[Any] = [None] * self.world
        distributed.all_gather_object(found, value)
        return found

    def refuse_uneven(self, batch_size: int) -> None:
        """Raises `RunError` if a batch cannot be shared out evenly, or a part would hold a single image."""
        if self.world > 1 and (batch_size % self.world or batch_size < 2 * self.world):
            raise RunError(
                f"--set batch_size={batch_size} must be a multiple of the {self.world} processes, "
                f"and at least {2 * self.world}"
            )


ALONE = Group()


def launched() -> bool:
    """Whether torchrun started this process together with others."""
    return "TORCHELASTIC_RUN_ID" in os.environ or int(os.environ.get("WORLD_SIZE", "1")) > 1


def own_device(device: torch.device) -> torch.device:
    """The device of this process: each process of a machine has a GPU of its own."""
    if device.type != "cuda":
        return device
    own, found = int(os.environ.get("LOCAL_RANK", "0")), torch.cuda.device_count()
    if ":" in str(device) and device.index != own:
        raise RunError(
            f"--device {device}: under torchrun each process has a GPU of its own: say --device cuda"
        )
    if own >= found:
        raise RunError(f"--device cuda: torchrun started more processes here than the {found} GPUs")
    return torch.device("cuda", own)


@contextmanager
def joined(device: torch.device) -> Iterator[Group]:
    """The processes that torchrun started, at work together. Raises `RunError` if they do not meet."""
    if device.type == "cuda":
        torch.cuda.set_device(device)
    try:
        distributed.init_process_group("nccl" if device.type == "cuda" else "gloo")
    except (ValueError, RuntimeError) as error:
        raise RunError(f"the processes of torchrun do not meet: {error}") from error
    try:
        yield Group(distributed.get_rank(), distributed.get_world_size())
    finally:
        distributed.destroy_process_group()


class _Total(torch.autograd.Function):
    """The sum over all processes; what each of them makes of it flows back to all."""

    @staticmethod
    def forward(ctx: Any, part: Tensor) -> Tensor:
        total = part.clone()
        distributed.all_reduce(total)
        return total

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> Tensor:
        return _Total.forward(ctx, gradients[0].contiguous())


class JointBatchNorm2d(nn.BatchNorm2d):
    """Batch norm over the batches of all processes, on any device: ``(N, C, H, W) -> (N, C, H, W)``.

    torch's SyncBatchNorm is for GPUs only. Every process has as many images as the others.
    """

    def forward(self, input: Tensor) -> Tensor:
        if not self.training:
            return super().forward(input)
        over = (0, 2, 3)
        count = distributed.get_world_size() * input.numel() // input.shape[1]
        sums: Tensor = _Total.apply(torch.stack([input.sum(over), input.square().sum(over)]))  # type: ignore[no-untyped-call]  # torch leaves it without types
        mean = sums[0] / count
        variance = (sums[1] / count - mean.square()).clamp(min=0)
        with torch.no_grad():
            self._remember(mean, variance * count / (count - 1))
        scale = self.weight * (variance + self.eps).rsqrt()
        return input * scale[:, None, None] + (self.bias - mean * scale)[:, None, None]

    def _remember(self, mean: Tensor, variance: Tensor) -> None:
        """Move the running statistics, as torch does: with the variance of a sample."""
        assert self.running_mean is not None
        assert self.running_var is not None
        assert self.num_batches_tracked is not None
        self.num_batches_tracked += 1
        assert self.momentum is not None
        self.running_mean.lerp_(mean, self.momentum)
        self.running_var.lerp_(variance, self.momentum)


def _all_joint(network: nn.Module) -> nn.Module:
    """The network with each batch norm in it over all processes."""
    if isinstance(network, nn.BatchNorm2d):
        return _joint(network)
    for name, child in network.named_children():
        setattr(network, name, _all_joint(child))
    return network


def _joint(norm: nn.BatchNorm2d) -> JointBatchNorm2d:
    """The same layer over all processes, with the very same parameters and statistics."""
    made = JointBatchNorm2d(norm.num_features, norm.eps, norm.momentum)
    made.weight, made.bias = norm.weight, norm.bias
    made.running_mean, made.running_var = norm.running_mean, norm.running_var
    made.num_batches_tracked = norm.num_batches_tracked
    return made
