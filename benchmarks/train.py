"""How much faster an ablation is trained than by loops of PyTorch: in one run, on one machine.

The plain loop is the one that tutorials have: a DataLoader that moves and mirrors each image on the host,
the same module, recipe, images and precision, one trial after the other. The other is tuned by hand, as
``hand_tuned.py`` says. Measured are images per second of one trial, and the trials per hour of a whole
ablation, with all that a user waits for. ``make benchmark``.
"""

import argparse
import random
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn
from torch.utils.data import DataLoader, Dataset

from benchmarks.hand_tuned import HandTuned
from benchmarks.own_loop import own_loop
from costlab.targets.build import build
from costlab.train import datasets
from costlab.train.arms import sized_arms
from costlab.train.data import Split
from costlab.train.environment import find_device, has_bfloat16
from costlab.train.experiment import LARGEST_SIDE
from costlab.train.experiments import experiment
from costlab.train.learner import precision
from costlab.train.plan import PRESETS, Preset
from costlab.train.recipe import Recipe
from costlab.train.record import FILE, load
from costlab.train.statistics import multiply_adds_per_second

ABLATION, SEEDS = "large_5x5", 2
ROUNDS, STEPS = 5, 8
PEAK_TFLOPS = {"H100 80GB HBM3": 989.5, "H200": 989.5, "A100": 312.0, "4090": 165.2}
"""Dense bfloat16 according to the vendors: two FLOPs for a multiply-add."""


class Images(Dataset[tuple[Tensor, int]]):
    """Images moved and mirrored one by one, as a transform does."""

    def __init__(self, split: Split, shift: int) -> None:
        self.images, self.labels, self.shift = split.images, split.labels, shift

    def __len__(self) -> int:
        return len(self.labels)

    def __getitem__(self, i: int) -> tuple[Tensor, int]:
        image = self.images[i].float().div(255)
        image = nn.functional.pad(image[None], (self.shift,) * 4, mode="replicate")[0]
        down, right = random.randint(0, 2 * self.shift), random.randint(0, 2 * self.shift)
        side = self.images.shape[-1]
        image = image[:, down : down + side, right : right + side]
        if random.random() < 0.5:
            image = image.flip(-1)
        return (image - 0.5) / 0.25, int(self.labels[i])


class Plain:
    """A trial in a plain loop."""

    def __init__(self, network: str, recipe: Recipe, data: tuple[Split, Split], device: torch.device) -> None:
        train, validation = data
        side = train.images.shape[-1]
        workers = 4 if device.type == "cuda" else 0
        self.device = device
        self.loader = DataLoader(
            Images(train, round(recipe.shift * side)),
            recipe.batch_size,
            shuffle=True,
            drop_last=True,
            num_workers=workers,
            pin_memory=device.type == "cuda",
            persistent_workers=workers > 0,
        )
        self.validation = validation
        self.network = build(network, (3, side, side)).to(device)
        self.loss = nn.CrossEntropyLoss(label_smoothing=recipe.label_smoothing)
        self.optimizer = torch.optim.RMSprop(
            self.network.parameters(),
            recipe.learning_rate,
            recipe.decay,
            recipe.epsilon,
            recipe.weight_decay,
            recipe.momentum,
        )
        steps = len(self.loader)
        self.schedule = torch.optim.lr_scheduler.StepLR(
            self.optimizer, max(1, round(recipe.lr_decay_every * recipe.epochs * steps)), recipe.lr_decay
        )
        decay = torch.optim.swa_utils.get_ema_multi_avg_fn(0.5 ** (1 / (recipe.average * steps)))  # type: ignore[no-untyped-call]  # torch leaves it without types
        self.averaged = torch.optim.swa_utils.AveragedModel(
            self.network, multi_avg_fn=decay, use_buffers=True
        )
        self.clip = recipe.clip

    def step(self, images: Tensor, labels: Tensor) -> float:
        """A step, which returns its loss, as for a progress bar."""
        self.network.train()
        images, labels = images.to(self.device), labels.to(self.device)
        self.optimizer.zero_grad()
        with precision(self.device):
            loss = self.loss(self.network(images), labels)
        loss.backward()
        nn.utils.clip_grad_norm_(self.network.parameters(), self.clip)
        self.optimizer.step()
        self.schedule.step()
        self.averaged.update_parameters(self.network)
        return float(loss.item())

    def epoch(self) -> None:
        """All images, then the validation."""
        for images, labels in self.loader:
            self.step(images, labels)
        self.averaged.eval()
        with torch.no_grad(), precision(self.device):
            for part in torch.split(self.validation.images, 500):
                self.averaged(part.float().div(255).to(self.device)).argmax(1).tolist()


class Rate(NamedTuple):
    """Images per second: the median over rounds."""

    plain: float
    tuned: float
    ours: float


def endless(make_iterable: Callable[[], Any]) -> Iterator[Any]:
    """What is iterated over, again and again."""
    while True:
        yield from make_iterable()


def one_trial(arm: Any, recipe: Recipe, data: tuple[Split, Split], device: torch.device) -> Rate:
    """The loops in turns on the same network; each with the threads that it takes by itself."""
    target = arm.network.label
    plain = Plain(target, recipe, data, device)
    torch.backends.cudnn.benchmark = device.type == "cuda"
    tuned = HandTuned(target, recipe, data, device)
    theirs = endless(lambda: plain.loader)
    rates: tuple[list[float], ...] = ([], [], [])

    def timed(step: Callable[[], object]) -> float:
        start = time.perf_counter()
        for _ in range(STEPS):
            step()
        if device.type == "cuda":
            torch.cuda.synchronize(device)
        return STEPS * recipe.batch_size / (time.perf_counter() - start)

    with own_loop(target, recipe, data, device) as ours:
        for i in range(ROUNDS + 1):
            rate = timed(lambda: plain.step(*next(theirs))), timed(tuned.step), ours.rate(STEPS)
            if i:  # the first round warms up
                for rounds, one in zip(rates, rate, strict=True):
                    rounds.append(one)
    return Rate(*map(statistics.median, rates))


def ablation_of(
    loop: type[Plain] | type[HandTuned], arms: Any, recipe: Recipe, preset: Preset, device: torch.device
) -> float:
    """Trials per hour of a loop, the making of the images included."""
    start = time.perf_counter()
    dataset = datasets.load("synthetic", preset.train, preset.validation)
    resized = {side: dataset.resized(side) for side in {arm.side for arm in arms.values()}}
    for _ in range(SEEDS):
        for arm in arms.values():
            trial = loop(arm.network.label, recipe, resized[arm.side], device)
            for _ in range(recipe.epochs):
                trial.epoch()
    return 3600 * SEEDS * len(arms) / (time.perf_counter() - start)


def ablation_ours(args: argparse.Namespace, recipe: Recipe) -> tuple[float, float]:
    """Trials per hour of the command, until its page is written; and multiply-adds per second of a step."""
    start = time.perf_counter()
    with tempfile.TemporaryDirectory() as folder:
        words = f"train -a {ABLATION} --seeds {SEEDS} --preset {args.preset} --device {args.device}".split()
        command = [sys.executable, "-m", "costlab", *words, "--set", f"epochs={recipe.epochs}"]
        command += ["--images", str(args.images)] if args.images else []
        command += ["--width", str(args.width)] if args.width else []
        done = subprocess.run([*command, "-o", f"{folder}/run"], check=False, capture_output=True, text=True)
        if done.returncode:
            sys.exit(done.stderr)
        taken = time.perf_counter() - start
        run = load(Path(folder, "run", FILE))
    arm = run.baseline
    return 3600 * SEEDS * len(run.arms) / taken, multiply_adds_per_second(arm) or 0.0


def matrix_product(device: torch.device) -> float:
    """Multiply-adds per second of a large product of matrices, on one thread of a CPU."""
    size = 8192 if device.type == "cuda" else 1024
    threads = torch.get_num_threads()
    torch.set_num_threads(1 if device.type == "cpu" else threads)
    kind = torch.bfloat16 if has_bfloat16(device) else torch.float32
    a = torch.randn(size, size, device=device, dtype=kind)
    taken = []
    for _ in range(8):
        start = time.perf_counter()
        float((a @ a)[0, 0])
        taken.append(time.perf_counter() - start)
    torch.set_num_threads(threads)
    return float(size**3 / min(taken))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--preset", choices=PRESETS, default="smoke")
    parser.add_argument("--device", default="auto")
    parser.add_argument("--epochs", type=int, help="of each trial, in the place of the preset's")
    parser.add_argument("--images", type=int, help="in the place of the preset's")
    parser.add_argument("--width", type=float, help="in the place of the preset's")
    parser.add_argument("--output", type=Path, help="a file for what is printed, as far as it has come")
    args = parser.parse_args()
    printed: list[str] = []

    def tell(line: str) -> None:
        print(line, flush=True)
        printed.append(line)
        if args.output:
            args.output.write_text("\n".join([*printed, ""]), "utf-8")

    device, preset = find_device(args.device), PRESETS[args.preset]
    images = args.images or preset.train
    preset = replace(
        preset,
        width=args.width or preset.width,
        train=images,
        validation=max(1, images * preset.validation // preset.train),
    )
    recipe = Recipe().with_settings({**preset.recipe, "epochs": args.epochs or preset.recipe["epochs"]})
    arms = sized_arms(experiment(ABLATION, preset.width), 10, LARGEST_SIDE)
    baseline = next(iter(arms.values()))
    few = datasets.load("synthetic", min(preset.train, 4 * STEPS * recipe.batch_size), 500)
    name = (
        torch.cuda.get_device_name(device)
        if device.type == "cuda"
        else f"CPU, {torch.get_num_threads()} cores"
    )
    tell(
        f"{ABLATION}, preset {args.preset}, {SEEDS} seeds, {recipe.epochs} epochs, {images:,} images, "
        f"{name}\n"
    )
    tell("| | costlab | plain loop | hand-tuned loop | costlab / plain | costlab / hand-tuned |")
    tell("| --- | ---: | ---: | ---: | ---: | ---: |")

    def row(title: str, ours: float, plain: float, tuned: float) -> None:
        rates = f"{ours:,.0f} | {plain:,.0f} | {tuned:,.0f} | {ours / plain:.2f}x | {ours / tuned:.2f}x"
        tell(f"| {title} | {rates} |")

    threads = torch.get_num_threads()
    titles = {threads: "one trial, images/s"}
    if device.type == "cpu":
        several = f"one trial, images/s: costlab on 1 core, the loops on {threads}"
        titles = {
            threads: several,
            1: "one trial, images/s: each on 1 core",
        }  # one row where there is one core
    for cores, title in titles.items():
        torch.set_num_threads(cores)
        rate = one_trial(baseline, recipe, few.resized(baseline.side), device)
        row(title, rate.ours, rate.plain, rate.tuned)
    torch.set_num_threads(threads)
    ours, speed = ablation_ours(args, recipe)
    loops = [ablation_of(loop, arms, recipe, preset, device) for loop in (Plain, HandTuned)]
    row("whole ablation, with its page, trials per hour", ours, *loops)
    tell("")
    reached = matrix_product(device)
    peak = next((tera for key, tera in PEAK_TFLOPS.items() if key in name), None)
    vendor = f"; the vendor's peak is {1000 * peak / 2:,.0f} G" if peak else ""
    tell(
        f"A step of {next(iter(arms))} does {speed / 1e9:,.1f} G multiply-adds/s; "
        f"a product of large matrices {reached / 1e9:,.1f} G{vendor}."
    )


if __name__ == "__main__":
    main()
