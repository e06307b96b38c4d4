"""How far a trial that was killed and resumed ends with the same weights, bit for bit, on a device.

A trial is trained twice without interruption, each in a process of its own, which says whether two runs are
equal at all; and once more by a process that is killed in the middle of an epoch and another that resumes it.
All of that as `costlab train` does it, and again with the algorithms that torch calls deterministic. What is
compared is each tensor of the last checkpoint, bit for bit.

    python -m benchmarks.resume --device cuda

The images are noise: on which images it trains makes no difference here.
"""

import argparse
import json
import os
import signal
import subprocess
import sys
import tempfile
import warnings
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from math import inf, isnan
from pathlib import Path
from typing import Any, NamedTuple

import torch
from torch import Tensor

from costlab.targets.resolve import variant
from costlab.train import checkpoint
from costlab.train.data import Split
from costlab.train.environment import find_device
from costlab.train.recipe import Recipe
from costlab.train.trial import Task, Trial

ROOT = Path(__file__).parents[1]
CLASSES, VALIDATION = 10, 100
AS_TRAINED, DETERMINISTIC = "as it trains", "deterministic"
MODES = (AS_TRAINED, DETERMINISTIC)
NOTES = "notes.json"
"""What a process that trains to the end writes: how many steps it took, and torch's words on operators that
lack a deterministic algorithm."""
OPTIONS = {"width": 1.0, "side": 48, "batch": 128, "images": 2560, "epochs": 3}


class ResumeError(Exception):
    """A process did not end as it should have; the message says how, in a line."""


@dataclass(frozen=True)
class Difference:
    """A tensor of one checkpoint beside that of another: the largest difference and the largest value.

    The first is None where they cannot be subtracted: of other shapes, not there, or no numbers.
    """

    name: str
    identical: bool
    largest: float | None
    value: float | None


class Compared(NamedTuple):
    """What two checkpoints differ by, tensor by tensor."""

    tensors: tuple[Difference, ...]

    @property
    def different(self) -> tuple[Difference, ...]:
        """Those that are not identical, the most different first."""
        found = [tensor for tensor in self.tensors if not tensor.identical]
        return tuple(sorted(found, key=lambda each: inf if each.largest is None else each.largest)[::-1])

    def __str__(self) -> str:
        if not self.tensors:
            return "nothing to compare"
        if not self.different:
            return f"identical: all {len(self.tensors)} tensors, bit for bit"
        same, first = len(self.tensors) - len(self.different), self.different[0]
        by = (
            "cannot be subtracted"
            if first.largest is None
            else f"{first.largest:.3g}, in values up to {first.value:.3g}"
        )
        tensors = f"{same} of {len(self.tensors)} tensors identical"
        return f"{tensors}; the largest difference is of {first.name}: {by}"


def compared(a: Mapping[str, Tensor], b: Mapping[str, Tensor]) -> Compared:
    """Two checkpoints, by the bits of each tensor."""
    return Compared(tuple(_difference(name, a.get(name), b.get(name)) for name in sorted({*a, *b})))


def _difference(name: str, a: Tensor | None, b: Tensor | None) -> Difference:
    if a is None or b is None or a.shape != b.shape or a.dtype != b.dtype:
        return Difference(name, identical=False, largest=None, value=None)
    bits = [tensor.contiguous().reshape(-1).view(torch.uint8) for tensor in (a, b)]
    x, y = a.double().reshape(-1), b.double().reshape(-1)
    largest = float((x - y).abs().max()) if len(x) else 0.0
    return Difference(
        name, torch.equal(*bits), None if isnan(largest) else largest, float(x.abs().max()) if len(x) else 0.0
    )


def tensors_of(folder: Path) -> dict[str, Tensor]:
    """All tensors of the checkpoint in a folder that decide how a trial goes on, by place."""
    state = torch.load(folder / checkpoint.FILE, weights_only=True, map_location="cpu")
    found: dict[str, Tensor] = {}

    def walk(path: str, value: Any) -> None:
        if isinstance(value, Tensor):
            found[path] = value
        elif isinstance(value, dict | list):
            for key, each in value.items() if isinstance(value, dict) else enumerate(value):
                walk(f"{path}.{key}" if path else str(key), each)

    walk("", {**state["learner"], "random": state["random"], "sums": state["sums"]})
    return found


def noise(images: int, side: int) -> tuple[Split, Split]:
    """Training and validation images of random bytes, the same each time."""
    random = torch.Generator().manual_seed(5)

    def made(count: int) -> Split:
        pixels = torch.randint(256, (count, 3, side, side), generator=random, dtype=torch.uint8)
        return Split(pixels, torch.randint(CLASSES, (count,), generator=random))

    return made(images), made(VALIDATION)


def train(folder: Path, args: argparse.Namespace) -> None:
    """Train a trial in this process, resumed if it was begun; killed once ``args.kill`` steps are taken."""
    device = find_device(args.device)
    if device.type == "cpu":
        torch.set_num_threads(1)  # as a worker does
    else:
        torch.backends.cudnn.benchmark = not args.deterministic
    if args.deterministic:
        torch.use_deterministic_algorithms(mode=True, warn_only=True)
    recipe = Recipe(batch_size=args.batch, epochs=args.epochs)
    network = variant("mini", width=args.width, num_classes=CLASSES, aux="bn")
    task = Task(network, args.side, recipe, 0, mirrored=True, identity="resume")
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")
        trial = Trial(task, noise(args.images, args.side), folder, device, every=0.0 if args.kill else 1e9)
        step, taken = trial.learner.step, 0

        def counted(*batch: Any) -> Any:
            nonlocal taken
            if args.kill and taken == args.kill:  # the checkpoint of the step before is written
                os.kill(os.getpid(), signal.SIGKILL)
            taken += 1
            return step(*batch)

        trial.learner.step = counted  # type: ignore[assignment, method-assign]  # in this process alone
        trial.run()
    lacking = sorted(
        {str(each.message).partition("\n")[0] for each in told if "determinis" in str(each.message)}
    )
    (folder / NOTES).write_text(json.dumps({"taken": taken, "lacking": lacking}), "utf-8")


def compare(folder: Path, mode: str, options: Mapping[str, Any]) -> dict[str, Any]:
    """Train all of it in a folder, in processes of their own, and compare; or what went wrong."""
    steps = options["epochs"] * (options["images"] // options["batch"])
    kill = max(1, 2 * steps // 5)
    words = ["--device", str(options["device"])] + (["--deterministic"] if mode == DETERMINISTIC else [])
    for name in OPTIONS:
        words += [f"--{name}", str(options[name])]
    first, second, resumed = (folder / name for name in ("first", "second", "resumed"))
    _process(first, words, 0)
    _process(second, words, 0)
    _process(resumed, [*words, "--kill", str(kill)], -signal.SIGKILL)
    _process(resumed, words, 0)
    notes = json.loads((resumed / NOTES).read_text("utf-8"))
    if notes["taken"] != steps - kill:
        raise ResumeError(f"resumed after {kill} of {steps} steps, it took {notes['taken']} more")
    whole = tensors_of(first)
    pairs = {"again": compared(whole, tensors_of(second)), "resumed": compared(whole, tensors_of(resumed))}
    return {
        "steps": steps,
        "killed_after": kill,
        "without_deterministic": notes["lacking"],
        **{
            name: {
                "says": str(pair),
                "identical": len(pair.tensors) - len(pair.different),
                "tensors": len(pair.tensors),
                "different": [asdict(each) for each in pair.different],
            }
            for name, pair in pairs.items()
        },
    }


def _process(folder: Path, words: list[str], expected: int) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "CUBLAS_WORKSPACE_CONFIG": ":4096:8"}
    if "--deterministic" not in words:
        environment.pop("CUBLAS_WORKSPACE_CONFIG")
    command = [sys.executable, "-m", "benchmarks.resume", "--train", str(folder), *words]
    done = subprocess.run(command, check=False, cwd=ROOT, env=environment, capture_output=True, text=True)
    if done.returncode != expected:
        last = done.stderr.strip().splitlines()[-1:] or ["nothing said"]
        print(done.stderr, file=sys.stderr)
        raise ResumeError(f"a process ended with {done.returncode}, not {expected}: {last[0]}")


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--device", default="auto")
    parser.add_argument("--json", type=Path, help="write what was found, tensor by tensor")
    for name, default in OPTIONS.items():
        parser.add_argument(f"--{name}", type=type(default), default=default)
    parser.add_argument("--train", type=Path, help=argparse.SUPPRESS)
    parser.add_argument("--kill", type=int, default=0, help=argparse.SUPPRESS)
    parser.add_argument("--deterministic", action="store_true", help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.train:
        train(args.train, args)
        return
    found: dict[str, Any] = {}
    with tempfile.TemporaryDirectory() as folder:
        for mode in MODES:
            try:
                found[mode] = compare(Path(folder, mode.replace(" ", "_")), mode, vars(args))
            except ResumeError as error:
                found[mode] = {"failed": str(error)}
            for line in lines(mode, found[mode]):
                print(line, flush=True)
            if args.json:
                args.json.write_text(json.dumps(found, indent=1) + "\n", "utf-8")
    sys.exit(any("failed" in each for each in found.values()))


def lines(mode: str, found: Mapping[str, Any]) -> list[str]:
    """What was found in a mode, as lines to read."""
    if "failed" in found:
        return [f"{mode}: {found['failed']}"]
    told = [
        f"{mode}, {found['steps']} steps, trained again: {found['again']['says']}",
        f"{mode}, killed after {found['killed_after']} and resumed: {found['resumed']['says']}",
    ]
    return told + [
        f"{mode}, without a deterministic algorithm: {each}" for each in found["without_deterministic"]
    ]


if __name__ == "__main__":
    main()
