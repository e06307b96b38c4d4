"""What scalings and histograms show at a prompt and in a notebook."""

from fractions import Fraction

from costlab import count, scale_to
from costlab.explore.answers import Histogram
from tests.counting.shown import read


def test_a_scaling_shows_the_largest_and_the_next() -> None:
    found = scale_to("mini", "1e7")
    title, best, above = repr(found).split("\n")
    assert title == "Scaling: mini along width, within 10,000,000 multiply-adds"
    assert found.best is not None
    assert found.above is not None
    for line, network in ((best, found.best), (above, found.above)):
        assert line.endswith(f": {network.target}, {count(network.target).multiply_adds:,}")
    shown = read(found._repr_html_())
    assert shown.lines[1] == ["the largest", found.best.number, found.best.target, f"{found.best.total:,}"]
    assert len(shown.lines) == 3


def test_a_histogram_shows_its_bins() -> None:
    spread = Histogram("parameters", (Fraction(1000), Fraction(2001, 2), Fraction(1001)), (3, 1))
    assert repr(spread) == "Histogram: 4 members by parameters\n  1,000 to 1,000.5: 3\n  1,000.5 to 1,001: 1"
    assert read(spread._repr_html_()).lines == [
        ["parameters", "below", "members", "share"],
        ["1,000", "1,000.5", "3", "75.0%"],
        ["1,000.5", "1,001", "1", "25.0%"],
    ]
    many = Histogram("parameters", tuple(map(Fraction, range(101))), (1,) * 100)
    assert repr(many).count("\n") == 20
    assert "... and 81 more" in repr(many)
