"""Claims: what a publication says, and how it is recomputed."""

from dataclasses import dataclass

from costlab.paper.derivation import Recompute
from costlab.paper.stated import Stated


@dataclass(frozen=True)
class Claim:
    """A claim of the paper as one value.

    ``statement`` is it in our words, ``stated`` its figures; ``recompute`` gives a value for each of them,
    from the definitions, every time. ``reading`` is what is known about it where it fails, or is open to one.
    """

    id: str
    section: str
    statement: str
    stated: tuple[Stated, ...]
    recompute: Recompute
    reading: str = ""
