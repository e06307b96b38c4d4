"""What ``costlab report`` was asked for: what to write, and where."""

import os
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from costlab.algebra.parameter import closest
from costlab.counting.compare import Comparison
from costlab.counting.count import Count
from costlab.errors import RunError, TargetError
from costlab.files import is_folder, refuse_traps
from costlab.messages import named
from costlab.targets.catalog import catalog, is_listed, is_listed_ablation
from costlab.targets.other_file import told_of
from costlab.targets.resolve import IN_MODEL_FILE

if TYPE_CHECKING:
    from costlab.report.page import Page
    from costlab.train.record import Run

DEFAULT = Path("reports")


class Request(NamedTuple):
    """What to write, and where: the page of a count, a comparison or a run, or the evidence without these."""

    counted: Count | None
    folder: Path
    depth: int
    options: str
    svg: bool
    run: "Run | None" = None
    compared: Comparison | None = None
    typed: str = ""

    @property
    def is_evidence(self) -> bool:
        """Whether it is the evidence."""
        return self.counted is None and self.run is None and self.compared is None

    @property
    def records(self) -> tuple[Path, ...]:
        """The records of training runs that go with the evidence."""
        from costlab.report.evidence import records_in

        return records_in(self.folder) if self.is_evidence else ()

    @property
    def names(self) -> tuple[str, ...]:
        """The pages of the evidence."""
        from costlab.report.evidence import names_with

        return names_with(self.records) if self.is_evidence else ()

    @property
    def documents(self) -> tuple[Path, ...]:
        """The documents beside the folder that are kept with the evidence."""
        from costlab.report.documents import kept_beside

        if not self.is_evidence:
            return ()
        is_folder(self.folder)  # or say why it cannot be reached
        return kept_beside(self.folder)

    @property
    def above(self) -> Path:
        """The folder above: there the commands run that documents show."""
        return self.folder.resolve().parent

    def pages(self, report_step: Callable[[str], None]) -> "Iterator[Page]":
        """The pages, one by one; ``report_step`` is called with each step."""
        from costlab.report.evidence import evidence, page_of, page_of_comparison, page_of_run

        if self.compared is not None:
            return page_of_comparison(self.compared, self.typed, self.options)
        if self.run is not None:
            return page_of_run(self.run)
        if self.counted is not None:
            return page_of(self.counted, report_step, self.depth, self.options)
        return evidence(report_step, self.records)

    @property
    def steps(self) -> int:
        """The number of pages and outputs to make."""
        from costlab.report.documents import commands_in

        commands = {command for document in self.documents for command in commands_in(document)}
        return len(self.names or ("its page",)) + len(commands)


def run_in(place: str | None) -> "Run | None":
    """The training run in a folder, if it is one of a run."""
    from costlab.train import plan
    from costlab.train.record import FILE, load

    folder = Path(place or "")
    # What is there and is no file is told when it is read.
    done, planned = (bool(place) and os.path.lexists(folder / name) for name in (FILE, plan.FILE))
    if planned and not done:
        command = plan.load(folder).resume_command(folder)
        raise RunError(f"{folder} holds a run that is not done: {command} ends it")
    if done:
        refuse_traps(folder)
    return load(folder / FILE) if done else None


def target_and_folder(place: str | None, folder: Path | None) -> tuple[str | None, Path]:
    """The target, if there is one, and the folder."""
    if folder is not None:
        return place, folder
    if place is None:
        return None, DEFAULT
    typed = ":" in place or place.endswith(".py") or re.fullmatch(IN_MODEL_FILE, place) is not None
    if (typed or is_listed(place) or is_listed_ablation(place)) and not Path(place).is_dir():
        raise TargetError(f"{place} is a target: say with --html FILE or -o DIR where its page goes")
    if (told := told_of(place)) and not Path(place).is_dir():
        raise TargetError(told)
    if not place or not is_folder(Path(place)):
        hint = closest(place, catalog()) or "; a new folder is named with -o DIR"
        raise TargetError(f"there is neither a folder nor a definition {named(place)}{hint}")
    return None, Path(place)


def target_or_folder(place: str | None) -> tuple[str | None, Path]:
    """The target, or the folder of the pages of the evidence; where the result goes is named apart."""
    if place is None or os.path.isdir(place):  # noqa: PTH112  # of a name that no system has, Path raises
        return None, DEFAULT if place is None else Path(place)
    return place, DEFAULT
