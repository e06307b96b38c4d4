"""``costlab report --html``: one page that is complete in itself."""

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import click

from costlab.cli.output import on_stdout, put, tell_partial
from costlab.cli.progress import progress, steps
from costlab.cli.report_request import Request
from costlab.counting.compare import Comparison
from costlab.errors import OutputError
from costlab.files import refuse_taken
from costlab.report.cell import human, plural
from costlab.report.html.evidence import Source, by_digest, drawn, pages_document
from costlab.report.html.file import difference, refuse_foreign_document, write_document
from costlab.report.html.network import comparison_document, network_document
from costlab.targets.resolve import without_folder

if TYPE_CHECKING:
    from costlab.report.page import Page


def put_html(request: Request, file: Path, *, force: bool) -> list[str]:
    """Write the page, or print it; returns a line for each check that failed."""
    target, is_printed = _target(request), on_stdout(file)
    if not is_printed:  # what can be known before the work is done
        refuse_taken(file, replace=True)
        if not force:
            refuse_foreign_document(file, target)
    text, problems = _document(request, target, drawn("svg" if request.svg else "png"))
    if is_printed:
        put(text, None, force)
        return problems
    written = write_document(file, text, target=target, force=force)
    as_it_was = "" if written.changed else ", as it was"
    click.echo(f"{file}  ({human(len(text.encode()), 'B')}{as_it_was})")
    return problems


def check_html(request: Request, file: Path) -> list[str]:
    """Compare the file with what would be written; returns a line if it differs, and for each failed check.

    Raises:
        OutputError: there is no file to compare with.
    """
    if on_stdout(file):
        raise OutputError("--check compares a file: name it with --html")
    text, problems = _document(request, _target(request), by_digest)
    if line := difference(file, text):
        problems += [line, "the same command without --check writes it anew"]
    if not problems:
        click.echo(f"{file}: all is as it would be written")
    return problems


def _target(request: Request) -> str:
    """What the page is of, as typed, without the folders of this machine."""
    if request.run is not None:
        from costlab.report.evidence import OF_A_RUN

        return OF_A_RUN
    name = request.counted.label if request.counted is not None else request.typed
    return f"{without_folder(name)} {request.options}".strip()


def _document(request: Request, target: str, source: Source) -> tuple[str, list[str]]:
    """The page, and a line for each check that failed."""
    if request.compared is not None:
        tell_partial(request.compared.counts)
        plain = _without_folders(request.compared)
        with progress("charging as every convention does"):
            return comparison_document(plain, depth=request.depth, target=target), []
    if request.counted is not None:
        tell_partial([request.counted])
        named = replace(request.counted, label=without_folder(request.counted.label))
        with progress("charging as every convention does"):
            return network_document(named, depth=request.depth, target=target), []
    from costlab.report.pages import index  # which a page of a network does without, as all of the evidence

    pages = _pages(request)
    records = plural(len(request.records), "record")
    about = f"The {records} of training runs that pages are reckoned from lie beside it, and are not in it."
    text = pages_document(
        pages, source, target=target, index=index.NAME, about=about if request.records else ""
    )
    return text, [problem for page in pages for problem in page.problems]


def _pages(request: Request) -> "list[Page]":
    pages = []
    with steps(len(request.names) or 1) as (report_step, done):
        for page in request.pages(report_step):
            pages.append(page)
            done(page.name)
    return pages


def _without_folders(comparison: Comparison) -> Comparison:
    """The comparison with labels that tell nothing of the folders of this machine."""
    title = comparison.title
    for count in comparison.counts:
        title = title.replace(count.label, without_folder(count.label))
    counts = tuple(replace(count, label=without_folder(count.label)) for count in comparison.counts)
    return replace(comparison, title=title, counts=counts)
