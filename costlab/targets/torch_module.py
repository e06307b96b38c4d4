"""PyTorch modules, and functions that return one, as blocks. torch is not imported here for their sake."""

import sys
from typing import Any, TypeGuard

from costlab.algebra.block import Block
from costlab.algebra.define import Definition
from costlab.algebra.parameter import Parameter
from costlab.errors import CostlabError, DefinitionError


def is_module(value: object) -> TypeGuard[Any]:
    """Whether the value is an ``nn.Module``. If torch has not been imported, nothing is."""
    torch = sys.modules.get("torch")
    return torch is not None and isinstance(value, torch.nn.Module)


def is_module_class(value: object) -> bool:
    """Whether the value is a class of modules."""
    torch = sys.modules.get("torch")
    return torch is not None and isinstance(value, type) and issubclass(value, torch.nn.Module)


def as_block(module: Any) -> Block:
    """A PyTorch module as a block, which is traced when it is walked."""
    from costlab.tracing.module import Module

    return Module(module)


def training_step(block: Block, x: Any) -> Block:
    """A step of training of a block: its module, to be traced forward and back.

    Raises:
        DefinitionError, ShapeError: the module of the block cannot be built.
    """
    from costlab.tracing.module import training_step

    return training_step(block, x)


class Factory(Definition[...]):
    """A function, or a class of modules, written without costlab in mind: it may return an ``nn.Module``.

    Its parameters may have any names, and those that ``**kwargs`` takes are passed on as they are typed.
    """

    def _refuse_reserved(self) -> None:
        """Nothing: settings are typed after a colon, apart from costlab's own."""

    def _known(self, name: str) -> Parameter:
        takes_any = any(p.kind is p.VAR_KEYWORD for p in self._signature.parameters.values())
        if takes_any and name not in self.parameters:
            return Parameter(name, None)
        return super()._known(name)

    def _make(self, *args: Any, **kwargs: Any) -> Block:
        made = self._made_without_memory(*args, **kwargs)
        if is_module(made):
            return as_block(made)
        if not isinstance(made, Block):
            raise DefinitionError(f"{self.name} returned {type(made).__name__}, not a block or a module")
        return made

    def _made_without_memory(self, *args: Any, **kwargs: Any) -> Any:
        """What the function returns, without memory for weights where it can be made so."""
        torch = sys.modules.get("torch")
        if torch is None:
            return self.function(*args, **kwargs)
        try:
            with torch.device("meta"):
                return self.function(*args, **kwargs)
        except CostlabError:
            raise
        except Exception:  # it looks at values while it is made
            return self.function(*args, **kwargs)
