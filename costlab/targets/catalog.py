"""The catalog: definitions and ablations by name, from ``blocks`` and from other packages."""

import importlib
from collections.abc import Callable, Iterator, Mapping
from types import ModuleType
from typing import TYPE_CHECKING, TypeVar

import costlab
from costlab.algebra.define import Definition
from costlab.algebra.parameter import closest
from costlab.errors import CostlabError, DefinitionError, TargetError
from costlab.messages import named

if TYPE_CHECKING:
    from costlab.targets.ablation import Ablation

T = TypeVar("T", bound="Ablation | Definition[...]")
GROUP = "costlab.blocks"
"""The entry-point group of packages with definitions: each entry names a module."""


def catalog() -> Mapping[str, Definition[...]]:
    """Every definition by name: those of costlab first, then those of other packages.

    Raises:
        TargetError: the entry point of a package cannot be loaded.
        DefinitionError: it is no module, or two definitions have one name.
    """
    return _with_plugins(_shipped(), Definition)


def lookup(name: str) -> Definition[...]:
    """The definition of that name. Other packages are only loaded if ``blocks`` does not have it.

    Raises:
        TargetError: there is no such definition; the message names similar ones.
    """
    shipped = _shipped()
    if name in shipped:
        return shipped[name]
    everything = catalog()
    if name not in everything:
        from costlab.targets import torchvision

        if name in _shipped_ablations():
            raise TargetError(f"{name} is an ablation: costlab compare --ablation {name}")
        known = f"{closest(name, everything)}{torchvision.hint(name)} (see costlab list)"
        raise TargetError(f"there is no definition {named(name)}{known}")
    return everything[name]


def is_listed(name: str) -> bool:
    """Whether there is a definition of that name, in packages that can be loaded."""
    return _exists(lookup, name)


def is_listed_ablation(name: str) -> bool:
    """Whether there is an ablation of that name, in packages that can be loaded."""
    return _exists(lookup_ablation, name)


def is_shipped(value: "Definition[...] | Ablation") -> bool:
    """Whether a definition or an ablation comes with costlab."""
    shipped: Mapping[str, object] = _shipped() if isinstance(value, Definition) else _shipped_ablations()
    return shipped.get(value.name) is value


def ablations() -> "Mapping[str, Ablation]":
    """Every ablation by name: those of costlab first, then those of other packages.

    Raises:
        TargetError: the entry point of a package cannot be loaded.
        DefinitionError: it is no module, or two ablations have one name.
    """
    from costlab.targets.ablation import Ablation

    return _with_plugins(_shipped_ablations(), Ablation)


def lookup_ablation(name: str) -> "Ablation":
    """The ablation of that name. Other packages are only loaded if ``blocks`` does not have it.

    Raises:
        TargetError: there is no such ablation; the message names similar ones.
    """
    shipped = _shipped_ablations()
    if name in shipped:
        return shipped[name]
    everything = ablations()
    if name not in everything:
        known = f"{closest(name, everything)} (see costlab list --ablations)"
        raise TargetError(f"there is no ablation {named(name)}{known}")
    return everything[name]


def definitions(module: ModuleType) -> dict[str, Definition[...]]:
    """The definitions in a module, in its order."""
    return _values_of(module, Definition)


def _exists(look_up: Callable[[str], object], name: str) -> bool:
    try:
        look_up(name)
    except CostlabError:
        return False
    return True


def _with_plugins(shipped: Mapping[str, T], kind: type[T]) -> Mapping[str, T]:
    """The definitions or ablations of costlab, then those of other packages."""
    values = dict(shipped)
    for owner, module in _plugins():
        for name, value in _values_of(module, kind).items():
            if values.setdefault(name, value) is not value:
                raise DefinitionError(f"{owner} defines {named(name)}, a name that is taken already")
    return values


def _values_of(module: ModuleType, kind: type[T]) -> dict[str, T]:
    values = [value for value in vars(module).values() if isinstance(value, kind)]
    return {value.name: value for value in values}


def _shipped_ablations() -> "dict[str, Ablation]":
    from costlab.targets.ablation import Ablation

    _shipped()  # the package is ours
    return _values_of(importlib.import_module("blocks.ablations"), Ablation)


def _shipped() -> dict[str, Definition[...]]:
    blocks = importlib.import_module("blocks")
    ours = [f"{folder.removesuffix('costlab')}blocks" for folder in costlab.__path__]
    if list(getattr(blocks, "__path__", ())) != ours:
        file = getattr(blocks, "__file__", None) or next(iter(blocks.__path__), "an unknown place")
        raise DefinitionError(f"{file} hides the package 'blocks' that comes with costlab: rename it")
    shipped = definitions(blocks)
    return {name: shipped[name] for name in blocks.__all__}


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
