"""``costlab report``."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from costlab.cli.convention import as_option, convention_option
from costlab.cli.inputs import input_option, one_or_all, partial_option, refuse
from costlab.cli.lazy import completes
from costlab.cli.output import DocumentPath, FolderPath
from costlab.cli.progress import steps
from costlab.cli.report_request import Request, run_in, target_and_folder, target_or_folder
from costlab.counting.compare import compare
from costlab.counting.count import count
from costlab.files import is_folder
from costlab.targets.find_ablation import is_ablation
from costlab.targets.resolve import without_folder

if TYPE_CHECKING:
    from costlab.report.page import Page


@click.command(
    short_help="Write the evidence, or the page of a network or a run, as Markdown or as HTML; --check it."
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
    "--html",
    metavar="FILE.html",
    type=DocumentPath(),
    help="Write one page of HTML instead, with all that is in it; - prints it.",
)
@click.option(
    "--beside",
    multiple=True,
    metavar="TARGET",
    shell_complete=completes("target"),
    help="With TARGET and --html: another network, compared module by module.",
)
@click.option(
    "--check", is_flag=True, help="Write nothing; exit with 1 if a file is not as it would be written."
)
@click.option("--svg", is_flag=True, help="Write each picture as SVG too; with --html as SVG alone.")
@input_option("With TARGET: shape of the input.")
@click.option("-b", "--batch", type=click.IntRange(min=1), help="With TARGET: inputs at once.  [default: 1]")
@click.option(
    "-d", "--depth", type=click.IntRange(min=0), help="With TARGET: depth of the module tree.  [default: 1]"
)
@convention_option
@click.option("--backward", is_flag=True, help="With TARGET and --html: count a step of training.")
@partial_option
@click.option("--force", is_flag=True, help="Replace files that costlab report did not write.")
def report(
    place: str | None,
    folder: Path | None,
    html: Path | None,
    beside: tuple[str, ...],
    check: bool,
    svg: bool,
    input_: tuple[str, ...],
    batch: int | None,
    depth: int | None,
    convention: str,
    backward: bool,
    partial: bool,
    force: bool,
) -> None:
    """Write what costlab finds as pages of Markdown with pictures, into DIR (reports by default).

    That is the evidence on the Inception-v3 paper: the network, what factorization saves, the claims, the
    lineage, the counting tools, the spaces around it, what it takes, what could be saved, and what was
    trained, of which the records lie in DIR/runs. With TARGET and -o DIR it is the page
    of that network: TARGET is what `costlab count` takes; or an ablation, as `costlab compare` takes it: the
    page compares its variants. With RUN, the folder of a training run, it is the page of that run, in the
    same folder without -o.

    With --html it is one file that needs no other, and no network: of a TARGET a page to look through, with
    its tree of modules, a picture of its cost, and every convention; of the rest the pages as they are.

    What costlab wrote before is replaced, other files are not. With the evidence go README.md and docs/*.md
    in the folder above, where they ask for that (see "Reports" in the documents of costlab): the output of
    the commands that they show is renewed.

    The exit status is 1 if something does not hold: a cross-check, or a claim that is not as recorded; with
    --check, also if a file is not as it would be written.
    """
    refuse(
        (html is not None and folder is not None, "--html names the one file that is written: leave -o out"),
        (html is None and bool(beside), "--beside goes with --html; costlab compare does it in a table"),
        (html is None and (backward or partial), "--backward and --partial go with --html"),
        (bool(beside) and backward, "--backward is for the page of one network"),
    )
    run = run_in(place)
    if html is not None and not run:
        target, folder = target_or_folder(place)
    else:
        target, folder = (None, folder or Path(place or "")) if run else target_and_folder(place, folder)
    convention_name = as_option(convention)
    of_target = bool(input_) or (batch, depth, convention_name) != (None, None, None)
    refuse(
        (target is None and of_target, "--input, --batch, --depth and --convention go with a TARGET"),
        (
            target is None and (backward or partial or bool(beside)),
            "--beside, --backward and --partial go with a TARGET",
        ),
        (
            svg and html is not None and target is not None,
            "--svg goes with the evidence or a RUN: in the page of a TARGET no picture is a file",
        ),
        (check and force, "--check writes nothing: leave --force out"),
    )
    counted = compared = None
    inputs, times = one_or_all(input_), batch or 1
    if target is not None and beside:
        compared = compare(target, *beside, input=inputs, batch=times, partial=partial).under(convention)
    elif target is not None and is_ablation(target):
        refuse(
            (
                depth is not None and html is None,
                "--depth is for the page of one network, and this is a set of them",
            ),
            (backward, "--backward is for the page of one network"),
        )
        compared = compare(ablation=target, input=inputs, batch=times, partial=partial).under(convention)
    elif target is not None:
        counted = count(target, inputs, batch=times, backward=backward, partial=partial).under(convention)
    typed = (
        *(("--beside", without_folder(value)) for value in beside),
        *(("-i", value) for value in input_),
        ("-b", batch),
        ("-d", depth),
        ("--convention", convention_name),
    )
    flags = [name for name, given in (("--backward", backward), ("--partial", partial)) if given]
    options = " ".join([*(f"{option} {value}" for option, value in typed if value is not None), *flags])
    request = Request(
        counted, folder, 1 if depth is None else depth, options, svg, run, compared, target or ""
    )
    if html is not None:
        from costlab.cli.report_html import check_html, put_html

        problems = check_html(request, html) if check else put_html(request, html, force=force)
    else:
        problems = _check(request) if check else _write(request, force)
    for line in problems:
        click.echo(line, err=True)
    if problems:
        sys.exit(1)


def _write(request: Request, force: bool) -> list[str]:
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


def _check(request: Request) -> list[str]:
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
