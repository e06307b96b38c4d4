"""The page of a set of networks: what it says of few, of many, of one alone, and by a convention."""

import pytest

from costlab import variant
from costlab.algebra import Conv2d
from costlab.counting.compare import Comparison, compare
from costlab.report.page import Page
from costlab.report.pages.comparison import SHOWN_MAX, comparison_page
from costlab.targets.ablation import Ablation


def set_of(number: int) -> Comparison:
    """The first, and others, each with a filter more."""
    variants = {f"{n} filters": variant(Conv2d(n, 1), (4, 5, 5)) for n in range(1, number + 1)}
    return compare(ablation=Ablation("x", "Title", variants))


def page_of(comparison: Comparison) -> Page:
    return comparison_page(comparison, "some")


@pytest.mark.parametrize(("number", "few"), [(2, True), (SHOWN_MAX, True), (SHOWN_MAX + 1, False)])
def test_of_few_it_draws_and_shows_the_modules_that_differ(number: int, few: bool) -> None:
    page = page_of(set_of(number))
    assert ("## Modules that differ" in page.text, len(page.pictures)) == (few, int(few))
    assert (f"is shown of up to {SHOWN_MAX}" in page.text) == (not few)
    assert all(f"| {n} filters | {100 * n:,} |" in page.text for n in range(1, number + 1))


def test_one_alone_is_compared_with_nothing() -> None:
    alone = set_of(2)
    page = page_of(Comparison(alone.title, alone.counts[:1]))
    assert "Nothing beside 1 filters: " in page.text
    assert not page.pictures


def test_it_names_the_cost_that_it_shows() -> None:
    plain, flops = page_of(set_of(2)), page_of(set_of(2).under("flops"))
    assert "1 variant beside 1 filters: multiply-adds, parameters and activations." in plain.text
    assert "1 variant beside 1 filters: FLOPs (2 each), parameters and activations." in flops.text
    assert "multiply-adds" not in flops.summary
