"""Equations cost what torch computes them by, two operands at a time."""

from typing import Any

import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

import costlab
from costlab.onnx.rules.einsum import contracted
from tests.onnx.rules.exporting import node_graph, works

LABELS = "abcde"


class Equation(nn.Module):
    """An equation."""

    def __init__(self, equation: str) -> None:
        super().__init__()
        self.equation = equation

    def forward(self, *operands: torch.Tensor) -> Any:
        return torch.einsum(self.equation, *operands)


@st.composite
def equations(draw: st.DrawFn) -> tuple[str, list[tuple[int, ...]]]:
    """An equation of up to four operands, each axis once in each, with the sizes of them all."""
    sizes = {label: draw(st.integers(1, 4)) for label in LABELS}
    sets = st.lists(st.sampled_from(LABELS), min_size=1, max_size=3, unique=True)
    terms = draw(st.lists(sets.map("".join), min_size=1, max_size=4))
    used = sorted(set("".join(terms)))
    kept = draw(st.one_of(st.none(), st.lists(st.sampled_from(used), unique=True).map("".join)))
    shapes = [tuple(sizes[label] for label in term) for term in terms]
    return ",".join(terms) + ("" if kept is None else f"->{kept}"), shapes


@settings(max_examples=8, deadline=None)
@given(equations())
def test_equations_cost_what_torch_computes_them_by(case: tuple[str, list[tuple[int, ...]]]) -> None:
    equation, shapes = case
    tensors = tuple(torch.empty(shape) for shape in shapes)
    assert contracted(equation, shapes) == costlab.count(Equation(equation), tensors).multiply_adds


def test_ellipses_stand_for_the_axes_before() -> None:
    shapes = [(2, 5, 3, 4), (4, 6)]
    assert contracted("...ij,jk->...ik", shapes) == 2 * 5 * 3 * 4 * 6
    assert contracted("...ij,...jk", [(2, 3, 4), (2, 4, 6)]) == 2 * 3 * 4 * 6
    assert contracted("...ij,...ij->ij", [(2, 3, 4), (2, 3, 4)]) == 2 * 3 * 4


def test_the_node_says_the_same() -> None:
    graph = node_graph("Einsum", {"a": (2, 3), "b": (3, 40), "c": (40, 5)}, equation="ij, jk, kl -> il")
    (work,) = works(graph)
    assert work.kind == "einsum"
    assert work.multiply_adds == 2 * 3 * 40 + 2 * 40 * 5
    assert (work.inputs, work.outputs, work.activations) == (6 + 120 + 200, 10, 10)
