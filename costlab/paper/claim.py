"""Claims: what a publication says, and how it is recomputed."""

from dataclasses import dataclass

from costlab.paper.derivation import Recompute
from costlab.paper.stated import Stated


@dataclass(frozen=True)
class Claim:
    """A claim of the paper.

    ``statement`` is the claim in our words, ``stated`` are its figures. ``recompute`` computes a value for
    each figure from the definitions. ``reading`` explains why the claim fails, or how it can be understood.
    """

    id: str
    section: str
    statement: str
    stated: tuple[Stated, ...]
    recompute: Recompute
    reading: str = ""
