"""The tables of a training run: how it was made, what was learned, what a step takes."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from costlab.report.cell import Column, human
from costlab.report.pictures.step_time import saved_by
from costlab.report.table import Table
from costlab.report.tables.run_claims import WITHIN, by_chance, points, span
from costlab.train.record import ArmRecord, Environment, Run
from costlab.train.statistics import accuracy_interval, multiply_adds_per_second, paired_difference

MADE = (Column("what", "what"), Column("value", "as it was"))
VARIANT = Column("variant", "variant")
LEARNED = (
    VARIANT,
    Column("multiply_adds", "multiply-adds", "size", fold=13),
    Column("saving", "saving", "share", empty="-"),
    Column("parameters", "parameters", "size"),
    Column("top_1", "top-1, %", "printed", empty="-"),
    Column("top_1_interval", WITHIN, "printed", empty="-"),
    Column("difference", "difference, points", "printed", empty="-"),
    Column("difference_interval", WITHIN, "printed", empty="-"),
    Column("seeds", "seeds done", "printed"),
)
TIMED = (
    VARIANT,
    Column("milliseconds", "step, ms", "printed", empty="-"),
    Column("quartiles", "quartiles", "printed", empty="-"),
    Column("time_saved", "time saved", "share", empty="-"),
    Column("step_multiply_adds", "multiply-adds of a step, per image", "size"),
    Column("multiply_adds_saved", "saved", "share", empty="-"),
    Column("images_per_second", "images/s", "printed", empty="-"),
    Column("achieved", "multiply-adds/s", "printed", empty="-"),
    Column("memory", "peak memory, MB", "printed", empty="-"),
)
TUNED = (
    "generated images, not photographs: how hard they are was set by what a baseline reached on them, and "
    "how fine their patterns are so that resolution can matter, which is thus partly built in"
)
UNUSED = {"sgd": ("decay", "epsilon")}
"""Settings of a recipe that an optimizer does not know."""
APART = "The arms were timed in different environments: their times cannot be compared."
DIGITS = 12
"""Of a digest, as many as tell two sets of images apart."""


def made_table(run: Run) -> Table:
    """Data, settings, seeds and environments, as the record has them."""
    data = run.data
    own = [f"{arm.label}: {settings(arm.recipe)}" for arm in run.arms if arm.recipe]
    rows = [
        ("images", f"{data.name}: {data.about}"),
        ("", TUNED if data.synthetic else ""),
        ("classes", f"{data.classes:,}"),
        ("to train on", f"{data.train:,} images"),
        ("to validate on", f"{data.validation:,} images"),
        ("digest", data.digest[:DIGITS]),
        ("preset", run.preset),
        ("recipe, the same for all", settings(run.recipe)),
        ("settings of their own", "; ".join(own) or "none"),
        ("seeds", f"{run.seeds}"),
        *(("ran on", told) for told in _environments(run)),
        ("command", run.command),
    ]
    return Table("Data, settings and environments", MADE, tuple(row for row in rows if row[1]))


def settings(recipe: Mapping[str, Any]) -> str:
    """Settings as they would be typed, without those that the optimizer does not know."""
    unused = UNUSED.get(str(recipe.get("optimizer")), ())
    return ", ".join(f"{name}={value}" for name, value in recipe.items() if name not in unused)


def _environments(run: Run) -> Iterator[str]:
    """Each environment once, with how much was run in it."""
    trained = [trial.environment for trial in run.trials]
    timed = [arm.timing.environment for arm in run.arms if arm.timing]
    for each in dict.fromkeys((*trained, *timed)):
        numbers = ((trained.count(each), "training"), (timed.count(each), "timing"))
        yield f"{_told(each)}: " + " and ".join(
            f"{number} {what}{'s' * (number != 1)}" for number, what in numbers if number
        )


def _told(each: Environment) -> str:
    threads = f"{each.threads} thread{'s' * (each.threads != 1)}"
    workers = f" in each of {each.workers} workers" * (each.workers > 1)
    told = (
        each.device,
        each.driver,
        f"torch {each.torch}",
        f"Python {each.python}",
        each.system,
        each.precision,
        f"{threads}{workers}",
        f"{each.processes} processes on each trial together" * (each.processes > 1),
        "compiled" * each.compiled,
        f"code at {each.revision}" * bool(each.revision),
    )
    return ", ".join(filter(None, told))


def learned_table(run: Run) -> Table:
    """The arms with their cost, and their accuracy with intervals over the seeds."""
    first = run.baseline
    differences = {
        arm.label: paired_difference(run.top_1(arm.label), run.top_1(first.label), run.data.validation)
        for arm in run.arms
        if arm != first
    }
    rows = []
    for arm in run.arms:
        found = accuracy_interval(run.top_1(arm.label).values(), run.data.validation)
        difference = differences.get(arm.label)
        rows.append(
            (
                arm.label,
                arm.multiply_adds,
                _saving(arm, first),
                arm.parameters,
                f"{100 * found.mean:.2f}" if found.count else None,
                span(found, signed=False),
                points(difference.mean) if difference and difference.count else None,
                difference and span(difference),
                f"{found.count} of {run.seeds}",
            )
        )
    known = sum(each.known for each in differences.values())
    return Table(
        f"Cost and accuracy, against {first.label}",
        LEARNED,
        tuple(rows),
        notes=(
            "Multiply-adds are those of one image in inference, without auxiliary heads; parameters are "
            "those in training, with them. Top-1 is the part of the validation images that were told right "
            "after the last epoch, the mean over the seeds.",
            "Differences are paired by seed. Intervals are Student's over the seeds, rounded outward: they "
            "are about training anew on the same images, and not about other images.",
            *([by_chance(known, "difference", "intervals beside 0")] if known else []),
        ),
    )


def _saving(arm: ArmRecord, first: ArmRecord) -> float | None:
    if arm == first or not first.multiply_adds:
        return None
    return 1 - arm.multiply_adds / first.multiply_adds


def timed_table(run: Run) -> Table:
    """What a training step takes, and what of it is saved against the baseline."""
    first = run.baseline
    timings = [arm.timing for arm in run.arms if arm.timing]
    batches = sorted({timing.batch_size for timing in timings})
    steps = sorted({timing.steps for timing in timings})
    places = len({timing.environment for timing in timings})
    return Table(
        f"Time of a step, against {first.label}",
        TIMED,
        tuple(_timed(arm, first) for arm in run.arms),
        notes=(
            f"The median of {_either(steps)} steps of {_either(batches)} images, with the quartiles, "
            "measured alone on the device with the arms in turns. Savings are reckoned for one image.",
            "The multiply-adds of a step are those of forward and backward together, auxiliary heads "
            "included; multiply-adds/s are what is counted by the time that is measured. Time also goes to "
            "what has no multiply-adds: batch norm, activations, pooling, the optimizer.",
            *([APART] if places > 1 else []),
        ),
    )


def _timed(arm: ArmRecord, first: ArmRecord) -> tuple[Any, ...]:
    timing, its, speed = arm.timing, first.timing, multiply_adds_per_second(arm)
    other = arm != first
    counted = 1 - arm.step_multiply_adds / first.step_multiply_adds if other else None
    if timing is None or speed is None:
        return (arm.label, None, None, None, arm.step_multiply_adds, counted, None, None, None)
    return (
        arm.label,
        f"{1000 * timing.seconds:.1f}",
        f"{1000 * timing.low:.1f} to {1000 * timing.high:.1f}",
        saved_by(arm, timing, first, its).time if other and its else None,
        arm.step_multiply_adds,
        counted,
        f"{timing.batch_size / timing.seconds:,.0f}",
        human(round(speed)),
        None if timing.memory is None else f"{timing.memory / 1e6:,.0f}",
    )


def _either(numbers: Sequence[int]) -> str:
    return " or ".join(f"{number:,}" for number in numbers)
