"""Objects whose classes have their own way with construction, copies and attributes."""

import random
from collections import OrderedDict, defaultdict, deque
from collections.abc import Callable
from typing import Any, NoReturn, Self

import numpy as np
import torch


class Pair(tuple[Any, Any]):
    """A tuple that is made of two."""

    __slots__ = ()

    def __new__(cls, first: Any, second: Any) -> Self:
        return super().__new__(cls, (first, second))


class Registry(OrderedDict[str, Any]):
    """A dictionary that is made of a name."""

    def __init__(self, name: str) -> None:
        super().__init__()
        self.name = name
        self["tensor"] = torch.ones(2)


class Groups(defaultdict[str, list[Any]]):
    """Lists by name, made of a name."""

    def __init__(self, name: str) -> None:
        super().__init__(list)
        self[name].append(torch.ones(2))


class History(deque[Any]):
    """The last few, made of a name and how many."""

    def __init__(self, name: str, many: int) -> None:
        super().__init__([name, torch.ones(2)], many)


class Uncopied(dict[str, Any]):
    """A dictionary that refuses to be copied."""

    def copy(self) -> NoReturn:
        raise RuntimeError("there is one")


class Slots:
    """An attribute outside of a dictionary."""

    __slots__ = ("tensor",)

    def __init__(self) -> None:
        SLOT.__set__(self, torch.ones(2))


SLOT: Any = vars(Slots)["tensor"]


class Hides(Slots):
    """The attribute is another that must not be read."""

    @property
    def tensor(self) -> NoReturn:
        raise RuntimeError("it is read")


class Refuses:
    """It answers no question about attributes that it lacks."""

    __slots__ = ("held",)

    def __init__(self) -> None:
        self.held = [torch.ones(2)]

    def __getattr__(self, name: str) -> NoReturn:
        raise RuntimeError(f"unbound: {name}")


class Private:
    """An attribute outside of a dictionary, whose name Python makes longer."""

    __slots__ = ("__tensor",)

    def __init__(self) -> None:
        self.__tensor = torch.ones(2)


class Nowhere:
    """A class that comes from no file."""

    def __init__(self) -> None:
        self.tensor = torch.ones(2)


Nowhere.__module__ = None  # type: ignore[assignment]  # is what is tried


def registry_of_two() -> Registry:
    made = Registry("name")
    made["first"] = 1
    made.move_to_end("first", last=False)
    return made


ODD: dict[str, Callable[[], Any]] = {
    "tuple": lambda: Pair(torch.ones(2), [1]),
    "ordered dictionary": registry_of_two,
    "default dictionary": lambda: Groups("name"),
    "deque": lambda: History("name", 2),
    "dictionary that is not copied": lambda: Uncopied(tensor=torch.ones(2)),
    "slot behind a property": Hides,
    "no attributes": Refuses,
    "private slot": Private,
    "no file": Nowhere,
    "random numbers of the system": random.SystemRandom,
    "random numbers of numpy": lambda: np.random.RandomState(0),
}
