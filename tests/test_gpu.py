"""What `make gpu` runs: each part whatever becomes of the others, sized by what was measured, all told."""

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from time import monotonic

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

from benchmarks.gpu.__main__ import main, run_parts
from benchmarks.gpu.parts import PARTS, Found, Part, measured_in, rows_of
from benchmarks.gpu.session import FULL, TINY, PartError, Session
from benchmarks.gpu.sizing import SHARE, Measured, seconds_of, size_for
from benchmarks.gpu.summary import GENERATED, NOT_RUN, name_of_record
from benchmarks.hand_tuned import Resident
from benchmarks.resume import compared
from costlab.train.data import Split

ROOT = Path(__file__).parents[1]
HERE = {"device": "NVIDIA H200", "costlab": "1.0, abc", "images": GENERATED}


def session(folder: Path, seconds: float = 60.0) -> Session:
    return Session("cpu", "synthetic", folder, TINY, monotonic() + seconds)


def part(name: str, run: Callable[[Session, float], Found], needs: tuple[str, ...] = ()) -> Part:
    return Part(name, f"About {name}", needs, 10.0, run)


def fine(_: Session, __: float) -> Found:
    return Found(["a line"], {"one": 1})


def failing(_: Session, __: float) -> Found:
    raise PartError("exit 3: it broke", ["| found | before |"])


def broken(_: Session, __: float) -> Found:
    raise ValueError("nobody thought\nof this")


def test_a_part_that_fails_leaves_the_others_alone(tmp_path: Path) -> None:
    parts = (
        part("first", failing),
        part("second", broken),
        part("third", fine, ("no_such_package", "json")),
        part("train", fine),
    )
    outcomes = run_parts(parts, session(tmp_path), HERE)
    assert [(each.failure, each.left_out) for each in outcomes] == [
        ("exit 3: it broke", ""),
        ("ValueError: nobody thought", ""),
        ("", "not installed: no_such_package"),
        ("", ""),
    ]
    page = (tmp_path / "gpu.md").read_text()
    for words in (
        "# On NVIDIA H200\n",
        "| first | failed: exit 3: it broke | 0 | [first.log](first.log) |\n",
        "## About first\n\n| found | before |\n\nFailed: exit 3: it broke.\n",
        "## About third\n\nLeft out: not installed: no_such_package.\n",
        "## About train\n\na line\n",
        "`cp train/results.json PROJECT/reports/runs/paper_generated_h200.json`".replace(
            "paper", "large_5x5"
        ),
    ):
        assert words in page, words
    record = json.loads((tmp_path / "gpu.json").read_text())
    assert record["environment"] == HERE
    assert [each["name"] for each in record["parts"]] == ["first", "second", "third", "train"]
    assert record["parts"][3]["numbers"] == {"one": 1}


def test_a_record_of_code_with_changes_is_not_to_be_committed(tmp_path: Path) -> None:
    run_parts([part("train", failing)], session(tmp_path), {**HERE, "costlab": "1.0, abc with changes"})
    page = (tmp_path / "gpu.md").read_text()
    assert "changes that are not committed" in page
    assert "results.json" not in page


def test_a_process_that_fails_or_takes_too_long_leaves_its_log(tmp_path: Path) -> None:
    with pytest.raises(PartError, match=r"^exit 1: .*No module named nothing_of_this_name"):
        session(tmp_path).run("none", ["nothing_of_this_name"], 30)
    assert "$ python -m nothing_of_this_name\n" in (tmp_path / "none.log").read_text()
    with pytest.raises(PartError, match=r"^it was ended after 1 s$"):
        session(tmp_path).run("long", ["http.server", "0"], 1)
    with pytest.raises(PartError, match=r"^no time was left$"):
        session(tmp_path, 1.0).run("late", ["json.tool"], 30)


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["--device", "cuda:99"], "--device cuda:99: "),
        (["--device", "tpu"], "--device tpu: there is cuda, cuda:N, and cpu to try this command"),
        (["--device", "cpu", "-o", "."], " holds something already: name another folder"),
        (["--device", "cpu", "--data", "cifar10:nowhere"], "nowhere"),
        (["--device", "cpu", "--data", "nothing"], "there is no source 'nothing'"),
    ],
)
def test_a_mistake_is_told_before_anything_runs(
    words: list[str],
    says: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    (tmp_path / "here").mkdir()
    (tmp_path / "here" / "file").touch()
    monkeypatch.chdir(tmp_path / "here")
    with pytest.raises(SystemExit) as stop:
        main(words)
    out, err = capsys.readouterr()
    assert stop.value.code == 2
    assert out == ""
    assert err.count("\n") == 1
    assert says in err
    assert [file.name for file in Path().iterdir()] == ["file"]


def test_without_a_gpu_it_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("torch.cuda.is_available", lambda: False)
    monkeypatch.chdir(tmp_path)
    with pytest.raises(SystemExit) as stop:
        main([])
    assert stop.value.code == 2
    assert capsys.readouterr().err == "--device cuda: torch finds no GPU here\n"
    assert not list(tmp_path.iterdir())


@given(
    st.floats(1, 2000),
    st.builds(Measured, st.floats(10, 1e6), st.floats(0, 5), st.floats(0, 60), st.just(2)),
    st.integers(2, 12),
)
def test_what_is_trained_fits_and_is_of_the_scale(seconds: float, measured: Measured, arms: int) -> None:
    def taken(images: int, epochs: int, seeds: int) -> float:
        beside = measured.beside * (arms + 2) / 4
        return beside + arms * seeds * (measured.first + images * epochs / measured.rate)

    if taken(1024, 1, 1) > SHARE * seconds:
        with pytest.raises(PartError, match=f"s are left, and the smallest run of {arms} arms takes about "):
            size_for(seconds, measured, arms, FULL)
        return
    size = size_for(seconds, measured, arms, FULL)
    assert taken(*size) <= SHARE * seconds * (1 + 1e-9)
    assert seconds_of(size, measured, arms) == pytest.approx(taken(*size))
    assert size.images % FULL.batch == 0 or size.images == FULL.images
    assert FULL.batch <= size.images <= FULL.images
    assert 1 <= size.epochs <= FULL.epochs
    assert 1 <= size.seeds <= FULL.seeds
    if size.seeds == 1:  # of two there would be too many
        assert taken(1024, 1, 2) > SHARE * seconds
    elif size.seeds < FULL.seeds:
        assert taken(6144, 5, size.seeds + 1) > SHARE * seconds


def test_with_time_enough_all_of_it_is_trained() -> None:
    measured = Measured(1e6, 0.0, 1.0, 2)
    assert size_for(1e6, measured, 12, FULL)[1:] == (40, 3)
    assert size_for(1e6, measured, 12, FULL).images > 49_900


def test_a_short_run_says_how_fast_it_was() -> None:
    def trial(first: float, last: float) -> dict[str, object]:
        epochs = [{"seconds": seconds, "images_per_second": 100 / seconds} for seconds in (first, last)]
        return {"epochs": epochs, "environment": {"workers": 2}}

    record = {"arms": [1, 2], "trials": [trial(3.0, 1.0), trial(3.0, 1.0)]}
    measured = measured_in(record, wall=14.0)
    assert measured == Measured(rate=200.0, first=1.0, beside=10.0, arms=2)  # 4 s of two workers, of 14


def test_tensors_are_compared_by_their_bits() -> None:
    zero, nan = torch.zeros(2), torch.tensor([float("nan"), 1.0])
    a = {"same": torch.tensor(3), "nan": nan, "sign": zero, "far": torch.tensor([1.0, -2.0]), "shape": zero}
    b = {
        "same": torch.tensor(3),
        "nan": nan.clone(),
        "sign": -zero,
        "far": torch.tensor([1.5, -2.0]),
        "more": zero,
    }
    b["shape"] = torch.zeros(3)
    found = compared(a, b)
    assert {each.name: each.identical for each in found.tensors} == {
        "same": True, "nan": True, "sign": False, "far": False, "shape": False, "more": False
    }  # fmt: skip
    far = next(each for each in found.tensors if each.name == "far")
    assert (far.largest, far.value) == (0.5, 2.0)
    assert str(compared({"far": a["far"]}, {"far": b["far"]})) == (
        "0 of 1 tensors identical; the largest difference is of far: 0.5, in values up to 2"
    )
    assert "shape" in str(found) or "more" in str(found)
    assert "cannot be subtracted" in str(found)
    assert str(compared(a, a)) == "identical: all 5 tensors, bit for bit"


def test_the_hand_tuned_loop_moves_images_as_the_plain_one_does() -> None:
    torch.manual_seed(3)
    images = torch.randint(0, 256, (4, 3, 6, 6), dtype=torch.uint8)
    resident = Resident(Split(images, torch.arange(4)), 1, torch.device("cpu"))
    padded = torch.nn.functional.pad(images.double(), (1,) * 4, mode="replicate")
    found = set()
    for _ in range(300):
        batch, labels = resident.batch(torch.tensor([2, 0]))
        assert labels.tolist() == [2, 0]
        for image, label in zip(batch, labels, strict=True):
            found.add(place(image, padded[label]))
    assert len(found) == 18  # down, right, mirrored or not: each comes, and nothing else
    assert sorted(torch.cat(resident.order(2)).tolist()) == [0, 1, 2, 3]


def place(image: Tensor, padded: Tensor) -> tuple[int, int, bool]:
    """Where an image was cut out, by trying all places."""
    for down in range(3):
        for right in range(3):
            for mirrored in (False, True):
                cut = padded[:, down : down + 6, right : right + 6]
                cut = (cut.flip(-1) if mirrored else cut) / 255
                if torch.allclose(image.double(), (cut - 0.5) / 0.25, atol=1e-5):
                    return down, right, mirrored
    raise AssertionError


def test_tables_are_read() -> None:
    lines = [
        "words",
        "",
        "| | a | b |",
        "| --- | ---: | :---: |",
        "| x | 1 | 2 |",
        "",
        "| c |",
        "| --- |",
        "| 3 |",
    ]
    assert rows_of(lines) == [{"": "x", "a": "1", "b": "2"}, {"c": "3"}]


def test_a_record_is_named_by_what_it_is() -> None:
    assert name_of_record("paper", "cifar10", "NVIDIA A100-SXM4-80GB") == "paper_cifar10_a100_sxm4_80gb"


@pytest.mark.parametrize("file", NOT_RUN)
def test_documents_say_what_was_not_run_and_what_runs_it(file: str) -> None:
    words = " ".join((ROOT / file).read_text("utf-8").split())
    assert "not run" in words
    assert "make gpu" in words


@pytest.mark.slow
def test_all_of_it_runs_at_a_tiny_scale(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "benchmarks.gpu", "--device", "cpu", "-o", str(tmp_path / "new")]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    record = json.loads((tmp_path / "new" / "gpu.json").read_text())
    assert [(each["name"], each["failure"], each["left_out"]) for each in record["parts"]] == [
        (each.name, "", "") for each in PARTS
    ]
    numbers = {each["name"]: each["numbers"] for each in record["parts"]}
    for mode in ("as it trains", "deterministic"):
        for pair in ("again", "resumed"):
            assert numbers["resume"][mode][pair]["different"] == []
            assert numbers["resume"][mode][pair]["tensors"] > 300
    assert len(numbers["benchmark"]["rows"]) == 2
    assert (tmp_path / "new" / "train" / "large_5x5.md").is_file()
