"""Whether multiply-adds that a network saves are time saved, by the bounds on a device."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Literal, TypeAlias

from costlab.counting.overview import Overview
from costlab.errors import DefinitionError
from costlab.hardware.device import Device
from costlab.hardware.roofline import Roofline, roofline
from costlab.targets.like import TargetLike

Verdict: TypeAlias = Literal["arrives", "in part", "does not arrive", "nothing saved"]
VERDICTS: Mapping[Verdict, str] = {
    "arrives": "by the bounds, the saving arrives in time",
    "in part": "by the bounds, the saving arrives in part",
    "does not arrive": "by the bounds, the saving does not arrive in time",
    "nothing saved": "no multiply-adds are saved",
}
WHOLE, NOTHING = Fraction(9, 10), Fraction(1, 10)
"""From which part of the saving on it arrives, and below which it does not."""


@dataclass(frozen=True, repr=False)
class SavedTime(Overview):
    """Two networks on one device: what the second saves in multiply-adds, and in the bound on the time."""

    before: Roofline
    after: Roofline

    @property
    def saved_multiply_adds(self) -> float:
        """The share of the multiply-adds that is saved; below 0 where there are more."""
        return 1 - self.after.total.multiply_adds / self.before.total.multiply_adds

    @property
    def saved_seconds(self) -> float:
        """The share of the bound that is saved; below 0 where it is later."""
        return 1 - self.after.seconds / self.before.seconds

    @property
    def fewer(self) -> float | None:
        """How many times as many multiply-adds the first has; None where the second has none."""
        after = self.after.total.multiply_adds
        return self.before.total.multiply_adds / after if after else None

    @property
    def arrived(self) -> float | None:
        """The share of time that is saved, over that of multiply-adds; None where none are saved."""
        return self.saved_seconds / self.saved_multiply_adds if self.saved_multiply_adds > 0 else None

    @property
    def verdict(self) -> Verdict:
        """Whether the saving arrives.

        It does where the share of time that is saved is at least nine tenths of the share of multiply-adds,
        in part from one tenth on, and does not below. Where no multiply-adds are saved, that is told instead.
        """
        if self.arrived is None:
            return "nothing saved"
        return (
            "arrives"
            if self.arrived >= WHOLE
            else "in part"
            if self.arrived >= NOTHING
            else "does not arrive"
        )

    def _lines(self) -> Sequence[str]:
        title = f"{self.after.count.label} beside {self.before.title}; {VERDICTS[self.verdict]}"
        lines = (f"{row['network']}: {', '.join(_worded(row))}" for row in self._records())
        return [title, *lines]

    def _records(self) -> Sequence[Mapping[str, str]]:
        saved = (("", ""), (f"{self.saved_multiply_adds:.2%}", f"{self.saved_seconds:.2%}"))
        return [
            {
                "network": each.count.label,
                "multiply-adds": f"{each.total.multiply_adds:,}",
                "saved": macs,
                "at least, seconds": f"{each.seconds:.4g}",
                "of that saved": seconds,
            }
            for each, (macs, seconds) in zip((self.before, self.after), saved, strict=True)
        ]


def _worded(row: Mapping[str, str]) -> list[str]:
    """The sizes of a network in words, with what is saved."""
    _, macs, saved, seconds, saved_seconds = row.values()
    shares = [f" ({each} saved)" if each else "" for each in (saved, saved_seconds)]
    return [f"{macs} multiply-adds{shares[0]}", f"at least {seconds} seconds{shares[1]}"]


def saved_time(
    before: TargetLike,
    after: TargetLike,
    device: str | Device,
    dtype: str = "float32",
    *,
    batch: int = 1,
    fused: bool = False,
    input: object = None,
    devices: str | Path | None = None,
) -> SavedTime:
    """Whether the multiply-adds that ``after`` saves against ``before`` are time saved on a device.

    Arguments as for `roofline`; ``input`` is that of both.

    Raises:
        DefinitionError: the first has no multiply-adds; or as `roofline`.
        DeviceError, TargetError, ShapeError: as `roofline`.
    """
    first, second = (
        roofline(each, device, dtype, batch=batch, fused=fused, input=input, devices=devices)
        for each in (before, after)
    )
    if not first.total.multiply_adds:
        raise DefinitionError(f"{first.count.label} has no multiply-adds, of which none can be saved")
    return SavedTime(first, second)
