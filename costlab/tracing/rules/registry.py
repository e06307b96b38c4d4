"""The rules by which operations are counted, and where a user adds some."""

from collections.abc import Callable, Iterable
from inspect import isroutine
from types import FunctionType, MethodType
from typing import Any, NamedTuple, TypeAlias, TypeVar

from torch import Tensor, nn
from torch._library.custom_ops import CustomOpDef
from torch._ops import OpOverload, OpOverloadPacket

from costlab.algebra.work import Work
from costlab.errors import DefinitionError
from costlab.messages import named
from costlab.tracing.entries import entered
from costlab.tracing.stand_in import stand_in

Works: TypeAlias = Work | Iterable[Work]
Rule: TypeAlias = Callable[..., Works]
Shaped: TypeAlias = Callable[..., Any]
F = TypeVar("F", bound=Rule)


class UserRule:
    """A user's rule: the `Work` that it returns is all that is known of the operation."""

    def __init__(self, function: Rule) -> None:
        self.function = function

    def __call__(self, seen: "Seen", *args: Any, **kwargs: Any) -> Works:
        return self.function(seen.output, *args, **kwargs)


class Seen(NamedTuple):
    """An operation that has run: what came out, and the module that called it.

    ``products`` are the multiply-adds of the products of matrices that ran inside. Of an operator,
    ``operator`` is its name, and ``weights`` the elements of the parameter that it multiplies by, if it does.
    """

    output: Any
    module: nn.Module | None
    products: int = 0
    operator: str = ""
    weights: int = 0

    @property
    def first(self) -> Any:
        """What came out, the first of several."""
        return self.output[0] if isinstance(self.output, tuple | list) else self.output


CALLS: dict[Any, Rule] = {}
"""By a function of torch as it is called: ``rule(seen, *args, **kwargs)``."""
SHAPED: dict[Any, Shaped] = {}
"""By such a function: what comes out, without running it; NotImplemented where it has to run."""
INSTEAD: dict[Any, Callable[..., Any]] = {}
"""By such a function: what runs in its place, with the same gradients, where torch needs values."""
OPERATORS: dict[str, Rule] = {}
"""By the name of an operator of aten, without its overload, for what no call explains."""
MODULES: dict[type[nn.Module], Rule] = {}
"""By a class of modules: ``rule(seen, module, *args, **kwargs)``, instead of what runs inside."""
OVERLOADS: dict[Any, Rule] = {}
"""By an operator, such as a user's own."""


def works_of(rule: Rule, seen: Seen, args: Any, kwargs: Any) -> Works:
    """What a rule says of a call; where it writes to is no matter of a rule of costlab's own."""
    if kwargs and "out" in kwargs and not isinstance(rule, UserRule):
        kwargs = {name: each for name, each in kwargs.items() if name != "out"}
    return rule(seen, *args, **kwargs)


def like(tensor: Tensor) -> Any:
    """A tensor of the same sizes, without values; `torch.empty_like` takes ten times as long here.

    NotImplemented for one that is not contiguous: the layout of the output is then known only by running it.
    """
    if not tensor.is_contiguous():
        return NotImplemented
    return stand_in(tensor.size(), tensor.dtype, tensor.device)


def calls(*functions: Any) -> Callable[[F], F]:
    """Let a rule hold for functions of torch."""
    return entered(CALLS, functions)


def shapes(*functions: Any) -> Callable[[F], F]:
    """Say what comes out of functions of torch."""
    return entered(SHAPED, functions)


def operators(*names: str) -> Callable[[F], F]:
    """Let a rule hold for operators of aten."""
    return entered(OPERATORS, names)


def rule(target: Any) -> Callable[[F], F]:
    """Say what an operation or a module costs: ``@costlab.rule(target)``.

    The function is called with what came out and then as the operation is called, for a module with the
    module first; it gives a `Work`, or several. The rule of a module replaces what runs inside it.

    Raises:
        DefinitionError: it is neither an operator, nor a function of torch, nor a class of modules.
    """
    table: dict[Any, Rule]
    if isinstance(target, CustomOpDef):
        target = target._opoverload
    if isinstance(target, type) and issubclass(target, nn.Module):
        table = MODULES
    elif isinstance(target, OpOverload | OpOverloadPacket):
        table = OVERLOADS
    elif isinstance(target, FunctionType) and not _seen_by_torch(target):
        raise DefinitionError(
            f"{target.__qualname__}: torch does not tell of calls of it: "
            "make it an operator (torch.library.custom_op) or a module"
        )
    elif isroutine(target) and not isinstance(target, MethodType):
        table = CALLS
    else:
        raise DefinitionError(
            f"a rule is for an operator, a function or a class of modules, not {named(target)}"
        )

    def register(function: F) -> F:
        packet: Any = target
        names = packet.overloads() if isinstance(target, OpOverloadPacket) else []
        for key in [target, *(getattr(target, name) for name in names)]:
            table[key] = UserRule(function)
        return function

    return register


def _seen_by_torch(function: FunctionType) -> bool:
    """Whether torch reports calls of a function that is written in Python to function modes."""
    return f"{function.__module__}.".startswith("torch.") or (
        "handle_torch_function" in function.__code__.co_names
    )
