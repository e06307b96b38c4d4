"""``costlab train``."""

import sys
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from costlab.cli.train_progress import watched
from costlab.train.plan import PRESETS

if TYPE_CHECKING:
    import torch

    from costlab.train.plan import Plan
    from costlab.train.record import Run
    from costlab.train.run import Watch

RUNS = Path("runs")
SEEDS = 3


class TrainCommand(click.Command):
    """Names the experiments below the options; building them takes the definitions."""

    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        from costlab.train.experiments import experiment, names

        with formatter.section("Experiments"):
            formatter.write_dl([(name, experiment(name, 1.0).title) for name in names()])


@click.command(
    cls=TrainCommand,
    no_args_is_help=True,
    short_help="Train the variants of an experiment on a few seeds, and compare accuracy and time.",
)
@click.option("-a", "--ablation", metavar="NAME", help="The experiment: one of those below, or file.py:name.")
@click.option(
    "--seeds", type=click.IntRange(min=1), help=f"How often each variant is trained.  [default: {SEEDS}]"
)
@click.option(
    "--preset",
    type=click.Choice(tuple(PRESETS)),
    help="The scale. smoke: 3,000 images, 15 epochs, a minute per trial on a core; quick: 10,000, 20 epochs; "
    "full: 50,000, 40 epochs, twice the width, for a GPU.  [default: smoke]",
)
@click.option(
    "--data",
    metavar="SOURCE",
    help="synthetic, digits, cifar10:PATH, cifar100:PATH or folder:PATH.  [default: synthetic]",
)
@click.option("--images", type=click.IntRange(min=2), metavar="N", help="Train on N images at most.")
@click.option("--width", type=click.FloatRange(min=0, min_open=True), help="Width of the reduced network.")
@click.option(
    "--set",
    "settings",
    metavar="NAME=VALUE",
    multiple=True,
    help="A setting of the recipe, such as epochs=30; repeatable.",
)
@click.option(
    "--device", default="auto", show_default=True, metavar="DEVICE", help="auto, cpu, cuda or cuda:N."
)
@click.option(
    "--workers",
    type=click.IntRange(min=1),
    metavar="N",
    help="Trials side by side.  [default: one per core of a CPU, 4 on a GPU]",
)
@click.option(
    "--compile/--no-compile",
    "compiled",
    default=None,
    help="Compile the step.  [default: long trials on a GPU]",
)
@click.option(
    "--study", metavar="URL", help="Draw trials from a database, as other machines do: postgresql://..."
)
@click.option(
    "-o",
    "--output",
    "folder",
    metavar="DIR",
    type=click.Path(path_type=Path),
    help="A new folder for the run.  [default: runs/NAME]",
)
@click.option(
    "--resume",
    metavar="DIR",
    type=click.Path(path_type=Path),
    help="Go on with the run in DIR; what failed is tried again.",
)
def train(**given: Any) -> None:
    """Train the variants of an experiment beside each other on the same seeds, at a reduced scale.

    Each variant with each seed is a trial. What comes out lands in DIR as it comes: checkpoints and a line
    per epoch for each trial, and at the end the record, with a page that sets accuracy and time beside the
    counted multiply-adds. A run that was interrupted goes on with --resume DIR.

    Under torchrun every trial is trained by all processes together.

    The exit status is 1 if a trial failed.
    """
    context = click.get_current_context()
    if given["ablation"] and given["resume"]:
        raise click.UsageError("--ablation begins a run and --resume goes on with one: not both", context)
    if not (given["ablation"] or given["resume"]):
        raise click.UsageError("give --ablation NAME, or --resume DIR", context)
    if given["resume"]:
        settled = {"folder": "output", "settings": "set"}
        for name in ("preset", "data", "images", "width", "settings", "folder"):
            if given[name]:
                told = f"--{settled.get(name, name)} is settled"
                raise click.UsageError(f"--resume goes on with a run as it was begun: {told}", context)
    failures = _trained(given)
    for line in failures:
        click.echo(line, err=True)
    if failures:
        sys.exit(1)


def _trained(given: dict[str, Any]) -> tuple[str, ...]:
    """Train, and write the page; gives what does not hold, a line each."""
    from costlab.train.distributed import launched
    from costlab.train.environment import device_named, workers_on
    from costlab.train.protocol import WorkerSettings
    from costlab.train.run import trained
    from costlab.train.trial import SAVED_EVERY

    device = device_named(given["device"])
    if launched():
        return _together(given, device)
    with watched() as watch, ExitStack() as stack:
        plan, folder = _plan(given, watch, stack)
        workers = min(given["workers"] or workers_on(device, len(plan.pairs)), len(plan.pairs))
        settings = WorkerSettings(folder, str(device), workers, SAVED_EVERY, plan.identity, given["compiled"])
        try:
            run = trained(plan, settings, watch, given["study"] or "", again=bool(given["resume"]))
        except KeyboardInterrupt:
            watch.note(f"interrupted: --resume {folder} goes on from the last checkpoints")
            raise
    return _written(run, folder)


def _together(given: dict[str, Any], device: "torch.device") -> tuple[str, ...]:
    """The same as one of several processes, each trial trained by all of them."""
    from costlab.train.distributed import joined, own_device
    from costlab.train.protocol import WorkerSettings
    from costlab.train.torchrun import trained_together
    from costlab.train.trial import SAVED_EVERY

    own = own_device(device)
    with joined(own) as group, watched(mute=not group.leads) as watch, ExitStack() as stack:
        plan, folder = group.led(lambda: _plan(given, watch, stack))
        settings = WorkerSettings(folder, str(own), 1, SAVED_EVERY, plan.identity, given["compiled"])
        run = trained_together(plan, settings, watch, group, given["study"] or "", bool(given["resume"]))
    return () if run is None else _written(run, folder)


def _plan(given: dict[str, Any], watch: "Watch", stack: ExitStack) -> "tuple[Plan, Path]":
    """The plan of the run, in its folder, which is locked for as long as the stack is open."""
    from costlab.train.plan import found, load
    from costlab.train.prepare import Asked, begun, continued, refuse_full, settled
    from costlab.train.recipe import read
    from costlab.train.run import locked
    from costlab.train.storage import refuse_unreachable

    shared = given["study"] is not None
    if shared:
        refuse_unreachable(given["study"])
    if given["resume"]:
        folder = Path(given["resume"])
        load(folder)  # or say that there is none
        stack.enter_context(locked(folder))
        return continued(folder, given["seeds"], watch.note, shared), folder
    found(given["ablation"], 1.0)  # what costs little is looked at first
    read(given["settings"])
    folder = Path(given["folder"] or RUNS / given["ablation"].rpartition(":")[2])
    refuse_full(folder)
    asked = Asked(
        given["ablation"],
        given["preset"] or next(iter(PRESETS)),
        given["data"] or "synthetic",
        given["seeds"] or SEEDS,
        given["settings"],
        given["width"],
        given["images"],
        shared,
    )
    plan, dataset = settled(asked, watch.note)
    stack.enter_context(locked(folder))
    begun(plan, dataset, folder)
    return plan, folder


def _written(run: "Run", folder: Path) -> tuple[str, ...]:
    """Write the page into the folder; gives what does not hold, a line each."""
    from costlab.report.evidence import page_of_run
    from costlab.report.folder import drawn, write_all

    problems: list[str] = []
    contents = drawn(page_of_run(run), folder, done=lambda page: problems.extend(page.problems))
    for file, _ in write_all(contents, force=True):
        click.echo(file)
    return tuple(problems)
