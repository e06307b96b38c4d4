"""The options of ``costlab train``."""

from collections.abc import Callable
from functools import reduce
from typing import Any

import click

from costlab.cli.lazy import completes
from costlab.cli.output import FilePath, FolderPath
from costlab.train.plan import PRESETS
from costlab.train.record import MOST_MEMBERS, MOST_SEEDS
from costlab.train.space_record import SAMPLERS

SEEDS = 3
OPTIONS: tuple[Callable[[Any], Any], ...] = (
    click.argument("name", required=False, shell_complete=completes("experiment")),
    click.option(
        "-a", "--ablation", metavar="NAME", help="The same as NAME.", shell_complete=completes("experiment")
    ),
    click.option(
        "--seeds",
        type=click.IntRange(1, MOST_SEEDS),
        help=f"How often each variant is trained.  [default: {SEEDS}; with --space 1]",
    ),
    click.option(
        "--preset",
        type=click.Choice(tuple(PRESETS)),
        help=f"The scale. {'; '.join(f'{name}: {preset}' for name, preset in PRESETS.items())}.  "
        f"[default: {next(iter(PRESETS))}]",
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
        "--space",
        "spaces",
        metavar="SPACE",
        multiple=True,
        help="Train members of a design space: FILE.toml, or a target with axes in one text, "
        "'mini width=0.25:1:0.05 large'; another one is compared with it.",
    ),
    click.option(
        "--sample", type=click.IntRange(1, MOST_MEMBERS), metavar="N", help="N members of each, at random."
    ),
    click.option("--seed", type=click.IntRange(min=0), help="With --sample: which draw.  [default: 0]"),
    click.option("--within", metavar="SHARE", help="With --of: members whose multiply-adds are so near: 5%."),
    click.option("--of", metavar="AMOUNT", help="What --within is near to: 8e6."),
    click.option(
        "--where", metavar="CONDITION", multiple=True, help="What has to hold of members: parameters < 1e6."
    ),
    click.option(
        "--beside", metavar="NAME", multiple=True, help="What is trained too: an experiment, or a target."
    ),
    click.option(
        "--search",
        type=click.Choice(SAMPLERS),
        is_flag=False,
        flag_value=SAMPLERS[0],
        help="Search for few multiply-adds and a small error, N members in all: nsga2 or tpe.  "
        "[default: nsga2]",
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
