"""The picture of errors against multiply-adds: members of design spaces, their front, and networks beside."""

from collections.abc import Sequence
from itertools import pairwise
from math import log
from typing import TYPE_CHECKING, Any, NamedTuple

from costlab.report.figure import (
    COLORS,
    INK,
    NORMAL,
    SMALL,
    WIDTH,
    Picture,
    add_title,
    format_sizes,
    wrap_text,
)
from costlab.report.labels import Point, label_points
from costlab.report.pictures.numbered_points import (
    BESIDE,
    draw_key,
    format_percents,
    is_numbered,
    with_baseline_mark,
)
from costlab.report.pictures.space_looks import in_legend, marker_of_space, shade_of
from costlab.report.trained_members import (
    TrainedNetwork,
    baseline_of,
    beside_of,
    front_of,
    members_of,
    space_names,
)
from costlab.report.trained_on import picture_title
from costlab.train.record import Run

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

Place = tuple[float, float]
FAR = 2.5
"""The factor between costs from which on the axis is logarithmic."""
SMALL_PART = 0.4
"""The members are drawn once more, and larger, where they take less than this part of an axis."""
MANY = 100
"""Members from which on their points are small."""
ROOM, LEAST_ROOM = 0.1, 0.005
"""The room around points as a part of what they take; the least around errors."""
LEAST_COST = 0.01
"""The least room around costs, as a part of the largest."""
DIGITS = 6
ALONE, TOGETHER, LINE, LINES = 5.0, 8.4, 0.2, 4.2
"""The height in inches of one panel and of two, and of a line of the legend; lines of the key in an inch."""
SEVERAL = "in several of the spaces"


class Group(NamedTuple):
    """The members of one space, at their multiply-adds and errors; of ``place`` -1 those of several."""

    name: str
    place: int
    points: tuple[tuple[int, float], ...]


class Front(NamedTuple):
    """The data: members by space, the front of all, and by label what was trained beside them."""

    title: str
    baseline: str
    groups: tuple[Group, ...]
    front: tuple[tuple[int, float], ...]
    beside: tuple[tuple[str, int, float], ...]

    @property
    def members(self) -> list[tuple[int, float]]:
        """The points of all members."""
        return [point for group in self.groups for point in group.points]

    @property
    def everything(self) -> list[tuple[int, float]]:
        """The points of all networks."""
        return [*self.members, *((size, error) for _, size, error in self.beside)]

    @property
    def logarithmic(self) -> bool:
        """Whether the costs are too far apart for a linear axis."""
        sizes = [size for size, _ in self.everything]
        return max(sizes) > FAR * min(sizes) > 0

    @property
    def crowded(self) -> bool:
        """Whether the members take but a small part of one of the axes."""
        scale = log if self.logarithmic else float
        return any(
            max(few) - min(few) < SMALL_PART * (max(every) - min(every))
            for few, every in zip(_scaled(self.members, scale), _scaled(self.everything, scale), strict=True)
        )

    @property
    def legend(self) -> list[str]:
        """What is said of the groups."""
        return [in_legend(group.name) for group in self.groups]


def _scaled(points: Sequence[tuple[int, float]], scale: Any) -> tuple[list[float], list[float]]:
    return [scale(size) for size, _ in points], [error for _, error in points]


def errors_and_costs(run: Run) -> Front:
    """The networks with a result."""
    members = [each for each in members_of(run) if each.error is not None]
    groups = []
    for place, name in [*enumerate(space_names(run)), (-1, SEVERAL)]:
        inside = [each for each in members if each.spaces == (place,) or (place < 0 and len(each.spaces) > 1)]
        if inside:
            groups.append(Group(name, place, tuple(_point(each) for each in inside)))
    baseline = baseline_of(run)
    return Front(
        f"{picture_title(run)}: error and counted cost",
        baseline.label if baseline else "",
        tuple(groups),
        tuple(_point(each) for each in front_of(members)),
        tuple((each.label, *_point(each)) for each in beside_of(run) if each.error is not None),
    )


def _point(network: TrainedNetwork) -> tuple[int, float]:
    """Where a network with a result lies."""
    assert network.error is not None
    return network.multiply_adds, round(network.error, DIGITS)


def front_picture(run: Run, name: str) -> Picture[Front]:
    """A point for each network; where the members are crowded, they are drawn once more and larger."""
    data = errors_and_costs(run)
    alt = (
        f"Points: {picture_title(run)}; top-1 error against multiply-adds, with the front of the members as "
        "a line"
    )
    lines = sum(text.count("\n") + 1 for text in data.legend)
    height = (TOGETHER if data.crowded else ALONE) + LINE * lines
    return Picture(f"{name}_front", alt, data, draw_front, (WIDTH, height))


def draw_front(figure: "Figure", data: Front) -> None:
    """Draw all networks, and the members by themselves if they are crowded."""
    add_title(figure, data.title)
    labels = [with_baseline_mark(label, data.baseline) for label, _, _ in data.beside]
    many = is_numbered(labels)
    grid = figure.add_gridspec(1 + data.crowded, 1 + many, width_ratios=(5, 2)[: 1 + many])
    panels = [figure.add_subplot(grid[row, 0]) for row in range(1 + data.crowded)]
    if many:
        key = figure.add_subplot(grid[:, 1])
        draw_key(key, labels, "", round(LINES * (TOGETHER if data.crowded else ALONE)))
    texts = (
        list(map(str, range(1, 1 + len(labels)))) if many else [wrap_text(each, BESIDE) for each in labels]
    )
    points = [
        Point(size, error, text, INK) for (_, size, error), text in zip(data.beside, texts, strict=True)
    ]
    figure.supylabel("top-1 error on validation images", fontsize=NORMAL)
    for panel, shown in zip(panels, (data.everything, data.members), strict=False):
        _scale(panel, shown, logarithmic=data.logarithmic)
        _draw(panel, data)
        scale = ", logarithmic" if panel.get_xscale() == "log" else ""
        panel.set_xlabel(f"multiply-adds of an image in inference, counted{scale}", fontsize=SMALL)
    handles, names = panels[0].get_legend_handles_labels()
    figure.legend(handles, names, loc="outside lower left", ncols=1)
    whole, frame = panels[0], list[Place]()
    if data.crowded:
        near = panels[1]
        near.set_title("the frame above, larger", fontsize=SMALL)
        (left, right), (bottom, top) = near.get_xlim(), near.get_ylim()
        frame = [(left, bottom), (right, bottom), (right, top), (left, top), (left, bottom)]
        whole.plot(*zip(*frame, strict=True), color=COLORS[7], linewidth=1)  # not to be taken for the front
        inside = [each for each in points if left <= each.x <= right and bottom <= each.y <= top]
        _name(near, inside, data)
        points = [each for each in points if each not in inside]
    _name(whole, points, data, frame)


def _draw(axes: "Axes", data: Front) -> None:
    """The points, and the front as a line of steps."""
    size = 3.5 if len(data.members) >= MANY else 6
    edges: dict[str, Any] = {"markeredgecolor": "white", "markeredgewidth": 0.6, "linestyle": "none"}
    for group, text in zip(data.groups, data.legend, strict=True):
        look: Any = {"marker": marker_of_space(group.place), "color": shade_of(group.place)}
        axes.plot(*zip(*group.points, strict=True), **look, markersize=size, label=text, zorder=2, **edges)
    if data.front:
        axes.plot(
            *zip(*_outline(axes, data), strict=True),
            drawstyle="steps-post",
            color=INK,
            linewidth=1.2,
            zorder=1.5,
            label="the front of the members",
        )
    said = {True: "the baseline", False: "trained beside the members"}
    for label, cost, error in data.beside:
        is_first = label == data.baseline
        axes.plot(
            cost,
            error,
            marker="D",
            markersize=7 if is_first else 6,
            markerfacecolor=INK if is_first else "white",
            markeredgecolor="white" if is_first else INK,
            linestyle="none",
            label=said.pop(is_first, ""),
            zorder=4 if is_first else 3,
        )
    axes.grid(visible=True)


def _outline(axes: "Axes", data: Front) -> list[Place]:
    """The front from the upper end of the axes to the right one: some member surpasses what is beyond it."""
    (first, _), (_, last) = data.front[0], data.front[-1]
    return [(first, axes.get_ylim()[1]), *data.front, (axes.get_xlim()[1], last)]


def _scale(axes: "Axes", points: Sequence[tuple[int, float]], *, logarithmic: bool) -> None:
    """The axes around these points."""
    from matplotlib.ticker import FuncFormatter, LogLocator, MaxNLocator

    sizes, errors = _scaled(points, float)
    least, most = min(sizes), max(sizes)
    format_sizes(axes.xaxis)
    if logarithmic and least > 0 and most > FAR * least:
        axes.set_xscale("log")
        room = (most / least) ** ROOM
        axes.set_xlim(least / room, most * room)
        axes.xaxis.set_major_locator(
            LogLocator(subs=(1, 2, 5) if most > 10 * least else (1, 1.5, 2, 3, 5, 7))
        )
        format_sizes(axes.xaxis)
    else:
        room = max(ROOM * (most - least), LEAST_COST * most, 1)
        axes.set_xlim(least - room, most + room)
        axes.xaxis.set_major_locator(MaxNLocator(5, integer=True))
        if most - least < 0.02 * most:
            axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{round(value):,}"))
    room = max(ROOM * (max(errors) - min(errors)), LEAST_ROOM)
    axes.set_ylim(min(errors) - room, max(errors) + room)
    format_percents(axes.yaxis)


def _name(axes: "Axes", points: Sequence[Point], data: Front, frame: Sequence[Place] = ()) -> None:
    """Put names or numbers beside the networks that were trained beside the members."""
    labelled = {(point.x, point.y) for point in points}
    outline = _outline(axes, data) if data.front else []
    stairs = [corner for (_, high), (at, low) in pairwise(outline) for corner in ((at, high), (at, low))]
    others = [(float(size), error) for size, error in data.everything if (size, error) not in labelled]
    (left, right), (bottom, top) = axes.get_xlim(), axes.get_ylim()
    seen = [each for each in others if left <= each[0] <= right and bottom <= each[1] <= top]
    label_points(axes, points, [[*outline[:1], *stairs], list(frame)], seen)
