"""Made-up records of runs, for the tests of what is computed from them."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

from costlab.counting.count import count
from costlab.train.experiment import Expectation
from costlab.train.recipe import Recipe
from costlab.train.record import ArmRecord, DataRecord, Environment, Epoch, Run, Timing, TrialResult

CPU = Environment("cpu", "", "2.11.0", "3.11.7", "Linux x86_64", "float32", 1, 2, False, "0123abc")
DATA = DataRecord("shapes", "drawn shapes in ten classes", True, 10, 4000, 1000, "f" * 64)
RECIPE = vars(Recipe(learning_rate=0.045, epochs=3))
RISE = (0.5, 0.8, 1.0)
"""The part of its last accuracy that a network has after each epoch."""


def trial(arm: str, seed: int, accuracy: float | None, rise: Sequence[float] = RISE) -> TrialResult:
    """A training that ends at that accuracy, or failed in its first epoch."""
    if accuracy is None:
        return TrialResult(arm, seed, (), CPU, "the loss is nan in epoch 1")
    epochs = tuple(
        Epoch(i, 2.0 - part, accuracy * part, 2.1 - part, accuracy * part, 0.04 / i, 1.5, 2700.0)
        for i, part in enumerate(rise, 1)
    )
    return TrialResult(arm, seed, epochs, CPU)


def timing(seconds: float, batch_size: int = 64, memory: int | None = 200_000_000) -> Timing:
    """A timing whose quartiles lie a tenth below and a fifth above the median."""
    return Timing(seconds, 0.9 * seconds, 1.2 * seconds, 30, batch_size, memory, CPU)


def arm(label: str, network: str, seconds: float | None = None, side: int = 48) -> ArmRecord:
    """An arm counted from its definition; a step is taken for three times the forward pass."""
    counted = count(network, (3, side, side))
    return ArmRecord(
        label,
        network,
        side,
        {},
        int(counted.inference.multiply_adds),
        int(counted.parameters),
        3 * int(counted.multiply_adds),
        None if seconds is None else timing(seconds),
    )


def run(
    arms: Sequence[ArmRecord],
    accuracies: Mapping[str, Sequence[float | None]],
    claims: Sequence[Expectation] = (),
    preset: str = "small",
) -> Run:
    """A run of those arms: for each label the accuracy that it came to with seeds 0, 1, and so on."""
    trials = tuple(
        trial(label, seed, top_1) for label, row in accuracies.items() for seed, top_1 in enumerate(row)
    )
    seeds = max((len(row) for row in accuracies.values()), default=1)
    command = f"costlab train --ablation kernels --preset {preset}"
    return Run(
        "kernels",
        "Kernels of figure 5",
        preset,
        command,
        RECIPE,
        DATA,
        seeds,
        tuple(arms),
        tuple(claims),
        trials,
    )


PLAIN, PAIR, HALF = "5x5", "3x3+3x3", "half the width"
LOSES_NOTHING = Expectation("two 3x3 lose nothing", PAIR, PLAIN, "28% fewer multiply-adds", "Section 3.1")
WIDER = Expectation("wider is better", PLAIN, HALF, "no figure", "Section 2")


def sample() -> Run:
    """Three arms on three seeds, one training failed.

    Differences in points: 3x3+3x3 less 5x5 are +1, -1 and +3; 5x5 less half the width are 10 and 12.
    """
    return run(
        [
            arm(PLAIN, "mini:width=0.25,large=5x5", 0.1),
            replace(arm(PAIR, "mini:width=0.25,aux=bn", 0.095), recipe={"label_smoothing": 0.0}),
            arm(HALF, "mini:width=0.125", 0.06),
        ],
        {PLAIN: (0.70, 0.72, 0.71), PAIR: (0.71, 0.71, 0.74), HALF: (0.60, 0.60, None)},
        (LOSES_NOTHING, WIDER),
    )


LONG = "a variant whose label is so long that nobody would read it to the end, were it not for this test"


def many(seeds: int = 5, timed: bool = True) -> Run:
    """Twelve arms: several cost the same, one much more, one failed always, one has a long label."""
    networks = ["mini:width=0.25"] * 6 + [
        "mini:width=0.25,large=5x5",
        "mini:width=0.25,kernel_7x7=7x7",
        "mini:width=0.25,reductions=conv+pool",
        "mini:width=0.25,aux=plain",
        "mini:width=0.25,small=1x3+3x1",
        "mini:width=0.25,split_3x3=false",
    ]
    labels = [f"variant {i}, of a choice" for i in range(10)] + [LONG, "it fails"]
    arms = [
        arm(label, network, (0.1 + 0.002 * i) * (3 if "conv+pool" in network else 1) if timed else None)
        for i, (label, network) in enumerate(zip(labels, networks, strict=True))
    ]
    accuracies: dict[str, list[float | None]] = {
        label: [0.7 + 0.01 * (i % 4) + 0.005 * ((seed * (i + 1)) % 3) for seed in range(seeds)]
        for i, label in enumerate(labels)
    }
    accuracies["it fails"] = [None] * seeds
    claims = [replace(LOSES_NOTHING, better=labels[i], worse=labels[0]) for i in range(1, 12)]
    return run(arms, accuracies, claims)


def long(number: int) -> Run:
    """So many arms of one cost with long labels, whose intervals go beyond what an accuracy can be."""
    labels = [f"{i} {LONG}" for i in range(number)]
    arms = [arm(label, "mini:width=0.25", 0.1 + 0.001 * i) for i, label in enumerate(labels)]
    return run(arms, {label: (0.7 + 0.02 * i, 0.72) for i, label in enumerate(labels)})
