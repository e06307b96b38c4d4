"""Breakdowns: they add up, and say of layers what torch's modules say of themselves."""

from collections import Counter

import pytest
import torch
from hypothesis import HealthCheck, given, settings
from torch import nn

import costlab
from costlab.algebra import BatchNorm2d, Block, Conv2d, Dropout, Flatten, Linear, ReLU, Shape, concat, seq
from costlab.algebra.work import QUANTITIES
from costlab.counting.breakdown import NO_WEIGHTS, VECTOR, grid_of, kernel_of, module_at
from costlab.counting.count import count
from costlab.report.tables.count import breakdown_table
from tests.random_blocks import counted as random_blocks

INCEPTION = "inception_v3:width=0.1"
SHAPE = (3, 107, 107)


@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(random_blocks())
def test_breakdowns_add_up_to_the_total(example: tuple[Shape, Block]) -> None:
    shape, block = example
    counted = count(block, shape, batch=2)
    for key in (kernel_of, grid_of, module_at(0), module_at(1), module_at(2)):
        rows = counted.grouped(key)
        for name in QUANTITIES:
            assert sum(int(getattr(row.work, name)) for row in rows) == getattr(counted.total, name)
        assert sum(row.operations for row in rows) == len(counted.rows)
        assert len({row.work.kind for row in rows}) == len(rows)


@pytest.mark.parametrize("depth", [0, 1, 2, 3])
def test_modules_are_those_of_a_count(depth: int) -> None:
    counted = count(INCEPTION, SHAPE)
    wanted: Counter[str] = Counter()
    for row in counted.modules(depth):
        wanted[row.path] += int(row.work.multiply_adds)
    found = {row.work.kind: int(row.work.multiply_adds) for row in counted.grouped(module_at(depth))}
    assert found == dict(wanted)


def test_kernels_and_grids_are_those_of_the_torch_modules() -> None:
    """Weights by kernel, and elements by grid, from a module that runs."""
    model = costlab.build(INCEPTION, SHAPE).eval()
    weights: Counter[str] = Counter()
    elements: Counter[str] = Counter()

    def observe(layer: nn.Module, _: object, out: torch.Tensor) -> None:
        if isinstance(layer, nn.Conv2d):
            height, width = sorted(layer.kernel_size)
            name = f"{height}x{width}" if height == width else f"{height}x{width} or {width}x{height}"
            weights[name] += layer.weight.numel()
        elif isinstance(layer, nn.Linear):
            weights["linear"] += layer.weight.numel()
        else:
            return
        grid = f"{out.shape[2]}x{out.shape[3]}" if out.dim() == 4 else VECTOR
        elements[grid] += out.numel()

    for layer in model.modules():
        layer.register_forward_hook(observe)
    with torch.no_grad():
        model(torch.zeros(1, *SHAPE))
    counted = count(INCEPTION, SHAPE)
    of_kernels = {row.work.kind: row.work.weights for row in counted.grouped(kernel_of)}
    of_grids = {row.work.kind: row.work.activations for row in counted.grouped(grid_of)}
    assert {kernel: size for kernel, size in of_kernels.items() if size != 0} == weights
    assert {grid: size for grid, size in of_grids.items() if size != 0} == elements


def test_how_kernels_are_called() -> None:
    block = seq(
        Conv2d(8, 3),
        Conv2d(8, 3, groups=8),
        Conv2d(8, 3, groups=2),
        concat(Conv2d(8, (1, 7), padding="same"), Conv2d(8, (7, 1), padding="same")),
        BatchNorm2d(),
        ReLU(),
        Flatten(),
        Dropout(0.5),
        Linear(3),
    )
    rows = count(block, (8, 12, 12)).grouped(kernel_of)
    assert [(row.work.kind, row.operations) for row in rows] == [
        ("3x3", 1),
        ("3x3 depthwise", 1),
        ("3x3 grouped", 1),
        ("1x7 or 7x1", 2),
        (NO_WEIGHTS, 4),
        ("batch_norm2d", 1),
        ("linear", 1),
    ]


def test_the_batch_multiplies_all_but_what_is_held_once() -> None:
    one, four = (count(INCEPTION, SHAPE, batch=batch).grouped(grid_of) for batch in (1, 4))
    for a, b in zip(one, four, strict=True):
        assert b.work.multiply_adds == 4 * a.work.multiply_adds
        assert b.work.parameters == a.work.parameters


def test_the_table_of_a_breakdown_adds_up() -> None:
    table = breakdown_table(count(INCEPTION, SHAPE), kernel_of, "kernel", largest_first=True)
    rows = [table.record(row) for row in table.rows]
    assert table.total is not None
    total = table.record(table.total)
    for name in ("operations", "parameters", "multiply_adds", "activations"):
        assert sum(row[name] for row in rows) == total[name]
    sizes = [row["multiply_adds"] for row in rows]
    assert sizes == sorted(sizes, reverse=True)
    assert all(row["parameters"] for row in rows)
