"""What all pictures share: the style, the digest of the data, and writing them to files.

They are drawn without a display, with matplotlib's own font, and do not depend on the user's style.
"""

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from hashlib import sha256
from io import BytesIO
from json import dumps
from pathlib import Path
from textwrap import wrap
from typing import TYPE_CHECKING, Any, Generic, Literal, TypeVar
from warnings import catch_warnings, simplefilter

from costlab.errors import OutputError
from costlab.messages import first_sentence
from costlab.report.cell import human

if TYPE_CHECKING:
    from matplotlib.figure import Figure

T = TypeVar("T", bound=tuple[Any, ...])
Form = Literal["png", "svg"]

FONT = "DejaVu Sans"
FONT_FILES = ("DejaVuSans.ttf", "DejaVuSans-Bold.ttf")
DPI = 150
WIDTH = 8.0
"""The width of a picture in inches: letters of `SMALL` points are legible at half the size."""
SMALL = 9.0
NORMAL = 10.0
COLORS = ("#0072B2", "#E69F00", "#009E73", "#D55E00", "#CC79A7", "#56B4E9", "#F0E442", "#999999")
"""Eight colors that color-blind people can distinguish (M. Okabe and K. Ito, 2008), with gray for black."""
HATCHES = ("", "///", "...")
INK = "#333333"
FAINT = "#DDDDDD"
BEHIND = {"facecolor": "white", "edgecolor": "none", "pad": 0.8}
"""The background of text that may cross a line."""
STYLE: dict[Any, Any] = {
    "axes.axisbelow": True,
    "axes.edgecolor": INK,
    "axes.labelcolor": INK,
    "axes.spines.right": False,
    "axes.spines.top": False,
    "axes.titlelocation": "left",
    "axes.titlesize": NORMAL,
    "font.family": FONT,
    "font.size": NORMAL,
    "grid.color": FAINT,
    "grid.linewidth": 0.8,
    "hatch.linewidth": 0.6,
    "legend.fontsize": SMALL,
    "legend.frameon": False,
    "svg.hashsalt": "costlab",
    "text.color": INK,
    "text.parse_math": False,
    "xtick.color": INK,
    "xtick.labelsize": SMALL,
    "ytick.color": INK,
    "ytick.labelsize": SMALL,
}
MARK = "costlab-digest"
REPORT = "costlab-report"
"""The keys of a picture's metadata: the digest of its data, and its name in a report."""
PNG_END = b"IEND\xaeB`\x82"
IN_SVG = re.compile(rf"{MARK}:([0-9a-f]+)")


@dataclass(frozen=True)
class Picture(Generic[T]):
    """A picture: its data, a named tuple of values for JSON, and the function that draws it.

    ``name`` is that of the file without its suffix, empty for a picture outside of reports; ``alt`` describes
    the picture in a sentence, ``size`` is in inches.
    """

    name: str
    alt: str
    data: T
    draw: "Callable[[Figure, T], None]"
    size: tuple[float, float]

    @property
    def digest(self) -> str:
        """A hash of the data."""
        return sha256(dumps([type(self.data).__name__, self.data]).encode()).hexdigest()

    def file(self, form: Form = "png") -> bytes:
        """The picture as a file, with the digest of its data and without a date.

        Raises:
            OutputError: the font is missing in matplotlib.
        """
        marks: dict[str, Any] = {"Software": None, MARK: self.digest} | (
            {REPORT: self.name} if self.name else {}
        )
        if form == "svg":
            identifier = " ".join(
                [f"{MARK}:{self.digest}", *([f"{REPORT}:{self.name}"] if self.name else [])]
            )
            marks = {"Creator": None, "Date": None, "Identifier": identifier}
        out = BytesIO()
        with picture_style():
            from matplotlib.backends.backend_agg import FigureCanvasAgg
            from matplotlib.figure import Figure

            figure = Figure(figsize=self.size, dpi=DPI, layout="constrained")
            FigureCanvasAgg(figure)
            self.draw(figure, self.data)
            figure.savefig(out, format=form, metadata=marks)
        return out.getvalue()


@contextmanager
def picture_style() -> Iterator[None]:
    """The style of all pictures, instead of the user's.

    Raises:
        OutputError: matplotlib cannot be loaded, or lacks the font.
    """
    with _quiet():
        try:
            import matplotlib as mpl
        except ValueError as error:  # an invalid setting in the environment, such as MPLBACKEND
            raise OutputError(
                f"pictures need matplotlib, which does not load: {first_sentence(error)}"
            ) from error
    with _quiet(), mpl.rc_context(), catch_warnings():
        mpl.rcdefaults()
        mpl.rcParams.update(STYLE)
        _register_font()
        simplefilter("ignore", UserWarning)  # characters that the font lacks are drawn as boxes
        yield


@contextmanager
def _quiet() -> Iterator[None]:
    """Silences matplotlib's messages about the user's settings and folders, which are not used."""
    from logging import CRITICAL, getLogger

    logger = getLogger("matplotlib")
    level = logger.level
    logger.setLevel(CRITICAL)
    try:
        yield
    finally:
        logger.setLevel(level)


def _register_font() -> None:
    """Make matplotlib find the font that comes with it, even if its cache of fonts lacks it."""
    from matplotlib import font_manager, get_data_path

    for name in FONT_FILES:
        file = Path(get_data_path(), "fonts", "ttf", name)
        if not file.is_file():
            reason = f"pictures need the font {FONT}, which comes with matplotlib, and {name} is not there"
            raise OutputError(f"{reason}: install matplotlib anew")
        if not any(font.fname == str(file) for font in font_manager.fontManager.ttflist):
            font_manager.fontManager.addfont(file)


def digest_in(file: bytes, form: Form) -> str | None:
    """The digest in a picture; None if there is none, or the picture is incomplete."""
    if form == "svg":
        match = IN_SVG.search(file.decode("utf-8", "replace"))
        return match[1] if match and _is_whole_svg(file) else None
    if not file.endswith(PNG_END):
        return None
    from PIL import Image

    try:
        with catch_warnings(), Image.open(BytesIO(file), formats=["PNG"]) as picture:
            simplefilter("error")  # about a suspiciously large picture
            picture.load()
            digest: Any = getattr(picture, "text", {}).get(MARK)
    except (OSError, SyntaxError, ValueError, Warning, Image.DecompressionBombError):  # of what is altered
        return None
    return None if digest is None else str(digest)


def bears_name(file: bytes, name: str) -> bool:
    """Whether a file is the picture of that name, complete or not, or is empty."""
    marks = (f"{REPORT}{between}{name}{after}".encode() for between, after in (("\0", ""), (":", "<")))
    return not file or any(mark in file for mark in marks)


def _is_whole_svg(file: bytes) -> bool:
    from xml.parsers.expat import ExpatError, ParserCreate

    try:
        ParserCreate().Parse(file, True)
    except ExpatError:
        return False
    return True


def add_title(figure: "Figure", title: str, width: int = 76) -> None:
    """The title of a picture, at the left."""
    lines = "\n".join(wrap_text(line, width) for line in title.split("\n"))
    figure.suptitle(lines, x=0.01, ha="left", fontsize=11, fontweight="bold")


def wrap_text(text: str, width: int) -> str:
    """A text on at most three lines."""
    return "\n".join(wrap(text, width, max_lines=3, placeholder=" ..."))


def format_sizes(axis: Any) -> None:
    """Label an axis of sizes with prefixes: 1 G, 100 M."""
    from matplotlib.ticker import FuncFormatter, NullFormatter

    def label(value: float, _: Any = None) -> str:
        return human(round(value)).replace(".00", "")

    axis.set_major_formatter(FuncFormatter(label))
    axis.set_minor_formatter(NullFormatter())


def format_ratios(axis: Any) -> None:
    """Label an axis of ratios: 1x, 10x."""
    from matplotlib.ticker import FuncFormatter, NullFormatter

    axis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}x"))
    axis.set_minor_formatter(NullFormatter())


def format_percents(axis: Any) -> None:
    """Label an axis of fractions in percent."""
    from matplotlib.ticker import PercentFormatter

    axis.set_major_formatter(PercentFormatter(1, decimals=0))


def readable_on_white(color: str) -> Any:
    """A color that is legible on white: light ones are darkened."""
    from matplotlib.colors import to_rgb

    return tuple(0.65 * part for part in to_rgb(color)) if readable_ink(color) == "black" else color


def readable_ink(color: Any) -> str:
    """Black or white, whichever is legible on a color (by its luma)."""
    from matplotlib.colors import to_rgb

    red, green, blue = to_rgb(color)
    return "black" if 0.299 * red + 0.587 * green + 0.114 * blue > 0.48 else "white"
