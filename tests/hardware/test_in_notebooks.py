"""What memory, rooflines, timings and savings show at a prompt and in a notebook, level by level."""

from dataclasses import replace

import costlab
from costlab import Conv2d, memory, roofline, saved_time
from costlab.hardware.timing.calibration import Machine
from costlab.hardware.timing.features import Features
from costlab.hardware.timing.measured import Measurement, TimedRow
from tests.counting.shown import Shown, read


def column(shown: Shown, title: str) -> dict[int, int]:
    """The whole numbers below a title, from the right, by the place of the line."""
    head = next(place for place, line in enumerate(shown.lines) if title in line)
    behind = shown.lines[head][::-1].index(title)
    return {
        place: int(line[::-1][behind].replace(",", ""))
        for place, line in enumerate(shown.lines)
        if place > head and len(line) > behind + 1
    }


def test_bytes_of_a_roofline_add_up() -> None:
    bound = roofline("mini", "k40")
    shown = read(bound._repr_html_())
    moved = column(shown, "bytes")
    for place, size in moved.items():
        if below := shown.below(place):
            assert sum(moved[each] for each in below) == size
    assert [*moved.values()][-1] == bound.total.bytes
    assert f"{bound.total.bytes:,} bytes" in bound._repr_html_()


def test_what_is_one_operation_is_the_root() -> None:
    one = Conv2d(3, 1)
    assert read(roofline(one, "k40", input=(3, 4, 4))._repr_html_()).lines[1][:3] == [
        "(root)",
        "memory",
        "144",
    ]
    assert read(memory(one, (3, 4, 4))._repr_html_()).lines[1] == ["(root)", "48", "192"]


def test_memory_of_a_module_is_that_of_what_is_in_it() -> None:
    held = memory("mini", train=True, batch=2)
    shown = read(held._repr_html_())
    weights, live = column(shown, "weights, bytes"), column(shown, "allocated at most, bytes")
    for place in weights:
        if below := shown.below(place):
            assert sum(weights[each] for each in below) == weights[place]
            assert max(live[each] for each in below) == live[place]
    assert max(live.values()) == held.peak_bytes
    assert sum(size for place, size in weights.items() if not shown.depths[place]) == held.weights
    assert f"peak {held.peak_bytes:,} bytes beside" in held._repr_html_()


def test_a_measurement() -> None:
    counted = costlab.count("mini")
    rows = tuple(
        TimedRow(node.path, node.block.title, Features(1, 2, 3, 4), (2_000_000, 4_000_000), (node.path,))
        for node in counted.operations
    )
    machine = Machine("a processor", 1, "2.0", "wall time")
    measured = Measurement(counted, machine, 2, (300_000_000, 500_000_000), rows, (0, 0))
    first, whole, within = repr(measured).split("\n")
    assert first == f"Measurement: {counted.title}, on a processor, 1 thread, torch 2.0, wall time"
    assert whole == "  400 ms, the median of 2 rounds, quartiles 350 and 450"
    assert within == f"  {3 * len(rows)} ms in its operators, each timed by itself"
    shown = read(measured._repr_html_())
    assert [line[0] for line in shown.at_once[1:]] == [row.path for row in counted.modules(1)]
    assert shown.lines[1][-2:] == ["9", f"{3 / len(rows):.1%}"]  # of three operations
    assert "median" in repr(replace(measured, rounds=1, whole=(1_000_000,)))


def test_what_is_saved() -> None:
    saved = saved_time("mini", "mini:width=0.5", "k40")
    title, before, after = repr(saved).split("\n")
    assert title.endswith("on k40 in float32; by the bounds, the saving arrives in part")
    assert before.startswith("  mini: 31,493,952 multiply-adds, at least ")
    assert f"8,123,040 multiply-adds ({1 - 8_123_040 / 31_493_952:.2%} saved)" in after
    assert read(saved._repr_html_()).lines[-1][:3] == ["mini:width=0.5", "8,123,040", "74.21%"]
    assert "no multiply-adds are saved" in repr(saved_time("mini", "mini", "k40"))
