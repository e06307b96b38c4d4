"""The summary of a session: a page to read and the same for machines."""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

PAGE, RECORD = "gpu.md", "gpu.json"
DONE = "done"
GENERATED = "synthetic, made up for costlab: none were given"
NOT_RUN = tuple(f"docs/{name}.md" for name in ("measure", "python", "speed", "train", "training-loops"))
"""The documents that say in these words what was not run on a GPU."""


@dataclass
class Outcome:
    """What became of a part: lines to read, numbers, and why it failed or was left out, if it was."""

    name: str
    title: str
    seconds: float = 0.0
    failure: str = ""
    left_out: str = ""
    lines: Sequence[str] = ()
    numbers: Mapping[str, Any] = field(default_factory=dict)

    @property
    def word(self) -> str:
        """How it came out, in words."""
        if self.failure:
            return f"failed: {self.failure}"
        return f"left out: {self.left_out}" if self.left_out else DONE


def page(environment: Mapping[str, str], outcomes: Sequence[Outcome], experiment: str) -> str:
    """The page."""
    lines = [f"# On {environment['device']}", "", "| | |", "| --- | --- |"]
    lines += [f"| {name} | {_cell(value)} |" for name, value in environment.items()]
    lines += ["", "| part | outcome | s | log |", "| --- | --- | ---: | --- |"]
    lines += [
        f"| {each.name} | {_cell(each.word)} | {each.seconds:.0f} | [{each.name}.log]({each.name}.log) |"
        if each.seconds
        else f"| {each.name} | {_cell(each.word)} | | |"
        for each in outcomes
    ]
    for each in outcomes:
        lines += ["", f"## {each.title}", "", *each.lines]
        if each.word != DONE:
            lines += [*([""] if each.lines else []), f"{each.word[0].upper()}{each.word[1:]}."]
    return "\n".join([*lines, "", *_to_commit(environment, outcomes, experiment), ""])


def record(environment: Mapping[str, str], outcomes: Sequence[Outcome]) -> str:
    """The same for machines."""
    held = {"environment": dict(environment), "parts": [asdict(each) for each in outcomes]}
    return json.dumps(held, indent=1, ensure_ascii=False) + "\n"


def name_of_record(experiment: str, images: str, device: str) -> str:
    """The name in reports/runs: experiment, images and device."""
    words = re.findall(r"[a-z0-9]+", device.lower())
    told = [word for word in words if word not in ("nvidia", "geforce", "tesla")]
    return "_".join([experiment, "generated" if images == GENERATED else images, *told])


def _to_commit(environment: Mapping[str, str], outcomes: Sequence[Outcome], experiment: str) -> list[str]:
    trained = any(each.name == "train" and each.word == DONE for each in outcomes)
    lines = ["## To commit it", ""]
    if "with changes" in environment["costlab"]:
        lines += [
            "The code had changes that are not committed, and a record of such a run is not taken: "
            "commit, and repeat.",
            "",
        ]
    if trained:
        name = name_of_record(experiment, environment["images"], environment["device"])
        lines += [
            f"- `cp train/results.json PROJECT/reports/runs/{name}.json`, then `make report`, which writes "
            f"`reports/trained_{name}.md`; its line in `mkdocs.yml`, and its name in "
            "`tests/report/test_committed_runs.py`"
        ]
    return [
        *lines,
        "- the numbers above, with the device's name: into `docs/speed.md` (training), `docs/measure.md`, "
        "and `docs/train.md` (resumed)",
        f'- "not run" stands in {", ".join(f"`{file}`" for file in NOT_RUN)}: of each, what was run by now',
    ]


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("\n", " ")


def write(folder: Path, environment: Mapping[str, str], outcomes: Sequence[Outcome], experiment: str) -> None:
    """Write both files anew, each as a whole."""
    from costlab.files import write as put

    put(folder / PAGE, page(environment, outcomes, experiment), replace=True)
    put(folder / RECORD, record(environment, outcomes), replace=True)
