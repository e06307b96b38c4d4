"""All that is to be run on a machine with an NVIDIA GPU, unattended, into one new folder.

    make gpu DATA=cifar10:PATH OUT=FOLDER                      # sets up the environment first
    python -m benchmarks.gpu --data cifar10:PATH -o FOLDER     # in an environment of one's own

A part that fails leaves its log, and the others go on; the exit status is 1 then, with a line for each.
"""

import argparse
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from time import monotonic

from benchmarks.gpu.parts import PARTS, Part
from benchmarks.gpu.session import FULL, TINY, PartError, Session, missing
from benchmarks.gpu.summary import GENERATED, PAGE, Outcome, write

MINUTES = 8.0
NEEDED = ("torch", "numpy", "sympy")


class MistakeError(Exception):
    """What the user has to change, in a line."""


def run_parts(parts: Sequence[Part], session: Session, environment: Mapping[str, str]) -> list[Outcome]:
    """Run the parts one after the other, whatever becomes of each; the summary is written anew every time."""
    outcomes: list[Outcome] = []
    for part in parts:
        session.note(f"{part.name}: {part.title}")
        outcome = _run(part, session)
        outcomes.append(outcome)
        session.note(f"{part.name}: {outcome.word}, {outcome.seconds:.0f} s")
        write(session.folder, environment, outcomes, session.scale.experiment)
    return outcomes


def _run(part: Part, session: Session) -> Outcome:
    outcome = Outcome(part.name, part.title)
    lacking = missing(part.needs)
    if lacking:
        outcome.left_out = f"not installed: {', '.join(lacking)}"
        return outcome
    start = monotonic()
    try:
        outcome.lines, outcome.numbers = part.run(session, part.seconds)
    except PartError as error:
        outcome.failure, outcome.lines = str(error), error.lines
    except Exception as error:  # the others go on, whatever it is
        outcome.failure = f"{type(error).__name__}: {error}".splitlines()[0]
    outcome.seconds = monotonic() - start
    return outcome


def environment_of(device: str, data: str) -> dict[str, str]:
    """What it runs on, in words, without any host name or path."""
    import torch

    from costlab.train.environment import describe_environment, revision

    where = torch.device(device)
    here = describe_environment(where, 1, compiled=False)
    found = {"device": here.device, "driver": here.driver or "none", "torch": here.torch}
    if where.type == "cuda":
        holds = torch.cuda.get_device_properties(where)
        major, minor = holds.major, holds.minor
        found["memory, GiB"] = f"{holds.total_memory / 2**30:.1f}"
        found["compute capability"] = f"{major}.{minor}"
        found["cuDNN"] = str(torch.backends.cudnn.version())  # type: ignore[no-untyped-call]  # torch leaves it without types
    name = data.partition(":")[0]
    images = GENERATED if name == "synthetic" else name
    return {**found, "python": here.python, "system": here.system, "costlab": revision(), "images": images}


def refuse(device: str, data: str, folder: Path) -> None:
    """Raises `MistakeError` for what cannot run, before anything does."""
    lacking = missing(NEEDED)
    if lacking:
        raise MistakeError(f"not installed: {', '.join(lacking)}; pip install {' '.join(lacking)}")
    from costlab.errors import CostlabError, RunError
    from costlab.train import datasets
    from costlab.train.environment import find_device

    try:
        if not device.startswith(("cuda", "cpu")):
            raise MistakeError(f"--device {device}: there is cuda, cuda:N, and cpu to try this command")
        find_device(device)
    except RunError as error:
        raise MistakeError(str(error).partition(";")[0]) from None
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise MistakeError(f"{folder} holds something already: name another folder, as OUT=gpu2 or -o gpu2")
    if data != "synthetic":
        try:
            datasets.load(data, 1, 1)
        except CostlabError as error:
            raise MistakeError(str(error)) from None


def main(words: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(
        prog="benchmarks.gpu", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", default="synthetic", help="images, as costlab train takes them")
    parser.add_argument("-o", "--output", type=Path, default=Path("gpu"), help="a new folder")
    parser.add_argument(
        "--device", default="cuda", help="cuda or cuda:N; cpu tries this command at a tiny scale"
    )
    parser.add_argument("--minutes", type=float, default=MINUTES, help="that all of it may take")
    parser.add_argument("--parts", nargs="+", choices=[part.name for part in PARTS], help="these alone")
    args = parser.parse_args(words)
    name, colon, path = args.data.partition(":")
    args.data = f"{name}{colon}{Path(path).resolve() if path else ''}"
    try:
        refuse(args.device, args.data, args.output)
    except MistakeError as error:
        print(error, file=sys.stderr)
        sys.exit(2)
    scale = TINY if args.device == "cpu" else FULL
    folder: Path = args.output.resolve()
    folder.mkdir(parents=True, exist_ok=True)

    def note(line: str) -> None:
        print(line, file=sys.stderr, flush=True)

    if args.data == "synthetic":
        note("no images were given (DATA=cifar10:PATH, or --data): synthetic ones are made")
    session = Session(args.device, args.data, folder, scale, monotonic() + 60 * args.minutes, note)
    parts = [part for part in PARTS if not args.parts or part.name in args.parts]
    outcomes = run_parts(parts, session, environment_of(args.device, args.data))
    print(args.output / PAGE)
    failures = [
        f"{each.name} failed: {each.failure} ({args.output / each.name}.log)"
        for each in outcomes
        if each.failure
    ]
    for line in failures:
        note(line)
    sys.exit(bool(failures))


if __name__ == "__main__":
    main()
