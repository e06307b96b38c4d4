"""The tables of a training run: its settings, its accuracies, the times of its steps."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise
from shlex import split
from typing import Any

from costlab.report.cell import Column, human, plural
from costlab.report.pictures.step_time import savings_of_step
from costlab.report.table import Table
from costlab.report.tables.run_claims import ROUNDED, WITHIN, by_chance, points, span
from costlab.train.record import ArmRecord, Environment, Run
from costlab.train.statistics import accuracy_interval, multiply_adds_per_second, paired_difference

SETTING_COLUMNS = (Column("what", "what"), Column("value", "as it was"))
VARIANT = Column("variant", "variant")
ACCURACY_COLUMNS = (
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
STEP_TIME_COLUMNS = (
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
"""Settings of a recipe that an optimizer does not have."""
NOT_RECORDED = "a size that was not recorded: nothing here says whether any were enlarged"
APART = "The arms were timed in different environments: their times cannot be compared."
DIGITS = 12
"""The digits of a digest that are shown."""


def settings_table(run: Run) -> Table:
    """Images, settings, seeds and environments of a run."""
    data = run.data
    own = [f"{arm.label}: {settings(arm.recipe)}" for arm in run.arms if arm.recipe]
    rows = [
        ("images", f"{data.name}: {data.about}"),
        ("", TUNED if data.synthetic else ""),
        ("come with", size_of(data.side) if data.side else NOT_RECORDED),
        ("resized for training to", _sides(run)),
        ("classes", f"{data.classes:,}"),
        ("to train on", plural(data.train, "image")),
        ("to validate on", plural(data.validation, "image")),
        ("digest", data.digest[:DIGITS]),
        ("preset", run.preset),
        ("recipe, the same for all", settings(run.recipe)),
        ("of these, by --set", ", ".join(set_by_user(run))),
        ("settings of their own", "; ".join(own) or "none"),
        ("seeds", f"{run.seeds}"),
        *(("ran on", environment) for environment in _environments(run)),
        ("command", run.command),
    ]
    return Table("Data, settings and environments", SETTING_COLUMNS, tuple(row for row in rows if row[1]))


def _sides(run: Run) -> str:
    """The side of the images: that of most arms, and those of the others; and which are enlarged for it."""

    def described(side: int) -> str:
        return f"{size_of(side)}{', enlarged' if 0 < run.data.side < side else ''}"

    ((usual, _),) = Counter(arm.side for arm in run.arms).most_common(1)
    others = [f"{arm.label}: {described(arm.side)}" for arm in run.arms if arm.side != usual]
    return "; ".join([described(usual), *others])


def size_of(side: int) -> str:
    """The size of an image of that side."""
    return f"{side}x{side} pixels"


def words_of(command: str) -> list[str]:
    """The words of a command as they were typed; none where somebody else wrote what is no command."""
    try:
        return split(command)
    except ValueError:
        return []


def set_by_user(run: Run) -> list[str]:
    """The settings of the recipe that were given as ``--set``, as they were typed."""
    words = words_of(run.command)
    return [value for option, value in pairwise(words) if option == "--set"]


def settings(recipe: Mapping[str, Any]) -> str:
    """Settings as they would be typed, without those that the optimizer does not have."""
    unused = UNUSED.get(str(recipe.get("optimizer")), ())
    return ", ".join(f"{name}={value}" for name, value in recipe.items() if name not in unused)


def _environments(run: Run) -> Iterator[str]:
    """Each environment once, with the number of trainings and timings in it."""
    of_trials = [trial.environment for trial in run.trials]
    of_timings = [arm.timing.environment for arm in run.arms if arm.timing]
    for environment in dict.fromkeys((*of_trials, *of_timings)):
        numbers = ((of_trials.count(environment), "training"), (of_timings.count(environment), "timing"))
        uses = " and ".join(plural(number, what) for number, what in numbers if number)
        yield f"{_describe_environment(environment)}: {uses}"


def _describe_environment(environment: Environment) -> str:
    workers = f" in each of {environment.workers} workers" if environment.workers > 1 else ""
    parts = (
        environment.device,
        environment.driver,
        f"torch {environment.torch}",
        f"Python {environment.python}",
        environment.system,
        environment.precision,
        f"{plural(environment.threads, 'thread')}{workers}",
        f"{environment.processes} processes on each trial together" if environment.processes > 1 else "",
        "compiled" if environment.compiled else "",
        "kernels of costlab[fast]" if environment.kernels else "",
        f"code at {environment.revision}" if environment.revision else "",
    )
    return ", ".join(filter(None, parts))


def accuracy_table(run: Run) -> Table:
    """The arms with their costs, and their accuracies with intervals over seeds."""
    first = run.baseline
    differences = {
        arm.label: paired_difference(run.top_1(arm.label), run.top_1(first.label), run.data.validation)
        for arm in run.arms
        if arm != first
    }
    rows = []
    for arm in run.arms:
        interval = accuracy_interval(run.top_1(arm.label).values(), run.data.validation)
        difference = differences.get(arm.label)
        rows.append(
            (
                arm.label,
                arm.multiply_adds,
                _saving(arm, first),
                arm.parameters,
                f"{100 * interval.mean:.2f}" if interval.count else None,
                span(interval, signed=False),
                points(difference.mean) if difference and difference.count else None,
                difference and span(difference),
                f"{interval.count} of {run.seeds}",
            )
        )
    known = sum(difference.known for difference in differences.values())
    return Table(
        f"Cost and accuracy, against {first.label}",
        ACCURACY_COLUMNS,
        tuple(rows),
        notes=(
            "Multiply-adds are those of one image in inference, without auxiliary heads; parameters are "
            "those in training, with them. Top-1 is the part of the validation images that were classified "
            "correctly after the last epoch, the mean over the seeds.",
            "Differences are paired by seed. Intervals are Student's over the seeds: they are about training "
            "anew on the same images, and not about other images.",
            ROUNDED,
            *([by_chance(known, "difference", "intervals beside 0")] if known else []),
        ),
    )


def _saving(arm: ArmRecord, first: ArmRecord) -> float | None:
    if arm == first or not first.multiply_adds:
        return None
    return 1 - arm.multiply_adds / first.multiply_adds


def step_time_table(run: Run) -> Table:
    """The time and memory of a training step, and the savings against the baseline."""
    first = run.baseline
    timings = [arm.timing for arm in run.arms if arm.timing]
    batches = sorted({timing.batch_size for timing in timings})
    steps = sorted({timing.steps for timing in timings})
    places = len({timing.environment for timing in timings})
    return Table(
        f"Time of a step, against {first.label}",
        STEP_TIME_COLUMNS,
        tuple(_step_time_row(arm, first) for arm in run.arms),
        notes=(
            f"The median of {_either(steps, 'step')} of {_either(batches, 'image')}, with the quartiles, "
            "measured alone on the device with the arms in turns. Savings are reckoned for one image. Times "
            "and savings are rounded to the nearest.",
            "The multiply-adds of a step are those of forward and backward together, auxiliary heads "
            "included; multiply-adds/s are what is counted by the time that is measured. Time also goes to "
            "what has no multiply-adds: batch norm, activations, pooling, the optimizer.",
            *([APART] if places > 1 else []),
        ),
    )


def _step_time_row(arm: ArmRecord, first: ArmRecord) -> tuple[Any, ...]:
    timing, its, speed = arm.timing, first.timing, multiply_adds_per_second(arm)
    other = arm != first
    counted = 1 - arm.step_multiply_adds / first.step_multiply_adds if other else None
    if timing is None or speed is None:
        return (arm.label, None, None, None, arm.step_multiply_adds, counted, None, None, None)
    return (
        arm.label,
        f"{1000 * timing.seconds:.1f}",
        f"{1000 * timing.low:.1f} to {1000 * timing.high:.1f}",
        savings_of_step(arm, timing, first, its).time if other and its else None,
        arm.step_multiply_adds,
        counted,
        f"{timing.batch_size / timing.seconds:,.0f}",
        human(round(speed)),
        None if timing.memory is None else f"{timing.memory / 1e6:,.0f}",
    )


def _either(numbers: Sequence[int], noun: str) -> str:
    *others, last = numbers
    return " or ".join([*(f"{number:,}" for number in others), plural(last, noun)])
