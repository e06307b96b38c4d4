"""A trial in a loop that is tuned by hand for its device, as one who knows PyTorch well would write it.

It trains what the plain loop does: the same network, recipe, images and precision. The images stay on the
device as bytes, with their edges repeated beforehand, and are cut out, mirrored and normalized there, in the
memory format that convolutions want; forward and backward pass are compiled; optimizer, clipping and average
take all tensors at once; and nothing waits for the device within an epoch.
"""

from copy import deepcopy

import torch
from torch import Tensor, nn

from costlab.targets.build import build
from costlab.train.data import Split
from costlab.train.learner import precision
from costlab.train.recipe import Recipe


class Resident:
    """Images on a device, bytes with channels last, and batches of them: shifted, mirrored, normalized."""

    def __init__(self, split: Split, shift: int, device: torch.device) -> None:
        padded = nn.functional.pad(split.images.float(), (shift,) * 4, mode="replicate").to(torch.uint8)
        self.images = padded.permute(0, 2, 3, 1).contiguous().to(device)
        self.labels = split.labels.to(device)
        self.places = torch.arange(split.images.shape[-1], device=device)
        self.shift = shift

    def order(self, batch_size: int) -> tuple[Tensor, ...]:
        """The images of the batches of an epoch, in an order that is drawn on the device."""
        mixed = torch.randperm(len(self.labels), device=self.labels.device)
        return torch.split(mixed[: len(mixed) - len(mixed) % batch_size], batch_size)

    def batch(self, chosen: Tensor) -> tuple[Tensor, Tensor]:
        """Images ``(N, 3, side, side)`` and labels of these."""
        down, right = torch.randint(2 * self.shift + 1, (2, len(chosen), 1), device=chosen.device)
        turned = torch.rand(len(chosen), 1, device=chosen.device) < 0.5
        rows, columns = self.places + down, torch.where(turned, self.places.flip(0), self.places) + right
        cut = self.images[chosen[:, None, None], rows[:, :, None], columns[:, None, :]]
        return _normalized(cut.permute(0, 3, 1, 2)), self.labels[chosen]


class HandTuned:
    """A trial in such a loop. ``compiled`` is as it pays: on a GPU."""

    def __init__(
        self,
        network: str,
        recipe: Recipe,
        data: tuple[Split, Split],
        device: torch.device,
        compiled: bool | None = None,
    ) -> None:
        train, validation = data
        side = train.images.shape[-1]
        self.device, self.batch_size = device, recipe.batch_size
        self.train = Resident(train, round(recipe.shift * side), device)
        self.validation = Resident(validation, 0, device)
        torch.backends.cudnn.benchmark = device.type == "cuda"
        self.network = build(network, (3, side, side)).to(device).to(memory_format=torch.channels_last)  # type: ignore[call-overload]  # torch takes it, its types do not
        self.averaged = deepcopy(self.network).eval().requires_grad_(requires_grad=False)
        self.run = (
            torch.compile(self.network)
            if compiled or (compiled is None and device.type == "cuda")
            else self.network
        )
        self.loss = nn.CrossEntropyLoss(label_smoothing=recipe.label_smoothing)
        self.optimizer = torch.optim.RMSprop(
            self.network.parameters(),
            recipe.learning_rate,
            recipe.decay,
            recipe.epsilon,
            recipe.weight_decay,
            recipe.momentum,
            foreach=True,
        )
        steps = len(train.labels) // recipe.batch_size
        self.schedule = torch.optim.lr_scheduler.StepLR(
            self.optimizer, max(1, round(recipe.lr_decay_every * recipe.epochs * steps)), recipe.lr_decay
        )
        self.part = 1 - 0.5 ** (1 / (recipe.average * steps))
        self.clip = recipe.clip
        self.tensors = [(_floats(self.averaged), _floats(self.network))]
        self.left: list[Tensor] = []

    def step(self) -> Tensor:
        """A step on the next batch, which returns its loss, on the device."""
        if not self.left:
            self.left = list(self.train.order(self.batch_size))
            self.network.train()
        images, labels = self.train.batch(self.left.pop())
        with precision(self.device):
            loss: Tensor = self.loss(self.run(images), labels)
        loss.backward()  # type: ignore[no-untyped-call]  # torch leaves it without types
        nn.utils.clip_grad_norm_(self.network.parameters(), self.clip, foreach=True)
        self.optimizer.step()
        self.optimizer.zero_grad(set_to_none=True)
        self.schedule.step()
        with torch.no_grad():
            for averaged, present in self.tensors:
                torch._foreach_lerp_(averaged, present, self.part)
        return loss.detach()

    @torch.no_grad()
    def validate(self) -> float:
        """The part of the validation images that the average has right."""
        right = torch.zeros((), device=self.device)
        for images, labels in zip(
            torch.split(self.validation.images, 500), torch.split(self.validation.labels, 500), strict=True
        ):
            with precision(self.device):
                scores = self.averaged(_normalized(images.permute(0, 3, 1, 2)))
            right += (scores.argmax(1) == labels).sum()
        return float(right) / len(self.validation.labels)

    def epoch(self) -> None:
        """All images, then the validation."""
        for _ in range(len(self.train.labels) // self.batch_size):
            self.step()
        self.validate()


def _normalized(images: Tensor) -> Tensor:
    return images.float().div_(255).sub_(0.5).div_(0.25)


def _floats(network: nn.Module) -> list[Tensor]:
    tensors = (*network.parameters(), *network.buffers())
    return [tensor.detach() for tensor in tensors if tensor.is_floating_point()]
