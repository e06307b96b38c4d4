"""The page of the lineage: earlier networks, and what further inference costs and gains."""

from costlab.counting.compare import compare
from costlab.report.page import Page, page
from costlab.report.pictures.budget import budget_picture
from costlab.report.pictures.lineage import lineage_picture
from costlab.report.tables.compare import compare_table
from costlab.report.tables.published import published_table

NAME = "lineage"


def lineage_page() -> Page:
    """The networks of the paper beside each other, and the ways of inference of its tables 3 to 5."""
    networks, budgets = compare(ablation="lineage"), compare(ablation="inference_budget")
    return page(
        NAME,
        "Lineage and inference budgets",
        "The networks that the paper compares Inception v3 with, counted, and the errors that it reports for "
        "one crop, for many, and for ensembles. Errors are the paper's; costs are counted.",
        (
            "## Networks",
            lineage_picture(networks),
            compare_table(networks),
            published_table(networks),
            "## From a single crop to an ensemble",
            budget_picture(budgets),
            compare_table(budgets),
            published_table(budgets),
        ),
    )
