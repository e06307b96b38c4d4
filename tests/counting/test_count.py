"""Counts: rows that add up, batches, heads, conventions, frames."""

import dataclasses
from typing import Any, get_args

import numpy as np
import pytest
import torch

import costlab
from costlab.algebra import (
    BatchNorm2d,
    Conv2d,
    Flatten,
    Linear,
    ReLU,
    Shape,
    add,
    auxiliary,
    concat,
    ops,
    seq,
    symbols,
)
from costlab.algebra.traced import CallForm
from costlab.algebra.work import QUANTITIES
from costlab.checking.observe import quiet
from costlab.counting.convention import convention, conventions
from costlab.counting.conventions.quantities import QUANTITIES as QUANTITIES_OF_TOOLS
from costlab.counting.conventions.quantities.registry import PLAIN
from costlab.counting.count import Count, count
from costlab.errors import DefinitionError

X = Shape(3, 8, 8)
NET = seq(
    stem=seq(conv=Conv2d(4, 3, bias=False), bn=BatchNorm2d(), relu=ReLU()),
    body=concat(a=Conv2d(2, 1), b=seq(Conv2d(2, 3, padding=1), ReLU())),
    head=auxiliary(Flatten(), Linear(5)),
    skip=add(seq(), ReLU()),
    flatten=Flatten(),
    fc=Linear(10),
)


def test_by_hand() -> None:
    """3x3 over 3 to 4 channels at 6x6; 1x1 and 3x3 over 4 to 2; 144 to 5 and to 10."""
    result = count(NET, X)
    assert result.multiply_adds == 9 * 3 * 4 * 36 + 4 * 2 * 36 + 9 * 4 * 2 * 36 + 144 * 5 + 144 * 10
    assert result.weights == 9 * 3 * 4 + 4 * 2 + 9 * 4 * 2 + 144 * 5 + 144 * 10
    assert result.parameters == int(result.weights) + 2 * 4 + 2 + 2 + 5 + 10
    assert result.bias_adds == 2 * 36 + 2 * 36 + 5 + 10
    assert result.activations == 4 * 36 + 2 * 36 + 2 * 36 + 5 + 10


def test_rows_come_in_the_order_of_execution() -> None:
    assert [(row.path, row.work.kind) for row in count(NET, X).rows] == [
        ("stem.conv", "conv2d"),
        ("stem.bn", "batch_norm2d"),
        ("stem.relu", "relu"),
        ("body.a", "conv2d"),
        ("body.b.0", "conv2d"),
        ("body.b.1", "relu"),
        ("body", "concat"),
        ("head.0", "flatten"),
        ("head.1", "linear"),
        ("skip.1", "relu"),
        ("skip", "add"),
        ("flatten", "flatten"),
        ("fc", "linear"),
    ]


def sums(result: Count, rows: Any) -> list[int]:
    return [sum(getattr(row.work, name) for row in rows) for name in QUANTITIES]


@pytest.mark.parametrize("target", ["inception_v3", "inception_v3:aux=true", "inception_e"])
def test_every_cut_adds_up_to_the_totals(target: str) -> None:
    result = count(target, batch=3)
    for rows in (*(result.modules(depth) for depth in range(6)), result.kinds(), result.rows):
        assert sums(result, rows) == list(result.total.sizes)
        assert sum(row.operations for row in rows) == len(result.rows)


def test_depth() -> None:
    result = count(NET, X)
    assert [row.path for row in result.modules(0)] == [""]
    assert [row.path for row in result.modules(1)] == ["stem", "body", "head", "skip", "flatten", "fc"]
    assert [row.path for row in result.modules(2)][3:6] == ["body.a", "body.b", "body"]
    assert result.modules(9) == result.modules(3)
    for depth in (-1, 1.5, "1", None):
        with pytest.raises(DefinitionError, match="depth="):
            result.modules(depth)  # type: ignore[arg-type]  # a wrong type is what is tested


def test_a_batch_multiplies_what_is_done_and_not_what_is_held() -> None:
    one, four = count(NET, X).total, count(NET, X, batch=4).total
    for name in QUANTITIES:
        held = name in ("weights", "parameters")
        assert getattr(four, name) == getattr(one, name) * (1 if held else 4), name
    with pytest.raises(DefinitionError, match="batch=0 must be at least 1"):
        count(NET, X, batch=0)


def test_inference_leaves_heads_out() -> None:
    result = count(NET, X)
    assert result.auxiliary == ("head",)
    assert result.inference.auxiliary == ()
    assert "without auxiliary heads" in result.inference.title
    assert result.inference.multiply_adds == int(result.multiply_adds) - 144 * 5
    assert [row.path for row in result.rows if row.training_only] == ["head.0", "head.1"]


def test_the_same_arithmetic_on_symbols_and_arrays() -> None:
    h, n = symbols("h n")
    general: Any = count(NET, (3, h, h), batch=n).multiply_adds
    side = np.array([8, 10, 14])
    swept: Any = count(NET, (3, side, side), batch=2).multiply_adds
    for i, size in enumerate(side):
        exact = count(NET, (3, int(size), int(size)), batch=2).multiply_adds
        assert general.subs({h: int(size), n: 2}) == exact
        assert swept[i] == exact


def test_frame_and_html() -> None:
    result = count("inception_v3")
    frame = result.to_frame()
    assert len(frame) == 314
    assert int(frame["multiply_adds"].sum()) == 5_713_216_096
    assert list(frame.columns)[:5] == ["module", "operation", "kind", "output", "operations"]
    html = count(NET, X)._repr_html_()
    assert "sequence of 6" in html
    assert f"{count(NET, X).multiply_adds:,}" in html
    assert "<p>inception_v3:num_classes=5, input 3x299x299, batch 1</p>" in (
        count("inception_v3", num_classes=5)._repr_html_()
    )
    label_with_settings = dataclasses.replace(count(seq(ReLU()), X), label="<script>")
    assert "<script>" not in label_with_settings._repr_html_()
    assert "&lt;script&gt;" in label_with_settings._repr_html_()
    assert "36*b" in count(seq(Conv2d(1, 3)), X, batch=symbols("b"))._repr_html_()


def test_a_frame_adds_up_past_int64() -> None:
    result = count("inception_v3", batch=2 * 10**9)
    assert result.to_frame()["multiply_adds"].sum() == 2 * 10**9 * 5_713_216_096
    assert list(count(seq(), X).to_frame().columns) == list(result.to_frame().columns)


def test_by_module_and_by_operator_by_hand() -> None:
    result = count(NET, X, batch=2)
    costs = result.by_module()
    assert set(costs) == {node.path for node in result.root.nodes()}
    assert costs[""] == result.multiply_adds
    assert costs["stem"] == costs["stem.conv"] == 2 * 9 * 3 * 4 * 36
    assert (costs["body"], costs["body.b"]) == (2 * (4 * 2 + 9 * 4 * 2) * 36, 2 * 9 * 4 * 2 * 36)
    assert costs["skip"] == costs["flatten"] == costs["stem.bn"] == 0
    linear = 2 * (144 * 5 + 144 * 10)
    assert result.by_operator() == {
        "conv2d": int(result.multiply_adds) - linear,
        "linear": linear,
        **dict.fromkeys(["batch_norm2d", "relu", "concat", "flatten", "add"], 0),
    }
    assert result.under("flops").by_module() == {path: 2 * int(cost) for path, cost in costs.items()}


def test_by_module_in_symbols_and_arrays() -> None:
    h = symbols("h")
    general: Any = count(NET, (3, h, h)).by_module()["body"]
    side = np.array([8, 10])
    swept: Any = count(NET, (3, side, side)).by_module()["body"]
    for i, size in enumerate(side):
        exact = count(NET, (3, int(size), int(size))).by_module()["body"]
        assert general.subs(h, int(size)) == swept[i] == exact


def test_kinds_have_no_module() -> None:
    result = count(NET, X)
    assert set(result.to_frame(result.kinds())["module"]) == {""}
    assert next(iter(result.kinds())).operation == "conv2d"


def test_fvcores_total_for_inception_v3_is_the_published_one() -> None:
    """5,731,282,144 is what fvcore reports for torchvision's inception_v3 at 299 in eval mode."""
    operations = count("inception_v3").operations
    charged: Any = sum(int(convention("fvcore").cost(node)) for node in operations)
    assert charged == 5_731_282_144
    assert sum(int(convention("torch_flop_counter").cost(node)) for node in operations) == 11_426_432_192


def test_by_module_and_by_operator_are_fvcores() -> None:
    target, x = "inception_v3:width=0.1", (3, 75, 75)
    result = count(target, x, batch=2).under("fvcore")
    with quiet():
        from fvcore.nn import FlopCountAnalysis

        analysis = FlopCountAnalysis(costlab.build(target, x).eval(), torch.zeros(2, *x))
        theirs = analysis.unsupported_ops_warnings(False).by_module()
        kinds = analysis.by_operator()
    assert result.by_module() == dict(theirs)
    assert {kind: cost for kind, cost in result.by_operator().items() if cost != 0} == {
        "conv2d": kinds.pop("conv"),
        "batch_norm2d": kinds.pop("batch_norm"),
        **kinds,
    }


def test_conventions_charge_for_quantities_that_exist() -> None:
    for name, each in conventions().items():
        assert each.name == name
        rows = [each.default, *each.charges.values(), *(defect.charge for defect in each.defects)]
        charged = {quantity.removesuffix("/N") for row in rows for quantity in row}
        assert charged <= PLAIN | QUANTITIES_OF_TOOLS.keys(), name
        assert each.forms <= {*get_args(CallForm)}, name
    assert len({hash(each) for each in conventions().values()}) == len(conventions())
    with pytest.raises(DefinitionError, match="there is no convention 'fvcor'; did you mean fvcore"):
        convention("fvcor")


def test_the_public_names_are_what_they_say() -> None:
    for name in costlab.__all__:
        public = getattr(costlab, name)
        assert name in {"Ratio", "Size2d"} or public.__module__.startswith("costlab."), (
            name
        )  # aliases have none
    assert set(costlab.__all__) <= set(dir(costlab))
    assert {"Conv2d", "ReLU", "count"} | set(ops.__all__) <= set(costlab.__all__)
    assert len(set(costlab.__all__)) == len(costlab.__all__)
    with pytest.raises(AttributeError, match="no attribute 'flops'"):
        costlab.flops  # noqa: B018  # that reading it raises is what is tested
