"""One trial trained by several processes, each on a part of every batch, with DistributedDataParallel.

Batch norm is computed over the whole batch, so that the result is that of one process up to rounding.
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
from costlab.messages import first_sentence

T = TypeVar("T")


@dataclass(frozen=True)
class Group:
    """The processes that train together: the rank of this one, and the world size."""

    rank: int = 0
    world: int = 1

    @property
    def is_leader(self) -> bool:
        """Whether this process writes the files and evaluates."""
        return self.rank == 0

    @property
    def part(self) -> slice:
        """The part of each batch that this process takes."""
        return slice(self.rank, None, self.world)

    def synchronize_batch_norm(self, network: nn.Module) -> nn.Module:
        """The network with its batch norm over the whole batch of all processes."""
        if self.world == 1:
            return network
        if next(network.parameters()).is_cuda:
            converted: nn.Module = nn.SyncBatchNorm.convert_sync_batchnorm(network)  # type: ignore[no-untyped-call]  # torch leaves it without types
            return converted
        return _convert_batch_norms(network)

    def wrap(self, network: nn.Module) -> nn.Module:
        """The network with gradients averaged over all processes."""
        return network if self.world == 1 else DistributedDataParallel(network)

    def total(self, sums: Tensor) -> Tensor:
        """The sum of the tensors of all processes, in each of them."""
        if self.world > 1:
            distributed.all_reduce(sums)
        return sums

    def broadcast(self, value: Any) -> Any:
        """The value of the leading process, in all processes."""
        if self.world == 1:
            return value
        values = [value]
        distributed.broadcast_object_list(values, src=0)
        return values[0]

    def run_on_leader(self, make: Callable[[], T]) -> T:
        """Call a function on the leading process; its result or its error, in all processes."""
        if self.world == 1:
            return make()
        outcome: tuple[T | None, str] = (None, "")
        if self.is_leader:
            try:
                outcome = make(), ""
            except CostlabError as error:
                outcome = None, str(error)
        value, message = self.broadcast(outcome)
        if message:
            raise RunError(message)
        return cast("T", value)

    def gather(self, value: Any) -> list[Any]:
        """The values of all processes, by rank."""
        if self.world == 1:
            return [value]
        values: list[Any] = [None] * self.world
        distributed.all_gather_object(values, value)
        return values

    def refuse_uneven(self, batch_size: int) -> None:
        """Raises `RunError` if a batch cannot be split evenly, or a part would be a single image."""
        if self.world > 1 and (batch_size % self.world or batch_size < 2 * self.world):
            raise RunError(
                f"--set batch_size={batch_size} must be a multiple of the {self.world} processes, "
                f"and at least {2 * self.world}"
            )


SINGLE_PROCESS = Group()


def device_of_process(device: torch.device) -> torch.device:
    """The device of this process: each process of a machine has a GPU of its own."""
    if device.type != "cuda":
        return device
    own, available = int(os.environ.get("LOCAL_RANK", "0")), torch.cuda.device_count()
    if ":" in str(device) and device.index != own:
        raise RunError(
            f"--device {device}: under torchrun each process has a GPU of its own: say --device cuda"
        )
    if own >= available:
        raise RunError(f"--device cuda: torchrun started more processes here than the {available} GPUs")
    return torch.device("cuda", own)


@contextmanager
def join_processes(device: torch.device) -> Iterator[Group]:
    """The group of the processes that torchrun started. Raises `RunError` if they do not find each other."""
    if device.type == "cuda":
        torch.cuda.set_device(device)
    try:
        distributed.init_process_group("nccl" if device.type == "cuda" else "gloo")
    except (ValueError, RuntimeError) as error:
        raise RunError(f"the processes of torchrun do not meet: {first_sentence(error)}") from error
    try:
        yield Group(distributed.get_rank(), distributed.get_world_size())
    finally:
        distributed.destroy_process_group()


class _AllReduce(torch.autograd.Function):
    """The sum over all processes, with a gradient that is summed over all processes too."""

    @staticmethod
    def forward(ctx: Any, part: Tensor) -> Tensor:
        total = part.clone()
        distributed.all_reduce(total)
        return total

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> Tensor:
        return _AllReduce.forward(ctx, gradients[0].contiguous())


class SynchronizedBatchNorm2d(nn.BatchNorm2d):
    """Batch norm over the batches of all processes, on any device: ``(N, C, H, W) -> (N, C, H, W)``.

    torch's SyncBatchNorm is for GPUs only. Every process has as many images as the others.
    """

    def forward(self, input: Tensor) -> Tensor:
        if not self.training:
            return super().forward(input)
        over = (0, 2, 3)
        count = distributed.get_world_size() * input.numel() // input.shape[1]
        sums: Tensor = _AllReduce.apply(torch.stack([input.sum(over), input.square().sum(over)]))  # type: ignore[no-untyped-call]  # torch leaves it without types
        mean = sums[0] / count
        variance = (sums[1] / count - mean.square()).clamp(min=0)
        with torch.no_grad():
            self._update_running_statistics(mean, variance * count / (count - 1))
        scale = self.weight * (variance + self.eps).rsqrt()
        return input * scale[:, None, None] + (self.bias - mean * scale)[:, None, None]

    def _update_running_statistics(self, mean: Tensor, variance: Tensor) -> None:
        """Update the running statistics as torch does, with the unbiased variance."""
        assert self.running_mean is not None
        assert self.running_var is not None
        assert self.num_batches_tracked is not None
        self.num_batches_tracked += 1
        assert self.momentum is not None
        self.running_mean.lerp_(mean, self.momentum)
        self.running_var.lerp_(variance, self.momentum)


def _convert_batch_norms(network: nn.Module) -> nn.Module:
    """The network with each of its batch norms over all processes."""
    if isinstance(network, nn.BatchNorm2d):
        return _synchronized(network)
    for name, child in network.named_children():
        setattr(network, name, _convert_batch_norms(child))
    return network


def _synchronized(norm: nn.BatchNorm2d) -> SynchronizedBatchNorm2d:
    """The layer over all processes, sharing its parameters and statistics."""
    synchronized = SynchronizedBatchNorm2d(norm.num_features, norm.eps, norm.momentum)
    synchronized.weight, synchronized.bias = norm.weight, norm.bias
    synchronized.running_mean, synchronized.running_var = norm.running_mean, norm.running_var
    synchronized.num_batches_tracked = norm.num_batches_tracked
    return synchronized
