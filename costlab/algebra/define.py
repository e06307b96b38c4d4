"""Definitions: functions that return a block. Each parameter is an axis of a design space."""

import inspect
import re
import sys
from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import cached_property, update_wrapper
from typing import Any, Generic, ParamSpec, TypeAlias, get_type_hints

from costlab.algebra.block import Block, Operation
from costlab.algebra.combine import Composite
from costlab.algebra.dim import equal, text
from costlab.algebra.inputs import AnyInput, Inputs
from costlab.algebra.parameter import REQUIRED, Parameter, closest, parameter
from costlab.algebra.several import maker
from costlab.algebra.shape import as_shape
from costlab.errors import DefinitionError, one_line
from costlab.messages import first_sentence, named

P = ParamSpec("P")
Input: TypeAlias = tuple[Any, ...]
"""The sizes of an input; a string stands for the parameter of that name."""
RESERVED = frozenset({"target", "input", "batch", "backward", "partial", "progress"})
"""What `costlab.count` and `costlab.check` call their own parameters."""


class Definition(Generic[P]):
    """A function that returns a block, with what a table of definitions says of it.

    Calling it checks every argument by name and annotation, and marks the block as made by it. Its input as
    it was declared is the ``template``, in which names of parameters may stand for sizes.
    """

    def __init__(
        self,
        function: Callable[P, Block],
        figure: str = "",
        input: Input | None = None,
        unverified: bool = False,
    ) -> None:
        self._written: Any = getattr(function, "func", function)  # what a functools.partial is of
        update_wrapper(self, self._written, updated=())
        self.function = function
        self.figure = figure
        self.unverified = unverified
        self.template = input
        self.name = getattr(self._written, "__name__", type(function).__name__)

    def __repr__(self) -> str:
        return f"<definition {self.name}>"

    def __reduce__(self) -> str | tuple[Any, ...]:
        """Pickled by name, as functions are, where it has taken its function's; else by its parts."""
        name = getattr(self, "__qualname__", "")
        if getattr(sys.modules.get(self.__module__), name, None) is self:
            return name
        return (type(self), (self.function, self.figure, self.template, self.unverified))

    @property
    def summary(self) -> str:
        """The first paragraph of the docstring, on one line."""
        return one_line(self._docstring.partition("\n\n")[0])

    @property
    def _docstring(self) -> str:
        """What is written of it; a class has no part of that of the class above."""
        text = self._written.__doc__  # of a user's function or class, which may put anything there
        return inspect.cleandoc(text) if isinstance(text, str) else ""

    @property
    def input(self) -> AnyInput | None:
        """The shape that it is counted at where none is given, if there is one for its defaults."""
        return self.place(None, {})[0]

    @property
    def ties(self) -> Mapping[str, tuple[int, ...]]:
        """The parameters that are sizes of the input, with their places in the shape."""
        sizes = self.template or ()
        names = dict.fromkeys(size for size in sizes if isinstance(size, str))
        return {name: tuple(axis for axis, size in enumerate(sizes) if size == name) for name in names}

    def place(
        self, shape: AnyInput | None, settings: Mapping[str, Any]
    ) -> tuple[AnyInput | None, dict[str, Any]]:
        """The shape of the input and the settings, where those that are sizes of the input agree with it.

        Raises:
            DefinitionError: they do not, or the definition's input names what is no parameter.
        """
        placed = dict(settings)
        if isinstance(shape, Inputs):
            return shape, placed
        template = self.template or ()
        if shape is not None and len(shape) == len(template):
            for name, axes in self.ties.items():
                self._known(name)
                for axis in axes:
                    if equal(placed.setdefault(name, shape[axis]), shape[axis]) is False:
                        value = text(placed[name])
                        raise DefinitionError(
                            f"{self.name}: {name}={value} must be the input's, and that is {shape}"
                        )
        elif shape is None and template:
            sizes = [
                placed.get(size, self._known(size).default) if isinstance(size, str) else size
                for size in template
            ]
            shape = None if any(size is REQUIRED for size in sizes) else as_shape(sizes)
        return shape, placed

    @cached_property
    def parameters(self) -> Mapping[str, Parameter]:
        """The parameters by name, in order.

        Raises:
            DefinitionError: an annotation cannot be read, or a name means something to costlab.
        """
        try:
            hints = self._annotations()
        except Exception as error:
            raise DefinitionError(
                f"{self.name}: an annotation cannot be read: {first_sentence(error)}"
            ) from error
        notes = _notes(self._docstring)
        self._refuse_reserved()
        return {
            name: parameter(name, hints.get(name), p.default, notes.get(name, ""))
            for name, p in self._signature.parameters.items()
            if p.kind not in (p.VAR_POSITIONAL, p.VAR_KEYWORD)
        }

    def _annotations(self) -> Mapping[str, Any]:
        """The annotations of the parameters; of a class those that can be read: some are for checkers."""
        if inspect.isroutine(self._written):
            return get_type_hints(self._written)
        try:
            signature = inspect.signature(self.function, eval_str=True)
        except Exception:
            signature = self._signature
        return {
            name: p.annotation
            for name, p in signature.parameters.items()
            if not (p.annotation is p.empty or isinstance(p.annotation, str))
        }

    @cached_property
    def _signature(self) -> inspect.Signature:
        try:
            return inspect.signature(self.function)
        except (TypeError, ValueError) as error:  # of what is not written in Python, or lies about itself
            reason = "its parameters are not known: write a function that calls it"
            raise DefinitionError(f"{self.name}: {reason}") from error

    def __call__(self, *args: P.args, **kwargs: P.kwargs) -> Block:
        """The block. Raises `DefinitionError` for an unknown, missing or mistyped argument."""
        by = maker()
        made: Block = self.make(*args, **kwargs) if by is None else by(self, self.make, args, kwargs)
        return made

    def make(self, *args: P.args, **kwargs: P.kwargs) -> Block:
        """The block, made by the definition itself. Raises as a call does."""
        for name in kwargs:
            self._known(name)
        try:
            given = self._signature.bind_partial(*args, **kwargs).arguments
        except TypeError as error:
            raise DefinitionError(f"{self.name}: {error}") from error
        missing = [f"{name}=..." for name, p in self.parameters.items() if p.required and name not in given]
        if missing:
            raise DefinitionError(f"{self.name} needs {', '.join(missing)}")
        for name, p in self.parameters.items():
            if name in given:
                p.check(given[name], self.name)
        made = self._make(*args, **kwargs)
        if not isinstance(made, Composite):
            if self.unverified and (maker() is None or isinstance(made, Operation)):
                raise DefinitionError(f"{self.name} is unverified: put seq(...) around what it returns")
            return made
        return replace(made, origin=self.name, unverified=self.unverified or made.unverified)

    def read(self, settings: str) -> dict[str, Any]:
        """The arguments typed on a command line as ``"width=0.5,aux=true"``.

        Raises:
            DefinitionError: one is not name=value, is unknown, mistyped or given twice.
        """
        values: dict[str, Any] = {}
        if not settings.strip():
            return values
        # A comma parts two settings only where another name= follows: layers=[3,4],width=2.
        for setting in re.split(r",(?=\s*\w+\s*=)", settings):
            name, given, value = (part.strip() for part in setting.partition("="))
            if not given:
                raise DefinitionError(f"{self.name}: {named(setting)} must be name=value")
            if name in values:
                raise DefinitionError(f"{self.name}: {name} is given twice")
            values[name] = self._known(name).parse(value, self.name)
        return values

    def _refuse_reserved(self) -> None:
        """Refuse names of parameters that are costlab's own."""
        if taken := RESERVED.intersection(self._signature.parameters):
            raise DefinitionError(
                f"{self.name}: rename the parameter {min(taken)!r}: costlab has one of its own"
            )

    def _make(self, *args: P.args, **kwargs: P.kwargs) -> Block:
        """What the function returns, with arguments that were checked."""
        made: Any = self.function(*args, **kwargs)
        if not isinstance(made, Block):
            raise DefinitionError(f"{self.name} returned {type(made).__name__}, not a block")
        return made

    def _known(self, name: str) -> Parameter:
        if name not in self.parameters:
            raise DefinitionError(
                f"{self.name} has no parameter {named(name)}{closest(name, self.parameters)}"
            )
        return self.parameters[name]


def block(
    *, figure: str = "", input: str | Input | None = None, unverified: bool = False
) -> Callable[[Callable[P, Block]], Definition[P]]:
    """Make a function that returns a block a definition.

    ``figure`` says where in the literature it comes from, ``input`` is the shape that it is counted
    at where none is given, ``"3x299x299"``; a parameter's name in ``("channels", 35, 35)`` says that this
    size and the parameter are one. ``unverified`` says that it was not held against its source, and is shown
    with whatever is counted of it; such a definition returns a combination. Describe parameters in the
    docstring, under ``Args:``.
    """
    template = input if isinstance(input, tuple) and any(isinstance(size, str) for size in input) else None

    def define(function: Callable[P, Block]) -> Definition[P]:
        shape = template or (None if input is None else as_shape(input))
        return Definition(function, figure, shape, unverified)

    return define


def _notes(docstring: str) -> dict[str, str]:
    """What the ``Args:`` section says of each parameter."""
    notes: dict[str, str] = {}
    _, _, section = docstring.partition("\nArgs:\n")
    name = ""
    for line in section.splitlines():
        if line and not line.startswith(" "):
            break
        if entry := re.match(r" {4}(\w+)(?: \(.*?\))?:(.*)", line):
            name = entry[1]
            notes[name] = entry[2].strip()
        elif name:
            notes[name] = f"{notes[name]} {line.strip()}".strip()
    return notes
