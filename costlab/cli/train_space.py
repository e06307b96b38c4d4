"""``costlab train --space``: members of design spaces in the place of an experiment."""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from costlab.cli.inputs import refuse
from costlab.errors import RunError
from costlab.messages import named

if TYPE_CHECKING:
    from costlab.search.finder import Members
    from costlab.search.written import Written
    from costlab.train.plan import Plan
    from costlab.train.run import Grow

OF_SPACES = ("sample", "seed", "within", "of", "where", "beside", "search")
"""Options that go with ``--space``."""


def refuse_space_options(options: dict[str, Any]) -> None:
    """Refuse options of spaces that do not go together."""
    given = [name for name in OF_SPACES if options[name] not in (None, ())]
    spaces = options["spaces"]
    if options["resume"]:
        refuse(
            *((True, f"--resume goes on with a run as it was begun: --{name} is settled") for name in given)
        )
        return
    refuse(
        (bool(given and not spaces), f"--{''.join(given[:1])} goes with --space"),
        (
            bool(spaces and (options["name"] or options["ablation"])),
            "--space says what is trained, and NAME too: --beside NAME has it trained beside the members",
        ),
        (bool(spaces) and options["sample"] is None, "--space goes with --sample N: how many are trained"),
        ((options["within"] is None) != (options["of"] is None), "--within and --of go together"),
        (bool(options["search"]) and len(spaces) > 1, "--search goes over one --space"),
        (
            bool(spaces and options["width"] and not options["beside"]),
            "--width is that of an experiment: of members, the space says how wide they are",
        ),
    )


def read_spaces(options: dict[str, Any]) -> "tuple[Written, ...]":
    """The spaces as they are written in files or on the command line."""
    if not options["spaces"]:
        return ()
    from costlab.search.written import read_written

    return tuple(map(read_written, options["spaces"]))


def members(options: dict[str, Any], report: Callable[[str], None]) -> "Members | None":
    """The members of spaces to train; None where an experiment is trained."""
    spaces = read_spaces(options)
    if not spaces:
        return None
    from costlab.search.finder import Members

    return Members(
        spaces,
        options["sample"],
        options["seed"] or 0,
        options["within"] or "",
        options["of"] or "",
        options["where"],
        options["beside"],
        options["search"] or "",
        report,
    )


def words(options: dict[str, Any], spaces: "tuple[Written, ...]") -> tuple[str, ...]:
    """The words of the command that begins the same run, files without their folders."""
    said: list[str] = []
    for text, space in zip(options["spaces"], spaces, strict=True):
        said += ["--space", Path(text).name if space.is_file else space.name]
    for name in ("within", "of"):
        said += [f"--{name}", options[name]] if options[name] is not None else []
    for condition in options["where"]:
        said += ["--where", condition]
    said += ["--sample", str(options["sample"])]
    said += ["--seed", str(options["seed"])] if options["seed"] else []
    for name in options["beside"]:
        said += ["--beside", name.rpartition("/")[2]]
    return (*said, *(["--search", options["search"]] if options["search"] else []))


def refuse_other_spaces(plan: "Plan", options: dict[str, Any], folder: Path) -> str | None:
    """What the user names again of the run in a folder: the experiment, or the code of its spaces.

    Raises:
        RunError: the spaces are not those of the run.
    """
    name: str | None = options["name"]
    given = read_spaces(options)
    if not given:
        return name
    from costlab.search.labels import name_of
    from costlab.search.written import written_in
    from costlab.train.arms import is_code

    if not plan.spaces:
        raise RunError(f"--resume {folder}: this run is of {named(plan.ablation)}, and of no space")
    kept = [written_in(record) for record in plan.spaces]
    if len(given) != len(kept) or not all(map(_is_of, given, kept)):
        names = " and ".join(named(each.name) for each in kept)
        raise RunError(
            f"--resume {folder}: this run is of the space {names}, not of the --space that is given"
        )
    code = [name_of(each.target) for each in given if is_code(name_of(each.target))]
    return name or next(iter(code), None)


def _is_of(given: "Written", kept: "Written") -> bool:
    """Whether a space is that of a run, which may have further conditions."""
    *what, where = given.as_recorded
    *recorded, conditions = kept.as_recorded
    return what == recorded and conditions[: len(where)] == where


def growth(plan: "Plan", folder: Path, report: Callable[[str], None]) -> "Grow":
    """What gives the plan of a search more members to train."""
    if plan.search is None:
        from costlab.train.run import never

        return never
    from costlab.search.growth import Growth

    return Growth(plan, folder, report)
