"""The options of ``costlab train``."""

from collections.abc import Callable
from functools import reduce
from typing import Any

import click

from costlab.cli.lazy import completes
from costlab.cli.output import FilePath, FolderPath
from costlab.train.plan import PRESETS
from costlab.train.record import MOST_SEEDS

SEEDS = 3
OPTIONS: tuple[Callable[[Any], Any], ...] = (
    click.argument("name", required=False, shell_complete=completes("experiment")),
    click.option(
        "-a", "--ablation", metavar="NAME", help="The same as NAME.", shell_complete=completes("experiment")
    ),
    click.option(
        "--seeds",
        type=click.IntRange(1, MOST_SEEDS),
        help=f"How often each variant is trained.  [default: {SEEDS}]",
    ),
    click.option(
        "--preset",
        type=click.Choice(tuple(PRESETS)),
        help="The scale. smoke: 3,000 images, 15 epochs, a minute per trial on a core; quick: 10,000, "
        "20 epochs; photographs: 50,000, 12 epochs, with --data; full: 50,000, 40 epochs, twice the width, "
        "for a GPU.  [default: smoke]",
    ),
    click.option(
        "--data",
        metavar="SOURCE",
        shell_complete=completes("data"),
        help="synthetic, digits, cifar10:PATH, cifar100:PATH or folder:PATH.  [default: synthetic]",
    ),
    click.option("--about", metavar="TEXT", help="A sentence about the images, for the page."),
    click.option("--images", type=click.IntRange(min=2), metavar="N", help="Train on N images at most."),
    click.option(
        "--width", type=click.FloatRange(min=0, min_open=True), help="Width of the reduced network."
    ),
    click.option(
        "--set",
        "settings",
        metavar="NAME=VALUE",
        multiple=True,
        shell_complete=completes("recipe"),
        help="A setting of the recipe, such as epochs=30; repeatable.",
    ),
    click.option(
        "--device",
        default="auto",
        show_default=True,
        metavar="DEVICE",
        shell_complete=completes("device"),
        help="auto, cpu, cuda or cuda:N.",
    ),
    click.option(
        "--workers",
        type=click.IntRange(min=1),
        metavar="N",
        help="Trials side by side.  [default: one per core of a CPU, 4 on a GPU]",
    ),
    click.option(
        "--compile/--no-compile",
        "compiled",
        default=None,
        help="Compile the step.  [default: long trials on a GPU]",
    ),
    click.option(
        "--study", metavar="URL", help="Draw trials from a database, as other machines do: postgresql://..."
    ),
    click.option(
        "-o",
        "--output",
        "folder",
        metavar="DIR",
        type=FolderPath(),
        help="A new folder for the run.  [default: runs/NAME]",
    ),
    click.option(
        "--known",
        metavar="FILE",
        type=FilePath(),
        help="The results.json of an earlier run: what it has of the same trials is not trained again.",
    ),
    click.option(
        "--resume",
        metavar="DIR",
        type=FolderPath(),
        help="Go on with the run in DIR; what failed is tried again. Of code, with NAME.",
    ),
)


def train_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """The decorator that gives a command all of them, in this order."""
    return reduce(lambda made, option: option(made), reversed(OPTIONS), command)
