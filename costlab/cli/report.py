"""``costlab report``."""

import os
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import click

from costlab.algebra.parameter import closest
from costlab.cli.convention import as_option, convention_option
from costlab.cli.inputs import input_option, one_or_all, refuse
from costlab.cli.lazy import completes
from costlab.cli.output import FolderPath
from costlab.cli.progress import steps
from costlab.counting.compare import Comparison, compare
from costlab.counting.count import Count, count
from costlab.errors import RunError, TargetError
from costlab.files import is_folder, refuse_traps
from costlab.messages import named
from costlab.targets.catalog import catalog, is_listed, is_listed_ablation
from costlab.targets.find_ablation import is_ablation
from costlab.targets.other_file import told_of

if TYPE_CHECKING:
    from costlab.report.page import Page
    from costlab.train.record import Run

DEFAULT = Path("reports")


@click.command(
    short_help="Write the evidence, or the page of a network or a run, as Markdown and PNG; --check it."
)
@click.argument("place", metavar="[DIR | TARGET | RUN]", required=False, shell_complete=completes("target"))
@click.option(
    "-o",
    "--output",
    "folder",
    metavar="DIR",
    type=FolderPath(),
    help="Where the pages go: with a TARGET or a RUN, its page.",
)
@click.option(
    "--check", is_flag=True, help="Write nothing; exit with 1 if a file is not as it would be written."
)
@click.option("--svg", is_flag=True, help="Write each picture as SVG too.")
@input_option("With TARGET: shape of the input.")
@click.option("-b", "--batch", type=click.IntRange(min=1), help="With TARGET: inputs at once.  [default: 1]")
@click.option(
    "-d", "--depth", type=click.IntRange(min=0), help="With TARGET: depth of the module tree.  [default: 1]"
)
@convention_option
@click.option("--force", is_flag=True, help="Replace files that costlab report did not write.")
def report(
    place: str | None,
    folder: Path | None,
    check: bool,
    svg: bool,
    input_: tuple[str, ...],
    batch: int | None,
    depth: int | None,
    convention: str,
    force: bool,
) -> None:
    """Write what costlab finds as pages of Markdown with pictures, into DIR (reports by default).

    That is the evidence on the Inception-v3 paper: the network, what factorization saves, the claims, the
    lineage, the counting tools, the spaces around it, what it takes, what could be saved, and what was
    trained, of which the records lie in DIR/runs. With TARGET and -o DIR it is the page
    of that network: TARGET is what `costlab count` takes; or an ablation, as `costlab compare` takes it: the
    page compares its variants. With RUN, the folder of a training run, it is the page of that run, in the
    same folder without -o.

    What costlab wrote before is replaced, other files are not. With the evidence go README.md and docs/*.md
    in the folder above, where they ask for that (see "Reports" in the documents of costlab): the output of
    the commands that they show is renewed.

    The exit status is 1 if something does not hold: a cross-check, or a claim that is not as recorded; with
    --check, also if a file is not as it would be written.
    """
    run = _run_in(place)
    target, folder = (None, folder or Path(place or "")) if run else _target_and_folder(place, folder)
    convention_name = as_option(convention)
    of_target = bool(input_) or (batch, depth, convention_name) != (None, None, None)
    refuse(
        (target is None and of_target, "--input, --batch, --depth and --convention go with a TARGET"),
        (check and force, "--check writes nothing: leave --force out"),
    )
    counted = compared = None
    if target is not None and is_ablation(target):
        refuse((depth is not None, "--depth is for the page of one network, and this is a set of them"))
        compared = compare(ablation=target, input=one_or_all(input_), batch=batch or 1).under(convention)
    elif target is not None:
        counted = count(target, one_or_all(input_), batch=batch or 1).under(convention)
    typed = (
        *(("-i", value) for value in input_),
        ("-b", batch),
        ("-d", depth),
        ("--convention", convention_name),
    )
    options = " ".join(f"{option} {value}" for option, value in typed if value is not None)
    request = _Request(
        counted, folder, 1 if depth is None else depth, options, svg, run, compared, target or ""
    )
    problems = _check(request) if check else _write(request, force)
    for line in problems:
        click.echo(line, err=True)
    if problems:
        sys.exit(1)


class _Request(NamedTuple):
    """What to write, and where: the page of a count, a comparison or a run, or the evidence without these."""

    counted: Count | None
    folder: Path
    depth: int
    options: str
    svg: bool
    run: "Run | None" = None
    compared: Comparison | None = None
    typed: str = ""

    @property
    def is_evidence(self) -> bool:
        """Whether it is the evidence."""
        return self.counted is None and self.run is None and self.compared is None

    @property
    def records(self) -> tuple[Path, ...]:
        """The records of training runs that go with the evidence."""
        from costlab.report.evidence import records_in

        return records_in(self.folder) if self.is_evidence else ()

    @property
    def names(self) -> tuple[str, ...]:
        """The pages of the evidence."""
        from costlab.report.evidence import names_with

        return names_with(self.records) if self.is_evidence else ()

    @property
    def documents(self) -> tuple[Path, ...]:
        """The documents beside the folder that are kept with the evidence."""
        from costlab.report.documents import kept_beside

        if not self.is_evidence:
            return ()
        is_folder(self.folder)  # or say why it cannot be reached
        return kept_beside(self.folder)

    @property
    def above(self) -> Path:
        """The folder above: there the commands run that documents show."""
        return self.folder.resolve().parent

    def pages(self, report_step: Callable[[str], None]) -> "Iterator[Page]":
        """The pages, one by one; ``report_step`` is called with each step."""
        from costlab.report.evidence import evidence, page_of, page_of_comparison, page_of_run

        if self.compared is not None:
            return page_of_comparison(self.compared, self.typed, self.options)
        if self.run is not None:
            return page_of_run(self.run)
        if self.counted is not None:
            return page_of(self.counted, report_step, self.depth, self.options)
        return evidence(report_step, self.records)

    @property
    def steps(self) -> int:
        """The number of pages and outputs to make."""
        from costlab.report.documents import commands_in

        commands = {command for document in self.documents for command in commands_in(document)}
        return len(self.names or ("its page",)) + len(commands)


def _run_in(place: str | None) -> "Run | None":
    """The training run in a folder, if it is one of a run."""
    from costlab.train import plan
    from costlab.train.record import FILE, load

    folder = Path(place or "")
    # What is there and is no file is told when it is read.
    done, planned = (bool(place) and os.path.lexists(folder / name) for name in (FILE, plan.FILE))
    if planned and not done:
        command = plan.load(folder).resume_command(folder)
        raise RunError(f"{folder} holds a run that is not done: {command} ends it")
    if done:
        refuse_traps(folder)
    return load(folder / FILE) if done else None


def _target_and_folder(place: str | None, folder: Path | None) -> tuple[str | None, Path]:
    """The target, if there is one, and the folder."""
    if folder is not None:
        return place, folder
    if place is None:
        return None, DEFAULT
    is_target = ":" in place or place.endswith(".py") or is_listed(place) or is_listed_ablation(place)
    if is_target and not Path(place).is_dir():
        raise TargetError(f"{place} is a target: say with -o DIR where its page goes")
    if not Path(place).is_dir() and (told := told_of(place)):
        raise TargetError(told)
    if not place or not is_folder(Path(place)):
        hint = closest(place, catalog()) or "; a new folder is named with -o DIR"
        raise TargetError(f"there is neither a folder nor a definition {named(place)}{hint}")
    return None, Path(place)


def _write(request: _Request, force: bool) -> list[str]:
    """Write the pages and print the names of the files; returns a line for each check that failed."""
    from costlab.files import make_folder, refuse_taken
    from costlab.report.cell import plural
    from costlab.report.documents import name_of, outputs_of, renew
    from costlab.report.evidence import OF_A_RUN
    from costlab.report.folder import leftovers, refuse_foreign, render, write_all
    from costlab.report.page import MARK

    problems: list[str] = []
    documents = request.documents
    make_folder(request.folder)
    refuse_taken(*documents, replace=True)
    if not force:  # what can be known before the work is done
        for name in request.names:
            refuse_foreign(request.folder / f"{name}.md", MARK.format(target="").encode())
        if request.run is not None:
            mark = MARK.format(target=f" {OF_A_RUN}").encode()
            refuse_foreign(request.folder / f"{request.run.name}.md", mark)
    with steps(request.steps) as (report_step, done):

        def finished(page: "Page") -> None:
            problems.extend(page.problems)
            done(page.file)

        contents = render(request.pages(report_step), request.folder, svg=request.svg, done=finished)
        outputs = outputs_of(documents, request.above, report_step, done)
    written = list(write_all(contents, force=force))
    renewed = {name_of(document, request.above): renew(document, outputs) for document in documents}
    for file, changed in written:
        click.echo(f"{file}{_unchanged_mark(changed)}")
    for name, changed in renewed.items():
        click.echo(f"{name}, the outputs in it{_unchanged_mark(changed)}")
    number = sum(file.changed for file in written)
    click.echo(f"{plural(len(written), 'file')} in {request.folder}, {number} of them changed")
    if request.is_evidence:
        for line in leftovers(request.folder, request.names):
            click.echo(line, err=True)
    return problems


def _unchanged_mark(changed: bool) -> str:
    return "" if changed else "  (as it was)"


def _check(request: _Request) -> list[str]:
    """Compare the files with what would be written; returns a line for each difference."""
    from costlab.report.cell import plural
    from costlab.report.documents import name_of, outdated, outputs_of
    from costlab.report.folder import leftovers, stale

    if not is_folder(request.folder):
        return [f"{request.folder}: there is no such folder; costlab report writes it"]
    problems: list[str] = []
    differing: list[str] = []
    pages, documents = 0, request.documents
    with steps(request.steps) as (report_step, done):
        for page in request.pages(report_step):
            pages += 1
            problems += page.problems
            differing += stale(page, request.folder, svg=request.svg)
            done(page.file)
        outputs = outputs_of(documents, request.above, report_step, done)
    for document in documents:
        name = name_of(document, request.above)
        differing += [f"{name}: {command} prints something else" for command in outdated(document, outputs)]
    if differing:
        differing.append("the same command without --check writes them anew")
    if request.is_evidence:
        differing += leftovers(request.folder, request.names)
    if not (problems or differing):
        what = f"{plural(pages, 'page')} with pictures"
        click.echo(f"{request.folder}: all is as it would be written, {what}")
    return problems + differing
