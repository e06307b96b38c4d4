"""What is scaled: a definition with settings, and the quantity of it that the budget is for."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, NamedTuple

from costlab.algebra.block import Block
from costlab.algebra.dim import Dim, text
from costlab.algebra.inputs import shape_of
from costlab.algebra.parameter import closest
from costlab.algebra.shape import AnyShape, Shape
from costlab.algebra.work import QUANTITIES
from costlab.counting.count import Count, count
from costlab.counting.row import COST, DEFAULT
from costlab.errors import DefinitionError, TargetError
from costlab.messages import named
from costlab.targets.target import Variant, guard
from costlab.targets.torch_module import Factory

NO_SETTINGS: Mapping[str, Any] = {}
KNOWN = (*QUANTITIES, COST)


class Values(NamedTuple):
    """Settings in the place of the target's own, and the side of a square input, if it is another."""

    settings: Mapping[str, Any] = NO_SETTINGS
    side: Any = None


def as_quantity(name: str) -> str:
    """The name of a quantity, in which hyphens may stand for underscores.

    Raises:
        DefinitionError: there is none of that name.
    """
    known = str(name).replace("-", "_")
    if known not in KNOWN:
        raise DefinitionError(f"{named(name)} is no quantity{closest(known, KNOWN)}")
    return known


@dataclass(frozen=True)
class Subject:
    """A variant, the quantity ``of`` it, and how that is counted, as the options of a count say."""

    variant: Variant
    of: str = DEFAULT
    batch: int = 1
    inference: bool = False
    convention: str = DEFAULT

    @property
    def words(self) -> str:
        """The quantity in words."""
        if self.of == COST and self.convention != DEFAULT:
            from costlab.counting.convention import convention

            return convention(self.convention).column
        return (
            "multiply-adds" if self.of == COST else self.of.replace("_", "-" if self.of == DEFAULT else " ")
        )

    @property
    def label(self) -> str:
        """The name by which the user asked for it."""
        return self.variant.label

    @cached_property
    def shape(self) -> AnyShape:
        """The shape of its input.

        Raises:
            TargetError, DefinitionError: it is not known, or that of a module.
        """
        return shape_of(self.variant.shape(), self.label, "scaling")

    def at(self, values: Values) -> Variant:
        """The variant with these values; sizes of the input that are parameters, too, go along."""
        settings, shape = {**values.settings}, self.variant.input
        if values.side is not None:
            shape = Shape(self.shape[0], values.side, values.side)
            settings |= {name: values.side for name, axes in self.variant.ties.items() if {1, 2} & {*axes}}
        elif shape is not None:
            sizes = list(self.shape)
            for name, axes in self.variant.ties.items():
                for axis in axes if name in settings else ():
                    sizes[axis] = settings[name]
            shape = type(self.shape)(*sizes)
        return replace(self.variant, settings={**self.variant.settings, **settings}, input=shape)

    def count(self, values: Values, label: str = "") -> Count:
        """The count with these values, numbers or arrays.

        Raises:
            CostlabError: there is no such network, or it does not fit its input.
        """
        variant = self.at(values)
        counted = count(replace(variant, label=label) if label else variant, batch=self.batch)
        counted = counted.inference if self.inference else counted
        return counted.under(self.convention)

    def total_of(self, count: Count) -> int:
        """The quantity of one network.

        Raises:
            DefinitionError: it is for symbols or arrays, which others of the target's settings hold.
        """
        size = count.size(self.of)
        if not isinstance(size, int):
            raise DefinitionError(f"{self.label}: {self.of}={text(size)} is no single number")
        return size

    def totals(self, values: Values) -> Any:
        """The quantity for arrays of values, as an array; None where they cannot be counted in one go."""
        if self.convention != DEFAULT:
            return None
        try:
            return self.count(values).size(self.of)
        except Exception:  # it looks at the values, or some do not exist
            return None

    @cached_property
    def repeats(self) -> Mapping[str, int]:
        """The parameters under ``int`` that say how often a part is repeated."""
        return {
            name: value for name, value in self.growing.items() if self.variant.parameters[name].type is int
        }

    @cached_property
    def growing(self) -> Mapping[str, int]:
        """The parameters, whole numbers, of which more make the network have more operations."""
        numbers = {
            name: value
            for name, each in self.variant.parameters.items()
            if each.type in (int, Dim) and type(value := self.value(name)) is int and value >= 0
        }
        before = self._operations(Values())
        return {
            name: value
            for name, value in numbers.items()
            if any(self._operations(Values({name: value + more})) > before for more in (1, 2, value + 1))
        }

    def _operations(self, values: Values) -> int:
        """How many operations the network has; none where there is no such network."""
        try:
            return len(self.count(values).operations)
        except Exception:  # of the definition's own, too
            return 0

    def value(self, name: str) -> Any:
        """What a parameter is set to, or its default; None if there is neither."""
        parameter = self.variant.parameters[name]
        return self.variant.settings.get(name, None if parameter.required else parameter.default)


def refuse_made(variant: Variant) -> None:
    """Refuse what has no parameters to scale.

    Raises:
        TargetError: it is a block that is made already, or makes a module of PyTorch.
    """
    label, subject = variant.label, variant.subject
    if isinstance(subject, Block):
        module = "a graph of ONNX" if subject.without_module else "a module of PyTorch"
        what = module if subject.takes_tensors else "a block, made already"
    elif isinstance(subject, Factory):
        with guard(subject.name, variant.from_user, variant.folder):
            if not subject(**variant.settings).takes_tensors:
                return
        what = "a module of PyTorch"
    else:
        return
    raise TargetError(
        f"{label} is {what}, which has no axes to scale: write a definition, a function under @block "
        "whose parameters are the axes"
    )
