"""Small tasks that train in a second: few images, a narrow network."""

from pathlib import Path
from typing import Any

import torch

from costlab.targets.resolve import variant
from costlab.train.data import Split
from costlab.train.recipe import Recipe
from costlab.train.trial import Task, Trial

CPU = torch.device("cpu")
SIDE = 16
CLASSES = 4


def splits(train: int = 40, validation: int = 20, side: int = SIDE) -> tuple[Split, Split]:
    """Noise in which one quarter of the rows is bright: the class says which."""
    random = torch.Generator().manual_seed(3)

    def made(count: int) -> Split:
        labels = torch.randint(CLASSES, (count,), generator=random)
        images = torch.randint(0, 120, (count, 3, side, side), generator=random)
        quarter = side // CLASSES
        for image, label in zip(images, labels.tolist(), strict=True):
            image[:, label * quarter : (label + 1) * quarter] += 100
        return Split(images.to(torch.uint8), labels)

    return made(train), made(validation)


def task(seed: int = 0, identity: str = "a trial", dropout: float = 0.2, **settings: Any) -> Task:
    """A narrow reduced network, with dropout and an auxiliary head."""
    recipe = Recipe(**{"batch_size": 8, "epochs": 3, "learning_rate": 0.02, **settings})
    network = variant(
        "mini", width=0.25, num_classes=CLASSES, aux="bn", modules_12=0, modules_6=0, dropout=dropout
    )
    return Task(network, SIDE, recipe, seed, mirrored=True, identity=identity)


def trial(folder: Path, every: float = 0.0, **settings: Any) -> Trial:
    """A trial of such a task, with a checkpoint at every step."""
    return Trial(task(**settings), splits(), folder, CPU, every=every)
