"""The page of factorizations: what they save, in numbers and in closed forms."""

from collections.abc import Callable

from costlab.counting.compare import compare
from costlab.report.page import Page, Part, page
from costlab.report.pictures.alpha import alpha_picture
from costlab.report.pictures.bars import compare_picture
from costlab.report.pictures.reductions import SETS, reductions_picture
from costlab.report.pictures.savings import savings_picture
from costlab.report.tables.closed_form import compared_forms_table
from costlab.report.tables.compare import compare_table
from costlab.symbolic.derive import closed_forms

NAME = "factorization"


def factorization_page(report: Callable[[str], None]) -> Page:
    """The ablations of sections 3, 5 and 6, with closed forms and pictures, and that of the whole network."""

    def both(name: str) -> tuple[Part, Part]:
        report(f"factorization: {name}")
        compared = compare(ablation=name)
        return compare_table(compared), compared_forms_table(compared, closed_forms(ablation=name))

    whole = compare(ablation="inception_v3")
    return page(
        NAME,
        "Factorized convolutions and grid reductions",
        "What sections 3, 5 and 6 of the paper put in the place of large kernels and of blunt reductions, "
        "and what that saves: counted, derived in symbols, and in the whole network.",
        (
            "## Large kernels",
            *both("large_5x5"),
            *both("small_3x3"),
            *both("large_7x7"),
            "## Any kernel",
            *both("nxn"),
            savings_picture(),
            "## More channels out than in",
            "Where a 5x5 has alpha times as many channels out as in, each of the two 3x3 takes a step of "
            "sqrt(alpha). They save most where alpha is 1.",
            alpha_picture(),
            "## Grid reductions",
            reductions_picture(),
            *(part for name in SETS for part in both(name)),
            "## In the whole network",
            compare_table(whole),
            compare_picture(whole, "inception_v3_choices"),
        ),
    )
