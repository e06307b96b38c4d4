"""What the page of a training run says in words: any number of variants, seeds and images, settings typed."""

import re
from dataclasses import replace

import pytest
from markdown_it import MarkdownIt

from costlab.report.pages.run import training_page
from costlab.report.pages.space_run import SAMPLERS as OF_SEARCHES
from costlab.report.tables.run import settings_table
from costlab.report.trained_on import NAMES
from costlab.train.datasets import SOURCES
from costlab.train.record import Run
from costlab.train.space_record import SAMPLERS
from tests.train.records import run, sample


def summary_of(made: Run) -> str:
    return training_page(made, "x").summary


def test_every_source_of_images_and_every_sampler_has_its_words() -> None:
    assert NAMES.keys() == SOURCES.keys() - {"synthetic"}
    assert OF_SEARCHES.keys() == set(SAMPLERS)


def test_the_command_for_the_full_run() -> None:
    command = "\n```\ncostlab train --ablation kernels --preset full --seeds 5 --device cuda\n```\n"
    page = training_page(sample(), "x")
    assert command in page.text
    assert "The full preset has its own" not in page.text
    assert "At full scale" not in training_page(replace(sample(), preset="full"), "x").text
    for odd in ("rm -rf x", "costlab train 'unclosed", ""):
        assert "At full scale" not in training_page(replace(sample(), command=odd), "x").text


def test_settings_of_the_users_own() -> None:
    typed = (
        "costlab train --ablation 'my nets.py:mine' --preset smoke --seeds 3 --data folder:PATH --width 0.25 "
        "--images 48 --set epochs=2 --set label_smoothing=0.2 --set batch_size=16"
    )
    page = training_page(replace(sample(), command=typed), "x")
    settings = "epochs=2, label_smoothing=0.2, batch_size=16"
    assert dict(settings_table(replace(sample(), command=typed)).rows)["of these, by --set"] == settings
    full = "costlab train --ablation 'my nets.py:mine' --data folder:PATH --set label_smoothing=0.2"
    assert f"\n{full} --preset full --seeds 5 --device cuda\n" in page.text
    assert "The full preset has its own in the place of epochs=2, batch_size=16." in page.text
    assert "by --set" not in training_page(sample(), "x").text


@pytest.mark.parametrize(
    ("networks", "sides", "seeds", "text"),
    [
        (
            ("tiny", "tiny:width=2"),
            (48, 48),
            1,
            "2 variants of tiny were trained for 3 epochs on 1 seed each on",
        ),
        (
            ("tiny", "tiny:width=2"),
            (32, 32),
            1,
            "of 32x32 pixels in 10 classes; both trainings came to",
        ),
        (("tiny",), (48,), 1, "1 variant of tiny was trained for 3 epochs on 1 seed on cpu"),
        (("tiny",), (48,), 1, "in 10 classes; the training came to a result."),
        (("tiny",), (48,), 2, "1 variant of tiny was trained for 3 epochs on 2 seeds on cpu"),
        (("a.py:tiny", "a.py:tiny:n=2"), (8, 9), 2, "2 variants of a.py:tiny were trained for"),
        (("a.b:tiny:n=1", "a.b:tiny:n=2"), (8, 9), 2, "2 variants of a.b:tiny were trained for"),
        (("a.py:tiny", "a.py:mine"), (8, 9), 2, "2 variants were trained for"),
        (
            ("mini.py:mini", "mini.py:mini:n=2"),
            (8, 9),
            2,
            "of 8x8 or 9x9 pixels in 10 classes; all 4 trainings",
        ),
        (("mini", "mini:width=2"), (8, 9), 2, "2 variants of mini, a reduced Inception v3, were trained for"),
        (("a", "b", "c"), (96, 8, 24), 1, "of 8x8, 24x24 or 96x96 pixels in"),
        (("a", "b", "c", "d"), (96, 8, 24, 9), 1, "of 8x8 to 96x96 pixels in"),
    ],
)
def test_any_number_of_variants_seeds_and_sides(
    networks: tuple[str, ...], sides: tuple[int, ...], seeds: int, text: str
) -> None:
    one = sample().arms[0]
    arms = [
        replace(one, label=f"{i}", network=network, side=side)
        for i, (network, side) in enumerate(zip(networks, sides, strict=True))
    ]
    made = run(arms, {each.label: (0.5,) * seeds for each in arms})
    assert text in summary_of(made)


def test_one_of_each_is_no_plural() -> None:
    made = replace(sample(), recipe={**sample().recipe, "epochs": 1})
    made = replace(made, data=replace(made.data, train=1, validation=1, classes=1))
    assert "for 1 epoch on" in summary_of(made)
    assert "with 1 image (shapes) of 48x48 pixels in 1 class; " in summary_of(made)
    values = dict(settings_table(made).rows)
    assert (values["to train on"], values["to validate on"]) == ("1 image", "1 image")
    many_classes = replace(made, data=replace(made.data, classes=1000))
    assert "in 1,000 classes; " in summary_of(many_classes)


def test_the_sides_of_the_images_are_told() -> None:
    values = dict(settings_table(sample()).rows)
    assert values["come with"].startswith("a size that was not recorded")
    assert values["resized for training to"] == "48x48 pixels"
    first, second, third = sample().arms
    made = replace(sample(), arms=(replace(first, side=96), second, replace(third, side=48)))
    values = dict(settings_table(made).rows)
    assert values["resized for training to"] == "48x48 pixels; 5x5: 96x96 pixels"


@pytest.mark.parametrize(
    ("side", "told"),
    [
        (96, "48x48 pixels; 5x5: 96x96 pixels"),
        (95, "48x48 pixels; 5x5: 96x96 pixels, enlarged"),
        (48, "48x48 pixels; 5x5: 96x96 pixels, enlarged"),
        (32, "48x48 pixels, enlarged; 5x5: 96x96 pixels, enlarged"),
    ],
)
def test_images_that_were_enlarged_are_told(side: int, told: str) -> None:
    first, *others = sample().arms
    data = replace(sample().data, side=side)
    values = dict(settings_table(replace(sample(), data=data, arms=(replace(first, side=96), *others))).rows)
    assert values["come with"] == f"{side}x{side} pixels"
    assert values["resized for training to"] == told


@pytest.mark.parametrize(
    ("name", "synthetic", "told"),
    [
        ("synthetic", True, "generated images"),
        ("cifar10", False, "photographs (CIFAR-10)"),
        ("digits", False, "handwritten digits"),
        ("of another version", False, "of another version"),
    ],
)
def test_on_which_images_it_was_comes_first(name: str, synthetic: bool, told: str) -> None:
    page = training_page(replace(sample(), data=replace(sample().data, name=name, synthetic=synthetic)), "x")
    assert page.title == f"Trained on {told}: Kernels of figure 5"
    assert all(f"Kernels of figure 5, on {told}" in picture.alt for picture in page.pictures)
    assert all(
        picture.data.title.startswith(f"Kernels of figure 5, on {told}: ") for picture in page.pictures
    )


def test_how_an_interval_is_rounded_is_told_wherever_one_stands() -> None:
    text = training_page(sample(), "x").text
    learned, claimed = text.partition("## What is claimed")[::2]
    for part in (learned, claimed):
        assert "rounded outward, the lower end down and the upper end up" in part
    assert "Times and savings are rounded to the nearest." in learned
    assert "What is excluded is rounded up." in claimed


SPOILING = (
    "<script>x</script>", "<http://x>", "[a](http://x)", "[a[b]](http://x)", "![a[b]](http://x)", "[a\\](http://x)",
    '[a]: http://x "', "a | b", "`", "**b**", "-->", "```", "<!-- x", "~~a~~",
)  # fmt: skip
DIGEST = re.compile("<!-- [0-9a-f]+: the text above")
HARMLESS = {"text", "softbreak", "inline"}


def structure_of(text: str) -> list[tuple[str, str]]:
    """What a reader of Markdown makes of a page, without its words."""
    tokens = MarkdownIt("commonmark").enable(["table", "strikethrough"]).parse(text)
    every = [each for token in tokens for each in (token, *(token.children or ()))]
    return [
        (each.type, str(each.attrs) + (each.content if each.type.startswith("html") else ""))
        for each in every
        if each.type not in HARMLESS and not DIGEST.match(each.content)
    ]


@pytest.mark.parametrize("text", SPOILING)
def test_a_text_of_somebody_else_makes_nothing_but_words(text: str) -> None:
    made = sample()

    def with_text(it: str) -> Run:
        here = replace(made.trials[0].environment, device=it, revision=it)
        first, *others = made.trials
        trials = (replace(first, epochs=(), failure=it, environment=here), *others)
        claims = tuple(replace(claim, claim=it, reported=it, source=it) for claim in made.claims)
        arms = (*made.arms, replace(made.baseline, label=f"{it} "))
        return replace(made, title=it, preset=it, arms=arms, claims=claims, trials=trials)

    assert structure_of(training_page(with_text(text), "x").text) == structure_of(
        training_page(with_text("words"), "x").text
    )
