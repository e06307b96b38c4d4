"""What training a network costs: multiply-adds, steps, time, energy, and the traffic of gradients."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Literal, NamedTuple, TypeVar

from costlab.counting.count import Count
from costlab.counting.overview import Overview
from costlab.hardware.device import Device

SpeedSource = Literal["peak", "utilization", "measured"]
T = TypeVar("T")
HOUR = 3600
KILOWATT_HOUR = 3_600_000
"""Joules."""
BYTES = 4
"""Of the gradient of a parameter: float32, which autocast keeps where products are in a smaller type."""


class TrainingSteps(NamedTuple):
    """How many steps a run takes, by how its last batches are taken.

    ``whole_run`` takes all images of all epochs one after another and rounds up once; ``by_epochs`` ends each
    epoch with a batch that may be smaller; ``dropping_last`` leaves that batch out, and its images with it.
    """

    whole_run: int
    by_epochs: int
    dropping_last: int


def steps(images: int, epochs: int, batch: int) -> TrainingSteps:
    """The steps of ``epochs`` over ``images``, of ``batch`` images each."""
    whole = -(-images * epochs // batch)
    return TrainingSteps(whole, epochs * -(-images // batch), epochs * (images // batch))


@dataclass(frozen=True, repr=False)
class TrainingCost(Overview):
    """What a run of training costs. FLOP are two per multiply-add; what is not known is None.

    ``multiply_adds`` are those of the whole run, exactly: forward, and the gradients that are wanted;
    ``forward_multiply_adds`` those of its way forward. ``parameters`` are those that are trained. ``speed``
    are the images that a replica takes per second, and ``speed_from`` says where that comes from: the peak of
    its device, which bounds it, a utilization of that peak, or a measurement. ``sources`` say where what is
    assumed comes from, ``notes`` what is not known. ``count`` is that of the way forward; for a module of
    PyTorch ``traced_step`` is that of a step at the batch.
    """

    count: Count
    images: int
    epochs: int
    batch: int
    replicas: int
    parameters: int
    multiply_adds: int
    forward_multiply_adds: int
    device: Device | None = None
    dtype: str = "float32"
    speed: Fraction | None = None
    speed_from: SpeedSource | None = None
    utilization: Fraction | None = None
    power: Fraction | None = None
    sources: Mapping[str, str] | None = field(default=None, hash=False)
    notes: tuple[str, ...] = ()
    traced_step: Count | None = None

    @property
    def label(self) -> str:
        """What is trained."""
        return self.count.label

    @property
    def samples(self) -> int:
        """The images of all epochs together."""
        return self.images * self.epochs

    @property
    def flop(self) -> int:
        """FLOP of the whole run, exactly."""
        return 2 * self.multiply_adds

    @property
    def multiply_adds_by_rule(self) -> int:
        """Three times the multiply-adds of the way forward, as people reckon."""
        return 3 * self.forward_multiply_adds

    @property
    def flop_by_rule(self) -> int:
        """FLOP of the whole run by the rule of three times forward."""
        return 2 * self.multiply_adds_by_rule

    @property
    def steps(self) -> TrainingSteps:
        """Steps of one replica each, all replicas together: each takes ``batch`` images."""
        return steps(self.images, self.epochs, self.batch)

    @property
    def synchronous_steps(self) -> TrainingSteps:
        """Steps that all replicas take together: each takes ``batch * replicas`` images."""
        return steps(self.images, self.epochs, self.batch * self.replicas)

    @property
    def images_per_second(self) -> float | None:
        """The images that one replica takes per second; at the peak none takes more."""
        return None if self.speed is None else float(self.speed)

    @property
    def step_seconds(self) -> float | None:
        """Seconds of a step of one replica: ``batch / images_per_second``."""
        return None if self.speed is None else float(self.batch / self.speed)

    @property
    def device_hours(self) -> float | None:
        """Hours of all devices together: ``samples / images_per_second``. At the peak, at least."""
        return None if self.speed is None else float(self.samples / self.speed / HOUR)

    @property
    def device_hours_by_rule(self) -> float | None:
        """The same for the FLOP of the rule; a time that was measured hangs on no FLOP, and has none."""
        if self.speed is None or self.speed_from == "measured":
            return None
        share = Fraction(self.multiply_adds_by_rule, self.multiply_adds)
        return float(self.samples / self.speed / HOUR * share)

    @property
    def wall_hours(self) -> float | None:
        """Hours on the clock, if no replica ever waits: the device-hours divided by the replicas."""
        return None if self.speed is None else float(self.samples / self.speed / HOUR / self.replicas)

    @property
    def energy_kwh(self) -> float | None:
        """Kilowatt-hours of the boards, at most: their power over the device-hours.

        Hosts, cooling and network come on top. None at the peak: most power over least time bounds nothing.
        """
        if self.speed is None or self.power is None or self.speed_from == "peak":
            return None
        return float(self.power * self.samples / self.speed / KILOWATT_HOUR)

    @property
    def gradient_bytes(self) -> int:
        """The gradients of all parameters, once, in float32."""
        return BYTES * self.parameters

    @property
    def ring_bytes(self) -> Fraction | None:
        """What a replica sends in a step of a ring all-reduce: ``2 (N - 1) / N`` of the gradients.

        It receives as much. None for one replica, which exchanges nothing.
        """
        return self._exchanged(Fraction(2 * (self.replicas - 1) * self.gradient_bytes, self.replicas))

    @property
    def ring_bytes_of_run(self) -> int | None:
        """What all replicas send in all synchronous steps, those of the whole run."""
        together = 2 * (self.replicas - 1) * self.gradient_bytes
        return self._exchanged(together * self.synchronous_steps.whole_run)

    @property
    def ring_bandwidth(self) -> float | None:
        """Bytes per second that a replica sends where a ring all-reduce takes no longer than a step."""
        return self._per_step(self.ring_bytes)

    @property
    def server_bytes_of_replica(self) -> int | None:
        """What a replica exchanges with a parameter server in a step: gradients there, weights back."""
        return self._exchanged(2 * self.gradient_bytes)

    @property
    def server_bytes(self) -> int | None:
        """What a parameter server exchanges while each replica takes one step."""
        return self._exchanged(2 * self.gradient_bytes * self.replicas)

    @property
    def server_bytes_of_run(self) -> int | None:
        """What it exchanges in all steps of all replicas, those of the whole run."""
        return self._exchanged(2 * self.gradient_bytes * self.steps.whole_run)

    @property
    def server_bandwidth(self) -> float | None:
        """Bytes per second of a parameter server, both ways together, that keeps up with all replicas."""
        return self._per_step(self.server_bytes)

    def _exchanged(self, size: T) -> T | None:
        return size if self.replicas > 1 else None

    def _per_step(self, size: Fraction | int | None) -> float | None:
        """So many bytes in each step, per second."""
        return None if size is None or self.speed is None else float(size * self.speed / self.batch)

    def _lines(self) -> Sequence[str]:
        first, *others = self._records()
        head = f"{self.label}, {self.samples:,} images, {first['figure']}: {first['value']}"
        return [head, *(f"{each['figure']}: {each['value']}" for each in others)]

    def _records(self) -> Sequence[Mapping[str, str]]:
        at = {"peak": "at least", "utilization": "at the utilization", "measured": "as measured", None: ""}
        hours = f"device-hours, {at[self.speed_from]}"
        shown = {
            "FLOP": f"{self.flop:,}",
            "FLOP by the rule of three": f"{self.flop_by_rule:,}",
            "steps of a replica": f"{self.steps.whole_run:,}",
            **({} if self.device_hours is None else {hours: f"{self.device_hours:,.2f}"}),
            **({} if self.wall_hours is None else {"hours on the clock": f"{self.wall_hours:,.2f}"}),
            **({} if self.energy_kwh is None else {"kWh, at most, boards only": f"{self.energy_kwh:,.1f}"}),
        }
        return [{"figure": name, "value": value} for name, value in shown.items()]
