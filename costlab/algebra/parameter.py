"""Parameters of definitions: what values they take, and how those are typed on a command line."""

import inspect
import types
from collections.abc import Iterable
from typing import Any, Literal, NamedTuple, Union, get_args, get_origin

from costlab.algebra.dim import Dim, as_dim, is_array, text
from costlab.algebra.ratio import Ratio, as_ratio
from costlab.algebra.several import LookedAt, OneOf
from costlab.errors import DefinitionError
from costlab.messages import shortened

REQUIRED: Any = inspect.Parameter.empty
PLAIN = frozenset({bool, str, int, float})
TRUTHS = {"true": True, "false": False}
UNIONS = (Union, types.UnionType)
WORDS: dict[Any, str] = {
    bool: "true or false",
    int: "a whole number",
    Dim: "a whole number",
    float: "a number",
    tuple: "a tuple",
    list: "a list",
    dict: "a dictionary",
}
"""Types of which no value is a text, in words."""


class Parameter(NamedTuple):
    """One parameter of a definition, with the values that it takes.

    ``type`` is the annotation without None: bool, int, float, str, `Dim`, `Ratio`, a ``Literal``;
    anything else takes any value, but no text where that is none of several types. One that is ``inferred``
    from the default may be None.
    """

    name: str
    type: Any
    default: Any = REQUIRED
    note: str = ""
    optional: bool = False
    inferred: bool = False

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
        if self._takes_text:
            return "text" if self.type is str else "a value"
        return " or ".join(dict.fromkeys(WORDS[kind] for kind in self._kinds))

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
        if (self.optional and value.lower() == "none") or (self.inferred and value in self._nones):
            return None
        try:
            return self._read(value)
        except (ValueError, SyntaxError, KeyError, RecursionError, MemoryError):
            raise self._refusal(value, owner) from None

    @property
    def _nones(self) -> tuple[str, ...]:
        """How None is typed where the type is inferred; a text may say none as well."""
        return ("None",) if self.type is str else ("None", "none")

    def _read(self, value: str) -> Any:
        if self.type is bool:
            return TRUTHS[value.lower()]
        if self.choices:
            words = {str(each).lower(): each for each in self.choices if each is None or type(each) is bool}
            return (words | {str(choice): choice for choice in self.choices})[value]
        if self.type in (int, Dim):
            return int(value)
        if self.type in (float, Ratio):
            return float(value)
        if self.type is str:
            return value
        if bool in self._kinds and value.lower() in TRUTHS:
            return TRUTHS[value.lower()]
        from ast import literal_eval

        try:
            return literal_eval(value)
        except (ValueError, SyntaxError):
            if self._takes_text:
                return value
            raise

    @property
    def _kinds(self) -> tuple[Any, ...]:
        """The types that it takes, without what is in them."""
        kinds = get_args(self.type) if get_origin(self.type) in UNIONS else (self.type,)
        return tuple(get_origin(kind) or kind for kind in kinds)

    @property
    def _takes_text(self) -> bool:
        """Whether a text is a value of one of the types, or may be: what is unknown may be made of one."""
        return not all(any(kind is known for known in WORDS) for kind in self._kinds)

    def check(self, value: Any, owner: str) -> None:
        """Refuse a value of the wrong type.

        Raises:
            DefinitionError: it is none that the parameter takes.
        """
        if value is None and (self.optional or self.inferred):
            return
        if type(value) is OneOf:
            self._check_all(value, owner)
            return
        label = f"{owner}: {self.name}"
        if self.type is Dim:
            as_dim(label, value)
        elif self.type is Ratio:
            as_ratio(label, value)
        elif self.choices:
            if not any(type(value) is type(choice) and value == choice for choice in self.choices):
                raise self._refusal(value, owner)
        elif (
            any(self.type is kind for kind in PLAIN)
            and type(value) is not self.type
            and not self._stands_for(value)
        ):
            raise self._refusal(value, owner)

    def _check_all(self, several: OneOf, owner: str) -> None:
        """Where one value is refused, each is looked at by itself."""
        try:
            for value in several.values:
                self.check(value, owner)
        except DefinitionError:
            raise LookedAt((several.axis,)) from None

    def _stands_for(self, value: Any) -> bool:
        """Whether a value of another type does, too: of NumPy's, or a whole number where any is taken."""
        from numbers import Integral, Real

        kind: Any = {int: Integral, float: Real}.get(self.type, self.type)
        return isinstance(value, kind) and not isinstance(value, bool)

    def _refusal(self, value: object, owner: str) -> DefinitionError:
        several = "; arrays are for Dim and Ratio: count these one by one" if is_array(value) else ""
        return DefinitionError(f"{owner}: {self.name}={shortened(text(value))} must be {self.takes}{several}")


def parameter(name: str, annotation: Any, default: Any, note: str) -> Parameter:
    """The parameter of a function with this annotation and default."""
    optional = default is None and annotation is not None
    if annotation is None and default is not REQUIRED and default is not None:
        return Parameter(name, type(default), default, note, inferred=True)
    if annotation == Ratio or get_origin(annotation) not in UNIONS:
        return Parameter(name, annotation, default, note, optional)
    members = [member for member in get_args(annotation) if member is not type(None)]
    optional = optional or len(members) < len(get_args(annotation))
    if set(members) == set(get_args(Ratio)):  # `Ratio | None` is flattened to its parts
        return Parameter(name, Ratio, default, note, optional)
    return Parameter(name, Union[tuple(members)], default, note, optional)  # noqa: UP007  # `|` joins types that are written out


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
