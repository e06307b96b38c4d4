"""The tables of what is zero in the weights of a module, of its bits, and of its bytes."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, TypeAlias

from costlab.algebra.inputs import Inputs
from costlab.algebra.operands import Role
from costlab.counting.overview import MOST
from costlab.hardware.compression.compression import Compression
from costlab.hardware.compression.layer import Layer
from costlab.hardware.compression.zeros import Zeros
from costlab.report.cell import Column, Remark, human, plural
from costlab.report.table import Table

Rows: TypeAlias = Sequence[tuple[Layer, int]]
"""Modules, with their bytes."""
FORMAT, VERSION = "costlab compression", 1
UNKNOWN = "not known"
MODULE = Column("module", "module", fold=24, empty="(root)")
SHARES = (
    Column("in_channels", "in channels", "share", empty=UNKNOWN),
    Column("in_pattern", "in N:M", "share", empty=UNKNOWN),
    Column("unstructured", "unstructured", "share", empty=UNKNOWN),
)
COUNTS = (
    Column("multiply_adds", "multiply-adds", "size", sacrifice=1),
    Column("effective_multiply_adds", "effective multiply-adds", "size", empty=UNKNOWN),
    Column("parameters", "parameters", "size", sacrifice=4),
    Column("nonzero_parameters", "nonzero parameters", "size", sacrifice=3, empty=UNKNOWN),
)
PATTERN = Column("pattern", "pattern", sacrifice=2)
ZEROS = (  # with those of the other tables, which CSV holds
    *(each._replace(machine_only=True) for each in (*SHARES, PATTERN)),
    Column("weights", "weights", "size", machine_only=True),
    Column("zeros", "zeros", "size", machine_only=True),
    Column("zeros_in_outputs", "zeros in whole outputs", "size", machine_only=True),
    Column("zeros_in_inputs", "zeros in whole inputs", "size", machine_only=True),
    Column("zeros_in_pattern", "zeros in N:M", "size", machine_only=True),
    Column("zeros_unstructured", "zeros at any place", "size", machine_only=True),
    Column("zeros_untold", "zeros not told apart", "size", machine_only=True),
    Column("zero_outputs", "whole outputs", "size", machine_only=True),
    Column("zero_inputs", "whole inputs", "size", machine_only=True),
)
BITS = (
    Column("bits", "bits of weights x data", sacrifice=3),
    Column("bit_operations", "bit operations", "size", empty=UNKNOWN),
    Column("effective_bit_operations", "effective bit operations", "size", sacrifice=2, empty=UNKNOWN),
    Column("bytes", "bytes", "size"),
)
STORED = (
    Column("role", "role", machine_only=True),
    Column("held", "held for"),
    Column("bytes", "bytes", "size"),
    Column("in_short", "in short", sacrifice=1),
)
HELD: Mapping[Role, str] = {
    "weights": "weights",
    "biases": "biases",
    "scales": "scales of quantized numbers",
    "zero_points": "zero points of quantized numbers",
    "masks": "masks",
    "index": "index: which elements a sparse weight stores",
    "others": "other parameters, such as scales of norms",
    "buffers": "other buffers",
}
WIDTHS = (("float32", 32), ("float16 or bfloat16", 16), ("int8", 8), ("int4", 4))


def compression_tables(told: Compression, depth: int = 1) -> tuple[Table, ...]:
    """What is left, where the zeros are, what is how wide, and what is held for what.

    For machines the first has all by module.
    """
    rows = told.modules(depth)
    weighed = [layer for layer, _ in rows if layer.weights or layer.unknown]
    return _counts(told, rows), _places(told, weighed), _widths(told, rows), _stored(told)


def _counts(told: Compression, rows: Rows) -> Table:
    """What is left; for machines with all that the other tables have by module."""
    return Table(
        title=f"Compression of {told.title}, by module",
        columns=(MODULE, *COUNTS, *ZEROS, *(each._replace(machine_only=True) for each in BITS)),
        rows=tuple((layer.path, *_all_of(layer, size)) for layer, size in rows),
        total=("total", *_all_of(told.whole, told.bytes)),
        notes=tuple(_notes(told)),
        facts=lambda: _facts(told),
    )


def _places(told: Compression, weighed: Sequence[Layer]) -> Table:
    return Table(
        title="Zeros, as shares of the weights",
        columns=(MODULE, *SHARES, PATTERN),
        rows=tuple((layer.path, *_shares(layer), layer.zeros.pattern) for layer in weighed),
        total=("total", *_shares(told.whole), told.zeros.pattern) if weighed else None,
        notes=tuple(_notes_on_zeros(told.zeros)),
        name="zeros",
    )


def _widths(told: Compression, rows: Rows) -> Table:
    return Table(
        title="Bits and bytes",
        columns=(MODULE, *BITS),
        rows=tuple((layer.path, *_bits(layer, size)) for layer, size in rows),
        total=("total", *_bits(told.whole, told.bytes)),
        notes=("bit operations: multiply-adds times the bits of both factors",),
        name="bits",
    )


def _stored(told: Compression) -> Table:
    return Table(
        title="What is held, in bytes",
        columns=STORED,
        rows=tuple(
            (role, HELD[role], size, human(size, "B") if size >= 1000 else "")
            for role, size in told.bytes_by_role.items()
        ),
        notes=(_parameters_as(told),),
        name="stored",
    )


def _shares(layer: Layer) -> tuple[float | None, ...]:
    """Those in channels, in N:M and all others, of the elements; None where these are not known."""
    zeros = layer.zeros
    known = zeros.elements and not layer.unknown
    parts = zeros.in_channels, zeros.in_pattern, zeros.unstructured + zeros.untold
    return tuple(each / zeros.elements if known else None for each in parts)


def _all_of(layer: Layer, size: int) -> tuple[Any, ...]:
    zeros = layer.zeros
    return (
        layer.multiply_adds,
        layer.effective_multiply_adds,
        layer.parameters,
        layer.nonzero_parameters,
        *_shares(layer),
        zeros.pattern,
        zeros.elements + sum(layer.unknown.values()),
        *(
            None if layer.unknown else each
            for each in (
                zeros.zeros,
                zeros.in_outputs,
                zeros.in_inputs,
                zeros.in_pattern,
                zeros.unstructured,
                zeros.untold,
                zeros.outputs,
                zeros.inputs,
            )
        ),
        *_bits(layer, size),
    )


def _bits(layer: Layer, size: int) -> tuple[Any, ...]:
    return ", ".join(layer.widths), layer.bit_operations, layer.effective_bit_operations, size


def _notes(told: Compression) -> Iterator[str | Remark]:
    yield Remark(
        "effective multiply-adds: by weights that are not zero, and of data by data",
        ("effective_multiply_adds",),
    )
    if told.not_known:
        places = [place or "(root)" for place in told.not_known[:MOST]]
        more = len(told.not_known) - len(places)
        yield f"not known is what is zero in {', '.join(places)}" + (f" and {more} more" if more else "")
    elif told.nonzero_parameters is None:
        yield "not known is what is zero in parameters without values"


def _notes_on_zeros(zeros: Zeros) -> Iterator[Remark]:
    if zeros.outputs or zeros.inputs:
        parts = ((zeros.outputs, "filter"), (zeros.inputs, "input channel"))
        cut = " and ".join(plural(number, noun) for number, noun in parts if number)
        yield Remark(f"in channels: in {cut}, zero as a whole, which can be cut away", ("in_channels",))
    if zeros.pattern:
        yield Remark(
            f"in N:M: {zeros.pattern}, along the inputs; NVIDIA's sparse tensor cores take 2:4",
            ("in_pattern",),
        )
    if zeros.unstructured or zeros.untold:
        yield Remark(
            "unstructured: zeros at any place, from which most hardware gains nothing", ("unstructured",)
        )


def _parameters_as(told: Compression) -> str:
    sizes = ", ".join(f"{(told.parameters * bits + 7) // 8:,} in {name}" for name, bits in WIDTHS)
    return f"its {plural(told.parameters, 'parameter')} alone take, in bytes: {sizes}, without scales"


def _facts(told: Compression) -> Mapping[str, Any]:
    return {
        "format": FORMAT,
        "version": VERSION,
        "target": told.label,
        "input": str(told.input) if isinstance(told.input, Inputs) else list(told.input),
        "batch": told.batch,
        "multiply_adds": told.multiply_adds,
        "effective_multiply_adds": told.effective_multiply_adds,
        "parameters": told.parameters,
        "nonzero_parameters": told.nonzero_parameters,
        "bit_operations": told.bit_operations,
        "effective_bit_operations": told.effective_bit_operations,
        "bytes": told.bytes,
        "not_known": list(told.not_known),
    }
