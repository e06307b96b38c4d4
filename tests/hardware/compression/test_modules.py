"""What is left of modules with zeros, against loops, their own masks, and arithmetic by hand."""

import contextlib
from typing import Any

import pytest
import torch
import torch.ao.pruning
import torch.nn.utils.prune
from torch import Tensor, nn
from torch.nn import functional, utils
from torch.nn.utils import parametrizations, weight_norm

from costlab import compression, count
from costlab.errors import CostlabError
from tests.hardware.compression.models import Calls, convolved, left_in, with_zeros

prune: Any = utils.prune  # torch leaves these without types
pruning: Any = torch.ao.pruning
IMAGES = torch.rand(2, 8, 5, 5)
STEPS, ROWS = torch.rand(5, 2, 8), torch.rand(3, 8)


def held(told: Any, module: nn.Module) -> None:
    """The dense figures are those of a count, and the nonzero parameters those of the tensors."""
    assert told.parameters == sum(each.numel() for each in module.parameters())
    assert told.nonzero_parameters == left_in(module)
    assert told.not_known == ()
    assert told.effective_bit_operations == 32 * 32 * told.effective_multiply_adds
    assert told.bit_operations == 32 * 32 * told.multiply_adds


@pytest.mark.parametrize("groups", [1, 2, 8])
def test_a_convolution_by_loops(groups: int) -> None:
    layer = with_zeros(nn.Conv2d(8, 16, 3, groups=groups))
    told = compression(layer, IMAGES)
    held(told, layer)
    assert told.multiply_adds == count(layer, IMAGES).multiply_adds
    by_hand = sum(convolved(layer.weight.detach().numpy(), image.numpy()) for image in IMAGES)
    assert told.effective_multiply_adds == by_hand


@pytest.mark.parametrize("groups", [1, 2])
def test_filters_and_inputs_that_are_cut(groups: int) -> None:
    layer = nn.Conv2d(8, 16, 3, groups=groups)
    with torch.no_grad():
        layer.weight[[3, 9]] = 0  # one of each group, where there are two
        layer.weight[:, 1] = 0
    zeros = compression(layer, IMAGES).zeros
    inputs = 8 // groups
    assert (zeros.outputs, zeros.inputs) == (2, groups)
    assert (zeros.in_outputs, zeros.in_inputs) == (2 * inputs * 9, 14 * 9)
    assert zeros.unstructured == zeros.in_pattern == 0
    back = nn.ConvTranspose2d(8, 16, 3, groups=groups)
    with torch.no_grad():
        back.weight[2] = 0  # an input
        back.weight[:, 5] = 0  # an output of each group
    zeros = compression(back, IMAGES).zeros
    assert (zeros.outputs, zeros.inputs) == (groups, 1)
    assert zeros.in_outputs == 8 * 9


LAYERS: list[tuple[Any, Any, int]] = [
    (nn.Linear(8, 6), ROWS, 3),
    (nn.ConvTranspose1d(8, 4, 3), torch.rand(2, 8, 7), 14),
    (nn.LSTM(8, 6, 2, bidirectional=True, proj_size=3), STEPS, 10),
    (nn.GRU(8, 6, batch_first=True), STEPS, 10),
    (nn.GRUCell(8, 6), ROWS, 3),
]


@pytest.mark.parametrize(("layer", "x", "uses"), LAYERS)
def test_each_weight_is_used_as_often(layer: nn.Module, x: Tensor, uses: int) -> None:
    told = compression(with_zeros(layer), x)
    held(told, layer)
    matrices = [each for each in layer.parameters() if each.dim() > 1]
    assert told.effective_multiply_adds == uses * sum(int(each.count_nonzero()) for each in matrices)
    assert told.zeros.elements == sum(each.numel() for each in matrices)


def test_heads_that_attend_to_others() -> None:
    heads = with_zeros(nn.MultiheadAttention(8, 2))
    told = compression(Calls(lambda m, x: m.heads(x, x[:3], x[:3])[0], heads=heads), STEPS)
    held(told, heads)
    query, key, value = heads.in_proj_weight.detach().split(8)
    by_weights = 10 * (left(query) + left(heads.out_proj.weight)) + 6 * (left(key) + left(value))
    assert told.effective_multiply_adds == by_weights + 2 * 2 * 5 * 3 * 8  # of data by data, for two inputs


def left(tensor: Any) -> int:
    return int(tensor.count_nonzero())


def test_a_bilinear_layer() -> None:
    layer = with_zeros(nn.Bilinear(4, 5, 6))
    told = compression(Calls(lambda m, x: m.layer(x[:, :4], x[:, :5]), layer=layer), ROWS)
    held(told, layer)
    assert told.effective_multiply_adds == 3 * (left(layer.weight) + 6 * 5)


@pytest.mark.parametrize("removed", [False, True])
def test_masks_of_prune(removed: bool) -> None:
    model = nn.Sequential(nn.Conv2d(8, 16, 3), nn.Flatten(), nn.Linear(16 * 9, 4))
    first: Any = model[0]
    last: Any = model[2]
    prune.ln_structured(first, "weight", 0.25, 2, 0)
    prune.random_unstructured(last, "weight", 0.5)
    prune.random_unstructured(last, "bias", 0.5)
    kept = left(first.weight_mask), left(last.weight_mask), left(last.bias_mask)
    first.weight_orig.data.add_(1)  # what the mask is applied to at the next call, not what it was applied to
    if removed:
        for layer, name in ((first, "weight"), (last, "weight"), (last, "bias")):
            layer(torch.zeros(1, 8, 3, 3) if layer is first else torch.zeros(1, 144))
            prune.remove(layer, name)
    told = compression(model, IMAGES)
    assert told.effective_multiply_adds == 2 * 9 * kept[0] + 2 * kept[1]
    assert told.nonzero_parameters == kept[0] + 16 + kept[1] + kept[2]
    assert told.parameters == 16 * 72 + 16 + 576 + 4 == sum(each.numel() for each in model.parameters())
    assert told.zeros.outputs == 4
    masks = 0 if removed else 4 * (16 * 72 + 576 + 4)
    assert told.bytes_by_role.get("masks", 0) == masks
    assert told.bytes == 4 * told.parameters + masks


def test_two_of_four_by_the_pruner_of_torch() -> None:
    model = nn.Sequential(nn.Linear(32, 48), nn.ReLU(), nn.Linear(48, 40))
    pruner = pruning.WeightNormSparsifier(1.0, sparse_block_shape=(1, 4), zeros_per_block=2)
    pruner.prepare(model, [{"tensor_fqn": "0.weight"}, {"tensor_fqn": "2.weight"}])
    pruner.step()
    for told in (
        compression(model, torch.rand(3, 32)),
        pruner.squash_mask() or compression(model, torch.rand(3, 32)),
    ):
        assert (told.zeros.pattern, told.zeros.in_pattern, told.zeros.unstructured) == ("2:4", 24 * 72, 0)
        assert (told.multiply_adds, told.effective_multiply_adds) == (3 * 3456, 3 * 1728)
        assert told.nonzero_parameters == 1728 + 88


def masked(m: Any, x: Tensor) -> Any:
    return functional.conv2d(x, m.weight * m.mask)


def test_masks_by_hand_and_weights_that_are_computed() -> None:
    weight, mask = nn.Parameter(torch.rand(16, 8, 3, 3) + 1), (torch.rand(16, 8, 3, 3) > 0.5).float()
    told = compression(Calls(masked, weight=weight, mask=mask), IMAGES)
    assert (told.effective_multiply_adds, told.nonzero_parameters) == (18 * left(mask), left(mask))
    for wrap in (parametrizations.weight_norm, weight_norm, parametrizations.spectral_norm):
        with pytest.warns(FutureWarning) if wrap is weight_norm else contextlib.nullcontext():
            layer = wrap(with_zeros(nn.Conv2d(8, 4, 3)))
        told = compression(layer, IMAGES)
        assert told.zeros.nonzero == left(layer.weight)
        assert told.nonzero_parameters == left_in(layer)
    data = Calls(
        lambda m, x: functional.linear(x, m.weight * (x.sum() > 0)), weight=nn.Parameter(torch.rand(4, 8))
    )
    told = compression(data, ROWS)
    assert (told.multiply_adds, told.effective_multiply_adds, told.not_known) == (96, None, ("linear",))
    assert (told.bit_operations, told.effective_bit_operations) == (96 * 1024, None)


def test_products_by_a_parameter() -> None:
    weight = nn.Parameter((torch.rand(8, 4) > 0.5).float())
    functions = {
        "second": lambda m, x: x @ m.weight,
        "turned": lambda m, x: m.weight.t() @ x.t(),
        "added": lambda m, x: torch.addmm(torch.zeros(4), x, m.weight),
        "einsum": lambda m, x: torch.einsum("ni,ij->nj", x, m.weight),
    }
    weight.data[2] = 0
    for name, function in functions.items():
        told = compression(Calls(function, weight=weight), ROWS)
        assert told.effective_multiply_adds == 3 * left(weight), name
        assert told.nonzero_parameters == left(weight)
        assert told.zeros.inputs == (name != "einsum") * told.zeros.inputs
        assert told.zeros.untold == (32 - left(weight) if name == "einsum" else 0)
    between = compression(
        Calls(lambda m, x: functional.scaled_dot_product_attention(x, x, x)), torch.rand(1, 2, 5, 8)
    )
    assert between.multiply_adds == between.effective_multiply_adds == 2 * 5 * 5 * 16


def test_a_weight_in_the_type_of_the_data() -> None:
    layer = with_zeros(nn.Linear(8, 4))
    cast = Calls(lambda m, x: functional.linear(x, m.l.weight.to(x.dtype), m.l.bias.to(x.dtype)), l=layer)
    told = compression(cast, ROWS.bfloat16())
    assert (told.whole.widths, told.effective_multiply_adds) == (("16x16",), 3 * left(layer.weight))
    assert told.nonzero_parameters == left_in(layer)


def test_two_masks_in_one_module() -> None:
    names = ("a", "b", "first", "second")
    held: Any = dict(zip(names, [nn.Parameter(torch.rand(4, 8) + 1) for _ in "ab"], strict=False))
    held |= {name: (torch.rand(4, 8) > 0.4).float() for name in names[2:]}

    def both(m: Any, x: Tensor) -> Any:
        one, other = m.a * m.first, m.b * m.second
        return functional.linear(x, one) + functional.linear(x, other)

    told = compression(Calls(both, **held), ROWS)
    kept = left(held["first"]) + left(held["second"])
    assert (told.effective_multiply_adds, told.nonzero_parameters, told.zeros.elements) == (
        3 * kept,
        kept,
        64,
    )


def test_the_axes_of_convolutions_over_steps() -> None:
    weight = nn.Parameter(torch.rand(3, 8, 4) + 1)
    weight.data[:, 2] = 0  # an input
    weight.data[..., :3] = 0  # three filters
    told = compression(Calls(lambda m, x: torch.conv_tbc(x, m.weight, torch.zeros(4)), weight=weight), STEPS)
    assert (told.effective_multiply_adds, told.nonzero_parameters) == (6 * 21, 21)
    assert (told.zeros.outputs, told.zeros.inputs, told.zeros.unstructured) == (3, 1, 0)


def test_a_weight_that_is_used_twice_is_held_once() -> None:
    layer = with_zeros(nn.Linear(8, 8))
    told = compression(nn.Sequential(layer, nn.ReLU(), layer), ROWS)
    held(told, layer)
    assert told.effective_multiply_adds == 6 * left(layer.weight)
    assert told.zeros.elements == 64
    assert told.bytes == 4 * 72


@pytest.mark.filterwarnings("ignore:Sparse CSR:UserWarning")
def test_sparse_weights_and_their_index() -> None:
    weight = with_zeros(nn.Linear(8, 4, bias=False)).weight.detach()
    for made, index in ((weight.to_sparse_csr(), 5 + left(weight)), (weight.to_sparse(), 2 * left(weight))):
        parameter = nn.Parameter(made, requires_grad=False)
        told = compression(
            Calls(lambda m, x: torch.sparse.mm(m.weight, x), weight=parameter), torch.rand(8, 3)
        )
        assert told.effective_multiply_adds == 3 * left(weight)
        assert told.bytes_by_role == {"weights": 4 * left(weight), "index": 8 * index}


def test_what_has_no_values_is_not_known() -> None:
    for layer in (nn.Conv2d(8, 4, 3, device="meta"), nn.LazyConv2d(4, 3)):
        told = compression(layer, IMAGES)
        assert told.multiply_adds == 2 * 9 * 288
        assert (told.effective_multiply_adds, told.nonzero_parameters) == (None, None)
        assert told.bit_operations == 1024 * told.multiply_adds
        assert told.not_known == ("",)
        assert "effective not known" in repr(told)
    with pytest.raises(CostlabError, match="inception_a: it has no weights, so none of them is zero"):
        compression("inception_a")


def test_a_model_is_left_as_it_is() -> None:
    layer = prune.l1_unstructured(with_zeros(nn.Linear(8, 4)), "weight", 3)
    before = {name: each.clone() for name, each in layer.state_dict().items()}
    compression(layer, ROWS)
    assert all(torch.equal(each, before[name]) for name, each in layer.state_dict().items())
    assert type(layer.weight) is Tensor


def test_rows_add_up() -> None:
    model = nn.Sequential(with_zeros(nn.Conv2d(8, 4, 3)), nn.BatchNorm2d(4), nn.Flatten(), nn.Linear(36, 2))
    told = compression(model, (8, 5, 5), batch=3)
    rows = told.modules(1)
    assert [layer.path for layer, _ in rows] == ["0", "1", "3"]
    for name in (
        "multiply_adds",
        "effective_multiply_adds",
        "parameters",
        "nonzero_parameters",
        "bit_operations",
    ):
        assert sum(getattr(layer, name) for layer, _ in rows) == getattr(told, name)
    assert sum(size for _, size in rows) == told.bytes
    everything = [*model.parameters(), *model.buffers()]
    assert told.bytes == sum(each.numel() * each.element_size() for each in everything)
    assert told.multiply_adds == 3 * (9 * 288 + 72)
    assert "Sequential" in told._repr_html_()
    with pytest.raises(CostlabError, match="depth"):
        told.modules(-1)


def test_a_mask_of_any_size() -> None:
    layer: Any = prune.random_unstructured(nn.Linear(1100, 1000, bias=False), "weight", 0.5)
    told = compression(layer, torch.zeros(1, 1100))
    assert told.effective_multiply_adds == told.nonzero_parameters == left(layer.weight)


@pytest.mark.filterwarnings("ignore:The tensor attribute:UserWarning")
def test_an_exported_program() -> None:
    layer: Any = prune.random_unstructured(nn.Linear(8, 4), "weight", 0.5)
    program, plain = compression(torch.export.export(layer, (ROWS,))), compression(layer, ROWS)
    assert program.effective_multiply_adds == plain.effective_multiply_adds == 3 * left(layer.weight_mask)
    assert (program.nonzero_parameters, program.bytes) == (plain.nonzero_parameters, plain.bytes)


def test_a_product_by_what_data_chooses_is_not_known() -> None:
    weights = nn.Parameter(torch.rand(2, 16, 8))
    ends = torch.tensor([1, 3], dtype=torch.int32)
    experts = Calls(lambda m, x: torch._grouped_mm(x, m.weights, offs=m.ends), weights=weights, ends=ends)
    told = compression(experts, torch.rand(3, 16))
    assert (told.multiply_adds, told.effective_multiply_adds) == (3 * 16 * 8, None)
