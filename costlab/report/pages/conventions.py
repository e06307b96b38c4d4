"""The page of the counting tools: their numbers for networks of this project, and why they differ."""

from costlab.counting.count import count
from costlab.counting.reconcile import Account, reconcile
from costlab.report.cell import Column
from costlab.report.page import Page, page
from costlab.report.pictures.conventions import conventions_picture
from costlab.report.table import Table
from costlab.report.tables.conventions import conventions_table
from costlab.report.tables.reconcile import reconcile_table

NAME = "conventions"
NETWORKS = ("inception_v3", "googlenet", "bn_inception", "vgg16", "resnet50", "alexnet", "mini")
DRAWN = ("inception_v3", "vgg16", "resnet50")
CHECKED_BY_TESTS = (
    "No tool was run for this page: each number is what the tool's convention comes to. The tests run every "
    "tool of the extra `peers` that runs modules on every network and block of the catalog, and on small "
    "modules for each operation, those that read graphs of ONNX on networks that come with onnx and on a "
    "graph for each operator, and compare to the last unit; `costlab reconcile TARGET --run` does so for any "
    "network. "
    "ultralytics-thop and DeepSpeed are not among these; their numbers rest on the measurements of the "
    "release that is named."
)


def conventions_page() -> Page:
    """Every tool's number for the networks of this project, and the terms behind those of Inception v3."""
    counts = {name: count(name).inference for name in NETWORKS}
    accounts = {name: reconcile(counted) for name, counted in counts.items()}
    released = accounts["inception_v3"]
    numbers = {account.number for account in released if account.convention.measured_on}
    return page(
        NAME,
        "What the counting tools count",
        f"{len(released) - 2} ways of counting give {len(numbers)} numbers for Inception v3; each is the "
        "plain multiply-adds and terms that can be named.",
        (
            CHECKED_BY_TESTS,
            "## One network, many numbers",
            _numbers(accounts),
            conventions_picture({name: accounts[name] for name in DRAWN}),
            "In percent of the multiply-adds, all networks on one scale. Where a tool counts two "
            "for each multiply-add, half of what it adds is drawn.",
            "## Inception v3, term by term",
            reconcile_table(counts["inception_v3"], released),
            "## What is counted",
            conventions_table(),
        ),
    )


def _numbers(accounts: dict[str, tuple[Account, ...]]) -> Table:
    columns = (
        Column("tool", "tool"),
        *(Column(name, name, "size") for name in accounts),
    )
    every = list(accounts.values())
    rows = tuple(
        (account.convention.title, *(mine[place].number for mine in every))
        for place, account in enumerate(every[0])
    )
    return Table("What each tool reports, batch 1", columns, rows)
