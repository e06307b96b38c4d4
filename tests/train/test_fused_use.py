"""Layers that run in one pass, in all that else may be done with a network in training."""

import sys
from collections.abc import Callable
from copy import deepcopy
from importlib import reload
from types import ModuleType
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.autograd import forward_ad
from torch.utils.checkpoint import checkpoint

from costlab.train import fused, loaded
from costlab.train.fused import fuse, has_kernels
from tests.train.test_fused import image, is_fused, normalizing

needs_kernels = pytest.mark.skipif(not has_kernels(), reason="numba is not installed")


def layers() -> list[nn.Module]:
    return [normalizing(3), nn.AvgPool2d(3, 1, 1)]


def both(network: nn.Module, result: Callable[[nn.Module, Tensor], Any]) -> None:
    """Hold what is found of a fused network against what is found of a plain one in float64."""
    plain = deepcopy(network).double()
    fuse(network)
    x = image(4, 3, 5, 5)
    found = result(network, x.clone().requires_grad_())
    expected = result(plain, x.double().requires_grad_())
    for a, b in zip(found, expected, strict=True):
        assert torch.allclose(a.double(), b.double(), rtol=1e-4, atol=1e-4 * b.abs().max().item())


@needs_kernels
@pytest.mark.parametrize("place", [0, 1])
@pytest.mark.parametrize("is_frozen", [False, True])
def test_a_gradient_of_the_gradient(place: int, is_frozen: bool) -> None:
    layer = layers()[place]
    first = next(layer.parameters(), torch.ones(())).requires_grad_(not is_frozen)

    def result(network: nn.Module, x: Tensor) -> list[Tensor]:
        (gradient,) = torch.autograd.grad(network(x).square().sum(), x, create_graph=True)
        gradient.square().sum().backward()  # type: ignore[no-untyped-call]  # torch leaves it without types
        assert x.grad is not None
        return [gradient.detach(), x.grad, *(p.grad for p in network.parameters() if p.grad is not None)]

    both(layer, result)
    assert (first.grad is None) == is_frozen or not list(layer.parameters())


@needs_kernels
@pytest.mark.parametrize("is_reentrant", [False, True])
def test_a_pass_that_is_made_again(is_reentrant: bool) -> None:
    def result(network: nn.Module, x: Tensor) -> list[Tensor]:
        checkpoint(network, x, use_reentrant=is_reentrant).square().sum().backward()
        assert x.grad is not None
        return [x.grad, *(p.grad for p in network.parameters() if p.grad is not None), *network.buffers()]

    both(normalizing(3), result)


@needs_kernels
def test_what_is_kept_for_the_gradient_may_be_laid_otherwise() -> None:
    def result(network: nn.Module, x: Tensor) -> list[Tensor]:
        with torch.autograd.graph.saved_tensors_hooks(lambda kept: kept.contiguous(), lambda kept: kept):
            y = network(x)
        y.square().sum().backward()
        assert x.grad is not None
        return [x.grad]

    both(normalizing(3), result)


@needs_kernels
def test_a_layer_that_is_called_twice() -> None:
    def result(network: nn.Module, x: Tensor) -> list[Tensor]:
        (network(x) * network(network(x) - x)).sum().backward()
        assert x.grad is not None
        return [x.grad, *(p.grad for p in network.parameters() if p.grad is not None), *network.buffers()]

    for layer in layers():
        both(layer, result)


@needs_kernels
@pytest.mark.parametrize("place", [0, 1])
@pytest.mark.filterwarnings("ignore:`torch.jit.script` is deprecated")  # torch itself calls it
def test_transformed_and_traced_calls_run_as_they_are(place: int) -> None:
    layer = layers()[place]
    plain, x = deepcopy(layer), image(2, 3, 4, 4)
    fuse(layer)
    assert torch.equal(torch.compile(layer, backend="eager", fullgraph=True)(x), plain(x))
    assert not is_fused(layer(nn.Parameter(x)))
    with forward_ad.dual_level():
        twice = forward_ad.make_dual(x, x)  # type: ignore[no-untyped-call]  # torch leaves it without types
        found, expected = (forward_ad.unpack_dual(each(twice)).tangent for each in (layer, plain))  # type: ignore[no-untyped-call]  # as above
    assert found is not None
    assert torch.equal(found, expected)
    if isinstance(layer, nn.AvgPool2d):
        assert torch.equal(torch.vmap(layer)(x[None]), plain(x)[None])
        assert torch.equal(torch.func.jvp(layer, (x,), (x,))[1], plain(x))


@needs_kernels
def test_names_of_arguments_are_torch_s() -> None:
    for layer in layers():
        plain, x = deepcopy(layer), image(2, 3, 4, 4)
        fuse(layer)
        assert torch.allclose(layer(input=x), plain(input=x), atol=1e-5)


def test_what_else_a_layer_was_made_to_do_is_done() -> None:
    for place in range(3):
        network = normalizing(3)
        [network, *network][place].forward = lambda x: x * 0 + 7
        fuse(network)
        assert network(image(2, 3, 4, 4)).unique().tolist() == [7.0]
    late = normalizing(3)
    fuse(late)
    late[1].forward = lambda x: x * 0 + 7
    assert late(image(2, 3, 4, 4)).unique().tolist() == [7.0]


def test_who_observes_all_layers_sees_each() -> None:
    network, seen = normalizing(3), []
    fuse(network)
    hook = nn.modules.module.register_module_forward_hook(lambda layer, *_: seen.append(type(layer)))
    try:
        network(image(2, 3, 4, 4))
    finally:
        hook.remove()
    assert seen == [nn.BatchNorm2d, nn.ReLU, nn.Sequential]


class Broken(ModuleType):
    """A numba that another library does not fit."""

    def __getattr__(self, name: str) -> Any:
        raise SystemError("initialization of _internal failed")


@pytest.mark.parametrize("numba", [None, Broken("numba")])
def test_without_numba_there_are_no_kernels(numba: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "numba", numba)
    monkeypatch.delitem(sys.modules, "costlab.train.kernels", raising=False)
    monkeypatch.delattr("costlab.train.kernels", raising=False)
    assert not fused.has_kernels.__wrapped__()
    reload(loaded)  # the process that workers are copies of goes on


@needs_kernels
def test_kernels_that_cannot_run_are_not_used(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: Any) -> None:
        raise NotImplementedError("an intrinsic is not usable in pure Python")  # as with NUMBA_DISABLE_JIT

    with torch.no_grad():
        assert fused.has_kernels.__wrapped__()
    monkeypatch.setattr("costlab.train.kernels.normalize_backward", refuse)
    assert not fused.has_kernels.__wrapped__()
