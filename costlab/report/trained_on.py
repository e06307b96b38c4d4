"""On which images a run was, in a few words: what tells two runs of one experiment apart at a glance."""

from costlab.train.record import Run

GENERATED = "generated images"
NAMES = {
    "cifar10": "photographs (CIFAR-10)",
    "cifar100": "photographs (CIFAR-100)",
    "digits": "handwritten digits",
    "folder": "pictures from a folder",
}
"""What the images of a source are; those of others go by its name."""


def images_of(run: Run) -> str:
    """What its images are."""
    return GENERATED if run.data.synthetic else NAMES.get(run.data.name, run.data.name)


def page_title(run: Run) -> str:
    """The title of its page, which begins with what tells it apart."""
    return f"Trained on {images_of(run)}: {run.title}"


def picture_title(run: Run) -> str:
    """What its pictures begin their titles with."""
    return f"{run.title}, on {images_of(run)}"
