"""Making one block of a space: definitions are called with values along axes, and fork where they look."""

from collections.abc import Callable, Mapping
from itertools import product
from math import prod
from typing import Any

from costlab.algebra.block import Block
from costlab.algebra.several import LookedAt, OneOf, making
from costlab.errors import DefinitionError, one_line
from costlab.explore.derive.choice import Contents, Misfit, axes_within, choice, restricted
from costlab.explore.written.axis import Index

PLAIN = frozenset({bool, type(None)})
FORKS_MAX = 100_000
"""The most networks that one definition makes of the values at which it looks."""


class Making:
    """Makes blocks of definitions that are called with values along the axes of a space.

    What code does not look at, it hands on. Where it looks at a value, it runs for each, innermost first: a
    definition that only passes a choice on does not run for it.
    """

    def __init__(self, names: tuple[str, ...], sizes: Index, step: Callable[[], None]) -> None:
        self.names, self.sizes, self.step = names, sizes, step
        self.contents = Contents()
        self._made: dict[Any, Any] = {}
        self._keys: list[object] = []  # so that the id of what was made stays its own
        self._looks: list[LookedAt] = []
        self._sure: list[Exception] = []  # errors of what fails whatever the values of the open axes are

    def block(self, make: Callable[..., Any], settings: Mapping[str, Any]) -> Block:
        """The block that a definition makes of settings along axes.

        Raises:
            DefinitionError: it looks at too many of them, or no values of theirs make a network.
        """
        try:
            with making(self._part) as self._looks:
                made: Block = self._forked(make, (), settings)
        except LookedAt as look:
            raise DefinitionError(
                f"the definition looks at {self._named(look.axes)} through what cannot be followed, such as "
                "an object of its own: hand values on as arguments"
            ) from look
        if isinstance(made, Misfit):
            raise made.error
        return made

    def _part(
        self, key: object, make: Callable[..., Any], args: tuple[Any, ...], kwargs: Mapping[str, Any]
    ) -> Any:
        """What a definition makes within another."""
        known = (id(key), self.contents.of(args), self.contents.of(dict(kwargs)))
        if known not in self._made:
            self._made[known] = self._forked(make, args, kwargs)
            self._keys.append(key)
        made = self._made[known]
        if isinstance(made, Misfit):
            self._sure.append(made.error)
            raise made.error
        return made

    def _forked(self, make: Callable[..., Any], args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> Any:
        """What is made of arguments; for each value of the axes that are looked at."""
        within = axes_within((args, dict(kwargs)))
        # Whether a value is True, False or None is asked by `is`, which nobody sees: these are looked at.
        axes = tuple(
            dict.fromkeys(
                each.axis
                for each in (*args, *kwargs.values())
                if type(each) is OneOf and not PLAIN.isdisjoint(map(type, each.values))
            )
        )
        self._refuse_many(axes)
        before = len(self._looks)
        while True:
            try:
                return self._options(make, args, kwargs, axes, within)
            except LookedAt as look:
                del self._looks[before:]
                wanted = [axis for axis in look.axes if axis not in axes]
                if not wanted:
                    raise
                axes = (*axes, min(wanted, key=lambda axis: self.sizes[axis]))
                self._refuse_many(axes)

    def _options(
        self,
        make: Callable[..., Any],
        args: tuple[Any, ...],
        kwargs: Mapping[str, Any],
        axes: Index,
        within: Index,
    ) -> Any:
        open_axes = tuple(axis for axis in within if axis not in axes)
        options: dict[Index, Any] = {}
        for index in product(*(range(self.sizes[axis]) for axis in axes)):
            self.step()
            given, named = restricted(args, axes, index), restricted(dict(kwargs), axes, index)
            options[index] = self._one(make, given, named, open_axes)
        if not axes:
            return options[()]
        if all(isinstance(block, Misfit) for block in options.values()):
            return next(iter(options.values()))
        if not all(isinstance(block, Block) for block in options.values()):
            raise LookedAt(axes)  # a part that returns no block is looked at by what calls it
        return choice(axes, options, self.contents)

    def _one(
        self, make: Callable[..., Any], args: tuple[Any, ...], kwargs: Mapping[str, Any], open_axes: Index
    ) -> Any:
        """What is made where all axes but some are decided; what fails for these is tried one by one."""
        before = len(self._looks)
        try:
            made = make(*args, **kwargs)
        except Exception as error:
            if self._looks[before:]:
                raise self._looks[before] from error
            if open_axes and not any(error is each for each in self._sure):
                look = LookedAt(open_axes)
                look.add_note(one_line(error))
                raise look from error
            return Misfit(error)
        if self._looks[before:]:  # code has caught it
            raise self._looks[before]
        return made

    def _refuse_many(self, axes: Index) -> None:
        if (many := prod(self.sizes[axis] for axis in axes)) > FORKS_MAX:
            raise DefinitionError(
                f"the definition looks at {self._named(axes)} in one place, which makes {many:,} networks "
                "there: vary fewer of them, or put parts of it in definitions of their own"
            )

    def _named(self, axes: Index) -> str:
        return " and ".join(self.names[axis] for axis in axes)
