"""The evidence: every page that costlab writes about the paper and its network, from the definitions.

Nothing is trained for a page: records of runs in the folder of the pages get a page each.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path

from costlab.counting.compare import Comparison
from costlab.counting.count import Count, count
from costlab.paper.audit import verify
from costlab.report.page import Page, sealed
from costlab.report.pages import (
    advice,
    claims,
    conventions,
    exploration,
    factorization,
    hardware,
    index,
    lineage,
)
from costlab.report.pages.comparison import comparison_page
from costlab.report.pages.network import file_name, network_page
from costlab.report.pages.run import training_page
from costlab.report.pages.space_run import space_page
from costlab.targets.resolve import without_folder
from costlab.train.record import FILE, Run, load

NETWORK = "inception_v3"
RUNS = "runs"
"""The folder of the records of training runs, in the folder of the pages."""
OF_A_RUN = "of a run"
"""What the first line of the page of a run says that it is."""
COUNTED = (
    NETWORK,
    factorization.NAME,
    claims.NAME,
    lineage.NAME,
    conventions.NAME,
    exploration.NAME,
    hardware.NAME,
    advice.NAME,
)


def records_in(folder: Path) -> tuple[Path, ...]:
    """The records of runs in a folder of pages."""
    return tuple(sorted((folder / RUNS).glob("*.json")))


def page_name(record: Path) -> str:
    """The name of the page of a record."""
    return f"trained_{record.stem}"


def names_with(records: Sequence[Path] = ()) -> tuple[str, ...]:
    """The names of the pages, in the order in which they are made: the index comes last."""
    return (*COUNTED, *map(page_name, records), index.NAME)


def evidence(report: Callable[[str], None], records: Sequence[Path] = ()) -> Iterator[Page]:
    """Yields the pages of `names_with`; ``report`` is called with each step.

    Raises:
        RunError: a record cannot be read.
    """
    runs = {page_name(record): load(record) for record in records}
    files = {page_name(record): f"{RUNS}/{record.name}" for record in records}
    released = count(NETWORK)
    pages = [network_page(released, NETWORK, report)]
    yield pages[-1]
    pages.append(factorization.factorization_page(report))
    yield pages[-1]
    audits = verify(progress=lambda name: report(f"claims: {name}"))
    pages.append(claims.claims_page(audits, runs))
    yield pages[-1]
    report("lineage")
    pages.append(lineage.lineage_page())
    yield pages[-1]
    report("conventions")
    pages.append(conventions.conventions_page())
    yield pages[-1]
    pages.append(exploration.exploration_page(report))
    yield pages[-1]
    pages.append(hardware.hardware_page(report))
    yield pages[-1]
    pages.append(advice.advice_page(report))
    yield pages[-1]
    for name, run in runs.items():
        report(f"training: {name}")
        pages.append(_run_page(run, name, files[name]))
        yield pages[-1]
    yield index.index_page(pages, released, audits)


def page_of(
    counted: Count, report: Callable[[str], None], depth: int = 1, options: str = ""
) -> Iterator[Page]:
    """The page of the user's network; ``options``, as typed, are part of its name."""
    label = without_folder(counted.label)
    target = f"{label} {options}".rstrip()
    yield network_page(replace(counted, label=label), file_name(target), report, depth=depth, target=target)


def page_of_comparison(comparison: Comparison, typed: str, options: str = "") -> Iterator[Page]:
    """The page of a set of networks; ``typed`` is its name, which with ``options`` is the page's."""
    target = f"{without_folder(typed)} {options}".rstrip()
    yield comparison_page(comparison, file_name(target), target=target)


def page_of_run(run: Run) -> Iterator[Page]:
    """The page of the user's training run."""
    yield sealed(_run_page(run, run.name, FILE, OF_A_RUN))


def _run_page(run: Run, name: str, record: str, target: str = "") -> Page:
    """The page of a run: with design spaces it is about these."""
    return space_page(run, name, record, target) if run.spaces else training_page(run, name, target)
