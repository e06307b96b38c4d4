"""The picture of hours: how long a run of training takes on one device at least, for each of the table."""

from fractions import Fraction
from typing import TYPE_CHECKING, Any, NamedTuple

from costlab.algebra.combine import marked
from costlab.hardware.device import devices
from costlab.hardware.training_cost import training_cost
from costlab.hardware.training_run import HOUR
from costlab.report.figure import BEHIND, COLORS, INK, SMALL, WIDTH, Picture, add_title

if TYPE_CHECKING:
    from matplotlib.figure import Figure

NETWORK = "inception_v3"
MEASURED_ON, IMAGES_PER_SECOND = "k40", Fraction("9.5")
"""A published log of the released code: a K40c took 9.4 to 9.6 images a second, in batches of 32."""
SORTS: dict[str, tuple[str, ...]] = {
    "float32": ("float32",),
    "tf32": ("tf32",),
    "bfloat16 or float16": ("bfloat16", "float16"),
}
"""The types that are drawn, with what counts as each: of several, the fastest."""
TWO_IN_ONE = frozenset({"k80"})
"""Boards with two devices, on one of which a network runs: the half of the board is in the table, too."""
MARKERS = ("o", "s", "D")
ROW = 0.235
"""Inches."""


class DeviceHours(NamedTuple):
    """A device with the hours that a run takes on one at its peak, by those of `SORTS` that it has one in."""

    name: str
    year: int
    hours: tuple[tuple[str, float], ...]


class TrainingHours(NamedTuple):
    """The data: the devices by year, and the hours at the speed that was measured on one of them."""

    title: str
    devices: tuple[DeviceHours, ...]
    measured_on: str
    measured: float


def training_hours() -> TrainingHours:
    """The data of the picture: the paper's images and epochs, with the auxiliary head, on one device."""
    cost = training_cost(
        NETWORK, aux=True, replicas=1, device=MEASURED_ON, images_per_second=IMAGES_PER_SECOND
    )
    found = []
    for device in devices().values():
        peaks = {sort: max(device.peaks.get(each, 0) for each in types) for sort, types in SORTS.items()}
        hours = tuple((sort, float(Fraction(cost.flop, peak * HOUR))) for sort, peak in peaks.items() if peak)
        if device.year is not None and hours and device.name not in TWO_IN_ONE:
            found.append(DeviceHours(marked(device.name, device.unverified), device.year, hours))
    measured = cost.device_hours
    assert measured is not None  # as fast as it is said to be
    return TrainingHours(
        f"Hours of training Inception v3 on one device, {cost.samples:,} images",
        tuple(sorted(found, key=lambda each: each.year)),
        MEASURED_ON,
        measured,
    )


def training_hours_picture() -> Picture[TrainingHours]:
    """A row for each device, a mark for each type that it has a peak in, and what was measured."""
    data = training_hours()
    alt = "Points: hours that training Inception v3 takes at least on one device, by device and type"
    return Picture("training_hours", alt, data, draw_hours, (WIDTH, 2 + ROW * len(data.devices)))


def draw_hours(figure: "Figure", data: TrainingHours) -> None:
    """Draw the hours."""
    from matplotlib.ticker import FuncFormatter, NullFormatter

    add_title(figure, data.title)
    axes = figure.subplots()
    axes.set_xscale("log")
    for place, (sort, marker) in enumerate(zip(SORTS, MARKERS, strict=True)):
        known = [(dict(each.hours).get(sort), row) for row, each in enumerate(data.devices)]
        points: Any = [(hours, row) for hours, row in known if hours is not None]
        look: Any = {"linestyle": "none", "marker": marker, "markersize": 6 - place, "color": COLORS[place]}
        axes.plot(*zip(*points, strict=True), label=f"at least, in {sort}", **look)
    (row,) = (row for row, each in enumerate(data.devices) if each.name == data.measured_on)
    axes.plot(data.measured, row, "*", color=COLORS[3], markersize=11, label="measured elsewhere, on a K40c")
    axes.annotate(
        f"{data.measured:,.0f} h",
        (data.measured, row),
        (-8, 0),
        textcoords="offset points",
        ha="right",
        va="center",
        fontsize=SMALL,
        color=INK,
        bbox=BEHIND,
    )
    axes.set_yticks(range(len(data.devices)), [f"{each.name}, {each.year}" for each in data.devices])
    axes.set_ylim(len(data.devices) - 0.5, -0.5)
    axes.tick_params(axis="y", length=0)
    axes.xaxis.set_major_formatter(FuncFormatter(lambda hours, _: f"{hours:,g} h"))
    axes.xaxis.set_minor_formatter(NullFormatter())
    axes.set_xlabel("hours, logarithmic; (?): a figure of the device was not held against a source")
    axes.grid(visible=True)
    figure.legend(ncols=2, loc="outside lower center")
