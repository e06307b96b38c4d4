"""Inputs of modules that are traced: tensors of any sizes, in their order or by name."""

import re
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from functools import partial
from types import MappingProxyType
from typing import Any, NamedTuple, TypeAlias

from costlab.algebra.dim import is_array, is_symbolic
from costlab.algebra.shape import AnyShape, Shape, Sizes, Vector, as_shape
from costlab.errors import DefinitionError
from costlab.messages import named

TENSOR = r"(?:(?P<name>[A-Za-z_]\w*):)?(?P<sizes>\d{1,10}(?:x\d{1,10})*|scalar)(?::(?P<dtype>[a-z]\w*))?"
ODDLY_NAMED = r"(?!.*\.py:)(?P<name>.*?[^\d:x].*?):(?P<sizes>\d{1,10}(?:x\d{1,10})*)(?::(?P<dtype>[a-z]\w*))?"
"""A tensor by a name that no argument of Python has, as inputs of a graph may: ``input.1``, ``images:0``."""
FROM_CODE = r"(?:.+\.py|\w+(?:\.\w+)*):[A-Za-z_]\w*"
FLOAT = "float32"


class TensorInput(NamedTuple):
    """An input: its sizes, the batch among them, and torch's name of its type."""

    sizes: Sizes
    dtype: str = FLOAT

    def __str__(self) -> str:
        # One or three sizes would be read as one input without a batch, so the type is added.
        plain = self.dtype == FLOAT and len(self.sizes) not in (1, 3)
        return str(self.sizes) if plain else f"{self.sizes}:{self.dtype}"


class Inputs:
    """What a module is called with: `TensorInput` or values of torch, in their order and by name.

    ``batched`` says that the batch was put before sizes that were given without one.
    """

    def __init__(
        self, args: Iterable[Any] = (), kwargs: Mapping[str, Any] | None = None, *, batched: bool = False
    ) -> None:
        self.args = tuple(args)
        self.batched = batched
        self.kwargs = MappingProxyType({} if kwargs is None else dict(kwargs))  # one may have no truth

    def __str__(self) -> str:
        named = (f"{name}:{_text(value)}" for name, value in self.kwargs.items())
        return " ".join([*map(_text, self.args), *named]) or "none"

    def __repr__(self) -> str:
        return f"<inputs {self}>"

    def __reduce__(self) -> tuple[Any, ...]:
        # A MappingProxyType cannot be pickled.
        return partial(Inputs, batched=self.batched), (self.args, dict(self.kwargs))

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Inputs) and str(self) == str(other)

    def __hash__(self) -> int:
        return hash(str(self))


AnyInput: TypeAlias = AnyShape | Inputs
"""What something is counted at: the shape of one input without its batch, or what a module is called with."""


def _text(value: Any) -> str:
    if isinstance(value, TensorInput):
        return str(value)
    if _is_tensor(value) and value.is_nested:
        parts = (_text(each) for each in value.unbind())
        return f"nested({', '.join(parts)})"
    kind = type(value)  # which has no attributes that an object computes
    if hasattr(kind, "shape") and hasattr(kind, "dtype"):
        return str(TensorInput(Sizes(*value.shape), str(value.dtype).removeprefix("torch.")))
    if isinstance(value, Mapping):
        return f"{{{', '.join(f'{key}: {_text(each)}' for key, each in value.items())}}}"
    if isinstance(value, tuple | list):
        return f"({', '.join(map(_text, value))})"
    if isinstance(value, int):
        return named(value)
    return repr(value) if isinstance(value, float | str | None) else type(value).__name__


def as_input(value: Any, called: Callable[[str], Any] | None = None) -> AnyInput:
    """The input that ``value`` describes.

    ``"3x224x224"`` or ``(3, 224, 224)`` is a shape, without the batch. ``"1x3x224x224"``,
    ``"tokens:2x128:int64"``, several of these in a list, and ``"file.py:function"``, whose function gives
    tensors or a dictionary of them, are the inputs of a module; so are tensors, and dictionaries of them.
    ``called`` gives what the function of that name does.

    Raises:
        DefinitionError: it is none of these.
    """
    if isinstance(value, Inputs | Sizes):
        return value
    if isinstance(value, str):
        return _typed([value], called)
    if isinstance(value, tuple | list) and value and all(isinstance(each, str) for each in value):
        return _typed(value, called)
    if isinstance(value, Mapping) or _holds_tensors(value) or _passes_objects(value):
        return as_inputs(value)
    if isinstance(value, tuple | list) and len(value) not in (1, 3) and all(type(n) is int for n in value):
        return Inputs([TensorInput(Sizes(*value))])
    return as_shape(value)


def _typed(texts: Sequence[str], called: Callable[[str], Any] | None) -> AnyInput:
    if len(texts) == 1 and (re.fullmatch(r"\d+|\d+x\d+x\d+", texts[0]) or not _is_inputs(texts[0])):
        return as_shape(texts[0])
    args: list[Any] = []
    kwargs: dict[str, Any] = {}
    for text in texts:
        found = re.fullmatch(TENSOR, text) or re.fullmatch(ODDLY_NAMED, text)
        if found is None:
            if called is None or not re.fullmatch(FROM_CODE, text):
                raise DefinitionError(
                    f"input={named(text)} must be [name:]sizes[:dtype], such as tokens:1x128:int64, "
                    "or file.py:function"
                )
            given = as_inputs(called(text))
            args += given.args
            kwargs |= given.kwargs
            continue
        sizes = Sizes(*(() if found["sizes"] == "scalar" else map(int, found["sizes"].split("x"))))
        if 0 in sizes:
            raise DefinitionError(
                f"input={named(text)} has a size of 0, of which nothing is counted: "
                "a tensor without elements is given by a function, as file.py:function"
            )
        tensor = TensorInput(sizes, found["dtype"] or FLOAT)
        if found["name"] is None:
            args.append(tensor)
        elif kwargs.setdefault(found["name"], tensor) is not tensor:
            raise DefinitionError(f"the input {found['name']} is given twice")
    return Inputs(args, kwargs)


def shape_of(input: AnyInput, label: str, wanted: str) -> AnyShape:
    """The input where it has to be the shape of one.

    Raises:
        DefinitionError: it is what a module is called with.
    """
    if isinstance(input, Inputs):
        raise DefinitionError(
            f"{label}: {wanted} is for definitions; a module of PyTorch, or a graph, is counted at its sizes"
        )
    return input


def as_inputs(given: Any) -> Inputs:
    """A tensor, several, or a dictionary of them, as inputs.

    Raises:
        DefinitionError: one of them is an iterator.
    """
    if isinstance(given, Inputs):
        return given
    if isinstance(given, Mapping):
        return Inputs((), given)
    several = isinstance(given, tuple | list) and not hasattr(given, "_fields")  # one of names is one input
    args = given if several else [given]
    if any(isinstance(each, Iterator) for each in args):
        raise DefinitionError(
            "an input is an iterator, which a count would use up: give a list of what it gives"
        )
    return Inputs(args)


def without_batch(given: Inputs) -> AnyInput:
    """One image or vector of float32, of a batch of one, as a shape; other inputs as they are."""
    only = given.args[0] if len(given.args) == 1 and not given.kwargs else None
    sizes, dtype = tuple(getattr(only, "shape", ())), str(getattr(only, "dtype", ""))
    if isinstance(only, TensorInput):
        sizes = only.sizes
    if sizes[:1] != (1,) or dtype.removeprefix("torch.") != FLOAT:
        return given
    kind = {4: Shape, 2: Vector}.get(len(sizes))
    return given if kind is None else kind(*sizes[1:])


def _is_inputs(text: str) -> bool:
    return ":" in text or re.fullmatch(TENSOR, text) is not None


def _is_tensor(value: object) -> bool:
    return all(hasattr(type(value), name) for name in ("shape", "dtype", "requires_grad"))


def _passes_objects(value: object) -> bool:
    """Whether what a tuple or list holds can be no size: functions, dictionaries and the like."""
    return isinstance(value, tuple | list) and any(
        callable(each) or isinstance(each, Mapping | AbstractSet | deque | Iterator) for each in value
    )


def _holds_tensors(value: object) -> bool:
    """Whether there are tensors in a value: in containers, and in the attributes of any object."""
    if isinstance(value, tuple | list) and all(type(each) is int for each in value):
        return False
    from costlab.algebra.within import within  # here and not above: a count of a definition needs none of it

    return any(map(_is_tensor, within(value, _has_attributes)))


def _has_attributes(value: object) -> bool:
    """Whether tensors may be in the attributes of a value: dimensions have none."""
    return not (isinstance(value, str | int | float | type) or is_symbolic(value) or is_array(value))
