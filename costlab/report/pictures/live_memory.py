"""The picture of live memory: what is allocated as a network runs, forward and back, and the peak."""

from collections import Counter
from collections.abc import Iterator
from itertools import accumulate, chain, groupby
from math import inf
from typing import TYPE_CHECKING, Any, NamedTuple

from costlab.errors import DefinitionError
from costlab.hardware.held.moments import Phase
from costlab.hardware.held.step import LOSS
from costlab.hardware.memory import Memory
from costlab.report.cell import human
from costlab.report.figure import BEHIND, COLORS, INK, SMALL, WIDTH, Picture, add_title, wrap_text

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.axis import YAxis
    from matplotlib.figure import Figure

LOOKS: dict[Phase, tuple[str, str, str]] = {
    "forward": ("forward", "on the way forward", COLORS[0]),
    "loss": ("loss", "in the loss", COLORS[4]),
    "backward": ("back", "on the way back", COLORS[1]),
    "optimizer": ("optimizer", "in the optimizer", COLORS[2]),
}
"""What a phase is called, where something in it is, and its color."""
LEAST = 0.015
"""The share of the picture that a phase has at least: the optimizer's one moment would not be seen."""
APART = 0.026
"""The least distance of the names of two modules, as a share of the picture: one letter, and some room."""
ROOM = 1.3
"""How far up the axis goes, in peaks: above it stands what it is."""
LETTERS, BESIDE = 18, 46
"""The most letters of a module's name at the axis, and in a line at the peak."""
UNNAMED = ("", LOSS)
"""Paths of what is in no module that has a name."""
BOUNDARIES = 80
"""The most modules of which each begins at a mark on the axis."""


class Stretch(NamedTuple):
    """Operations of one module that run one after another, with the bytes that are allocated at each."""

    phase: Phase
    module: str
    live: tuple[int, ...]


class LiveMemory(NamedTuple):
    """The data: what is allocated, stretch by stretch, beside the bytes that ``stay``.

    ``peak`` is the path of the module where the most is allocated for the first time.
    """

    title: str
    stays: int
    stretches: tuple[Stretch, ...]
    peak: str

    @property
    def live(self) -> tuple[int, ...]:
        """The bytes at each moment."""
        return tuple(chain.from_iterable(stretch.live for stretch in self.stretches))

    @property
    def phases(self) -> tuple[Phase, ...]:
        """The phase of each moment."""
        return tuple(each.phase for each in self.stretches for _ in each.live)

    @property
    def edges(self) -> tuple[float, ...]:
        """Where each moment begins, and the last one ends, as shares of the whole."""
        many = Counter(self.phases)
        wide = {phase: max(moments / len(self.live), LEAST) for phase, moments in many.items()}
        steps = (wide[phase] / many[phase] for phase in self.phases)
        return tuple(at / sum(wide.values()) for at in accumulate(steps, initial=0.0))


def live_memory_of(memory: Memory, depth: int = 1) -> LiveMemory:
    """The data of the picture, with modules at ``depth`` below the root.

    Raises:
        DefinitionError: sizes are symbols or arrays, or nothing is allocated.
    """
    peak = memory.peak
    if peak.live == 0:
        raise DefinitionError(f"{memory.label}: nothing is allocated, and there is nothing to draw")
    moments: Any = memory.moments  # of plain numbers: there is a peak
    grouped = groupby(moments, key=lambda each: (each.phase, ".".join(each.path.split(".")[:depth])))
    found = [Stretch(*key, tuple(moment.live for moment in group)) for key, group in grouped]
    stays: Any = memory.resident
    return LiveMemory(memory.title, int(stays), tuple(found), peak.path)


def live_memory_picture(memory: Memory, name: str = "", depth: int = 1) -> Picture[LiveMemory]:
    """What is allocated at each operation, a color for each phase, with the peak and the modules' names.

    Raises:
        DefinitionError: sizes are symbols or arrays, or nothing is allocated.
    """
    phases = "forward" if memory.optimizer is None else "forward, in the loss, back and in the optimizer"
    alt = f"Steps: bytes that are allocated as {memory.label} runs {phases}, operation by operation"
    return Picture(name, alt, live_memory_of(memory, depth), draw_live_memory, (WIDTH, 5.2))


def draw_live_memory(figure: "Figure", data: LiveMemory) -> None:
    """Draw the steps, and name the modules and the peak."""
    add_title(figure, data.title)
    axes = figure.subplots()
    axes.set(xlim=(0, 1), ylim=(0, ROOM * max(data.live)))
    _draw_phases(axes, data)
    _name_modules(axes, data)
    _name_peak(axes, data)
    _format_bytes(axes.yaxis)
    axes.grid(visible=True, axis="y")
    stays = f", beside {human(data.stays, 'B')} that stay" if data.stays else ""
    axes.set_ylabel(f"bytes allocated{stays}")
    axes.set_xlabel("operations, in the order in which they run")
    if len({each.phase for each in data.stretches}) > 1:
        figure.legend(ncols=len(LOOKS), loc="outside lower center")


def _draw_phases(axes: "Axes", data: LiveMemory) -> None:
    """A step for each operation, filled in the color of its phase."""
    edges, start = data.edges, 0
    for phase, stretches in groupby(data.stretches, key=lambda each: each.phase):
        live = [float(size) for each in stretches for size in each.live]
        name, _, color = LOOKS[phase]
        end = start + len(live)
        axes.stairs(live, edges[start : end + 1], fill=True, color=color, alpha=0.8, label=name)
        start = end
    axes.stairs([float(size) for size in data.live], edges, color=INK, linewidth=0.7)


def _spans(data: LiveMemory) -> Iterator[tuple[str, float, float]]:
    """The modules as they run forward and back, with where each begins and ends."""
    edges, start = data.edges, 0
    for each in data.stretches:
        end = start + len(each.live)
        if each.phase in ("forward", "backward") and each.module not in UNNAMED:
            yield each.module, edges[start], edges[end]
        start = end


def _name_modules(axes: "Axes", data: LiveMemory) -> None:
    """Names below the axis, as far as there is room: the widest modules first; and marks between modules."""
    named: dict[float, str] = {}
    for name, start, end in sorted(_spans(data), key=lambda span: round(span[1] - span[2], 9)):
        middle = (start + end) / 2
        if min((abs(middle - other) for other in named), default=inf) >= APART:
            named[middle] = name
    axes.set_xticks([*named], [_shortened(name) for name in named.values()], rotation=90)
    axes.tick_params(axis="x", length=0, pad=6)
    between = sorted({edge for _, *span in _spans(data) for edge in span})
    axes.set_xticks(between if len(between) <= BOUNDARIES else [], minor=True)
    axes.tick_params(axis="x", which="minor", length=5, color=INK)


def _shortened(name: str) -> str:
    return name if len(name) <= LETTERS else f"{name[: LETTERS - 4]} ..."


def _name_peak(axes: "Axes", data: LiveMemory) -> None:
    """A mark at the peak, and above it how much it is and where."""
    place = data.live.index(max(data.live))
    at, most = sum(data.edges[place : place + 2]) / 2, float(data.live[place])
    phase = data.phases[place]
    said = [f"peak: {human(data.live[place], 'B')}, {LOOKS[phase][1]}"]
    if data.peak == LOSS and phase == "backward":
        said.append("from the loss")
    if data.peak not in UNNAMED:
        said.append(wrap_text(data.peak.replace(".", ". "), BESIDE).replace(". ", "."))
    axes.plot(at, most, "o", color=INK, markersize=5)
    axes.annotate(
        "\n".join(said),
        (at, most),
        (0, 7),
        textcoords="offset points",
        ha="left" if at < 1 / 3 else "right" if at > 2 / 3 else "center",
        va="bottom",
        fontsize=SMALL,
        bbox=BEHIND,
    )


def _format_bytes(axis: "YAxis") -> None:
    """Ticks at round numbers of bytes, with their unit."""
    from matplotlib.ticker import FuncFormatter, MaxNLocator

    axis.set_major_locator(MaxNLocator(6, steps=[1, 2, 2.5, 5, 10], integer=True))
    axis.set_major_formatter(FuncFormatter(lambda size, _: human(round(size), "B").replace(".00", "")))
