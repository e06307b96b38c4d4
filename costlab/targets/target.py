"""Targets: blocks with an input shape and the name by which the user asked for them."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

from costlab.algebra.block import WANTED_INPUT, Block, Node
from costlab.algebra.combine import refuse_malformed
from costlab.algebra.define import Definition
from costlab.algebra.dim import refuse_clashes
from costlab.algebra.inputs import AnyInput, Inputs, as_input
from costlab.algebra.parameter import Parameter
from costlab.errors import DefinitionError, TargetError, one_line
from costlab.messages import named, shortened

if TYPE_CHECKING:
    from pathlib import Path

    from _typeshed import DataclassInstance


T = TypeVar("T", bound="DataclassInstance")


class Target(NamedTuple):
    """A block with the name by which the user asked for it, and the shape of its input.

    ``batch`` is the number of such inputs, as of the crops of an image. ``from_user`` says that it comes from
    the user's code, ``folder`` is a folder from which this code may import.
    """

    label: str
    block: Block
    input: AnyInput
    from_user: bool = False
    folder: "Path | None" = None
    batch: int = 1

    def walk(self) -> Node:
        """The tree of operations on the input.

        Raises:
            ShapeError: a part does not accept its input; the error has the path of the part.
            DefinitionError: dimensions cannot be combined, or blocks are nested too deeply.
            TargetError: an operation in the user's code raises an error.
        """
        try:
            with guard(self.label, self.from_user, self.folder):
                return self._walk()
        except RecursionError:
            raise DefinitionError(
                f"{self.label}: blocks are nested too deeply, or one contains itself"
            ) from None

    def _walk(self) -> Node:
        try:
            node: object = self.block.walk(self.input)  # type: ignore[arg-type]  # a module takes both
        except RecursionError:
            refuse_malformed(self.block, self.label)
            raise
        except (TypeError, ValueError, AttributeError):
            refuse_malformed(self.block, self.label)
            sizes = () if isinstance(self.input, Inputs) else self.input
            refuse_clashes([*sizes, *(value for _, value in self.block.settings())])
            raise
        if not isinstance(node, Node):
            raise DefinitionError(f"{self.label}: walk(x) gives {named(node)}, not a Node")
        return node


@dataclass(frozen=True)
class Variant:
    """A definition with settings, or a block: a `Target` whose input, or further settings, are still open.

    ``from_user``, ``folder`` and ``batch`` are those of a `Target`.
    """

    label: str
    subject: "Definition[...] | Block"
    settings: Mapping[str, Any] = field(default_factory=dict, hash=False)
    input: AnyInput | None = None
    from_user: bool = False
    folder: "Path | None" = None
    batch: int = 1

    @property
    def parameters(self) -> Mapping[str, Parameter]:
        """The parameters of the definition; a block has none."""
        if isinstance(self.subject, Block):
            return {}
        with guard(self.subject.name, self.from_user, self.folder):
            return self.subject.parameters

    @property
    def unverified(self) -> bool:
        """Whether the definition, or the block, was not compared with its source."""
        return bool(getattr(self.subject, "unverified", False))

    @property
    def ties(self) -> Mapping[str, tuple[int, ...]]:
        """The parameters that are sizes of the input, with their axes in the shape."""
        return {} if isinstance(self.subject, Block) else self.subject.ties

    def with_settings(self, settings: Mapping[str, Any]) -> "Variant":
        """The variant with further settings. Raises `DefinitionError` if one is given twice."""
        if repeated := next((name for name in settings if name in self.settings), None):
            raise DefinitionError(f"{self.label}: {repeated} is given twice")
        return replace(self, settings={**self.settings, **settings})

    def place(self, input: object = None) -> tuple[AnyInput | None, Mapping[str, Any]]:
        """The input, if known, and the settings, in which sizes of the input are those of the input.

        Raises:
            TargetError: a block is given settings.
            DefinitionError: the input is malformed, or a setting contradicts a size of the input.
        """
        shape = self.input if input is None else as_input(input)
        if isinstance(self.subject, Definition):
            with guard(self.subject.name, self.from_user, self.folder):
                return self.subject.place(shape, self.settings)
        if self.settings:
            raise TargetError(f"{self.label} is a block, made already, and takes no settings")
        return shape, {}

    def shape(self, input: object = None) -> AnyInput:
        """The shape of the input. Raises as `place` does, and `TargetError` if it is unknown."""
        return self._known(self.place(input)[0])

    def resolve(self, input: object = None) -> Target:
        """The target at an input.

        Raises:
            TargetError: the definition's code fails, a block is given settings, or no input is known.
            DefinitionError: a setting or the input is malformed.
        """
        shape, placed = self.place(input)
        block = self.subject
        if isinstance(block, Definition):
            with guard(block.name, self.from_user, self.folder):
                block = block(**placed)
        known = self._known(block.default_input if shape is None else shape)
        if isinstance(known, Inputs) and not block.takes_tensors:
            raise DefinitionError(
                f"{self.label}: input={shortened(str(known))} is for modules; "
                "a block takes channels x height x width, or features"
            )
        return Target(self.label, block, known, self.from_user, self.folder, self.batch)

    def _known(self, shape: AnyInput | None) -> AnyInput:
        if shape is None:
            wanted = self.subject.wanted_input if isinstance(self.subject, Block) else WANTED_INPUT
            raise TargetError(f"{self.label} has no input shape of its own: {wanted}")
        return shape


@contextmanager
def guard(source: str, from_user: bool, folder: "Path | None", *, surely: bool = False) -> Iterator[None]:
    """Run code with care if it is theirs, or ``surely`` is, with what lies beside it at hand."""
    if not (from_user or folder):
        yield
        return
    from costlab.targets.user_code import importable, user_code

    with (
        user_code(source, surely=surely) if from_user else nullcontext(),
        importable(folder) if folder else nullcontext(),
    ):
        yield


def made_again(value: T, name: str) -> T:
    """A value of one of costlab's classes, made again from its fields, which are held to what they must be.

    Raises:
        TargetError: it lacks one.
        DefinitionError: one is malformed.
    """
    try:
        return replace(value)
    except AttributeError as error:
        raise TargetError(f"{name} was not made as others are: {one_line(error)}") from None
