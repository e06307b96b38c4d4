"""Targets: blocks at an input shape, under the name that they were asked for by."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, NamedTuple

from costlab.algebra.block import Block, Node
from costlab.algebra.define import Definition
from costlab.algebra.dim import refuse_clashes
from costlab.algebra.inputs import AnyInput, Inputs, as_input
from costlab.algebra.parameter import Parameter
from costlab.errors import DefinitionError, TargetError

if TYPE_CHECKING:
    from pathlib import Path


class Target(NamedTuple):
    """A block with the name that it was asked for by, and the input shape that it is counted at.

    ``batch`` is how many such inputs it stands for, as the crops of an image.
    ``theirs`` says that it was named and comes from code of the user's, ``folder`` where modules that
    this code imports may lie besides.
    """

    label: str
    block: Block
    input: AnyInput
    theirs: bool = False
    folder: "Path | None" = None
    batch: int = 1

    def walk(self) -> Node:
        """What happens to the input, operation by operation.

        Raises:
            ShapeError: a part does not accept its input; the error names the part's path.
            DefinitionError: dimensions cannot be put together, or blocks are nested too deeply.
            TargetError: an operation of the user's raises something.
        """
        try:
            with guard(self.label, self.theirs, self.folder):
                return self._walk()
        except RecursionError:
            raise DefinitionError(f"{self.label}: blocks are nested too deeply") from None

    def _walk(self) -> Node:
        try:
            return self.block.walk(self.input)  # type: ignore[arg-type]  # one that is a module takes both
        except (TypeError, ValueError, AttributeError):
            sizes = () if isinstance(self.input, Inputs) else self.input
            refuse_clashes([*sizes, *(value for _, value in self.block.settings())])
            raise


@dataclass(frozen=True)
class Variant:
    """A definition with some of its settings, or a block: a `Target` but for what is still open.

    ``theirs``, ``folder`` and ``batch`` as of a `Target`.
    """

    label: str
    subject: "Definition[...] | Block"
    settings: Mapping[str, Any] = field(default_factory=dict, hash=False)
    input: AnyInput | None = None
    theirs: bool = False
    folder: "Path | None" = None
    batch: int = 1

    @property
    def parameters(self) -> Mapping[str, Parameter]:
        """The parameters of the definition; a block has none."""
        if isinstance(self.subject, Block):
            return {}
        with guard(self.subject.name, self.theirs, self.folder):
            return self.subject.parameters

    @property
    def unverified(self) -> bool:
        """Whether the definition, or the block, was not held against its source."""
        return bool(getattr(self.subject, "unverified", False))

    @property
    def ties(self) -> Mapping[str, tuple[int, ...]]:
        """The parameters that are sizes of the input, with their places in the shape."""
        return {} if isinstance(self.subject, Block) else self.subject.ties

    def with_settings(self, settings: Mapping[str, Any]) -> "Variant":
        """The variant with further settings. Raises `DefinitionError` if one is given twice."""
        if twice := next((name for name in settings if name in self.settings), None):
            raise DefinitionError(f"{self.label}: {twice} is given twice")
        return replace(self, settings={**self.settings, **settings})

    def place(self, input: object = None) -> tuple[AnyInput | None, Mapping[str, Any]]:
        """The input, if one is known, and the settings; those that are sizes of the input agree with it.

        Raises:
            TargetError: a block is given settings.
            DefinitionError: the input is malformed, or a setting is another size than the input's.
        """
        shape = self.input if input is None else as_input(input)
        if isinstance(self.subject, Definition):
            with guard(self.subject.name, self.theirs, self.folder):
                return self.subject.place(shape, self.settings)
        if self.settings:
            raise TargetError(f"{self.label} is a block, made already, and takes no settings")
        return shape, {}

    def shape(self, input: object = None) -> AnyInput:
        """The shape of the input. Raises as `place` does, and `TargetError` if none is known."""
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
            with guard(block.name, self.theirs, self.folder):
                block = block(**placed)
        known = self._known(shape)
        if isinstance(known, Inputs) and not block.takes_tensors:
            raise DefinitionError(
                f"{self.label}: input={known} is for modules; "
                "a block takes channels x height x width, or features"
            )
        return Target(self.label, block, known, self.theirs, self.folder, self.batch)

    def _known(self, shape: AnyInput | None) -> AnyInput:
        if shape is None:
            raise TargetError(f"{self.label} has no input shape of its own: give one, such as 3x224x224")
        return shape


@contextmanager
def guard(source: str, theirs: bool, folder: "Path | None") -> Iterator[None]:
    """Run code with care if it is theirs, with what lies beside it at hand."""
    if not (theirs or folder):
        yield
        return
    from costlab.targets.user_code import importable, user_code

    with user_code(source) if theirs else nullcontext(), importable(folder) if folder else nullcontext():
        yield
