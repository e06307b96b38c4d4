"""The tensors among the arguments of a call, and what comes out of it."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import is_dataclass
from typing import Any

import torch
from torch import Tensor

from costlab.tracing.operator_facts import OperatorFacts
from costlab.tracing.stand_in import ReadsDataError, StandIn, meta_of


def lowered(value: Any, how: Callable[[StandIn], Tensor], device: torch.device | None = None) -> Any:
    """A value with plain tensors in place of stand-ins; a ``device`` in it is replaced."""
    kind = type(value)
    if kind is StandIn:
        return how(value)
    if kind is tuple or kind is list:
        return kind([lowered(each, how) for each in value])
    if kind is dict:
        return {
            name: device if name == "device" and each is not None else lowered(each, how)
            for name, each in value.items()
        }
    return value


def numbered(indices: Any, value: Callable[[StandIn], Tensor], name: str) -> list[Any]:
    """Indices with positions in place of known masks, so that the sizes of the result are known.

    Raises:
        ReadsDataError: an element that a mask without values chooses is read.
    """
    found: list[Any] = []
    for each in indices:
        if each is None or each.dtype not in (torch.bool, torch.uint8):
            found.append(each if each is None else meta_of(each))
        elif each.known:
            found += [place.to("meta") for place in value(each).nonzero(as_tuple=True)]
        elif name == "index":
            raise ReadsDataError("aten::index by a mask")
        else:
            found.append(meta_of(each))
    return found


def tensors_in(value: Any) -> Iterator[Any]:
    """The tensors in a value, in tuples, lists, dictionaries and dataclasses too."""
    if isinstance(value, Tensor):
        yield value
    elif isinstance(value, (tuple, list)):
        for each in value:
            yield from tensors_in(each)
    elif isinstance(value, dict):
        for each in value.values():
            yield from tensors_in(each)
    elif is_dataclass(value) and not isinstance(value, type):
        yield from tensors_in(vars(value))


def written_in(facts: OperatorFacts, args: Any, kwargs: Any) -> list[Any]:
    """The arguments that an operator writes into: tensors, and lists of some."""
    return [kwargs.get(place) if isinstance(place, str) else args[place] for place in facts.written]


def mark_inputs(tensors: Iterable[Tensor]) -> None:
    """What a model is called with is data, though its values may be known, as those of indices are."""
    for each in tensors:
        if type(each) is StandIn:
            each.of_input = True


def pass_on(given: Any, output: Any, owners: Mapping[int, Tensor]) -> None:
    """What comes out of an operator comes from what went in: from inputs, and from parameters.

    ``owners`` are the parameters, by the ids of their stand-ins.
    """
    known = [each for each in tensors_in(output) if type(each) is StandIn and each.known]
    if not known:
        return
    read = [each for each in tensors_in(given) if type(each) is StandIn]
    parameters = {id(owners[id(each)]) for each in read if id(each) in owners}
    made_of = frozenset(parameters.union(*(each.made_of for each in read)))
    of_input = any(each.of_input for each in read)
    for each in known:
        each.made_of, each.of_input = made_of, of_input
