"""Parameters of definitions: what values they take, and how those are typed on a command line."""

import inspect
import types
from collections.abc import Iterable
from typing import Any, Literal, NamedTuple, Union, get_args, get_origin

from costlab.algebra.dim import Dim, as_dim, text
from costlab.algebra.ratio import Ratio, as_ratio
from costlab.errors import DefinitionError
from costlab.messages import shortened

REQUIRED: Any = inspect.Parameter.empty
PLAIN = frozenset({bool, str, int, float})


class Parameter(NamedTuple):
    """One parameter of a definition, with the values that it takes.

    ``type`` is the annotation without None: bool, int, float, str, `Dim`, `Ratio`, a ``Literal``;
    anything else takes any value.
    """

    name: str
    type: Any
    default: Any = REQUIRED
    note: str = ""
    optional: bool = False

    @property
    def required(self) -> bool:
        """Whether it has no default."""
        return self.default is REQUIRED

    @property
    def choices(self) -> tuple[Any, ...]:
        """The values of a ``Literal``, else nothing."""
        return get_args(self.type) if get_origin(self.type) is Literal else ()

    @property
    def takes(self) -> str:
        """The values that it takes, in words."""
        if self.choices:
            return " or ".join(map(str, self.choices))
        if self.type in (float, Ratio):
            return "a number"
        return {bool: "true or false", int: "a whole number", Dim: "a whole number", str: "text"}.get(
            self.type, "a value"
        )

    def __str__(self) -> str:
        if self.required:
            return self.name
        default = text(self.default)
        return f"{self.name}={default.lower() if isinstance(self.default, bool) else default}"

    def parse(self, value: str, owner: str) -> Any:
        """The value typed as ``value``.

        Raises:
            DefinitionError: it is none that the parameter takes.
        """
        if self.optional and value.lower() == "none":
            return None
        try:
            return self._read(value)
        except (ValueError, SyntaxError, KeyError, RecursionError, MemoryError):
            raise self._refusal(value, owner) from None

    def _read(self, value: str) -> Any:
        if self.type is bool:
            return {"true": True, "false": False}[value.lower()]
        if self.choices:
            return {str(choice): choice for choice in self.choices}[value]
        if self.type in (int, Dim):
            return int(value)
        if self.type in (float, Ratio):
            return float(value)
        if self.type is str:
            return value
        from ast import literal_eval

        try:
            return literal_eval(value)
        except (ValueError, SyntaxError):
            return value

    def check(self, value: Any, owner: str) -> None:
        """Refuse a value of the wrong type.

        Raises:
            DefinitionError: it is none that the parameter takes.
        """
        if value is None and self.optional:
            return
        label = f"{owner}: {self.name}"
        if self.type is Dim:
            as_dim(label, value)
        elif self.type is Ratio:
            as_ratio(label, value)
        elif self.choices:
            if not any(type(value) is type(choice) and value == choice for choice in self.choices):
                raise self._refusal(value, owner)
        elif self.type in PLAIN and type(value) is not self.type and not self._stands_for(value):
            raise self._refusal(value, owner)

    def _stands_for(self, value: Any) -> bool:
        """Whether a value of another type does, too: of NumPy's, or a whole number where any is taken."""
        from numbers import Integral, Real

        kind: Any = {int: Integral, float: Real}.get(self.type, self.type)
        return isinstance(value, kind) and not isinstance(value, bool)

    def _refusal(self, value: object, owner: str) -> DefinitionError:
        return DefinitionError(f"{owner}: {self.name}={shortened(text(value))} must be {self.takes}")


def parameter(name: str, annotation: Any, default: Any, note: str) -> Parameter:
    """The parameter of a function with this annotation and default."""
    if annotation is None and default is not REQUIRED and default is not None:
        annotation = type(default)
    if annotation == Ratio or get_origin(annotation) not in (Union, types.UnionType):
        return Parameter(name, annotation, default, note)
    members = [member for member in get_args(annotation) if member is not type(None)]
    optional = len(members) < len(get_args(annotation))
    if set(members) == set(get_args(Ratio)):  # `Ratio | None` is flattened to its parts
        return Parameter(name, Ratio, default, note, optional)
    return Parameter(name, members[0] if len(members) == 1 else object, default, note, optional)


def closest(name: str, known: Iterable[str]) -> str:
    """The known names that look most like ``name``, as the tail of a message."""
    from difflib import get_close_matches

    names = list(known)
    near = get_close_matches(name.lower(), names, n=3, cutoff=0.6)
    if near:
        return f"; did you mean {' or '.join(near)}?"
    if len(names) > 10:
        return ""
    return f"; there is {', '.join(names)}" if names else "; it has none"
