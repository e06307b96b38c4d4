"""Writing all members of a space as they come: CSV, JSON and Parquet."""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import IO, TYPE_CHECKING, Any, TypeAlias

from costlab.cli.tables import Output
from costlab.errors import OutputError
from costlab.explore.quantities import ASKED
from costlab.explore.space import Space
from costlab.explore.written.axis import typed
from costlab.interrupts import Whole

if TYPE_CHECKING:
    from pandas import DataFrame

SHOWN_MAX = 1_000
"""The most members that a table for people shows."""
PIECE = 20_000
"""Rows that are written at once, for which an interrupt waits."""
Put: TypeAlias = Callable[["DataFrame"], None]
Writer: TypeAlias = tuple[Put, Callable[[], None]]
"""What writes a piece, and what is done after the last."""


def list_members(space: Space, many: int, out: Output) -> None:
    """Write all members; when it is interrupted, those that were written by then are kept.

    Raises:
        OutputError: there are too many for a table, or what writes Parquet is not installed.
    """
    if out.format not in WRITERS:
        _show(space, many, out)
        return
    written = 0
    with _opened(out) as stream:
        put, close = WRITERS[out.format](stream)
        try:
            for frame in space.frames():
                shown = frame if not out.columns else frame[_known(list(out.columns), frame)]
                for at in range(0, max(1, len(shown)), PIECE):
                    piece = shown.iloc[at : at + PIECE]
                    with Whole():  # no row is cut off
                        put(piece)
                        written += len(piece)
        except KeyboardInterrupt as interrupt:
            if written or out.on_stdout:
                close()
            interrupt.add_note(f"{written:,} of {many:,} rows were written")
            raise
        close()


def _show(space: Space, many: int, out: Output) -> None:
    """All members as a table, each as a target."""
    from costlab.explore.member import selection
    from costlab.explore.query.listing import indices_of
    from costlab.report.tables.explore import members_table

    if many > SHOWN_MAX:
        raise OutputError(
            f"{many:,} members are more than a table shows: give --format csv, json or parquet, or --top"
        )
    members = [*map(space.member, indices_of(space))]
    out.emit(members_table(space, selection(space, f"{many:,} members", members)))


def _known(names: list[str], frame: "DataFrame") -> list[str]:
    known = [str(name) for name in frame]
    for name in names:
        if name not in known:
            raise OutputError(f"--columns: there is no column {name!r}; there is {', '.join(known)}")
    return names


@contextmanager
def _opened(out: Output) -> Iterator[IO[bytes]]:
    """Where the rows go: standard output, or the file, which gets its name when all is written, or kept."""
    if out.on_stdout or out.file is None:
        if out.format == "parquet":
            raise OutputError("--format parquet is for a file: name it with -o")
        yield sys.stdout.buffer
        return
    from costlab.files import stream

    with stream(out.file, replace=out.force) as opened:
        yield opened


def _csv(stream: IO[bytes]) -> Writer:
    first = True

    def put(frame: "DataFrame") -> None:
        nonlocal first
        stream.write(frame.to_csv(index=False, header=first, lineterminator="\n").encode())
        first = False

    return put, stream.flush


def _json(stream: IO[bytes]) -> Writer:
    import json

    between = b'{"rows": ['

    def put(frame: "DataFrame") -> None:
        nonlocal between
        for row in frame.astype(object).to_dict("records"):
            stream.write(between + json.dumps(row, default=_plain).encode())
            between = b",\n"

    def close() -> None:
        stream.write(between if between.startswith(b"{") else b"")
        stream.write(b"]}\n")
        stream.flush()

    return put, close


def _plain(value: Any) -> Any:
    return value.item() if hasattr(value, "item") else str(value)


def _parquet(stream: IO[bytes]) -> Writer:
    try:
        import pyarrow as pa
        import pyarrow.parquet as pq
    except ImportError as error:
        raise OutputError("--format parquet needs pyarrow: pip install 'costlab[parquet]'") from error
    from decimal import Decimal

    writer: Any = None

    def column(name: str, values: Any) -> Any:
        if values.dtype != object:
            return pa.array(values)
        if name in ASKED:  # beyond 64 bits
            return pa.array([Decimal(value) for value in values], pa.decimal256(76))
        return pa.array([value if value is None else typed(value) for value in values], pa.string())

    def put(frame: "DataFrame") -> None:
        nonlocal writer
        table = pa.table({str(name): column(str(name), frame[name]) for name in frame})
        writer = writer or pq.ParquetWriter(stream, table.schema, compression="zstd")
        writer.write_table(table)

    def close() -> None:
        if writer is not None:
            writer.close()

    return put, close


WRITERS: dict[str, Callable[[IO[bytes]], Writer]] = {"csv": _csv, "json": _json, "parquet": _parquet}
