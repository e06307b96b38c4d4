"""The cost of a run of training, from a target and a regime whose figures are held to what they must be."""

from contextlib import suppress
from dataclasses import replace
from fractions import Fraction
from math import isfinite
from numbers import Rational
from typing import Any, NamedTuple

from costlab.algebra.dim import as_dim, text
from costlab.algebra.inputs import Inputs
from costlab.counting.count import Count, count
from costlab.errors import DefinitionError
from costlab.hardware.device import TYPES, Device
from costlab.hardware.device import device as find_device
from costlab.hardware.regime import NEED_DEVICE, Regime, regime
from costlab.hardware.training_run import SpeedSource, TrainingCost
from costlab.hardware.training_step import training_step
from costlab.messages import named
from costlab.targets.like import TargetLike
from costlab.targets.resolve import resolve
from costlab.targets.target import Target
from costlab.targets.torch_module import refuse_without_module

MOST_IMAGES = 10**15
LEAST, MOST = Fraction(1, 10**9), 10**15
"""Between these are a speed and a power; what is beyond is mistyped."""
GIVEN = "given"


class _Pace(NamedTuple):
    """The images per second of a replica, where they come from, and the share of the peak that they are."""

    speed: Fraction | None = None
    source: SpeedSource | None = None
    utilization: Fraction | None = None


def training_cost(
    target: TargetLike,
    input: object = None,
    *,
    images: int | None = None,
    epochs: int | None = None,
    batch: int | None = None,
    replicas: int | None = None,
    device: str | Device | None = None,
    dtype: str | None = None,
    utilization: float | Fraction | None = None,
    images_per_second: float | Fraction | None = None,
    power: float | Fraction | None = None,
    preset: str | None = None,
    **settings: Any,
) -> TrainingCost:
    """What it costs to train a target, with its auxiliary heads: FLOP, steps, time, energy and traffic.

    ``batch`` is that of one of the ``replicas``. What is not given is the ``preset``'s (``"paper"``,
    ``"one-device"``, ``"today"``), and without one the Inception-v3 paper's: 1,281,167 images, 100 epochs,
    batches of 32, 50 replicas. The time follows from ``images_per_second`` of one replica, as measured; else
    from the peak of the ``device`` in ``dtype``, times ``utilization``, a share of 1; the peak alone bounds
    it. ``power`` are the watts of one board, by default the device's. What does not follow is None.

    A definition is counted exactly. Of a module of PyTorch a step at the batch is traced; the run is as many
    of these as its images make.

    Raises:
        DefinitionError: a figure is not what it must be, or lacks what it needs; nothing is to be trained.
        DeviceError: there is no such device, or it does not compute in the type.
        TargetError, ShapeError: as `costlab.count`.
    """
    given = {"images": images, "epochs": epochs, "batch": batch, "replicas": replicas}
    plan = _regime(regime(preset), {**given, "device": device, "dtype": dtype})
    wanted = device if device is not None else plan.device or None
    found = None if wanted is None else find_device(wanted)
    if preset in NEED_DEVICE and found is None:
        raise DefinitionError(f"the preset {preset} is for a device that you name: give device, such as k40")
    if found is None and dtype is not None:
        raise DefinitionError(f"dtype={named(dtype)} is what a device computes in: give device, too")
    share, measured, watts = (
        None if value is None else _number(name, value)
        for name, value in (
            ("utilization", utilization), ("images_per_second", images_per_second), ("power", power),
        )
    )  # fmt: skip
    _refuse_speeds(found, share, measured, watts)
    if found is not None:
        found.peak(plan.dtype)
    counted = _Counted.of(target, input, plan, settings)
    pace = _pace(counted, plan, found, share, measured)
    at_peak = pace.source == "peak"
    if watts is None and found is not None and found.power is not None:
        watts = Fraction(str(found.power))
    return TrainingCost(
        counted.way,
        plan.images,
        plan.epochs,
        plan.batch,
        plan.replicas,
        counted.parameters,
        round(counted.step * plan.images * plan.epochs),
        round(counted.forward * plan.images * plan.epochs),
        found,
        plan.dtype,
        pace.speed,
        pace.source,
        pace.utilization,
        watts,
        plan.sources,
        plan.notes if at_peak or pace.source is None else (),
        counted.traced,
    )


class _Counted(NamedTuple):
    """The count of the way forward, multiply-adds of it and of a step per image, the trained parameters."""

    way: Count
    forward: Fraction
    step: Fraction
    parameters: int
    traced: Count | None = None

    @classmethod
    def of(cls, target: TargetLike, input: object, plan: Regime, settings: dict[str, Any]) -> "_Counted":
        found = resolve(target, input, **settings)
        traced = None
        refuse_without_module(found.block, found.label, "a step of training")
        if not found.block.takes_tensors:
            counted = count(target, input, **settings)
            step, held, batch = training_step(counted).multiply_adds, counted.parameters, 1
        else:
            batch = plan.batch
            again = _batches(found, batch)
            counted = count(target, input, batch=again, **settings)
            traced = count(target, input, batch=again, backward=True, **settings)
            assert traced.held is not None
            step, held = traced.multiply_adds, traced.held.trainable
        sizes = (counted.multiply_adds, step, held)
        if not all(isinstance(size, int) for size in sizes):
            size = next(size for size in sizes if not isinstance(size, int))
            raise DefinitionError(
                f"{counted.label}: {text(size)} is no single number: a run is of one network"
            )
        if int(held) == 0:
            which = "has no parameters" if counted.parameters == 0 else "has frozen parameters only"
            raise DefinitionError(f"{counted.label}: it {which}: there is nothing to train")
        return cls(counted, Fraction(int(sizes[0]), batch), Fraction(int(step), batch), int(held), traced)


def _batches(found: Target, batch: int) -> int:
    """The batch with which a module is counted; 1 where its inputs have it in them."""
    given = found.input
    if not isinstance(given, Inputs):
        return batch
    if batch != 1:
        with suppress(DefinitionError):  # of inputs that an exported program brings it may be given
            found.block.placed(given, batch)
            return batch
    first = next(iter([*given.args, *given.kwargs.values()]), None)
    sizes = tuple(getattr(first, "sizes", None) or getattr(first, "shape", None) or ())
    if not sizes or sizes[0] != batch:
        has = f"a batch of {sizes[0]} in it" if sizes else "no batch that is known"
        raise DefinitionError(
            f"{found.label}: its input has {has}: it must be that of a replica, batch={batch}"
        )
    return 1


def _regime(plan: Regime, given: dict[str, Any]) -> Regime:
    """The regime with what is given instead, and said to be."""
    changed: dict[str, Any] = {name: value for name, value in given.items() if value is not None}
    sources = {**plan.sources, **dict.fromkeys(changed, GIVEN)}
    for name in ("images", "epochs", "batch", "replicas"):
        if name in changed:
            changed[name] = _whole(name, changed[name])
    dtype = changed.get("dtype", plan.dtype)
    if not isinstance(dtype, str) or dtype not in TYPES:
        raise DefinitionError(f"dtype={named(dtype)} is no type: give one of {', '.join(TYPES)}")
    changed.pop("device", None)
    return replace(plan, **changed, sources=sources)


def _whole(name: str, value: object) -> int:
    if name == "images" and type(value) is int and 1 <= value <= MOST_IMAGES:
        return value
    if name == "images" and type(value) is int and value > MOST_IMAGES:
        raise DefinitionError(f"images={named(value)} must be at most {MOST_IMAGES:,}")
    dim = as_dim(name, value)
    if not isinstance(dim, int):
        raise DefinitionError(f"{name}={text(dim)} must be a single number: a run has one regime")
    return dim


def _number(name: str, value: object) -> Fraction:
    """A figure that need not be whole, exactly as it is written."""
    if isinstance(value, Rational) and not isinstance(value, bool):
        exact = Fraction(int(value.numerator), int(value.denominator))
    elif isinstance(value, float) and isfinite(value):
        exact = Fraction(repr(float(value)))
    else:
        raise DefinitionError(f"{name}={named(value)} must be a number")
    if name == "utilization" and not 0 < exact <= 1:
        raise DefinitionError(
            f"utilization={_shown(value)} must be above 0 and at most 1: a share of the peak"
        )
    if not LEAST <= exact <= MOST:
        raise DefinitionError(f"{name}={_shown(value)} must be above 0: from {float(LEAST):g} to {MOST:.0e}")
    return exact


def _shown(value: object) -> str:
    return f"{float(value):g}" if isinstance(value, Fraction) else named(value)


def _refuse_speeds(
    device: Device | None, share: Fraction | None, measured: Fraction | None, watts: Fraction | None
) -> None:
    """Refuse what says twice how fast it is, or lacks what it is a share of."""
    if share is not None and measured is not None:
        raise DefinitionError(
            "utilization and images_per_second both say how fast a replica is: give one of them"
        )
    if share is not None and device is None:
        raise DefinitionError("utilization is a share of the peak of a device: give device, too")
    if watts is not None and share is None and measured is None:
        at_peak = "; the peak of a device bounds the time from below only" if device is not None else ""
        raise DefinitionError(
            f"power gives an energy where a time is known: give images_per_second, or device and "
            f"utilization, too{at_peak}"
        )


def _pace(
    counted: _Counted, plan: Regime, device: Device | None, share: Fraction | None, measured: Fraction | None
) -> _Pace:
    """How fast a replica is, as far as that is known."""
    if device is None:
        return _Pace(measured, "measured") if measured is not None else _Pace()
    peak, per_image = device.peak(plan.dtype), 2 * counted.step
    if measured is not None:
        return _Pace(measured, "measured", measured * per_image / peak)
    if not per_image:
        raise DefinitionError(
            f"{counted.way.label}: a step has no multiply-adds, so no time follows from a peak: "
            "give images_per_second instead of device"
        )
    used = Fraction(1) if share is None else share
    return _Pace(peak * used / per_image, "peak" if share is None else "utilization", share)
