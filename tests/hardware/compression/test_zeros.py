"""Zeros told apart, against loops over every element."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from costlab.hardware.compression.zeros import PATTERNS, Zeros, added, zeros_in

Mask = np.ndarray[Any, np.dtype[np.bool_]]
MASKS = st.tuples(
    st.integers(1, 2), st.integers(1, 4), st.sampled_from([1, 3, 4, 8, 16]), st.integers(1, 3)
).flatmap(lambda sizes: arrays(np.bool_, sizes, elements=st.booleans()))
SPARSE = st.tuples(MASKS, st.integers(0, 2**32 - 1), st.sampled_from([0.0, 0.5, 0.8, 0.95]))


def holds(mask: Mask, few: int, of: int) -> bool:
    groups, outputs, inputs, places = mask.shape
    if inputs % of:
        return False
    for g in range(groups):
        for o in range(outputs):
            for k in range(places):
                for first in range(0, inputs, of):
                    if sum(bool(mask[g, o, first + i, k]) for i in range(of)) > few:
                        return False
    return True


def by_loops(mask: Mask) -> Zeros:
    """Each zero at its first place: a whole output, a whole input, what a pattern leaves out, any."""
    groups, outputs, inputs, places = mask.shape
    pattern = next((each for each in PATTERNS if holds(mask, *each)), None) if mask.any() else None
    in_outputs = in_inputs = rest = in_pattern = cut_outputs = cut_inputs = 0
    for g in range(groups):
        dead_in = [i for i in range(inputs) if not mask[g, :, i].any()]
        alive = [o for o in range(outputs) if mask[g, o].any()]
        cut_outputs += outputs - len(alive)
        cut_inputs += len(dead_in) if alive else 0
        in_outputs += (outputs - len(alive)) * inputs * places
        for o in alive:
            in_inputs += len(dead_in) * places
            for k in range(places):
                free = [i for i in range(inputs) if i not in dead_in]
                rest += sum(not mask[g, o, i, k] for i in free)
                if pattern:
                    few, of = pattern
                    for block in range(inputs // of):
                        in_pattern += max(0, sum(i // of == block for i in free) - few)
    name = f"{pattern[0]}:{pattern[1]}" if pattern and in_pattern else ""
    elements = int(mask.size)
    return Zeros(
        elements, in_outputs, in_inputs, in_pattern, rest - in_pattern, 0, cut_outputs, cut_inputs, name
    )


@settings(max_examples=40, deadline=None)
@given(SPARSE)
def test_zeros_are_those_of_loops(drawn: tuple[Mask, int, float]) -> None:
    mask, seed, share = drawn
    mask = mask & (np.random.default_rng(seed).random(mask.shape) >= share)
    found = zeros_in(mask)
    if mask.all():
        assert found == Zeros(mask.size)
        return
    assert found == by_loops(mask)
    assert found.zeros == int((~mask).sum())
    assert found.nonzero == int(mask.sum())
    assert min(found[:8]) >= 0


@pytest.mark.parametrize("few", [1, 2])
def test_a_pattern_that_was_made_is_found(few: int) -> None:
    generator = np.random.default_rng(few)
    mask = np.zeros((1, 6, 12, 9), bool)
    for o in range(6):
        for k in range(9):
            for block in range(3):
                mask[0, o, 4 * block + generator.permutation(4)[:few], k] = True
    found = zeros_in(mask)
    assert (found.pattern, found.in_pattern) == (f"{few}:4", 6 * 12 * 9 * (4 - few) // 4)
    assert (found.in_channels, found.unstructured) == (0, 0)


def test_zeros_beyond_the_pattern_are_unstructured() -> None:
    mask = np.tile([True, True, False, False], (1, 4, 2))[:, :, :, None]
    mask[0, 0, 0, 0] = False
    found = zeros_in(mask)
    assert (found.pattern, found.in_inputs, found.unstructured) == ("", 16, 1)  # the same half in each row
    mask[0, 1] = mask[0, 1][::-1]
    found = zeros_in(mask)
    assert (found.pattern, found.in_pattern, found.unstructured) == ("2:4", 16, 1)


def test_a_weight_that_is_zero_is_cut_as_a_whole() -> None:
    found = zeros_in(np.zeros((2, 3, 4, 1), bool))
    assert found == Zeros(24, in_outputs=24, outputs=6)


def test_axes_that_are_not_known_are_not_told_apart() -> None:
    found = zeros_in(np.array([True, False, False]))
    assert (found.untold, found.zeros, found.in_channels, found.pattern) == (2, 2, 0, "")


def test_sums() -> None:
    some = [Zeros(4, in_pattern=2, pattern="2:4"), Zeros(8, in_pattern=6, pattern="1:4"), Zeros(1)]
    assert added(some) == Zeros(13, in_pattern=8, pattern="2:4, 1:4")
    assert added([]) == Zeros()
