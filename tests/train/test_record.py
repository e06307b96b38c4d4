"""Records: the same after they were written and read, and refused by name where they are none."""

import json
from collections.abc import Callable
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import pytest

from costlab.decode import decode
from costlab.errors import OutputError, RunError
from costlab.train.record import FILE, VERSION, Run, load
from tests.train.records import PAIR, PLAIN, arm, run, sample, trial

Change = Callable[[dict[str, Any]], object]


def test_a_record_is_the_same_after_it_was_written_and_read(tmp_path: Path) -> None:
    file = tmp_path / FILE
    made = replace(sample(), title="Größe, 大きさ")
    made.save(file)
    assert load(file) == made
    assert [each.recipe for each in load(file).arms] == [{}, {"label_smoothing": 0.0}, {}]
    first = file.read_bytes()
    load(file).save(file)  # in the place of the older one
    assert file.read_bytes() == first


def test_what_was_not_timed_is_read_as_such(tmp_path: Path) -> None:
    file = tmp_path / FILE
    made = run([arm(PLAIN, "mini:width=0.1"), arm(PAIR, "mini:width=0.1", 1.0)], {})
    timing = made.arms[1].timing
    assert timing is not None
    made = replace(made, arms=(made.arms[0], replace(made.arms[1], timing=replace(timing, memory=None))))
    made.save(file)
    assert load(file) == made


def test_the_accuracy_of_a_trial_is_that_after_the_last_epoch() -> None:
    assert trial("a", 0, 0.5, rise=(0.4, 1.4, 1.0)).top_1 == 0.5
    assert trial("a", 0, None).top_1 is None
    assert replace(trial("a", 0, 0.5), failure="it was cut off").top_1 is None
    assert sample().top_1("half the width") == {0: 0.60, 1: 0.60}
    assert sample().top_1("nobody") == {}
    assert sample().baseline.label == PLAIN


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda it: it.pop("version"), "of another version"),
        (lambda it: it.update(version=VERSION + 1), "of another version"),
        (lambda it: it.pop("seeds"), "the field seeds is missing"),
        (lambda it: it.update(extra=1), "there is no field 'extra'"),
        (lambda it: it.update(seeds="three"), "'three' is no whole number"),
        (lambda it: it.update(seeds=True), "True is no whole number"),
        (lambda it: it.update(seeds=3.5), "3.5 is no whole number"),
        (lambda it: it.update(name=None), "None is no text"),
        (lambda it: it.update(recipe=[1]), "recipe: [1] is no object"),
        (lambda it: it.update(arms=[]), "it has no arms"),
        (lambda it: it.update(arms=3), "arms: 3 is no list"),
        (lambda it: it.update(data=None), "data: None is no object"),
        (lambda it: it["data"].update(synthetic=1), "data.synthetic: 1 is neither true nor false"),
        (lambda it: it["data"].pop("digest"), "digest"),
        (lambda it: it["trials"][0].update(epochs={"a": 1}), "is no record"),
        (
            lambda it: it["trials"][0]["epochs"][0].update(loss="nan"),
            "epochs[0].loss: 'nan' is no number",
        ),
        (lambda it: it["trials"][0]["environment"].update(compiled="no"), "'no' is neither true nor false"),
        (lambda it: it["arms"][0]["timing"].update(memory=1.5), "1.5 is no whole number"),
        (lambda it: it["claims"][0].update(better=["a"]), "claims[0].better: ['a'] is no text"),
    ],
)
def test_what_is_no_record_is_said_in_a_line_that_names_the_file(
    tmp_path: Path, change: Change, message: str
) -> None:
    file = tmp_path / FILE
    content: dict[str, Any] = json.loads(json.dumps({"version": VERSION, **asdict(sample())}))
    change(content)
    file.write_text(json.dumps(content))
    with pytest.raises(RunError) as caught:
        load(file)
    assert str(caught.value).startswith(str(file))
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    "content",
    [b"", b"{", b"[]", b"null", b"3", b'"version"', b"\xff\xfe", b"[" * 100_000],
    ids=lambda c: c[:9],
)
def test_what_is_no_json_of_ours(tmp_path: Path, content: bytes) -> None:
    file = tmp_path / FILE
    file.write_bytes(content)
    with pytest.raises(RunError, match="is no record of a run"):
        load(file)


def test_a_record_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(RunError, match="there is no such file; costlab train writes it"):
        load(tmp_path / FILE)
    with pytest.raises(OutputError, match="cannot be read"):
        load(tmp_path)


def test_whole_numbers_are_read_where_any_will_do() -> None:
    content: dict[str, Any] = json.loads(json.dumps(asdict(sample())))
    content["trials"][0]["epochs"][0]["seconds"] = 2
    made = decode(Run, content)
    assert made.trials[0].epochs[0].seconds == 2
