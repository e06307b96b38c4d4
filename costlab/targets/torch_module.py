"""PyTorch modules, and functions that return one, as blocks. torch is imported only if the user has."""

import inspect
import sys
from dataclasses import replace
from functools import partial
from typing import Any, TypeGuard
from warnings import catch_warnings, filterwarnings
from weakref import WeakSet, WeakValueDictionary

from costlab.algebra.block import Block
from costlab.algebra.define import Definition
from costlab.algebra.parameter import Parameter
from costlab.algebra.several import LookedAt
from costlab.errors import CostlabError, DefinitionError, TargetError, one_line

AWAITED = "give one that returns what it awaits"


def is_module(value: object) -> TypeGuard[Any]:
    """Whether the value is an ``nn.Module``; it cannot be if torch has not been imported."""
    torch = sys.modules.get("torch")
    return torch is not None and isinstance(value, torch.nn.Module)


def is_module_class(value: object) -> bool:
    """Whether the value is a class of modules."""
    torch = sys.modules.get("torch")
    return torch is not None and isinstance(value, type) and issubclass(value, torch.nn.Module)


def is_program(value: object) -> TypeGuard[Any]:
    """Whether the value is what `torch.export.export` gives; it cannot be if that has not been imported."""
    export = sys.modules.get("torch.export")
    return isinstance(value, getattr(export, "ExportedProgram", ()))


def as_block(value: Any) -> Block:
    """A PyTorch module, or an exported program, as a block; it is traced when the block is walked."""
    if is_program(value):
        from costlab.tracing.exported import ExportedModule, module_of

        return ExportedModule(module_of(value))
    from costlab.tracing.module import Module

    return Module(value)


def training_step(block: Block, x: Any) -> Block:
    """A training step of a block: its module, traced forward and backward.

    Raises:
        DefinitionError, ShapeError: the module of the block cannot be built, or there is none.
    """
    refuse_without_module(block, block.title, "a step of training")
    from costlab.tracing.module import training_step

    return training_step(block, x)


def refuse_without_module(block: Block, label: str, what: str) -> None:
    """Refuse what needs a module of PyTorch where there is none.

    Raises:
        DefinitionError: there is none.
    """
    if block.without_module:
        raise DefinitionError(f"{label}: {what} needs a module of PyTorch, and {block.without_module}")


def up_to_its_stop(block: Block) -> Block:
    """A module that is counted up to where its data stops it; anything else is counted whole, as it is."""
    if not block.takes_tensors:
        return block
    from costlab.tracing.module import Module

    return replace(block, partial=True) if isinstance(block, Module) else block


_given_out: "WeakSet[Any]" = WeakSet()
_weights_given_out: "WeakValueDictionary[int, Any]" = WeakValueDictionary()
"""By their ids: tensors are compared element by element."""


class Factory(Definition[...]):
    """A function or class that is no costlab definition, and may return an ``nn.Module``.

    Its parameters may have any names; those that ``**kwargs`` takes are passed on as typed.
    """

    def _refuse_reserved(self) -> None:
        """Refuse nothing: settings after a colon do not get in the way of costlab's own."""

    def _known(self, name: str) -> Parameter:
        takes_any = any(p.kind is p.VAR_KEYWORD for p in self._signature.parameters.values())
        if takes_any and name not in self.parameters:
            return Parameter(name, None)
        return super()._known(name)

    def module(self, **kwargs: Any) -> Any:
        """The module itself, made anew with all its weights, by arguments for which it gives one.

        Raises:
            DefinitionError: it, or weights in it, were given out before, and may have been trained since.
        """
        made: Any = self.function(**kwargs)
        held = [*made.parameters(), *made.buffers()]
        if made in _given_out or any(_weights_given_out.get(id(each)) is each for each in held):
            raise DefinitionError(
                f"{self.name} returned the same module again, or one with the same weights: "
                "make it, with all that is in it, at each call"
            )
        _given_out.add(made)
        _weights_given_out.update({id(each): each for each in held})
        return made

    def _make(self, *args: Any, **kwargs: Any) -> Block:
        try:
            value = self._call_without_memory(*args, **kwargs)
        except (CostlabError, KeyboardInterrupt, LookedAt):
            raise
        except BaseException as error:  # what is named may be sys:exit
            from costlab.targets.user_code import comes_from_call

            if comes_from_call(error, __file__):
                raise TargetError(f"{self.name}: {one_line(error)}") from error
            raise
        if inspect.iscoroutine(value):
            value.close()
            raise DefinitionError(f"{self.name} is asynchronous: {AWAITED}")
        if is_module(value) or is_program(value):
            return as_block(value)
        if not isinstance(value, Block):
            from costlab.targets.instead import instead

            what, hint = type(value).__name__, instead(value)
            raise DefinitionError(
                f"{self.name} returned {what}, not a block or a module{hint and f'; {hint}'}"
            )
        return value

    def _call_without_memory(self, *args: Any, **kwargs: Any) -> Any:
        """Call the function so that weights take no memory, if that is possible."""
        torch = sys.modules.get("torch")
        if torch is None:
            return self.function(*args, **kwargs)
        from costlab.tracing.construction import WithoutWeights

        # What computes with both kinds of tensors may do with one; what reads values needs them all.
        for sparing in (WithoutWeights, partial(torch.device, "meta")):
            mode = sparing()
            try:
                with torch.random.fork_rng(devices=[]), mode, catch_warnings():
                    filterwarnings("ignore", "Initializing zero-element tensors")  # what follows is told
                    return self.function(*args, **kwargs)
            except CostlabError:
                raise
            except Exception:  # the last call below tells what is wrong
                if isinstance(mode, WithoutWeights) and not mode.spared:
                    raise  # so far it has run as it would without
        return self.function(*args, **kwargs)
