"""The catalog: definitions and ablations by name, those shipped in ``blocks`` and those of other packages."""

import importlib
from collections.abc import Callable, Iterator, Mapping
from types import ModuleType
from typing import TYPE_CHECKING, TypeVar

import costlab
from costlab.algebra.define import Definition
from costlab.algebra.parameter import closest
from costlab.errors import CostlabError, DefinitionError, TargetError

if TYPE_CHECKING:
    from costlab.targets.ablation import Ablation

T = TypeVar("T", bound="Ablation | Definition[...]")
GROUP = "costlab.blocks"
"""The entry-point group through which a package ships definitions: each entry names a module."""


def catalog() -> Mapping[str, Definition[...]]:
    """Every definition by name: the shipped ones first, then those of other packages.

    Raises:
        TargetError: a package's entry point cannot be loaded.
        DefinitionError: it names no module, or a name is taken twice.
    """
    return _gathered(_shipped(), Definition)


def lookup(name: str) -> Definition[...]:
    """The definition of that name. Other packages are loaded only if ``blocks`` does not have it.

    Raises:
        TargetError: there is none; the message gives the closest names.
    """
    shipped = _shipped()
    if name in shipped:
        return shipped[name]
    everything = catalog()
    if name not in everything:
        if name in _shipped_ablations():
            raise TargetError(f"{name} is an ablation: costlab compare --ablation {name}")
        raise TargetError(f"there is no definition {name!r}{closest(name, everything)} (see costlab list)")
    return everything[name]


def is_listed(name: str) -> bool:
    """Whether there is a definition of that name. A package that cannot be loaded has none."""
    return _found(lookup, name)


def is_listed_ablation(name: str) -> bool:
    """Whether there is an ablation of that name. A package that cannot be loaded has none."""
    return _found(lookup_ablation, name)


def is_shipped(value: "Definition[...] | Ablation") -> bool:
    """Whether a definition or an ablation comes with costlab."""
    shipped: Mapping[str, object] = _shipped() if isinstance(value, Definition) else _shipped_ablations()
    return shipped.get(value.name) is value


def ablations() -> "Mapping[str, Ablation]":
    """Every ablation by name: the shipped ones first, then those of other packages.

    Raises:
        TargetError: a package's entry point cannot be loaded.
        DefinitionError: it names no module, or a name is taken twice.
    """
    from costlab.targets.ablation import Ablation

    return _gathered(_shipped_ablations(), Ablation)


def lookup_ablation(name: str) -> "Ablation":
    """The ablation of that name. Other packages are loaded only if ``blocks`` does not have it.

    Raises:
        TargetError: there is none; the message gives the closest names.
    """
    shipped = _shipped_ablations()
    if name in shipped:
        return shipped[name]
    everything = ablations()
    if name not in everything:
        known = f"{closest(name, everything)} (see costlab list --ablations)"
        raise TargetError(f"there is no ablation {name!r}{known}")
    return everything[name]


def definitions(module: ModuleType) -> dict[str, Definition[...]]:
    """The definitions that a module holds, in its order."""
    return _of(module, Definition)


def _found(look_up: Callable[[str], object], name: str) -> bool:
    try:
        look_up(name)
    except CostlabError:
        return False
    return True


def _gathered(shipped: Mapping[str, T], kind: type[T]) -> Mapping[str, T]:
    """The shipped values of a kind, then those of other packages."""
    found = dict(shipped)
    for owner, module in _plugins():
        for name, value in _of(module, kind).items():
            if found.setdefault(name, value) is not value:
                raise DefinitionError(f"{owner} defines {name!r}, a name that is taken already")
    return found


def _of(module: ModuleType, kind: type[T]) -> dict[str, T]:
    found = [value for value in vars(module).values() if isinstance(value, kind)]
    return {value.name: value for value in found}


def _shipped_ablations() -> "dict[str, Ablation]":
    from costlab.targets.ablation import Ablation

    _shipped()  # the package is ours
    return _of(importlib.import_module("blocks.ablations"), Ablation)


def _shipped() -> dict[str, Definition[...]]:
    blocks = importlib.import_module("blocks")
    ours = [f"{folder.removesuffix('costlab')}blocks" for folder in costlab.__path__]
    if list(getattr(blocks, "__path__", ())) != ours:
        file = getattr(blocks, "__file__", None) or next(iter(blocks.__path__), "an unknown place")
        raise DefinitionError(f"{file} hides the package 'blocks' that comes with costlab: rename it")
    found = definitions(blocks)
    return {name: found[name] for name in blocks.__all__}


def _plugins() -> Iterator[tuple[str, ModuleType]]:
    from importlib.metadata import entry_points

    from costlab.targets.user_code import user_code

    for entry in entry_points(group=GROUP):
        owner = f"the entry point {entry.name} = {entry.value}"
        with user_code(f"{owner} cannot be loaded", surely=True):
            loaded = entry.load()
        if not isinstance(loaded, ModuleType):
            raise DefinitionError(f"{owner} must name a module")
        yield owner, loaded
