"""The page of hardware: its figures against hand arithmetic, other ways to them, and the data of pictures."""

import re
from fractions import Fraction
from itertools import islice
from typing import Any

import pytest

from costlab.algebra.dim import symbols
from costlab.counting.count import count
from costlab.hardware.device import devices
from costlab.hardware.memory import memory
from costlab.hardware.training_cost import training_cost
from costlab.report.page import Page
from costlab.report.pages import hardware
from costlab.report.pages.hardware_bounds import DEVICES, FACTORIZATIONS
from costlab.report.pages.hardware_memory import NETWORKS, largest_batch
from costlab.report.pictures.live_memory import LiveMemory
from costlab.report.pictures.training_hours import SORTS, TWO_IN_ONE, TrainingHours
from tests.report.rendering import render
from tests.report.test_pictures import picture
from tests.report.test_places import marks, same

IMAGES = 1_281_167 * 100
FORWARD, HEAD, FIRST = 5_713_216_096, 5_683_200, 149 * 149 * 32 * 27
"""Multiply-adds of an image: without the head, of it, and of the first convolution."""
FLOP = 2 * IMAGES * (3 * (FORWARD + HEAD) - FIRST)
K40, H200 = 4_290_000_000_000, 989_400_000_000_000


@pytest.fixture
def text(pages: tuple[Page, ...]) -> str:
    (page,) = (each for each in pages if each.name == hardware.NAME)
    return page.text


def table(text: str, title: str) -> list[list[str]]:
    """The cells of a table of the page, without its head."""
    lines = islice(text.partition(f"**{title}**\n\n")[2].splitlines(), 2, None)
    rows = [line.strip("|").split("|") for line in lines if line.startswith("|") or not line]
    return [[cell.strip() for cell in row] for row in rows[: rows.index([""])]]


def plain(size: str) -> int:
    return int(size.replace(",", ""))


def test_the_runs_by_hand(text: str) -> None:
    at_peak, today = FLOP / K40 / 3600, FLOP / H200 / 3600
    measured = IMAGES / 9.5 / 3600
    rows = table(text, f"What training Inception v3 costs, {IMAGES:,} images")
    assert [row[1:4] for row in rows] == [
        ["50", "k40", "float32"],
        ["50", "k40", "float32"],
        ["1", "k40", "float32"],
        ["1", "k40", "float32"],
        ["1", "h200", "bfloat16"],
    ]
    hours = [at_peak, measured, at_peak, measured, today]
    wall = [at_peak / 50, measured / 50, at_peak, measured, today]
    bounds = ["at least ", "", "at least ", "", "at least "]
    assert [row[5] for row in rows] == [f"{b}{h:,.2f}" for b, h in zip(bounds, hours, strict=True)]
    assert [row[6] for row in rows] == [f"{b}{h:,.2f}" for b, h in zip(bounds, wall, strict=True)]
    energy = f"at most {235 * measured / 1000:,.1f}"
    assert [row[7] for row in rows] == ["none follows", energy, "none follows", energy, "none follows"]
    assert (f"{measured:,.2f}", f"{measured / 50:.2f}", energy) == ("3,746.10", "74.92", "at most 880.3")
    speed = K40 / (FLOP / IMAGES)
    assert rows[0][4] == f"at most {speed:,.2f}"
    assert rows[1][4] == "9.50"
    assert f"a K40 is at {9.5 / speed:.1%} of its peak" in text
    assert f"3,746.10 hours ({measured / 24:,.1f} days)" in text
    for said in (
        "names neither the GPU, nor a speed, nor a power",
        "9.4 to 9.6 images a second",
        "235 W at most",
    ):
        assert said in text


def test_what_replicas_exchange_by_hand(text: str) -> None:
    gradients = 4 * 27_161_264
    step = 32 / 9.5
    ring = 2 * 49 * gradients / 50
    assert f"sends {ring:,.2f} bytes in a step of a ring all-reduce" in text
    assert f"which {ring / step / 1e6:.2f} MB/s hide behind its {step:.2f} s" in text
    assert f"exchanges {2 * gradients * 50 / step / 1e9:.2f} GB/s with all of them" in text


def test_the_flop_of_the_run_by_hand(text: str) -> None:
    rows = table(text, "FLOP of the whole run, two per multiply-add")
    assert [[plain(cell) for cell in row[1:3]] for row in rows] == [
        [4_386_835_372_654_041_600, 4_391_750_355_638_419_200],
        [4_391_204_049_630_681_600, 4_396_119_032_615_059_200],
    ]
    assert plain(rows[1][1]) == FLOP
    assert count("inception_v3", aux=True).multiply_adds == FORWARD + HEAD


def test_the_hours_of_devices_are_those_of_their_runs(pages: tuple[Page, ...]) -> None:
    found = picture(pages, "training_hours")
    data: TrainingHours = found.data
    shown = {each.name.removesuffix(" (?)"): each for each in data.devices}
    assert set(shown) == {name for name, each in devices().items() if each.peaks} - TWO_IN_ONE
    assert [each.year for each in data.devices] == sorted(each.year for each in data.devices)
    assert all(("(?)" in each.name) == devices()[name].unverified for name, each in shown.items())
    kinds = {"k40": "float32", "a100": "tf32", "h200": "bfloat16", "t4": "float16"}
    for name, dtype in kinds.items():
        cost = training_cost("inception_v3", aux=True, replicas=1, device=name, dtype=dtype)
        (sort,) = (sort for sort, types in SORTS.items() if dtype in types)
        assert dict(shown[name].hours)[sort] == pytest.approx(cost.device_hours)
    assert [sort for sort, _ in shown["tpu-v4"].hours] == ["bfloat16 or float16"]
    assert data.measured == pytest.approx(IMAGES / 9.5 / 3600)
    drawn = marks(render(found).axes[0])
    wanted = [(hours, float(row)) for row, each in enumerate(data.devices) for _, hours in each.hours]
    at = next(row for row, each in enumerate(data.devices) if each.name == "k40")
    same(drawn, [*wanted, (data.measured, float(at))])


def test_a_step_holds_what_is_known(text: str) -> None:
    rows = {
        name: [plain(cell) for cell in sizes] for name, *sizes in table(text, "What a step at batch 32 holds")
    }
    assert rows["weights"] == rows["average of the weights"] == [95_338_272, 108_645_056]
    assert rows["gradients, at the end of the way back"] == rows["weights"]
    assert rows["buffers"] == [138_480, 145_664]
    assert rows["RMSProp's state"] == [190_677_680, 217_291_280]
    assert rows["input"] == [34_329_984] * 2
    assert rows["kept by autograd, beside the input"] == [3_107_588_608, 3_111_069_184]
    assert rows["allocated at most"] == [3_151_334_824, 3_155_071_400]
    parts = ("weights", "buffers", "RMSProp's state", "average of the weights", "input")
    for column in (0, 1):
        stays = sum(rows[part][column] for part in parts)
        assert rows["all that stays"][column] == stays
        assert rows["held at most, with what stays"][column] == stays + rows["allocated at most"][column]
    slope, start = map(int, re.findall(r"`(\d+)\*N \+ (\d+)` bytes at batch N", text)[0])
    assert 32 * slope + start == rows["kept by autograd, beside the input"][1]
    assert "the peak is on the way back, at `mixed_7c.b3x3dbl.0.conv`" in text


def test_the_largest_batch_fits_and_no_larger_one(text: str) -> None:
    rows = table(text, "Which devices hold a step at batch 32, with the head")
    known = {name: each for name, each in devices().items() if each.memory and name not in TWO_IN_ONE}
    assert {name.removesuffix(" (?)") for name, *_ in rows} == set(known)
    held = 3_155_071_400 + 469_057_040
    for name, room, share, fits, _ in rows:
        memory_of = known[name.removesuffix(" (?)")].memory
        assert memory_of is not None
        assert (plain(room), share) == (memory_of, f"{held / memory_of:.1%}")
        assert fits == ("yes" if held <= memory_of else "no")
    assert f"fits into {sum(row[3] == 'yes' for row in rows)} of the {len(rows)} devices" in text
    batches = {plain(room): plain(batch) for _, room, *_, batch in rows}
    assert len(batches) > 8
    for size, batch in (*islice(batches.items(), 3), *islice(reversed(batches.items()), 1)):
        fitting, larger = (int(step(aux=True, batch=batch + more).total) for more in (0, 1))
        assert fitting <= size < larger


def test_the_largest_batch_on_small_devices() -> None:
    """Also where another formula gives the peak, and where not even a batch of one fits."""
    closed = step(batch=symbols("N"))
    pieces = closed.peak_pieces
    sizes = [int(step(batch=each).total) for each in range(1, 13)]
    for room in (2 * 10**8, *(size + more for size in sizes[:-1:2] for more in (-1, 0, 10**7))):
        assert largest_batch(closed.resident, pieces, room) == sum(size <= room for size in sizes)


def step(**settings: Any) -> Any:
    return memory("inception_v3", train=True, optimizer="rmsprop", momentum=True, average=True, **settings)


def test_peaks_of_inference_and_what_the_order_gains(text: str) -> None:
    rows = {name: cells for name, *cells in table(text, "Peaks of inference, bytes at batch 1")}
    assert [*rows] == [*NETWORKS]
    assert rows["inception_v3"] == [
        "13,829,760", "stem.conv_2b.bn", "11,063,808", "8,297,856", "11,063,808", "yes",
    ]  # fmt: skip
    assert all(cells[2] == cells[4] for cells in rows.values())
    assert f"lowers the peak of any of these {len(rows)} networks" in text
    modules = table(text, "Peaks of the modules of Inception v3 by last use, bytes at batch 1")
    saved = [1 - Fraction(plain(best), plain(given)) for _, given, best, *_ in modules]
    assert [row[3] for row in modules] == [f"{float(each):.1%}" for each in saved]
    assert min(saved) > 0
    assert (
        f"in {len(modules)} of Inception v3, {float(min(saved)):.1%} to {float(max(saved)):.1%} of what"
        in text
    )


def test_traffic_and_bounds(pages: tuple[Page, ...], text: str) -> None:
    rows = table(text, "Bytes moved at batch 32, and the lower bound on the time")
    assert [row[:3] for row in rows] == [
        [*each, fused] for each in DEVICES.items() for fused in ("no", "yes")
    ]
    assert [plain(row[3]) for row in rows[:2]] == [9_323_444_384, 4_731_952_800]
    flop = 2 * 32 * FORWARD
    for row, ridge in zip(rows, (K40 / 288e9, K40 / 288e9, H200 / 4.8e12, H200 / 4.8e12), strict=True):
        assert row[4:6] == [f"{flop / plain(row[3]):,.1f}", f"{ridge:,.1f}"]
    assert f"Fusing saves {1 - 4_731_952_800 / 9_323_444_384:.1%} of the bytes" in text
    for device in DEVICES:
        data = picture(pages, f"roofline_{device}").data
        assert sum(dot.flop for dot in data.dots) == flop


def test_saved_multiply_adds_are_judged_by_their_shares(text: str) -> None:
    rows = table(text, "What saved multiply-adds save of the least time")
    assert len(rows) == len(DEVICES) * len(FACTORIZATIONS)
    shares = {
        "1x7 and 7x1 for a 7x7": "71.4%",
        "1x3 and 3x1 for a 3x3": "33.3%",
        "two 3x3 for a 5x5": "28.0%",
    }
    for label, _, _, saved, before, after, of_bound, verdict in rows:
        assert saved == shares.get(label, saved)
        arrived = float(of_bound.rstrip("%")) / float(saved.rstrip("%"))
        judged = "arrives" if arrived > 0.9 else "in part" if arrived > 0.1 else "does not arrive"
        assert verdict == judged or float(saved.rstrip("%")) < 2  # of so little the share is not told here
        assert before != after
    for device, words in {"k40": "On Tesla K40 in float32", "h200": "On H200 SXM in bfloat16"}.items():
        verdicts = [row[-1] for row in rows if row[1] == device]
        arrive, in_part = verdicts.count("arrives"), verdicts.count("in part")
        assert f"{words}, {arrive} of {len(verdicts)} savings arrive and {in_part} arrive in part" in text
    h200 = {row[0]: row[4:6] for row in rows if row[1] == "h200"}
    assert h200["1x7 and 7x1 for a 7x7"] == ["33.8 us", "9.65 us"]
    assert h200["depthwise-separable for a 3x3"] == ["2.92 us", "4.18 us"]


def test_the_pictures_of_memory_are_of_the_page(pages: tuple[Page, ...]) -> None:
    in_step: LiveMemory = picture(pages, "step_memory").data
    inference: LiveMemory = picture(pages, "inference_memory").data
    assert (max(in_step.live), in_step.stays) == (3_155_071_400, 469_057_040)
    assert max(inference.live) == 13_829_760
    assert set(inference.phases) == {"forward"}
