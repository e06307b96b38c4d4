"""The page of the claims: what trainings say of those that cannot be counted, by the records at hand."""

from dataclasses import replace

from costlab.paper import verify
from costlab.report.html.evidence import by_digest, pages_document
from costlab.report.pages.claims import claims_page
from costlab.report.pages.run import training_page
from costlab.train.experiments import experiment
from costlab.train.record import Run
from tests.report.html.reading import Elements
from tests.train.records import arm, run

BETTER, WORSE, SAME = (0.8, 0.81, 0.79), (0.2, 0.21, 0.19), (0.5, 0.49, 0.51)


def _linear_on(accuracies: tuple[float, ...], name: str, *, synthetic: bool) -> Run:
    """A run of the experiment about ReLU, whose baseline is always at 80%."""
    labels = ("linear between", "3x3+3x3")
    made = run(
        [arm(labels[0], "mini:between=linear,width=0.25"), arm(labels[1], "mini:width=0.25")],
        dict(zip(labels, ((0.5, 0.51, 0.49), accuracies), strict=True)),
        experiment("linear", 0.25).claims,
    )
    return replace(made, data=replace(made.data, name=name, synthetic=synthetic))


def test_the_page_of_claims_links_to_what_was_trained() -> None:
    audits = verify("relu-vs-linear", "medium-grids", "regime", "two-3x3")
    runs = {
        "trained_a": _linear_on(BETTER, "synthetic", synthetic=True),
        "trained_b": _linear_on(WORSE, "cifar10", synthetic=False),
        "trained_c": _linear_on(SAME, "digits", synthetic=False),
    }
    text = claims_page(audits, runs).text.partition("## What only training could show")[2]
    assert (
        "* **relu-vs-linear** (figure 2, top-1 accuracy: 77.2% against 76.2%): tried at a reduced scale by "
        "`costlab train linear`\n    * ReLU between the parts of a factorization is better than none: "
        "[on generated images: same direction](trained_a.md#what-is-claimed); "
        "[on photographs (CIFAR-10): opposite](trained_b.md#what-is-claimed); "
        "[on handwritten digits: not distinguishable](trained_c.md#what-is-claimed)\n"
    ) in text
    assert (
        "`costlab train nxn` and by `costlab train small_3x3`\n    * no training that did is recorded" in text
    )
    assert "regime** (8, where it leads: 21.2% top-1 error): nothing that costlab trains tries it\n" in text
    assert "**two-3x3**" not in text
    assert "What only training could show" not in claims_page(verify("two-3x3"), runs).text


def test_links_to_what_was_trained_lead_there_in_one_page_of_html_too() -> None:
    made = _linear_on(BETTER, "cifar10", synthetic=False)
    pages = (claims_page(verify("relu-vs-linear"), {"trained_a": made}), training_page(made, "trained_a"))
    assert "\n## What is claimed\n" in pages[1].text  # whose anchor the link names
    found = Elements(pages_document(pages, by_digest))
    assert "#trained_a-what-is-claimed" in found.values("href")
    assert "trained_a-what-is-claimed" in found.values("id")
