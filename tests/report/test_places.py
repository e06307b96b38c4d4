"""Pictures with numeric axes: what is drawn lies where the data says, and each label belongs to a point."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from fractions import Fraction
from itertools import combinations
from pathlib import Path
from statistics import fmean
from typing import Any

import pytest
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
from matplotlib.text import Annotation, Text

from costlab.counting.compare import compare
from costlab.counting.count import count
from costlab.counting.reconcile import reconcile
from costlab.paper import verify
from costlab.report.figure import Picture
from costlab.report.pictures.alpha import alpha, alpha_picture
from costlab.report.pictures.budget import budget_picture
from costlab.report.pictures.conventions import conventions_picture
from costlab.report.pictures.learning_curves import curves_picture
from costlab.report.pictures.lineage import lineage_picture
from costlab.report.pictures.savings import savings_picture
from costlab.report.pictures.step_time import step_picture
from costlab.report.pictures.trained_accuracy import accuracy_picture
from costlab.report.pictures.verdicts import verdicts_picture
from costlab.train.record import ArmRecord, Run, load
from tests.report.rendering import letters_of, overlaps, render
from tests.sampling import one_in
from tests.train.records import HALF, PAIR, PLAIN, arm, long, many, run, sample

Place = tuple[float, float]
PAPER = Path(__file__).parents[2] / "reports" / "runs" / "paper_generated.json"


def at_costs(*costs: int, accuracies: float | None = None) -> Run:
    """The sample with other costs, and the same accuracy everywhere if one is given."""
    made = sample()
    if accuracies is not None:
        made = run(made.arms, dict.fromkeys((PLAIN, PAIR, HALF), (accuracies,) * 3))
    arms = tuple(replace(each, multiply_adds=cost) for each, cost in zip(made.arms, costs, strict=True))
    return replace(made, arms=arms)


def crowded(costs: int) -> Run:
    """Twelve arms at so many costs, all of nearly the same accuracy and time."""
    labels = [f"choice {i}" for i in range(12)]
    same = arm("", "mini:width=0.25")
    arms = [
        replace(arm(label, same.network, 0.1 + 0.0001 * i), multiply_adds=8_000_000 + 30_000 * (i % costs))
        for i, label in enumerate(labels)
    ]
    return run(arms, {label: (0.7 + 0.002 * i, 0.71) for i, label in enumerate(labels)})


RUNS: dict[str, Callable[[], Run]] = {
    "the paper's": lambda: load(PAPER),
    "three": sample,
    "twelve": many,
    "twelve of one seed": lambda: many(seeds=1),
    "long names": lambda: long(2),
    "twelve long names": lambda: long(12),
    "one result": lambda: run(sample().arms, {PLAIN: (0.5,), PAIR: (None,), HALF: (None,)}),
    "one cost, one accuracy": lambda: at_costs(7, 7, 7, accuracies=0.5),
    "all or nothing": lambda: run(sample().arms, {PLAIN: (1.0,) * 3, PAIR: (0.0,) * 3, HALF: (1.0,) * 3}),
    "costs of nothing": lambda: at_costs(0, 3, 0),
    "costs that differ by one": lambda: at_costs(8_123_040, 8_123_041, 8_123_040),
    "costs without end": lambda: at_costs(5000, 10**15, 3 * 10**18),
    "crowded at one cost": lambda: crowded(1),
    "crowded at three costs": lambda: crowded(3),
}
STEPS = ("the paper's", "three", "twelve", "long names", "twelve long names", "crowded at three costs")
"""The runs whose steps differ."""


def marks(axes: Axes) -> list[Place]:
    """Where markers are drawn, in the data's coordinates: nothing moves them on their way to the paper."""
    found: list[Place] = []
    for line in axes.get_lines():
        if line.get_marker() not in ("", "None", None, " "):
            places: Any = line.get_xydata()
            pixels: Any = line.get_transform().transform(places)
            assert pixels == pytest.approx(axes.transData.transform(places))
            found += [(float(x), float(y)) for x, y in places]
    return found


def strokes(axes: Axes) -> list[tuple[Place, Place]]:
    """The ends of the lines of collections: intervals."""
    collections: Any = axes.collections
    paths = [path.vertices for each in collections for path in each.get_paths()]
    return [((float(a), float(b)), (float(c), float(d))) for (a, b), (c, d) in paths]


def same(found: Sequence[Place], wanted: Sequence[Place]) -> None:
    assert sorted(found) == [pytest.approx(place, rel=1e-6, abs=1e-6) for place in sorted(wanted)]


def in_view(axes: Axes, place: Place) -> bool:
    (left, right), (bottom, top) = sorted(axes.get_xlim()), sorted(axes.get_ylim())
    return bool(left <= place[0] <= right and bottom <= place[1] <= top)


def means(made: Run) -> list[tuple[ArmRecord, float]]:
    """The arms that have results, with the means of these."""
    by_arm = [
        (each, [trial.epochs[-1].validation_accuracy for trial in made.trials if _is_result(trial, each)])
        for each in made.arms
    ]
    return [(each, fmean(found)) for each, found in by_arm if found]


def _is_result(trial: Any, its: ArmRecord) -> bool:
    return trial.arm == its.label and not trial.failure


@pytest.mark.parametrize("name", one_in(3, RUNS))
def test_accuracies_lie_at_their_costs(name: str) -> None:
    figure = render(accuracy_picture(RUNS[name](), "x"))
    above, below = figure.axes
    wanted = [(float(each.multiply_adds), mean) for each, mean in means(RUNS[name]())]
    same(marks(above), wanted)
    assert all(in_view(above, place) for place in wanted)
    rows = [float(y) for y in below.get_yticks()]
    same(marks(below), [(mean, row) for (_, mean), row in zip(wanted, rows, strict=True)])
    intervals = {row: (low, high) for (low, row), (high, _) in strokes(below)}
    for (mean, row), (low, high) in ((at, intervals.get(at[1], at[:1] * 2)) for at in marks(below)):
        assert 0 <= low <= mean <= high <= 1
        assert in_view(below, (low, row))
        assert in_view(below, (high, row))
    refuse_unclear_labels(figure)
    left, right = above.get_xlim()
    ticks = [tick.get_text() for tick in above.get_xticklabels() if left <= tick.get_position()[0] <= right]
    costs = [text for text in ticks if text]
    assert len(costs) == len(set(costs)) >= 2
    assert not any(text.startswith(("-", "\u2212")) for text in costs)


@pytest.mark.parametrize("name", one_in(3, STEPS))
def test_steps_lie_at_their_savings(name: str) -> None:
    made = RUNS[name]()
    first, *others = made.arms
    assert first.timing
    image, wanted, quartiles = first.timing.seconds / first.timing.batch_size, [(0.0, 0.0)], []
    for each in others:
        assert each.timing
        saved = [
            1 - seconds / each.timing.batch_size / image
            for seconds in (each.timing.seconds, each.timing.high, each.timing.low)
        ]
        x = 1 - each.step_multiply_adds / first.step_multiply_adds
        wanted.append((x, saved[0]))
        quartiles += [(x, saved[1]), (x, saved[2])]
    figure = render(step_picture(made, "x"))
    whole, *more = [axes for axes in figure.axes if axes.axison]
    same(marks(whole), wanted)
    same([end for stroke in strokes(whole) for end in stroke], quartiles)
    for axes in more:
        same(marks(axes), [place for place in wanted if max(map(abs, place)) <= 0.15])
    refuse_unclear_labels(figure)


@pytest.mark.parametrize("name", ["the paper's", "three", "one result"])
def test_learning_curves_lie_at_their_means(name: str) -> None:
    made = RUNS[name]()
    panels = render(curves_picture(made, "x")).axes
    arms = [each for each, _ in means(made)]
    for axes, label in zip(panels, [each.label for each in arms[1:] or arms], strict=True):
        epochs = [
            [epoch.validation_accuracy for epoch in trial.epochs]
            for trial in made.trials
            if trial.arm == label and not trial.failure
        ]
        places: Any = axes.get_lines()[-1].get_xydata()
        wanted = [(i, fmean(of_seeds)) for i, of_seeds in enumerate(zip(*epochs, strict=True), 1)]
        same([(float(x), float(y)) for x, y in places], wanted)


def test_the_evidence_lies_where_it_was_counted() -> None:
    lineage, budget = (
        lineage_picture(compare(ablation="lineage")),
        budget_picture(compare(ablation="inference_budget")),
    )
    above, below = render(lineage).axes
    systems = lineage.data.systems
    same(
        marks(above), [(each.multiply_adds, float(each.top_1_error)) for each in systems if each.top_1_error]
    )
    assert set(marks(below)) == {(each.multiply_adds, each.parameters) for each in systems}
    chains = [each for chain in budget.data.chains for each in chain]
    for axes, error in zip(render(budget).axes, ("top_5_error", "top_1_error"), strict=True):
        printed = [(each.multiply_adds, getattr(each, error)) for each in chains]
        same(marks(axes), [(size, float(text)) for size, text in printed if text])
    (axes,) = render(alpha_picture()).axes
    same(marks(axes), [(float(Fraction(a)), float(Fraction(saved))) for a, saved in alpha().counted])
    savings = savings_picture()
    (axes,) = render(savings).axes
    points = [
        (each.n, float(Fraction(each.saved))) for curve in savings.data.curves for each in curve.savings
    ]
    same(marks(axes), points)
    claims = verdicts_picture(verify())
    axes, _ = render(claims).axes
    same(marks(axes), [(float(Fraction(dot.quotient)), row) for row, dot in enumerate(claims.data.dots)])


def test_what_tools_add_is_drawn_on_one_scale() -> None:
    plain = {"inception_v3": 5_713_216_096, "vgg16": 15_470_264_320, "resnet50": 4_089_184_256}
    accounts = {name: reconcile(count(name).inference) for name in plain}
    figure = render(conventions_picture(accounts))
    titles = [account.convention.title for account in accounts["vgg16"]]
    shown = [label.get_text().replace("\n", " ") for label in figure.axes[0].get_yticklabels()]
    for axes, (name, size) in zip(figure.axes, plain.items(), strict=True):
        for row, title in enumerate(shown):
            account = accounts[name][titles.index(title)]
            parts = [
                each.get_width()
                for each in axes.patches
                if isinstance(each, Rectangle) and round(each.get_y() + each.get_height() / 2) == row
            ]
            assert sum(parts) == pytest.approx(account.number / account.convention.scale / size - 1)
    assert len({axes.get_xlim() for axes in figure.axes}) == 1
    assert "all networks on one scale" in " ".join(each.text for each in letters_of(figure))
    assert overlaps(letters_of(figure)) == []


def refuse_unclear_labels(figure: Figure) -> None:
    """Each label is nearest to its own point, or tied to it by a line that meets no other label."""
    scale = figure.dpi / 72
    letters, (width, height) = letters_of(figure), figure.get_size_inches() * figure.dpi
    assert overlaps(letters) == []
    assert all(each.box.x0 >= 0 and each.box.x1 <= width for each in letters)
    assert all(each.box.y0 >= 0 and each.box.y1 <= height for each in letters)
    for axes in figure.axes:
        labels = [each for each in axes.texts if isinstance(each, Annotation) and each.arrow_patch]
        points: Any = axes.transData.transform(marks(axes)) if labels else []
        boxes = [Text.get_window_extent(label) for label in labels]
        for (i, a), (j, b) in combinations(enumerate(boxes), 2):
            assert not a.overlaps(b), (labels[i].get_text(), labels[j].get_text())
        for label, box in zip(labels, boxes, strict=True):
            own: Any = axes.transData.transform(label.xy)
            assert label.arrow_patch
            if label.arrow_patch.get_visible():
                (x, y), (left, right) = own, ((box.x0 + box.x1) / 2, (box.y0 + box.y1) / 2)
                way = [(x + (left - x) * k / 200, y + (right - y) * k / 200) for k in range(201)]
                crossed = [
                    each for each in boxes if each is not box and any(each.contains(*at) for at in way)
                ]
                assert crossed == [], label.get_text()
                continue
            gaps = [
                (distance(box, at), abs(at - own).max() <= 3 * scale) for at in points
            ]  # those on its own point share the label
            nearest = min(gap for gap, is_own in gaps if is_own)
            assert all(gap > 1.2 * nearest for gap, is_own in gaps if not is_own), label.get_text()


def distance(box: Any, at: Any) -> float:
    across = max(box.x0 - at[0], 0, at[0] - box.x1)
    up = max(box.y0 - at[1], 0, at[1] - box.y1)
    return float((across**2 + up**2) ** 0.5)


@pytest.mark.parametrize(
    "draw",
    [
        lambda: lineage_picture(compare(ablation="lineage")),
        lambda: budget_picture(compare(ablation="inference_budget")),
        alpha_picture,
        savings_picture,
    ],
)
def test_each_label_of_the_evidence_belongs_to_one_point(draw: Callable[[], Picture[Any]]) -> None:
    refuse_unclear_labels(render(draw()))
