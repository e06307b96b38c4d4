"""Layers that run in one pass, against those of torch in float64."""

from collections.abc import Callable
from copy import deepcopy
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from costlab.targets.build import build
from costlab.train import batches, fused
from costlab.train.batches import Batch, Batches, epoch_order
from costlab.train.data import Split
from costlab.train.fused import fuse, has_kernels
from costlab.train.learner import Learner
from costlab.train.recipe import Recipe

CPU = torch.device("cpu")
pytestmark = pytest.mark.skipif(not has_kernels(), reason="numba is not installed")


def image(*shape: int, around: float = 0.5) -> Tensor:
    random = torch.Generator().manual_seed(sum(shape))
    return (torch.randn(shape, generator=random) + around).to(memory_format=torch.channels_last)


def normalizing(channels: int, **settings: Any) -> nn.Sequential:
    network = nn.Sequential(nn.BatchNorm2d(channels, **settings), nn.ReLU())
    random = torch.Generator().manual_seed(channels)
    for tensor in [*network.parameters(), *network.buffers()]:
        if tensor.is_floating_point():
            tensor.data = torch.rand(tensor.shape, generator=random) + 0.5
    return network


def is_fused(out: Tensor) -> bool:
    assert out.grad_fn is not None
    return any(name in out.grad_fn.name() for name in ("_Normalize", "_MeanAround"))


def hold(
    network: nn.Module, x: Tensor, of: Callable[[Tensor], Tensor] = lambda y: y, tolerance: float = 1e-5
) -> None:
    """Hold output, gradients and statistics of a fused network against torch's in float64."""
    plain = deepcopy(network).double()
    fuse(network)
    own, theirs = x.clone().requires_grad_(), x.double().requires_grad_()
    y, expected = network(own), plain(theirs)
    assert is_fused(y)
    for out in (y, expected):
        made = of(out)
        loss: Tensor = (made * torch.linspace(-1, 2, made.numel()).reshape(made.shape)).sum()
        loss.backward()  # type: ignore[no-untyped-call]  # torch leaves it without types
    assert own.grad is not None
    assert theirs.grad is not None
    found = [y, own.grad, *(p.grad for p in network.parameters()), *network.buffers()]
    right = [expected, theirs.grad, *(p.grad for p in plain.parameters()), *plain.buffers()]
    for a, b in zip(found, right, strict=True):
        assert a is not None
        assert torch.allclose(
            a.double(), b.double(), rtol=tolerance, atol=tolerance * b.detach().abs().max().item()
        )
    assert y.is_contiguous(memory_format=torch.channels_last)


@pytest.mark.parametrize("shape", [(2, 1, 3, 1), (3, 5, 3, 7), (8, 8, 12, 12), (4, 24, 6, 6), (2, 300, 2, 3)])
def test_batch_norm_and_relu_in_a_pass(shape: tuple[int, ...]) -> None:
    hold(normalizing(shape[1]), image(*shape))


def test_values_far_from_0_lose_nothing() -> None:
    hold(normalizing(4), image(8, 4, 16, 16, around=1000.0), tolerance=1e-3)


@pytest.mark.parametrize("channels", [3, 8, 21])
def test_a_gradient_that_is_a_part_of_another(channels: int) -> None:
    x = image(4, channels, 5, 5)
    hold(normalizing(channels), x, lambda y: torch.cat([y, y, 2 * y], 1))


@pytest.mark.parametrize(
    "of",
    [
        lambda y: y.transpose(2, 3).contiguous(),
        lambda y: y.sum((0, 2, 3)),  # its gradient has one value for all pixels of a channel
        lambda y: y.sum((1, 2, 3)),
        lambda y: y.mean((2, 3)),
        lambda y: y[:, :, 1::2],
    ],
)
def test_gradients_that_lie_otherwise(of: Callable[[Tensor], Tensor]) -> None:
    hold(normalizing(6), image(4, 6, 5, 3), of)
    hold(nn.AvgPool2d(3, 1, 1), image(4, 6, 5, 3), of)


@pytest.mark.parametrize("window", [3, (3, 5), [1, 3], 7])
def test_the_mean_around_each_pixel(window: Any) -> None:
    sides = (window, window) if isinstance(window, int) else window
    pool = nn.AvgPool2d(window, 1, (sides[0] // 2, sides[1] // 2))
    hold(pool, image(2, 3, 6, 5))
    hold(pool, image(3, 16, 4, 4), lambda y: torch.cat([y, y], 1))


def test_what_is_no_number_stays_so() -> None:
    network = normalizing(2)
    fuse(network)
    x = image(2, 2, 3, 3)
    x[0, 1, 0, 0] = float("nan")
    y = network(x.requires_grad_())
    assert is_fused(y)
    assert y[:, 1].isnan().all()
    assert y[:, 0].isfinite().all()


def switched_off() -> nn.Module:
    norm = nn.BatchNorm2d(3)
    norm.track_running_stats = False
    return norm


def test_a_division_by_0_is_no_number_as_in_torch() -> None:
    network = nn.Sequential(nn.BatchNorm2d(3, eps=0.0), nn.ReLU())
    fuse(network)
    x = torch.ones(2, 3, 2, 2).to(memory_format=torch.channels_last).requires_grad_()
    y = network(x)
    assert is_fused(y)
    y.sum().backward()
    assert x.grad is not None
    assert y.isnan().all()
    assert x.grad.isnan().all()


class Own(nn.BatchNorm2d):
    pass


@pytest.mark.parametrize(
    "norm",
    [
        nn.BatchNorm2d(3, momentum=None),
        nn.BatchNorm2d(3, affine=False),
        nn.BatchNorm2d(3, track_running_stats=False),
        switched_off(),
        nn.BatchNorm2d(3).double(),
        nn.BatchNorm2d(3).eval(),
        Own(3),
    ],
)
def test_other_layers_run_as_they_are(norm: nn.Module) -> None:
    network = nn.Sequential(norm, nn.ReLU())
    fuse(network)
    kind = torch.float64 if any(p.dtype == torch.float64 for p in norm.parameters()) else torch.float32
    assert not is_fused(network(image(2, 3, 4, 4).to(kind).requires_grad_()))


@pytest.mark.parametrize("place", [0, 1])
@pytest.mark.parametrize(
    "hook", ["register_forward_hook", "register_forward_pre_hook", "register_full_backward_hook"]
)
def test_what_is_hooked_to_a_layer_is_called(place: int, hook: str) -> None:
    network, called = normalizing(3), []
    fuse(network)
    getattr(network[place], hook)(lambda *_: called.append(place))
    network(image(2, 3, 4, 4).requires_grad_()).sum().backward()
    assert called == [place]


def test_other_images_run_as_they_are_and_are_refused_as_before() -> None:
    network = normalizing(3)
    fuse(network)
    assert not is_fused(network(image(2, 3, 4, 4).contiguous().requires_grad_()))
    with pytest.raises(ValueError, match="more than 1 value per channel"):
        network(torch.ones(1, 3, 1, 1))
    with pytest.raises(RuntimeError):
        network(image(2, 4, 2, 2))
    network[0].weight, kept = nn.Parameter(torch.ones(2)), network[0].weight
    with pytest.raises(RuntimeError, match="should contain 3 elements"):
        network(image(2, 3, 4, 4))
    network[0].weight = kept
    network.eval()
    assert not is_fused(network(image(2, 3, 4, 4).requires_grad_()))


@pytest.mark.parametrize(
    "pool",
    [
        nn.AvgPool2d(3, 2, 1),
        nn.AvgPool2d(2, 1),
        nn.AvgPool2d((2,), (1,)),  # type: ignore[arg-type]  # torch takes it
        nn.AvgPool2d(3, 1, 1, count_include_pad=False),
        nn.AvgPool2d(3, 1, 1, divisor_override=2),
    ],
)
def test_other_pools_run_as_they_are(pool: nn.Module) -> None:
    fuse(pool)
    assert not is_fused(pool(image(2, 3, 4, 4).requires_grad_()))


def trained(monkeypatch: pytest.MonkeyPatch, kernels: bool) -> Learner:
    for module in (fused, batches):
        monkeypatch.setattr(module, "has_kernels", lambda: kernels)
    torch.manual_seed(5)
    made = build("mini", (3, 24, 24), width=0.25, num_classes=4, dropout=0.0, aux="bn")
    own = Learner(made, Recipe(), 10, CPU)
    own.step(Batch(image(16, 3, 24, 24), torch.arange(16) % 4))
    return own


def test_a_network_learns_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    plain, own = trained(monkeypatch, False), trained(monkeypatch, True)
    torch.manual_seed(5)
    begun = build("mini", (3, 24, 24), width=0.25, num_classes=4, dropout=0.0, aux="bn").state_dict()
    theirs = plain.network.state_dict()
    for name, mine in own.network.state_dict().items():
        changed = (theirs[name] - begun[name]).double().norm().item()
        assert (mine - theirs[name]).double().norm().item() <= 0.01 * changed, name
    made = Batch(image(16, 3, 24, 24), torch.arange(16) % 4)
    assert float(own.evaluate([made]).loss) == pytest.approx(float(plain.evaluate([made]).loss), rel=1e-4)


def test_images_are_the_same_to_the_last_bit(monkeypatch: pytest.MonkeyPatch) -> None:
    random = torch.Generator().manual_seed(1)
    split = Split(torch.randint(0, 256, (40, 3, 9, 7), generator=random).to(torch.uint8), torch.arange(40))
    made = Batches(split, CPU, torch.tensor([100.3, 50.1, 7.0]), torch.tensor([60.7, 3.3, 1.0]))
    order = epoch_order(40, 3, 1, 4, mirrored=True)
    own = list(made.epoch(order, 8, part=slice(1, None, 2)))
    monkeypatch.setattr(batches, "has_kernels", lambda: False)
    for mine, theirs in zip(own, made.epoch(order, 8, part=slice(1, None, 2)), strict=True):
        assert torch.equal(mine.images, theirs.images)
        assert mine.images.stride() == theirs.images.stride()
        assert torch.equal(mine.labels, theirs.labels)
