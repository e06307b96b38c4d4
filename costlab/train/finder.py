"""What finds the networks that a run trains: by the name of an experiment, or in design spaces."""

from typing import NamedTuple, Protocol

from costlab.train import arms
from costlab.train.experiment import LARGEST_SIDE, Expectation, SizedArm
from costlab.train.space_record import SearchRecord, SpaceRecord

FEW = 2
"""Classes, before the images say how many there are."""


class Found(NamedTuple):
    """What a run trains, with arms for images that are known; as in `Plan`."""

    name: str
    title: str
    arms: dict[str, SizedArm]
    claims: tuple[Expectation, ...] = ()
    spaces: tuple[SpaceRecord, ...] = ()
    search: SearchRecord | None = None
    fixed: int = 0


class Finder(Protocol):
    """What finds the networks to train, first before there are images, to refuse what cannot be."""

    def check(self, width: float) -> None:
        """Refuse what no images would help, at the width of the preset. Raises as `make_plan` does."""

    def find(self, width: float, side: int, classes: int) -> Found:
        """What is trained on images that come with ``side`` pixels. Raises as `make_plan` does."""


class ExperimentFinder(NamedTuple):
    """Finds an experiment by its name."""

    name: str

    def check(self, width: float) -> None:
        """Refuse what cannot be counted at images as large as any arm asks."""
        experiment = arms.find_experiment(self.name, width)
        for label, arm in arms.sized_arms(experiment, FEW, LARGEST_SIDE).items():
            arms.count_forward(label, arm)

    def find(self, width: float, side: int, classes: int) -> Found:
        """The experiment at these images."""
        experiment = arms.find_experiment(self.name, width, side)
        sized = arms.sized_arms(experiment, classes, side)
        return Found(experiment.name, experiment.title, sized, experiment.claims)
