"""Looking at a picture as it is drawn: where its letters lie."""

from collections.abc import Iterator
from typing import Any, NamedTuple

from matplotlib.axes import Axes
from matplotlib.axis import Axis
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.text import Text
from matplotlib.transforms import Bbox

from costlab.report.figure import DPI, Picture, picture_style


class Letters(NamedTuple):
    """A text where it is drawn, in pixels."""

    text: str
    box: Bbox
    size: float


def render(picture: Picture[Any]) -> Figure:
    """The figure of a picture, drawn."""
    with picture_style():
        figure = Figure(figsize=picture.size, dpi=DPI, layout="constrained")
        FigureCanvasAgg(figure)
        picture.draw(figure, picture.data)
        figure.canvas.draw()
    return figure


def letters_of(figure: Figure) -> list[Letters]:
    """Every text that can be seen."""
    hidden = {id(label) for axes in figure.axes for label in _beyond(axes)}
    found = []
    for text in figure.findobj(Text):
        assert isinstance(text, Text)
        if (
            text.get_visible()
            and text.get_text().strip()
            and id(text) not in hidden
            and _is_shown(text, figure)
        ):
            box = Text.get_window_extent(text)
            found.append(Letters(text.get_text(), box, float(text.get_fontsize())))
    return found


def _is_shown(text: Text, figure: Figure) -> bool:
    """Whether nothing that holds the text is hidden, as axes that are off hide their ticks."""
    axes = text.axes
    if axes is None or axes.axison:
        return True
    return text in axes.texts


def _beyond(axes: Axes) -> Iterator[Text]:
    """Labels of ticks that are not drawn: beyond the view, or shared with another panel."""
    axis: Axis
    for axis in (axes.xaxis, axes.yaxis):
        low, high = sorted(axis.get_view_interval())
        for tick in (*axis.get_major_ticks(), *axis.get_minor_ticks()):
            inside = low - 1e-9 <= tick.get_loc() <= high + 1e-9
            for label in (tick.label1, tick.label2):
                if not inside or not label.get_visible():
                    yield label


def overlaps(letters: list[Letters], slack: float = 1.0) -> list[tuple[str, str]]:
    """The texts that lie on each other by more than ``slack`` pixels."""
    found = []
    for i, a in enumerate(letters):
        for b in letters[i + 1 :]:
            across = min(a.box.x1, b.box.x1) - max(a.box.x0, b.box.x0)
            up = min(a.box.y1, b.box.y1) - max(a.box.y0, b.box.y0)
            if across > slack and up > slack:
                found.append((a.text, b.text))
    return found
