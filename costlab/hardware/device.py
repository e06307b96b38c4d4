"""Devices: what each computes, moves, holds and draws at most, as data."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields
from functools import cache
from math import isfinite
from pathlib import Path
from typing import Any, Literal, TypeAlias, get_args

from costlab.errors import DeviceError
from costlab.messages import named

TYPES: Mapping[str, int] = {
    "float64": 8,
    "float32": 4,
    "tf32": 4,
    "bfloat16": 2,
    "float16": 2,
    "float8": 1,
    "int8": 1,
}
"""The types that a device may compute in, with the bytes of an element; tf32 is stored as float32."""
Verified: TypeAlias = Literal["yes", "in part", "derived", "no"]
"""Whether the figures were held against a source: all, some, or none, because they follow from others."""


@dataclass(frozen=True)
class Device:
    """A device with its peaks, in FLOP per second by type, where FLOP are two per multiply-add.

    ``memory`` is in bytes, ``bandwidth`` in bytes per second, ``power`` in watts, of the ``power_kind``, such
    as TDP, for the board alone. What is not known is None, never guessed. The peak of float32 is that of the
    vector units; what tensor cores make of it is ``tf32``. Peaks are without sparsity, and of int8 they are
    operations. ``clock``, ``derivation`` and ``source`` say where the figures come from, ``verified`` whether
    they were held against it, and ``remark`` what is not sure.

    Raises:
        DeviceError: the name is empty, or a figure is no number above 0.
    """

    name: str
    full_name: str = ""
    kind: str = ""
    year: int | None = None
    float64: int | None = None
    float32: int | None = None
    tf32: int | None = None
    bfloat16: int | None = None
    float16: int | None = None
    float8: int | None = None
    int8: int | None = None
    memory: int | None = None
    bandwidth: int | None = None
    power: float | None = None
    power_kind: str = ""
    clock: str = ""
    derivation: str = ""
    source: str = ""
    verified: Verified = "no"
    remark: str = ""

    def __post_init__(self) -> None:
        name: Any = self.name  # not yet known to be what it should be
        if not isinstance(name, str) or not plain(name):
            raise DeviceError(f"name={named(self.name)} is no name for a device: use letters and digits")
        for each in fields(self):
            value = getattr(self, each.name)
            if each.type not in (int | None, float | None) or value is None:
                continue
            whole = isinstance(value, int) and not isinstance(value, bool)
            fits = whole or (each.type == float | None and isinstance(value, float) and isfinite(value))
            if not fits or value <= 0:
                wanted = "a number" if each.type == float | None else "a whole number"
                raise DeviceError(f"{self.name}: {each.name}={named(value)} must be {wanted} above 0")
        if self.verified not in get_args(Verified):
            known = ", ".join(get_args(Verified))
            raise DeviceError(f"{self.name}: verified={named(self.verified)} must be one of {known}")

    @property
    def peaks(self) -> Mapping[str, int]:
        """The peaks that are known, by type, in FLOP per second."""
        return {each: rate for each in TYPES if (rate := getattr(self, each)) is not None}

    @property
    def unverified(self) -> bool:
        """Whether a figure was not held against a source."""
        return self.verified != "yes"

    def peak(self, dtype: str) -> int:
        """The peak in FLOP per second for a type of `TYPES`.

        Raises:
            DeviceError: there is no such type, or the device does not compute in it.
        """
        bytes_of(dtype)
        known = self.peaks
        if dtype not in known:
            has = f"it has {', '.join(known)}" if known else "it has no peak that is known"
            raise DeviceError(f"{self.name} has no {dtype} peak; {has}")
        return known[dtype]

    def known_bandwidth(self) -> int:
        """The bandwidth of its memory in bytes per second.

        Raises:
            DeviceError: it is not known.
        """
        if self.bandwidth is None:
            raise DeviceError(
                f"{self.name}: its memory bandwidth is not known; a file with devices of your own may say it"
            )
        return self.bandwidth

    def ridge(self, dtype: str) -> float:
        """The intensity in FLOP per byte from which on the peak bounds, and below it the bandwidth.

        Raises:
            DeviceError: the peak or the bandwidth is not known.
        """
        return self.peak(dtype) / self.known_bandwidth()


def bytes_of(dtype: str) -> int:
    """The bytes of an element of a type of `TYPES`.

    Raises:
        DeviceError: there is no such type.
    """
    if dtype not in tuple(TYPES):  # which takes what has no hash, too
        raise DeviceError(f"{named(dtype)} is no type: give one of {', '.join(TYPES)}")
    return TYPES[dtype]


def devices(file: str | Path | None = None) -> Mapping[str, Device]:
    """The devices of the table by name, and those of a CSV file of one's own, which come first.

    One of the file that is called as one of the table stands in its place.

    Raises:
        DeviceError: there is no such file, or it holds something else; the message names the line.
        OutputError: it cannot be read, or is too large.
    """
    from costlab.hardware.device_file import read_devices

    if file is None:
        return _table()
    own = {each.name: each for each in read_devices(Path(file))}
    taken = {plain(name) for name in own}
    return own | {name: each for name, each in _table().items() if plain(name) not in taken}


def device(name: "str | Device", file: str | Path | None = None) -> Device:
    """The device of that name, whatever the case and the hyphens: ``k40``, ``A100-40GB``, ``H100 SXM5``.

    Raises:
        DeviceError: there is none, or the file is malformed.
        OutputError: the file cannot be read.
    """
    if isinstance(name, Device):
        return name
    if not isinstance(name, str):
        raise DeviceError(f"{named(name)} is no device: give its name, or a Device")
    known = devices(file)
    wanted = plain(name)
    for by in ("name", "full_name"):
        for each in known.values():
            if wanted and plain(getattr(each, by)) == wanted:
                return each
    raise DeviceError(f"there is no device {named(name)}{_near(name, known)}")


def plain(name: str) -> str:
    """A name as it is compared: without case, hyphens, blanks and other signs."""
    return "".join(sign for sign in name.lower() if sign.isalnum())


def _near(name: str, known: Iterable[str]) -> str:
    from costlab.algebra.parameter import closest

    return closest(name, known) or "; costlab list --devices shows what there is"


@cache
def _table() -> Mapping[str, Device]:
    from costlab.hardware.device_file import read_devices

    return {each.name: each for each in read_devices(Path(__file__).with_name("devices.csv"))}
