"""What all pictures share: files that hold the digest of their data, in one style, with one font."""

import struct
import zlib
from pathlib import Path
from typing import NamedTuple

import matplotlib as mpl
import pytest
from matplotlib import font_manager
from matplotlib.figure import Figure

from costlab.errors import OutputError
from costlab.report.figure import COLORS, Form, Picture, digest_in, readable_ink
from tests.report.test_bars import chunks

FORMS: tuple[Form, ...] = ("png", "svg")


class Dots(NamedTuple):
    title: str
    values: tuple[int, ...]


def draw(figure: Figure, data: Dots) -> None:
    figure.subplots().plot(data.values)
    figure.suptitle(data.title)


def picture(title: str = "Title", *values: int) -> Picture[Dots]:
    return Picture("dots", "Some dots", Dots(title, values or (1, 2, 3)), draw, (2.0, 2.0))


@pytest.mark.parametrize("form", FORMS)
def test_a_file_holds_the_digest_of_its_data(form: Form) -> None:
    assert digest_in(picture().file(form), form) == picture().digest
    assert digest_in(picture("Title", 1, 2).file(form), form) == picture("Title", 1, 2).digest
    assert len({picture().digest, picture("Title", 1, 2).digest, picture("Other").digest}) == 3


def test_the_digest_is_of_the_kind_of_data_too() -> None:
    class Lines(NamedTuple):
        title: str
        values: tuple[int, ...]

    same = Picture("dots", "Some dots", Lines("Title", (1, 2, 3)), draw, (2.0, 2.0))  # type: ignore[arg-type]  # alike
    assert same.digest != picture().digest


@pytest.mark.parametrize("form", FORMS)
def test_a_file_is_the_same_again_and_holds_no_time(form: Form) -> None:
    file = picture().file(form)
    assert picture().file(form) == file
    if form == "png":
        assert b"tIME" not in chunks(file)
        assert [text.split(b"\0")[0] for text in chunks(file)[b"tEXt"]] == [
            b"costlab-digest",
            b"costlab-report",
        ]
    else:
        assert b"<dc:date>" not in file
        assert b"Matplotlib" not in file.replace(b"matplotlib.org", b"").split(b"<defs>")[0]


@pytest.mark.parametrize("form", FORMS)
def test_the_style_is_not_the_users_and_theirs_stays(form: Form) -> None:
    file = picture().file(form)
    with mpl.rc_context({"font.size": 30, "lines.linewidth": 9, "svg.fonttype": "none"}):
        before = dict(mpl.rcParams)
        assert picture().file(form) == file
        assert dict(mpl.rcParams) == before


@pytest.mark.parametrize("form", FORMS)
def test_a_file_that_is_cut_off_or_altered_holds_no_digest(form: Form) -> None:
    file = picture().file(form)
    for end in (0, 8, 60, len(file) // 2, len(file) - 30, len(file) - 3):
        assert digest_in(file[:end], form) is None
    assert digest_in(b"something else", form) is None
    assert digest_in(file + b"more", form) is None
    if form == "svg":
        assert digest_in(file[: len(file) // 3] + b"</svg>", form) is None
    if form == "png":
        middle = file.index(b"IDAT") + 40
        assert digest_in(file[:middle] + bytes([file[middle] ^ 255]) + file[middle + 1 :], form) is None


def test_another_png_holds_no_digest() -> None:
    assert digest_in(png(1), "png") is None


def test_a_png_that_is_too_large_is_none_of_ours() -> None:
    assert digest_in(png(20_000), "png") is None


def png(side: int) -> bytes:
    """A gray picture, of which there is but one row."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    head = chunk(b"IHDR", struct.pack(">IIBBBBB", side, side, 8, 0, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + head + chunk(b"IDAT", zlib.compress(b"\0\0")) + chunk(b"IEND", b"")


def test_a_missing_font_is_one_line(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(mpl, "get_data_path", lambda: str(tmp_path))
    message = (
        r"^pictures need the font .* matplotlib, and DejaVuSans\.ttf is not there: install matplotlib anew$"
    )
    with pytest.raises(OutputError, match=message):
        picture().file()


def test_the_font_is_found_though_the_cache_of_fonts_lacks_it(monkeypatch: pytest.MonkeyPatch) -> None:
    file = picture().file()
    manager = font_manager.fontManager
    monkeypatch.setattr(manager, "ttflist", [font for font in manager.ttflist if "DejaVu" not in font.name])
    assert picture().file() == file


def test_letters_on_a_color() -> None:
    assert (readable_ink("#000000"), readable_ink("#FFFFFF")) == ("white", "black")
    assert (readable_ink(COLORS[0]), readable_ink(COLORS[6])) == ("white", "black")
