"""What an earlier run has found already: results of its record that stand for trials of a plan."""

from dataclasses import replace
from pathlib import Path

from costlab.errors import RunError
from costlab.train import record
from costlab.train.plan import Plan
from costlab.train.record import TrialResult


def known_results(file: Path, plan: Plan) -> tuple[TrialResult, ...]:
    """The results in a record of what the plan trains: the same networks, recipe, images and seeds.

    What the record has besides is left out, as are trials that failed or have not all of their epochs.

    Raises:
        RunError: there is no record, or nothing in it is of this plan.
        OutputError: it cannot be read.
    """
    run = record.load(file)
    if run.data.digest != plan.data.digest:
        raise RunError(
            f"--known {file}: it is of other images: {run.data.name}, {run.data.train:,} for training and "
            f"{run.data.validation:,} for validation"
        )
    if run.recipe != plan.recipe:
        name = min(key for key, value in plan.recipe.items() if run.recipe.get(key) != value)
        raise RunError(
            f"--known {file}: it is of another recipe: {name} is {run.recipe.get(name)} there, and "
            f"{plan.recipe[name]} here"
        )
    same = {arm.label for arm in run.arms if replace(arm, timing=None) in plan.arms}
    if not same:
        raise RunError(f"--known {file}: it is of other networks: {run.name}, {run.title}")
    return tuple(
        trial
        for trial in run.trials
        if trial.arm in same
        and trial.seed < plan.seeds
        and trial.top_1 is not None
        and len(trial.epochs) == plan.recipe_of(trial.arm).epochs
    )
