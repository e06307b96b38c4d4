"""The parts: each runs on its own, leaves its log and files in the folder, and returns its numbers."""

import json
import re
import xml.etree.ElementTree as ET
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from time import monotonic
from typing import Any, NamedTuple

from benchmarks.gpu.session import PartError, Session
from benchmarks.gpu.sizing import Measured, Size, seconds_of, size_for

CALIBRATED_WITH = "large_5x5"
CALIBRATION_EPOCHS, CALIBRATION_SEEDS = 2, 2


class Found(NamedTuple):
    """What came out of a part: lines of Markdown, and the same for machines."""

    lines: Sequence[str]
    numbers: Mapping[str, Any]


class Part(NamedTuple):
    """A part: its name, what it is about, the packages that it imports, and the most seconds it may take."""

    name: str
    title: str
    needs: tuple[str, ...]
    seconds: float
    run: Callable[[Session, float], Found]


TRAINS = ("torch", "numpy", "click", "filelock", "optuna", "rich", "PIL")
AFTER = 200.0
"""Seconds that the experiment leaves for what comes after it, if there are as many beside its own."""


def tests(session: Session, seconds: float) -> Found:
    """The tests that need CUDA; on a CPU their twins."""
    chosen = ("-m", "cuda") if session.device != "cpu" else ("-k", "cpu")
    report = session.folder / "tests.xml"
    words = ("pytest", "tests/cuda", *chosen, "-rA", "-p", "no:cacheprovider", f"--junitxml={report}")
    try:
        session.run("tests", words, seconds)
    except PartError as error:
        raise PartError(_told_tests(report) or str(error)) from None
    passed, others = _outcomes(report)
    if not passed:
        raise PartError("no test was run")
    skipped = [name for name, outcome in others if outcome == "skipped"]
    lines = [f"{passed} passed" + (f"; skipped: {', '.join(skipped)}" if skipped else "")]
    return Found(lines, {"passed": passed, "skipped": skipped})


def _outcomes(report: Path) -> tuple[int, list[tuple[str, str]]]:
    """How many tests passed, and the names of the others with what became of them."""
    cases = list(ET.parse(report).getroot().iter("testcase"))
    others = [
        (str(case.get("name")), child.tag)
        for case in cases
        for child in case
        if child.tag in ("failure", "error", "skipped")
    ]
    return len(cases) - len({name for name, _ in others}), others


def _told_tests(report: Path) -> str:
    if not report.is_file():
        return ""
    passed, others = _outcomes(report)
    failed = [name for name, outcome in others if outcome != "skipped"]
    return f"{passed} passed, {len(failed)} failed: {', '.join(failed)}" if failed else ""


def resume(session: Session, seconds: float) -> Found:
    """How far a trial that was killed and resumed ends with the same weights."""
    file = session.folder / "resume.json"
    sizes = [f"--{name}={value}" for name, value in session.scale.resume.items()]
    words = ("benchmarks.resume", "--device", session.device, "--json", str(file), *sizes)
    try:
        session.run("resume", words, seconds)
    except PartError as error:
        raise PartError(str(error), _told_resume(file).lines) from None
    return _told_resume(file)


def _told_resume(file: Path) -> Found:
    from benchmarks.resume import lines

    found = json.loads(file.read_text("utf-8")) if file.is_file() else {}
    return Found([f"- {line}" for mode, each in found.items() for line in lines(mode, each)], found)


def measure(session: Session, seconds: float) -> Found:
    """The time of each operation, beside the bound of the device if it is in the table."""
    file = session.folder / "measure.json"
    words = ["costlab", "measure", session.scale.network, "--on", session.device, "--by", "kind"]
    words += ["-f", "json", "-o", str(file)]
    known = device_of_table(session.device)
    if known:
        words += ["--device", known]
    session.run("measure", words, seconds)
    found = json.loads(file.read_text("utf-8"))
    whole = sorted(found["whole"])
    lines = [
        f"{found['target']}, batch {found['batch']}, float32, in inference: "
        f"{1e3 * whole[len(whole) // 2]:.3g} ms, the median of {len(whole)}; clock: "
        f"{found['machine']['clock']}. {_bounds_of(known)}",
        "",
        "| kind | ms | share |",
        "| --- | ---: | ---: |",
    ]
    lines += [f"| {row['kind']} | {1e3 * row['seconds']:.3g} | {row['share']:.1%} |" for row in found["rows"]]
    return Found(lines, found)


def _bounds_of(known: str) -> str:
    if not known:
        return "The device is not in the table of devices."
    return f"The bounds of {known} are in measure.json."


def device_of_table(device: str) -> str:
    """The device as `costlab list --devices` calls it; nothing if it is not there."""
    if device == "cpu":
        return ""
    import torch

    from costlab.errors import DeviceError
    from costlab.torch.peaks import called

    try:
        return called(torch.cuda.get_device_name(torch.device(device))).name
    except DeviceError:
        return ""


def benchmark(session: Session, seconds: float) -> Found:
    """A trial and an ablation beside a plain loop and one that is tuned by hand."""
    file = session.folder / "benchmark.md"
    words = ("benchmarks.train", "--device", session.device, "--output", str(file), *session.scale.benchmark)
    try:
        session.run("benchmark", words, seconds)
    except PartError as error:
        raise PartError(str(error), _told(file)) from None
    return Found(_told(file), {"rows": rows_of(_told(file)), "words": _told(file)[-1:]})


def _told(file: Path) -> list[str]:
    return file.read_text("utf-8").splitlines() if file.is_file() else []


def rows_of(lines: Sequence[str]) -> list[dict[str, str]]:
    """The rows of the tables of Markdown in some lines, each by the heads of its columns."""
    rows: list[dict[str, str]] = []
    heads: list[str] = []
    for line in lines:
        if not line.startswith("|"):
            heads = []
            continue
        cells = [cell.strip() for cell in line.strip().strip("|").split("|")]
        if not heads:
            heads = cells
        elif not all(re.fullmatch(r":?-+:?", cell) for cell in cells):
            rows.append(dict(zip(heads, cells, strict=False)))
    return rows


def train(session: Session, seconds: float) -> Found:
    """The experiment, as much of it as fits into what is left, which a short run before it tells."""
    from costlab.train.experiments import experiment

    scale, began = session.scale, monotonic()
    seconds = max(seconds, session.left - AFTER)
    arms = len(experiment(scale.experiment, 1.0).arms)
    short = session.folder / "calibration"
    trial = Size(scale.trial_images, CALIBRATION_EPOCHS, CALIBRATION_SEEDS)
    start = monotonic()
    session.run("train", _command(session, CALIBRATED_WITH, trial, short), seconds)
    measured = measured_in(json.loads((short / "results.json").read_text("utf-8")), monotonic() - start)
    left = min(session.left, seconds - (monotonic() - began))
    size = size_for(left, measured, arms, scale)
    expected = seconds_of(size, measured, arms)
    session.note(
        f"train: {size.images:,} images, {size.epochs} epochs, {size.seeds} seeds, about {expected:.0f} s"
    )
    start = monotonic()
    session.run("train", _command(session, scale.experiment, size, session.folder / "train"), left)
    taken = monotonic() - start
    record = json.loads((session.folder / "train" / "results.json").read_text("utf-8"))
    failed = [
        f"{each['arm']}, seed {each['seed']}: {each['failure']}"
        for each in record["trials"]
        if each["failure"]
    ]
    lines = [
        f"`{record['command']}`: {len(record['trials'])} trials in {taken:.0f} s, where the short run "
        f"before it had {measured.rate:,.0f} images/s and promised {expected:.0f} s. "
        f"Images: {record['data']['name']}.",
        "",
        f"Its page is [train/{record['name']}.md](train/{record['name']}.md).",
        *(f"- {each}" for each in failed),
    ]
    numbers = {
        "size": size._asdict(),
        "calibration": measured._asdict(),
        "expected": expected,
        "seconds": taken,
    }
    return Found(lines, {**numbers, "command": record["command"], "failed": failed})


def measured_in(record: Mapping[str, Any], wall: float) -> Measured:
    """The rate of a short run, by its record and the seconds that the whole command took."""
    trials = record["trials"]
    workers = min(len(trials), trials[0]["environment"]["workers"])
    last = [trial["epochs"][-1] for trial in trials]
    rate = workers * sum(each["images_per_second"] for each in last) / len(last)
    excess = [trial["epochs"][0]["seconds"] - trial["epochs"][-1]["seconds"] for trial in trials]
    first = max(0.0, sum(excess) / len(excess) / workers)
    images = sum(each["seconds"] * each["images_per_second"] for each in last) * CALIBRATION_EPOCHS
    beside = max(0.0, wall - images / rate - first * len(trials))
    return Measured(rate, first, beside, len(record["arms"]))


def _command(session: Session, name: str, size: Size, folder: Path) -> list[str]:
    scale = session.scale
    words = ["costlab", "train", name, "--preset", scale.preset, "--device", session.device]
    words += ["--data", session.data, "--images", str(size.images), "--seeds", str(size.seeds)]
    return [*words, "--set", f"epochs={size.epochs}", *scale.settings, "-o", str(folder)]


PARTS = (
    Part("tests", "The tests that need CUDA", ("pytest", "torch"), 90, tests),
    Part(
        "resume", "Killed and resumed: how far the weights are the same, bit for bit", ("torch",), 110, resume
    ),
    Part("measure", "An operation at a time", ("torch", "numpy", "click", "rich"), 40, measure),
    Part("train", "The experiment", (*TRAINS, "matplotlib", "markdown_it"), 200, train),
    Part("benchmark", "Training beside a plain loop, and one that is tuned by hand", TRAINS, 260, benchmark),
)
"""In the order in which they run: what says most in little time comes first."""
