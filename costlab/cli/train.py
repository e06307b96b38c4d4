"""``costlab train``."""

import os
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from functools import partial
from pathlib import Path
from shlex import quote
from typing import TYPE_CHECKING, Any

import click

from costlab.cli.inputs import refuse
from costlab.cli.train_options import SEEDS, train_options
from costlab.cli.train_progress import show_progress
from costlab.cli.train_space import growth, members, refuse_other_spaces, refuse_space_options, words
from costlab.train.plan import PRESETS

if TYPE_CHECKING:
    import torch

    from costlab.search.finder import Members
    from costlab.train.plan import Plan
    from costlab.train.prepare import RunRequest
    from costlab.train.record import Run
    from costlab.train.run import Known, RunObserver

RUNS = Path("runs")
NO_PHOTOGRAPHS = (None, "synthetic", "digits")
"""Values of ``--data`` that name no photographs."""


class TrainCommand(click.Command):
    """Names the experiments below the options; building them takes the definitions."""

    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        from costlab.train.experiments import experiment, names

        with formatter.section("Experiments"):
            formatter.write_dl([(name, experiment(name, 1.0).title) for name in names()])


@click.command(
    cls=TrainCommand,
    short_help="Train the variants of an experiment on a few seeds, and compare accuracy and time.",
)
@train_options
def train(**options: Any) -> None:
    """Train the variants of an experiment beside each other on the same seeds, at a reduced scale.

    NAME is one of the experiments below, or an Experiment or an Ablation in file.py:attribute or
    package.module:attribute. With --space members of a design space are trained instead, drawn at random
    or searched for.

    Each variant with each seed is a trial. What comes out lands in DIR as it comes: checkpoints and a line
    per epoch for each trial, and at the end the record, with a page that sets accuracy and time beside the
    counted multiply-adds. A run that was interrupted goes on with --resume DIR; one of
    an experiment in a file with NAME too, since a folder may come from somebody else, and its code would run.

    Under torchrun every trial is trained by all processes together.

    The exit status is 1 if a trial failed.
    """
    _refuse(options)
    options["name"] = options["name"] or options["ablation"]
    failures = _train(options)
    for line in failures:
        click.echo(line, err=True)
    if failures:
        sys.exit(1)


def _refuse(options: dict[str, Any]) -> None:
    """Refuse what does not go together."""
    name, ablation, resume = (options[option] for option in ("name", "ablation", "resume"))
    preset = PRESETS.get(options["preset"])
    refuse_space_options(options)
    refuse(
        (bool(name and ablation), "NAME and --ablation NAME are one thing: give one of them"),
        (
            not (name or ablation or resume or options["spaces"]),
            "give the NAME of an experiment, or --resume DIR",
        ),
        (
            preset is not None and preset.of_photographs and options["data"] in NO_PHOTOGRAPHS,
            f"--preset {options['preset']} is for photographs: "
            "--data cifar10:PATH, cifar100:PATH or folder:PATH",
        ),
    )
    if resume:
        fixed = ("preset", "data", "about", "images", "width", "settings", "folder")
        option_of = {"folder": "--output", "settings": "--set"}
        message = "--resume goes on with a run as it was begun: {} is settled"
        given = [option_of.get(name, f"--{name}") for name in fixed if options[name] not in (None, ())]
        refuse(*((True, message.format(option)) for option in given))


def _train(options: dict[str, Any]) -> tuple[str, ...]:
    """Train, and write the page; returns a line for each failure."""
    together = _under_torchrun()
    if options["resume"] and not together:
        _find_run(options)  # a mistake is told without loading torch
    from costlab.train.environment import default_workers, find_device
    from costlab.train.protocol import WorkerSettings
    from costlab.train.run import train_plan
    from costlab.train.trial import SAVE_EVERY

    device = find_device(options["device"])
    if together:
        return _train_under_torchrun(options, device)
    with show_progress() as observer, ExitStack() as stack:
        plan, folder = _prepare(options, observer, stack)
        stack.enter_context(_saying_how_to_go_on(plan.resume_command(folder)))
        workers = min(options["workers"] or default_workers(device, len(plan.pairs)), len(plan.pairs))
        settings = WorkerSettings(
            folder, str(device), workers, SAVE_EVERY, plan.identity, options["compiled"]
        )
        known, grow = _known(options, plan, observer.note), growth(plan, folder, observer.note)
        run = train_plan(plan, settings, observer, *_study(options), known=known, grow=grow)
    return _write_page(run, folder)


def _study(options: dict[str, Any]) -> tuple[str, bool]:
    """The database that trials are drawn from, if any, and whether those that failed are tried again."""
    return options["study"] or "", bool(options["resume"])


def _known(options: dict[str, Any], plan: "Plan", report: Callable[[str], None]) -> "Known":
    """What gives the results of an earlier run that the user names. Raises as `known_results` does."""
    from costlab.train.known import known_results
    from costlab.train.run import nothing

    if not options["known"]:
        return nothing
    known = partial(known_results, Path(options["known"]))
    report(f"{options['known']} has {len(known(plan))} of {len(plan.pairs)} trials")
    return known


def _unheard(_: str) -> None:
    """Nobody is told."""


def _under_torchrun() -> bool:
    """Whether torchrun started this process together with others."""
    return "TORCHELASTIC_RUN_ID" in os.environ or int(os.environ.get("WORLD_SIZE", "1")) > 1


def _find_run(options: dict[str, Any]) -> Path:
    """The folder of the run to go on with. Raises `RunError` if there is none, or it is another one."""
    from costlab.train.plan import load

    folder = Path(options["resume"])
    plan = load(folder)
    options["name"] = refuse_other_spaces(plan, options, folder)
    plan.named_again(options["name"], folder)
    return folder


@contextmanager
def _saying_how_to_go_on(command: str) -> Iterator[None]:
    try:
        yield
    except KeyboardInterrupt as interrupt:
        interrupt.add_note(f"{command} goes on from the last checkpoints")
        raise


def _train_under_torchrun(options: dict[str, Any], device: "torch.device") -> tuple[str, ...]:
    """The same as one of several processes, which train each trial together."""
    from costlab.train.distributed import device_of_process, join_processes
    from costlab.train.protocol import WorkerSettings
    from costlab.train.torchrun import train_under_torchrun
    from costlab.train.trial import SAVE_EVERY

    own = device_of_process(device)
    with (
        join_processes(own) as group,
        show_progress(mute=not group.is_leader) as observer,
        ExitStack() as stack,
    ):
        plan, folder = group.run_on_leader(lambda: _prepare(options, observer, stack))
        settings = WorkerSettings(folder, str(own), 1, SAVE_EVERY, plan.identity, options["compiled"])
        known = _known(options, plan, observer.note if group.is_leader else _unheard)
        grow = growth(plan, folder, observer.note)
        run = train_under_torchrun(plan, settings, observer, group, *_study(options), known=known, grow=grow)
    return () if run is None else _write_page(run, folder)


def _prepare(options: dict[str, Any], observer: "RunObserver", stack: ExitStack) -> "tuple[Plan, Path]":
    """The plan of the run and its folder, which is locked until the stack is closed."""
    from costlab.files import is_folder, refuse_traps
    from costlab.train.arms import find_experiment
    from costlab.train.cache import FOLDER as DATA
    from costlab.train.prepare import make_plan, refuse_nonempty, resume_plan, save_plan
    from costlab.train.recipe import read
    from costlab.train.record import load
    from costlab.train.run import STUDY, lock_folder
    from costlab.train.storage import refuse_other_file, refuse_unreachable

    shared = options["study"] is not None
    if shared:
        refuse_unreachable(options["study"])
    if options["resume"]:
        folder = _find_run(options)
        refuse_traps(folder)
        is_folder(folder / DATA)  # or say that it is none
        refuse_other_file(folder / STUDY)
        stack.enter_context(lock_folder(folder))
        plan = resume_plan(folder, options["seeds"], observer.note, shared, options["name"])
        _load_ahead()
        return plan, folder
    if options["known"]:  # what costs little is looked at first
        load(Path(options["known"]))
    spaces = members(options, observer.note)
    found = spaces or find_experiment(options["name"], 1.0)
    read(options["settings"])
    folder = Path(options["folder"] or RUNS / found.name)
    refuse_nonempty(folder)
    plan, dataset = make_plan(_request(options, spaces), observer.note, spaces)
    _known(options, plan, _unheard)  # or refuse it before anything is written
    stack.enter_context(lock_folder(folder))
    _load_ahead()  # not before: what is wrong with a run is told by then
    save_plan(plan, dataset, folder)
    return plan, folder


def _load_ahead() -> None:
    """Begin to load what workers need; under torchrun there are none."""
    from costlab.train.pool import load_ahead

    if not _under_torchrun():
        load_ahead()


def _request(options: dict[str, Any], spaces: "Members | None") -> "RunRequest":
    """The run that is asked for, with what is not given as by default."""
    from costlab.train.prepare import RunRequest

    return RunRequest(
        ablation=spaces.source if spaces else options["name"],
        preset=options["preset"] or next(iter(PRESETS)),
        source="synthetic" if options["data"] is None else options["data"],
        seeds=options["seeds"] or (1 if spaces else SEEDS),
        settings=options["settings"],
        width=options["width"],
        images=options["images"],
        shared=options["study"] is not None,
        about=options["about"] or "",
        words=words(options, spaces.spaces) if spaces else (),
    )


def _write_page(run: "Run", folder: Path) -> tuple[str, ...]:
    """Write the page into the folder, but leave what is the user's there; returns a line for each failure."""
    from costlab.report.evidence import page_of_run
    from costlab.report.folder import of_others, render, write_all

    problems: list[str] = []
    contents = render(page_of_run(run), folder, done=lambda page: problems.extend(page.problems))
    kept = of_others(contents)
    ours = {file: contents[file] for file in contents if file not in kept}
    for file, _ in list(write_all(ours, force=True)):  # all of them, whether they can be told or not
        click.echo(file)
    if kept:
        names, command = ", ".join(map(str, kept)), f"costlab report {quote(str(folder))} -o DIR"
        click.echo(
            f"not as costlab writes it, and left as it is: {names}; {command} writes the page elsewhere",
            err=True,
        )
    return tuple(problems)
