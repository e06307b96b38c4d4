"""Operators that no function of torch explains: exported graphs, vmap, scripted functions, torch.ops."""

from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional

from costlab import count
from tests.sampling import one_in
from tests.tracing.brute import conv, counted
from tests.tracing.models import Applies

A = torch.ops.aten


class Attention(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.qkv, self.out = nn.Linear(8, 24), nn.Linear(8, 8, bias=False)

    def forward(self, x: Tensor) -> Any:
        q, k, v = self.qkv(x).unflatten(-1, (3, 2, 4)).permute(2, 0, 3, 1, 4)
        return self.out(functional.scaled_dot_product_attention(q, k, v).transpose(1, 2).flatten(2))


class Products(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.w, self.b = nn.Parameter(torch.rand(8, 6)), nn.Parameter(torch.rand(6))

    def forward(self, x: Tensor) -> Any:
        y = torch.addmm(self.b, x, self.w)
        z = torch.einsum("nf,mf->nm", y, y) @ y
        return torch.linalg.vecdot(z, y), z.mv(self.b), torch.addr(z, z[:, 0], self.b)


class Recurrent(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.lstm, self.gru = nn.LSTM(8, 6, 2, bidirectional=True), nn.GRU(12, 5, batch_first=True)

    def forward(self, x: Tensor) -> Any:
        return self.gru(self.lstm(x)[0])


def image(*layers: nn.Module) -> tuple[nn.Module, tuple[Tensor, ...]]:
    return nn.Sequential(*layers), (torch.rand(2, 4, 8, 8),)


NETWORKS: dict[str, tuple[nn.Module, tuple[Tensor, ...]]] = {
    "linear": (nn.Sequential(nn.Linear(8, 4), nn.ReLU(), nn.Linear(4, 2, bias=False)), (torch.rand(2, 8),)),
    "linear of three axes": (nn.Linear(8, 4), (torch.rand(2, 3, 8),)),
    "residual": image(nn.Conv2d(4, 6, 3, 2, 1, bias=False), nn.BatchNorm2d(6), nn.ReLU(), nn.MaxPool2d(2)),
    "depthwise": image(nn.Conv2d(4, 4, 3, padding="same", groups=4), nn.Hardswish(), nn.AvgPool2d(3, 2)),
    "head": image(nn.SiLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Dropout(), nn.Linear(4, 3)),
    "upwards": image(nn.ConvTranspose2d(4, 3, 2, 2), nn.GroupNorm(3, 3), nn.GELU()),
    "in one axis": (nn.Sequential(nn.Conv1d(4, 6, 3), nn.Tanh(), nn.AvgPool1d(2)), (torch.rand(2, 4, 8),)),
    "in three axes": (nn.Sequential(nn.Conv3d(2, 3, 2), nn.ELU()), (torch.rand(1, 2, 4, 4, 4),)),
    "attention": (nn.Sequential(nn.LayerNorm(8), Attention()), (torch.rand(2, 5, 8),)),
    "bilinear": (nn.Bilinear(3, 4, 5), (torch.rand(2, 3), torch.rand(2, 4))),
    "products": (Products(), (torch.rand(4, 8),)),
    "recurrent": (Recurrent(), (torch.rand(5, 2, 8),)),
    "embedding": (
        nn.Sequential(nn.Embedding(9, 8), nn.Linear(8, 9)),
        (torch.zeros(2, 3, dtype=torch.int64),),
    ),
    "resized": image(nn.Upsample(scale_factor=2, mode="bilinear"), nn.Conv2d(4, 2, 1)),
}


@pytest.mark.filterwarnings("ignore:The tensor attributes")  # of export, on recurrent layers
@pytest.mark.parametrize("name", one_in(3, NETWORKS))
def test_an_exported_graph_costs_what_its_module_does(name: str) -> None:
    model, inputs = NETWORKS[name]
    model.eval()
    plain = count(model, inputs)
    exported = count(torch.export.export(model, inputs).module(), inputs)
    assert plain.total.multiply_adds != 0
    assert exported.total._replace(kind="") == plain.total._replace(kind="")
    assert exported.unsupported == plain.unsupported == {}


@pytest.mark.parametrize("name", ["linear", "residual", "upwards", "attention", "products"])
def test_an_exported_graph_has_the_kinds_of_its_module(name: str) -> None:
    model, inputs = NETWORKS[name]
    model.eval()

    def kinds(counted: Any) -> list[tuple[str, int, int]]:
        works = [node.work for node in counted.operations if node.work is not None]
        return sorted(
            (work.kind, work.multiply_adds, work.weights) for work in works if work.multiply_adds != 0
        )

    exported = torch.export.export(model, inputs).module()
    assert kinds(count(exported, inputs)) == kinds(count(model, inputs))


def test_a_mapped_product() -> None:
    class Each(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.w = nn.Parameter(torch.rand(5, 8, 4))

        def forward(self, x: Tensor) -> Any:
            return torch.vmap(lambda w: x @ w)(self.w)

    within = count(Each(), torch.rand(2, 8))
    assert (within.multiply_adds, within.activations) == (counted(5, 2, 8, 4), 5 * 2 * 4)


def test_mapped_products_of_vectors() -> None:
    for dim in (0, 1):
        dots = torch.vmap(lambda x, y, dim=dim: torch.linalg.vecdot(x, y, dim=dim))
        within = count(Applies(dots), (torch.rand(5, 3, 4), torch.rand(5, 3, 4)))
        assert within.multiply_adds == counted(5, 3, 4)


def test_mapped_layers() -> None:
    layers = nn.Sequential(nn.Conv2d(3, 4, 3), nn.ReLU(), nn.AvgPool2d(2), nn.Flatten(0), nn.Linear(36, 5))
    within = count(Applies(torch.vmap(layers), layers=layers), torch.rand(7, 3, 8, 8))
    assert within.multiply_adds == conv((7, 3, 8, 8), 4, 3) + counted(7, 36, 5)
    assert within.activations == 7 * 4 * 36 + 7 * 5
    assert within.unsupported == {}


def test_models_that_are_stacked() -> None:
    from torch.func import functional_call, stack_module_state

    one = nn.Sequential(nn.Linear(8, 6), nn.ReLU(), nn.Linear(6, 4))
    held, _ = stack_module_state([one, one, one])

    class Ensemble(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.held = nn.ParameterDict({name.replace(".", "_"): each for name, each in held.items()})

        def forward(self, x: Tensor) -> Any:
            weights = {name: self.held[name.replace(".", "_")] for name in held}
            return torch.vmap(lambda each: functional_call(one, each, (x,)))(weights)

    within = count(Ensemble(), torch.rand(2, 8))
    assert within.multiply_adds == 3 * (counted(2, 8, 6) + counted(2, 6, 4))
    assert within.activations == 3 * 2 * (6 + 4)
    assert within.parameters == 3 * (8 * 6 + 6 + 6 * 4 + 4)


def test_a_module_that_is_called_with_other_weights() -> None:
    from torch.func import functional_call

    layer = nn.Linear(8, 4)
    within = count(
        Applies(lambda x: functional_call(layer, dict(layer.named_parameters()), (x,)), layer=layer),
        torch.rand(2, 8),
    )
    assert within.total._replace(kind="") == count(layer, torch.rand(2, 8)).total._replace(kind="")


def scripted_linear(x: Tensor, w: Tensor, b: Tensor) -> Tensor:
    return torch.nn.functional.linear(x, w, b).relu()


def scripted_convolution(x: Tensor, w: Tensor) -> Tensor:
    return torch.nn.functional.conv2d(x, w, None, 2) + 1


class Scripted(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.layer, self.conv = nn.Linear(8, 4), nn.Conv2d(3, 4, 3, 2, bias=False)
        self.scripts = torch.jit.script(scripted_linear), torch.jit.script(scripted_convolution)

    def forward(self, x: Tensor, image: Tensor) -> Any:
        linear, convolution = self.scripts
        return linear(x, self.layer.weight, self.layer.bias), convolution(image, self.conv.weight)


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_scripted_functions() -> None:
    within = count(Scripted(), (torch.rand(2, 8), torch.rand(1, 3, 9, 9)))
    assert within.multiply_adds == counted(2, 8, 4) + conv((1, 3, 9, 9), 4, 3, stride=2)
    assert within.activations == 2 * 4 + 4 * 16
    assert (within.total.bias_adds, within.total.weights) == (8, 32 + 108)
    assert within.parameters == 36 + 108
    works = [node.work for node in within.operations if node.work is not None]
    kinds = sorted(work.kind for work in works if work.multiply_adds != 0)
    assert kinds == ["conv2d", "linear"]


def test_products_without_autograd_below() -> None:
    layer = nn.Linear(8, 4)

    def forward(x: Tensor) -> Any:
        with torch.inference_mode():
            return layer(x) @ A.matmul(x.T, x)[:4]

    within = count(Applies(forward, layer=layer), torch.rand(2, 8))
    assert within.multiply_adds == counted(2, 8, 4) + counted(8, 2, 8) + counted(2, 4, 8)
    assert within.activations == 8 + 64 + 16


def test_a_gradient_within_forward_puts_nothing_out() -> None:
    layer = nn.Linear(8, 4)

    def forward(x: Tensor) -> Any:
        with torch.enable_grad():
            x = x.detach().requires_grad_()
            (gradient,) = torch.autograd.grad(layer(x).sum(), x)
        return gradient

    within = count(Applies(forward, layer=layer), torch.rand(2, 8))
    assert (within.multiply_adds, within.activations) == (2 * counted(2, 8, 4), 8)


def test_a_step_puts_out_what_its_forward_pass_does() -> None:
    model, inputs = NETWORKS["attention"]
    forward, step = count(model, inputs), count(model.train(), inputs, backward=True)
    assert step.activations == forward.activations
    assert int(step.multiply_adds) > 2 * int(forward.multiply_adds)


ELEMENTWISE: list[Callable[[Tensor], Any]] = [
    torch.abs,
    lambda x: torch.complex(x, x).abs(),
    lambda x: x.abs_(),
    lambda x: torch.cos(x, out=torch.empty(4, 4)),
    lambda x: torch.add(x, x, out=torch.empty(4, 4)),
    lambda x: torch._foreach_add([x, x], 1.0),
    lambda x: torch._foreach_mul_([x, x], 2.0),
    lambda x: torch._foreach_norm([x, x]),
    lambda x: torch.addcmul(x, x, x),
    lambda x: torch.lerp(x, x, 0.5),
    lambda x: torch.view_copy(x, (16,)),
    A.sym_numel,
    A.sym_is_contiguous,
    lambda x: (A.sym_size(x, 0), A.sym_stride(x, 0), A.is_same_size(x, x)),
    lambda x: x.isfinite().all(),
    torch.frexp,
    lambda x: torch.linalg.cross(x[:, :3], x[:, :3]),
    lambda x: x.diag_embed().diagonal_scatter(x, 0, 1, 2),
    lambda x: functional.interpolate(x[None, None], size=3, mode="bilinear", antialias=True),
    lambda x: functional.interpolate(x[None, None], size=3, mode="bicubic", antialias=True),
    lambda x: functional.interpolate(x[None, None], size=3, mode="nearest-exact"),
    torch.vmap(lambda x: functional.interpolate(x[None, None], size=7)),
    torch.vmap(lambda x: functional.avg_pool1d(x[None], 2)),
    torch.vmap(lambda x: functional.adaptive_avg_pool1d(x[None], 2)),
    torch.vmap(lambda x: functional.max_pool1d(x[None], 2)),
    torch.vmap(
        lambda y: functional.grid_sample(y[None, None, None], torch.zeros(1, 2, 2, 2), align_corners=False)
    ),
    lambda x: torch.hann_window(8) * x[:1, :1],
    torch.ops.prims.cos,
]


@pytest.mark.parametrize("place", range(len(ELEMENTWISE)))
def test_element_by_element(place: int) -> None:
    model = Applies(ELEMENTWISE[place])
    within = count(model, torch.rand(4, 4))
    assert (within.multiply_adds, within.unsupported) == (0, {})


def test_products_of_complex_numbers_are_told() -> None:
    model = nn.Sequential(nn.Linear(4, 3, dtype=torch.complex64), Applies(lambda x: x.abs()), nn.Linear(3, 2))
    within = count(model, torch.rand(2, 4, dtype=torch.complex64))
    assert within.multiply_adds == counted(2, 4, 3) + counted(2, 3, 2)
    assert within.complex_products == ("0",)
    assert count(model[2], torch.rand(2, 3)).complex_products == ()


def test_gradients_of_resizing_are_known() -> None:
    model = nn.Sequential(nn.Conv2d(3, 4, 1), nn.Upsample(scale_factor=2, mode="bilinear"))
    step = count(model, torch.rand(1, 3, 5, 5), backward=True)
    assert step.unsupported == {}
