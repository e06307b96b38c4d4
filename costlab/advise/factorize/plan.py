"""Plans: which convolutions are replaced by what, and what that saves, exactly, before anything is built."""

from collections.abc import Mapping
from collections.abc import Sequence as Several
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from typing import TYPE_CHECKING, Any, NamedTuple

from costlab.advise.factorize.blocks import with_blocks
from costlab.advise.factorize.scheme import Parts, Rank, Scheme
from costlab.advise.factorize.site import Left, Site
from costlab.algebra.block import Block
from costlab.algebra.combine import Sequence, is_unverified, marked, seq
from costlab.algebra.work import Work
from costlab.counting.overview import Overview
from costlab.targets.target import Target, Variant

if TYPE_CHECKING:
    from torch import nn

TITLES = {"multiply_adds": "multiply-adds", "parameters": "parameters", "activations": "activations"}
"""The quantities that are shown of a plan, with what people call them."""


class Saving(NamedTuple):
    """Quantities of a convolution, or of a whole network, before and after."""

    before: Work
    after: Work

    def sizes(self, quantity: str) -> tuple[int, int]:
        """A quantity before and after."""
        return int(getattr(self.before, quantity)), int(getattr(self.after, quantity))

    def share(self, quantity: str) -> Fraction:
        """How much of a quantity is saved, from 1, all of it, to below 0, where it grows; 0 of nothing."""
        before, after = self.sizes(quantity)
        return 1 - Fraction(after, before) if before else Fraction(0)


@dataclass(frozen=True)
class Replacement:
    """One convolution and what stands in its place; quantities are for all calls and the whole batch."""

    site: Site
    scheme: Scheme
    rank: Rank

    @property
    def path(self) -> str:
        """The path of the convolution."""
        return self.site.path

    @cached_property
    def parts(self) -> Parts:
        """The convolutions in its place."""
        return self.scheme.parts(self.site.conv, self.site.channels, self.rank)

    @property
    def block(self) -> Sequence:
        """The convolutions in its place, as a block: in a row, named by their places from 0 on."""
        return seq(*self.parts)

    @property
    def is_exact(self) -> bool:
        """Whether it computes what the convolution does, with weights that are made from its own."""
        return self.scheme.has_rank and self.rank == self.scheme.full(self.site.conv, self.site.channels)

    @cached_property
    def saving(self) -> Saving:
        """The quantities before and after."""
        return Saving(self.site.work((self.site.conv,)), self.site.work(self.parts))


@dataclass(frozen=True, repr=False)
class Plan(Overview):
    """What is replaced in a network, and what that saves.

    ``before`` are the quantities of the whole network, for the whole batch; ``given`` is what was asked for,
    without an input of its own perhaps, ``found`` the same at its input. ``asked`` are the options of the
    command that plans the same.
    """

    found: Target
    given: Variant
    scheme: Scheme
    replacements: tuple[Replacement, ...]
    left: tuple[Left, ...]
    before: Work
    asked: tuple[str, ...] = ()

    @property
    def label(self) -> str:
        """The scheme and the network, so that further settings of the network can follow it."""
        return f"{self.scheme.name} of {self.found.label}"

    @property
    def unverified(self) -> bool:
        """Whether the layers of the network were not held against their source."""
        return is_unverified(self.found.block)

    def _lines(self) -> Several[str]:
        label, replaced, left = marked(self.label, self.unverified), len(self.replacements), len(self.left)
        sizes = {title: self.saving.sizes(name) for name, title in TITLES.items()}
        return (
            f"{label}: {replaced:,} replaced, {left:,} left",
            *(f"{before:,} {title} before, {after:,} after" for title, (before, after) in sizes.items()),
        )

    def _records(self) -> Several[Mapping[str, str]]:
        rows = [(each.path, each.rank, each.saving) for each in self.replacements]
        return [
            {
                "convolution": path,
                "rank": ", ".join(map(str, rank)),
                **{
                    f"{title} {when}": f"{size:,}"
                    for name, title in TITLES.items()
                    for when, size in zip(("before", "after"), saving.sizes(name), strict=True)
                },
            }
            for path, rank, saving in (*rows, ("the whole network", (), self.saving))
        ]

    @cached_property
    def saving(self) -> Saving:
        """The quantities of the whole network before and after."""
        after = self.before
        for each in self.replacements:
            after = _minus_plus(after, *each.saving)
        return Saving(self.before, after)

    @property
    def variant(self) -> Variant:
        """The network with the replacements in it, as a target: to count, to compare, and to train.

        It begins with fresh weights; a module that was given as such is counted, and has none.
        """
        from costlab.advise.factorize.variant import variant_of

        return variant_of(self)

    @property
    def block(self) -> Block:
        """The block of a definition with the replacements in it."""
        return with_blocks(self.found.block, self.replacements)

    def code(self, file: str = "") -> str:
        """The network as code that runs, for a file of this name; it begins with fresh weights.

        Of a definition it is one that returns the whole network, written out. Of a module it is a function
        ``rewrite(model)`` that puts the replacements into it.

        Raises:
            DefinitionError: nothing is replaced, or a part is an operation that no file can import.
        """
        from costlab.advise.factorize.rewrite.code import rewrite_code

        return rewrite_code(self, file)

    def apply(self, weights: Any = None) -> "nn.Module":
        """The module with the replacements in it, always a new one; what was given stays as it is.

        A scheme with a rank has weights that approximate those of each convolution: those in ``weights``, a
        state dict of the network as it was or the path of a .safetensors file of it, or else those that its
        module has. A definition has none, and begins with fresh ones, as do schemes without a rank. All
        else, such as types, devices and padding modes, is as it was; on the meta device it stays there.

        Raises:
            DefinitionError: weights do not fit the network or are not finite, it cannot be copied, or its
                code uses a convolution in other ways than calling it: then its count is not the plan's.
            OutputError: the file cannot be read.
        """
        from costlab.advise.factorize.apply import apply

        return apply(self, weights)

    def errors(self, weights: Any = None) -> Mapping[str, float]:
        """The relative error of the weights of each replacement, by its path: ``|W - W'| / |W|``.

        By the Frobenius norm, in double precision, for the weights ``W'`` that its parts make together. They
        are computed as they are asked for, and no weights of the rank come nearer; those of ``tucker``, for
        which no direct way is known, are near that. Schemes without a rank approximate nothing, and have
        none. ``weights`` are those of `apply`.

        Raises:
            DefinitionError: weights do not fit, or there are none; for one that has no values or is not
                finite when it is asked for.
            OutputError: the file cannot be read.
        """
        from costlab.advise.factorize.apply import errors

        return errors(self, weights)


def _minus_plus(whole: Work, before: Work, after: Work) -> Work:
    """The quantities of a whole of which a part was replaced by another."""
    (kind, *sizes), (_, *less), (_, *more) = whole, before, after
    settled: Any = [size - minus + plus for size, minus, plus in zip(sizes, less, more, strict=True)]
    return Work(kind, *settled)
