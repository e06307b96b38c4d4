"""Members of a space: networks that can be counted, compared, reported and trained as any other."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from shlex import quote
from typing import TYPE_CHECKING, Any, ClassVar

from costlab.algebra.shape import AnyShape, Shape
from costlab.counting.overview import Overview
from costlab.errors import DefinitionError
from costlab.explore.quantities import shown_of
from costlab.explore.written.axis import INPUT, Axis, Index, typed
from costlab.targets.ablation import Ablation
from costlab.targets.target import Variant

if TYPE_CHECKING:
    from costlab.explore.space import Space


@dataclass(frozen=True)
class Member:
    """A network of a space: the values of the axes, its quantities for one input, and how it is named.

    It is itself a target, for `costlab.count`, ``compare`` and ``build``. ``target`` is what `costlab count`
    takes; ``input`` is its input's shape where a space varies or sets it.
    """

    index: Index
    values: Mapping[str, Any]
    sizes: Mapping[str, int]
    variant: Variant

    @property
    def target(self) -> str:
        """The network as a target, with the settings that differ from member to member."""
        return self.variant.label

    @property
    def input(self) -> AnyShape | None:
        """The shape of its input, if it is not the definition's own."""
        shape: AnyShape | None = self.variant.input  # type: ignore[assignment]  # a definition takes no tensors
        return shape

    @property
    def command(self) -> str:
        """The command line that counts it."""
        at = f" --input {self.input}" if self.input is not None else ""
        return f"costlab count {quote(self.target)}{at}"

    @property
    def multiply_adds(self) -> int:
        """Multiply-adds for one input, as `costlab.count` counts them."""
        return self.sizes["multiply_adds"]

    @property
    def parameters(self) -> int:
        """Every learned element."""
        return self.sizes["parameters"]

    @property
    def activations(self) -> int:
        """Elements put out by convolutions and linear layers."""
        return self.sizes["activations"]

    def __repr__(self) -> str:
        at = f", input {self.input}" if self.input is not None else ""
        sizes = ", ".join(f"{name}={self.sizes[name]:,}" for name in shown_of(self.sizes))
        return f"Member({self.target}{at}: {sizes})"


@dataclass(frozen=True, repr=False)
class Selection(Overview, Ablation):
    """Members of a space, as an ablation: the network at its defaults first, if it can be counted.

    ``members`` are those that were selected, in their order; ``among`` is of how many, where that is known.
    """

    FEWEST: ClassVar[int] = 1

    members: tuple[Member, ...] = ()
    among: int | None = None

    def __len__(self) -> int:
        return len(self.members)

    def __iter__(self) -> Iterator[Member]:
        return iter(self.members)

    def __getitem__(self, place: int) -> Member:
        return self.members[place]

    def _lines(self) -> Sequence[str]:
        return [self.title, *map(repr, self.members)]

    def _records(self) -> Sequence[Mapping[str, str]]:
        return [
            {
                "target": each.target,
                **({} if each.input is None else {"input": str(each.input)}),
                **{name: f"{each.sizes[name]:,}" for name in shown_of(each.sizes)},
            }
            for each in self.members
        ]


def selection(space: "Space", title: str, members: Sequence[Member]) -> Selection:
    """Members as an ablation, beside the network at its defaults, if that can be counted.

    Raises:
        DefinitionError: there is neither.
    """
    variants: dict[str, Variant] = {}
    base = space.variant
    with suppress(Exception):  # it needs what is varied, or does not fit
        base.resolve().walk()
        is_varied = any(axis.name == INPUT for axis in space.axes)
        variants[base.label] = replace(base, input=base.shape()) if is_varied else base
    for member in members:
        at = f" at {member.input}" if member.input is not None else ""
        variants.setdefault(f"{member.target}{at}", member.variant)
    if not variants:
        raise DefinitionError(f"{base.label}: no member was selected")
    return Selection(base.label, f"{base.label}: {title}", variants, members=tuple(members))


def variant_of(variant: Variant, axes: tuple[Axis, ...], index: Index) -> Variant:
    """The network at a point of a space; its label leaves out what is as by default."""
    values = {axis.name: axis.values[i] for axis, i in zip(axes, index, strict=True)}
    side = values.pop(INPUT, None)
    told = [
        f"{name}={typed(value)}" for name, value in values.items() if not is_default(variant, name, value)
    ]
    joint = "," if variant.settings else ":"
    label = f"{variant.label}{joint}{','.join(told)}" if told else variant.label
    made = replace(variant, label=label, settings={**variant.settings, **values})
    if side is None:
        return made
    channels: Any = made.shape()
    return replace(made, input=Shape(channels[0], side, side))


def is_default(variant: Variant, name: str, value: Any) -> bool:
    """Whether a parameter has this value by default."""
    default = variant.parameters[name].default
    return type(value) in (type(default), float, int) and bool(value == default)
