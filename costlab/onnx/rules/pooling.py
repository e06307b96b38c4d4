"""Pooling."""

from math import prod
from typing import NamedTuple

from costlab.algebra.work import Work
from costlab.onnx.call import NodeCall
from costlab.onnx.rules.registry import BLOCKED, MICROSOFT, ONNX, Rule, operators


def pooled(call: NodeCall, kind: str, window_elements: int = 0) -> Work:
    """Windows of a map, each to one element."""
    rank = len(call.output.shape) - 2
    return Work(
        f"{kind}{rank}d",
        inputs=call.elements_in,
        outputs=call.output.elements,
        window_elements=window_elements,
    )


def _plain(kind: str) -> Rule:
    def rule(call: NodeCall) -> Work:
        """``(N, C, *size) -> (N, C, *size')``."""
        return pooled(call, kind)

    return rule


TABLE = (
    (ONNX, "MaxPool", "max_pool"),
    (ONNX, "LpPool", "lp_pool"),
    (ONNX, "GlobalLpPool", "lp_pool"),
    (ONNX, "GlobalMaxPool", "adaptive_max_pool"),
    (MICROSOFT, "NhwcMaxPool", "max_pool"),
    (MICROSOFT, "MaxpoolWithMask", "max_pool"),
    (BLOCKED, "MaxPool", "max_pool"),
    (BLOCKED, "GlobalMaxPool", "adaptive_max_pool"),
)
"""Pooling that is no mean."""
for domain, name, kind in TABLE:
    operators(name, domain=domain)(_plain(kind))


@operators("AveragePool")
@operators("QLinearAveragePool", domain=MICROSOFT)
@operators("AveragePool", domain=BLOCKED)
def average(call: NodeCall) -> Work:
    """``(N, C, *size) -> (N, C, *size')``: the mean of each window, with its padding where that counts."""
    kernel, outputs = tuple(call.attributes["kernel_shape"]), call.output.elements
    if call.number("count_include_pad"):
        return pooled(call, "avg_pool", outputs * prod(kernel))
    axes = _axes(call, kernel)
    positions = prod(each.windows for each in axes)
    within = prod(each.within(call.text("auto_pad", "NOTSET")) for each in axes)
    return pooled(call, "avg_pool", outputs // max(positions, 1) * within)


@operators("GlobalAveragePool")
@operators("QLinearGlobalAveragePool", domain=MICROSOFT)
@operators("GlobalAveragePool", domain=BLOCKED)
def average_of_all(call: NodeCall) -> Work:
    """``(N, C, *size) -> (N, C, 1, ...)``: one window over the whole map."""
    return pooled(call, "adaptive_avg_pool", call.input(0).elements)


class Axis(NamedTuple):
    """An axis of a map, and the windows along it; ``padding`` is that at its beginning."""

    size: int
    windows: int
    kernel: int
    stride: int
    dilation: int
    padding: int

    def begin(self, mode: str) -> int:
        """The padding at the beginning: half of what the windows miss, rounded down or up."""
        if not mode.startswith("SAME"):
            return self.padding
        reached = (self.windows - 1) * self.stride + self.dilation * (self.kernel - 1) + 1
        return (max(reached - self.size, 0) + (mode == "SAME_LOWER")) // 2

    def within(self, mode: str) -> int:
        """The elements in all windows, without the padding."""
        starts = (window * self.stride - self.begin(mode) for window in range(self.windows))
        places = range(0, self.kernel * self.dilation, self.dilation)
        return sum(0 <= start + place < self.size for start in starts for place in places)


def _axes(call: NodeCall, kernel: tuple[int, ...]) -> list[Axis]:
    spatial = slice(1, -1) if call.number("channels_last") else slice(2, None)
    once, none = (1,) * len(kernel), (0,) * len(kernel)
    settings = (
        tuple(call.attributes.get(name) or default)[: len(kernel)]
        for name, default in (("strides", once), ("dilations", once), ("pads", none))
    )
    sizes, counts = call.input(0).shape[spatial], call.output.shape[spatial]
    return [Axis(*axis) for axis in zip(sizes, counts, kernel, *settings, strict=True)]


@operators("MaxRoiPool", learned=())
def regions_maxed(call: NodeCall) -> Work:
    """``(N, C, H, W), (R, 5) -> (R, C, h, w)``: the largest of each part of a region."""
    return Work("roi_pool", inputs=call.elements_in, outputs=call.elements_out)


@operators("RoiAlign", learned=())
def regions_aligned(call: NodeCall) -> Work:
    """``(N, C, H, W), (R, 4), (R) -> (R, C, h, w)``: means of samples between elements."""
    return Work("roi_align", inputs=call.elements_in, outputs=call.elements_out)


MODES = {"linear": {1: "linear", 2: "bilinear", 3: "trilinear"}, "cubic": {2: "bicubic"}}
"""How torch calls a way to interpolate, by the axes along which it does."""


@operators("Resize", "Upsample", learned=())
@operators("Upsample", domain=BLOCKED, learned=())
def resized(call: NodeCall) -> Work:
    """``(N, C, *size) -> (N, C, *size')``."""
    before, after = call.input(0).shape, call.output.shape
    axes = len(before) - 2 if before[:2] == after[:2] else len(before)
    mode = call.text("mode", "nearest")
    kind = f"interpolate_{MODES.get(mode, {}).get(axes, mode)}"
    return Work(kind, inputs=call.input(0).elements, outputs=call.output.elements)


@operators("GridSample", learned=())
@operators("GridSample", domain=MICROSOFT, learned=())
def grid_sample(call: NodeCall) -> Work:
    """``(N, C, *size), (N, *size', r) -> (N, C, *size')``."""
    mode = call.text("mode", "bilinear").removeprefix("bi")
    kind = mode if mode == "nearest" else f"bi{mode}"
    return Work(f"grid_sample_{kind}", inputs=call.elements_in, outputs=call.elements_out)
