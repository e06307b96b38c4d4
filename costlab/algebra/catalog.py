"""The catalog: definitions by name, those shipped in ``blocks`` and those of other packages."""

import importlib
from collections.abc import Iterator, Mapping
from pathlib import Path
from types import ModuleType

from costlab.algebra.define import Definition
from costlab.algebra.parameter import closest
from costlab.algebra.user_code import user_code
from costlab.errors import DefinitionError, TargetError

GROUP = "costlab.blocks"
"""The entry-point group through which a package ships definitions: each entry names a module."""


def catalog() -> Mapping[str, Definition[...]]:
    """Every definition by name: the shipped ones first, then those of other packages.

    Raises:
        TargetError: a package's entry point cannot be loaded.
        DefinitionError: it names no module, or a name is taken twice.
    """
    found = dict(_shipped())
    for owner, module in _plugins():
        for name, definition in definitions(module).items():
            if found.setdefault(name, definition) is not definition:
                raise DefinitionError(f"{owner} defines {name!r}, a name that is taken already")
    return found


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
        raise TargetError(f"there is no definition {name!r}{closest(name, everything)} (see costlab list)")
    return everything[name]


def is_shipped(name: str) -> bool:
    """Whether a definition of that name comes with costlab."""
    return name in _shipped()


def definitions(module: ModuleType) -> dict[str, Definition[...]]:
    """The definitions that a module holds, in its order."""
    return {value.name: value for value in vars(module).values() if isinstance(value, Definition)}


def _shipped() -> dict[str, Definition[...]]:
    blocks = importlib.import_module("blocks")
    ours = Path(__file__).parents[2] / "blocks"
    file = getattr(blocks, "__file__", None) or next(iter(blocks.__path__), "an unknown place")
    if Path(file).parent != ours:
        raise DefinitionError(f"{file} hides the package 'blocks' that comes with costlab: rename it")
    return definitions(blocks)


def _plugins() -> Iterator[tuple[str, ModuleType]]:
    from importlib.metadata import entry_points

    for entry in entry_points(group=GROUP):
        owner = f"the entry point {entry.name} = {entry.value}"
        with user_code(f"{owner} cannot be loaded", surely=True):
            loaded = entry.load()
        if not isinstance(loaded, ModuleType):
            raise DefinitionError(f"{owner} must name a module")
        yield owner, loaded
