"""Comparing: variants beside a baseline, in exact ratios."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from fractions import Fraction
from typing import TYPE_CHECKING

from costlab.algebra.block import Block
from costlab.algebra.combine import marked
from costlab.algebra.dim import Dim, text
from costlab.algebra.inputs import Inputs, as_input
from costlab.algebra.parameter import closest
from costlab.algebra.shape import Sizes
from costlab.algebra.work import QUANTITIES
from costlab.counting.count import Count, count
from costlab.counting.difference import Difference, differences
from costlab.counting.marks import WHOLE
from costlab.counting.overview import Overview
from costlab.counting.row import COST, MEASURES
from costlab.errors import DefinitionError
from costlab.messages import named, shortened
from costlab.targets.ablation import Ablation
from costlab.targets.find_ablation import find_ablation
from costlab.targets.like import TargetLike
from costlab.targets.published import ERRORS, Published
from costlab.targets.resolve import call_by_name, find
from costlab.targets.target import Variant

if TYPE_CHECKING:
    from pandas import DataFrame


@dataclass(frozen=True, repr=False)
class Comparison(Overview):
    """Counts beside each other; the first one is the baseline.

    ``published`` is what a publication says of some of them, by label, ``notes`` what is to be said of that.
    """

    title: str
    counts: tuple[Count, ...]
    name: str = ""
    published: Mapping[str, Published] = field(default_factory=dict, hash=False)
    notes: tuple[str, ...] = ()

    @property
    def baseline(self) -> Count:
        """What the others are compared with."""
        return self.counts[0]

    def __getitem__(self, label: str) -> Count:
        """The count of that label. Raises `DefinitionError` if there is none."""
        for counted in self.counts:
            if counted.label == label:
                return counted
        raise DefinitionError(
            f"there is no {named(label)}{closest(str(label), [c.label for c in self.counts])}"
        )

    def ratio(self, count: Count | str, quantity: str = "multiply_adds") -> Fraction | None:
        """``count / baseline`` of a quantity, exactly; None where the baseline has nothing of it.

        None, too, where either is counted in part, unless the quantity is of the whole, as parameters are.

        Raises:
            DefinitionError: there is no such quantity, or no count of that label.
        """
        if quantity not in (*QUANTITIES, COST):
            raise DefinitionError(f"there is no quantity {named(quantity)}; there is {', '.join(QUANTITIES)}")
        counted = count if isinstance(count, Count) else self[count]
        for stop in (counted.partial, self.baseline.partial):
            if stop and (quantity != WHOLE or stop.unsized):
                return None
        size, baseline = int(counted.size(quantity)), int(self.baseline.size(quantity))
        return Fraction(size, baseline) if baseline else None

    def saving(self, count: Count | str, quantity: str = "multiply_adds") -> Fraction | None:
        """``1 - ratio``: what is saved of the baseline, below 0 where it costs more."""
        ratio = self.ratio(count, quantity)
        return None if ratio is None else 1 - ratio

    def differences(self, count: Count | str, depth: int | None = None) -> tuple[Difference, ...]:
        """The modules that are not as in the baseline. See `costlab.counting.differences`."""
        return differences(self.baseline, count if isinstance(count, Count) else self[count], depth)

    def per_point(self, label: str, error: str) -> Fraction | None:
        """Multiply-adds for each point that a reported error is less than in the variant gone beyond.

        ``(multiply-adds - multiply-adds before) / (error before - error)``; None where an error is not
        reported, or is less by no more than the rounding of both. ``error`` is ``top_1_error`` or
        ``top_5_error``.

        Raises:
            DefinitionError: there is no count of that label, or no such error.
        """
        if error not in ERRORS:
            raise DefinitionError(f"there is no {named(error)}; there is {' and '.join(ERRORS)}")
        counted, now = self[label], self.published.get(label)
        before = self.published.get(now.after) if now else None
        gained = now.gained(before, error) if now and before else None
        if now is None or gained is None:
            return None
        return (int(counted.multiply_adds) - int(self[now.after].multiply_adds)) / gained

    @property
    def measures(self) -> tuple[str, ...]:
        """The quantities that people are shown, the same for each count."""
        return self.baseline.measures

    def under(self, name: str) -> "Comparison":
        """The comparison by another convention. Raises `DefinitionError` if there is none of that name."""
        return replace(self, counts=tuple(count.under(name) for count in self.counts))

    @property
    def inference(self) -> "Comparison":
        """The comparison without auxiliary heads, which run in training only."""
        return replace(self, counts=tuple(count.inference for count in self.counts))

    @property
    def headline(self) -> str:
        """What is compared, and at what input and batch where they are the same for all."""
        first = self.baseline
        shared = f", input {first.input}" if len({str(count.input) for count in self.counts}) == 1 else ""
        if len({count.batch for count in self.counts}) == 1 and not self._batch_in_input:
            shared += f", batch {first.batch}"
        heads = "" if first.heads else ", without auxiliary heads"
        return f"{self.title}{shared}{heads}{first.in_units}"

    @property
    def _batch_in_input(self) -> bool:
        """Whether each is counted at an input that has its batch, once."""
        return all(isinstance(count.input, Inputs) and count.batch == 1 for count in self.counts)

    def to_frame(self) -> "DataFrame":
        """A row for each variant as a pandas frame: exact sizes, and ratios and savings as floats.

        A column whose sum exceeds int64 holds Python integers.
        """
        from costlab.counting.frame import frame_of_comparison

        return frame_of_comparison(self)

    def _lines(self) -> Sequence[str]:
        from costlab.counting.frame import lines_of_comparison

        return lines_of_comparison(self)

    def _in_notebook(self) -> Sequence[str]:
        from costlab.counting.trees import parts_of_comparison

        return parts_of_comparison(self)


def compare(
    *targets: TargetLike,
    ablation: str | Ablation | None = None,
    input: object = None,
    batch: Dim = 1,
    partial: bool = False,
) -> Comparison:
    """Compare targets with the first, or the variants of an ablation with its baseline.

    Targets are what `costlab.count` takes, an ablation is its name, ``file.py:attribute``, or a value;
    ``input`` and ``batch`` hold for all; a variant of several inputs takes so many times the
    batch. With ``partial`` a module whose run stops because of its data is counted up to there: there is no
    ratio of it.

    Raises:
        DefinitionError: there are fewer than two, their inputs differ, or a size is no single number.
        TargetError, ShapeError: as `costlab.count`.
    """
    chosen = gather(*targets, ablation=ablation)
    counts = tuple(
        replace(count(made, input, batch=batch, partial=partial), label=label)
        for label, made in fitted(chosen, input).variants.items()
    )
    if not all(map(_is_given_input, chosen.variants.values())):
        _refuse_different({counted.label: _with_batch(counted) for counted in counts})
    for counted in counts:
        for name in MEASURES:
            size = getattr(counted.total, name)
            if not isinstance(size, int):
                raise DefinitionError(
                    f"{counted.label}: {name}={text(size)} is no single number; only numbers are compared"
                )
    return Comparison(chosen.title, counts, chosen.name, chosen.published, chosen.notes)


def gather(*targets: TargetLike, ablation: str | Ablation | None = None) -> Ablation:
    """The targets as an ablation without a name, or the ablation.

    Raises:
        DefinitionError: there are fewer than two targets, or targets beside an ablation.
        TargetError: something is named that is not there.
    """
    if ablation is not None:
        if targets:
            raise DefinitionError("an ablation brings its own targets: give one or the other")
        return ablation if isinstance(ablation, Ablation) else find_ablation(ablation)
    if len(targets) < 2:
        given = "one is" if targets else "none are"
        raise DefinitionError(f"a comparison needs two targets or more, a baseline first; {given} given")
    variants: dict[str, Variant] = {}
    for made in map(find, targets):
        label, again = made.label, 1
        while label in variants:
            again += 1
            label = f"{made.label} ({again})"
        variants[label] = made
    baseline, *others = (marked(label, made.unverified) for label, made in variants.items())
    compared = " and ".join(others) if len(others) < 3 else f"{len(others)} networks"
    return Ablation("", f"{compared} beside {baseline}", variants)


def fitted(chosen: Ablation, input: object = None) -> Ablation:
    """The ablation, if all its variants can be compared at that input.

    Raises:
        DefinitionError: their inputs differ, and they are not declared so; or they are, and one is given.
    """
    shape = None if input is None else as_input(input, call_by_name)
    if (
        shape is not None
        and not isinstance(shape, Inputs)
        and not all(isinstance(size, int) for size in shape)
    ):
        raise DefinitionError(f"input={shape} is no single shape; only numbers are compared")
    own = {label: made.shape() for label, made in chosen.variants.items() if _is_given_input(made)}
    if len(set(own.values())) > 1:
        if shape is not None:
            raise DefinitionError(
                f"{chosen.name or chosen.title}: the variants bring inputs of their own: leave --input out"
            )
        if len(own) == len(chosen.variants):
            return chosen
    inputs = {label: made.shape(shape) for label, made in chosen.variants.items()}
    for label, theirs in inputs.items():
        if not isinstance(theirs, Inputs) and not all(isinstance(size, int) for size in theirs):
            raise DefinitionError(f"{label}: input={theirs} is no single shape; only numbers are compared")
    _refuse_different(inputs)
    return chosen


def _is_given_input(made: Variant) -> bool:
    """Whether a variant was given an input, which may be another than others'; one of a file's own is not."""
    own = made.subject.default_input if isinstance(made.subject, Block) else None
    return made.input is not None and made.input != own


def _with_batch(counted: Count) -> str:
    """What it was counted at, the batch in it, as exported files have it."""
    given = counted.input
    return str(given if isinstance(given, Inputs) else Sizes(counted.batch, *given))


def _refuse_different(inputs: Mapping[str, object]) -> None:
    (first, ours), *others = inputs.items()
    for label, theirs in others:
        if theirs != ours:
            raise DefinitionError(
                f"the inputs differ: {first} takes {shortened(str(ours))}, {label} takes "
                f"{shortened(str(theirs))}; give one with --input"
            )
