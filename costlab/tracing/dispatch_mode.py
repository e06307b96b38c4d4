"""The dispatch mode: it runs every operator below torch's functions, on values where these are known."""

from collections.abc import Callable
from typing import Any, TypeAlias

import torch
from torch import Tensor, nn
from torch._ops import HigherOrderOperator, OpOverload
from torch.utils._python_dispatch import TorchDispatchMode

from costlab.errors import TargetError
from costlab.tracing.answers import answer_without_values
from costlab.tracing.arguments import lowered, numbered, pass_on, tensors_in, written_in
from costlab.tracing.assertions import answer_that_passes
from costlab.tracing.examples import FORMULAS, run_on_examples
from costlab.tracing.operator_facts import (
    HEAVY,
    NESTING,
    OVERWRITING,
    READS,
    UNINITIALIZED,
    OperatorFacts,
    facts_of,
)
from costlab.tracing.quantized import what_runs
from costlab.tracing.rules.product_operators import PRODUCT_OPERATORS, multiplied
from costlab.tracing.shortcuts import shortcut
from costlab.tracing.sparse import SPARSE, are_unknown, run_sparse
from costlab.tracing.stand_in import (
    HOME,
    LARGE,
    SMALL,
    ReadsDataError,
    StandIn,
    held_or_meta,
    meta_of,
    stand_in,
    whole_of,
)
from costlab.tracing.stand_ins import IN_MKLDNN, StandIns, device_of

SET_DATA = Tensor.data.__set__  # type: ignore[attr-defined]  # a descriptor has one
OURS = frozenset([StandIn, Tensor, nn.Parameter, nn.Buffer])
OnOperator: TypeAlias = Callable[..., None]


class InsideCall:
    """What ran inside a call that a rule counts: the multiply-adds of matrix products.

    ``unknown`` says that these are not known of one, which is by a sparse matrix that data is made to.
    """

    def __init__(self) -> None:
        self.products = 0
        self.unknown = False


class StandInDispatch(TorchDispatchMode):  # type: ignore[no-untyped-call]  # torch leaves it without types
    """Runs operators on the values of stand-ins, and where one of these has none, on their sizes."""

    supports_higher_order_operators = True

    def __init__(self, stand_ins: StandIns, on_operator: OnOperator) -> None:
        super().__init__()  # type: ignore[no-untyped-call]  # torch leaves it without types
        self.called: Any = None
        self.hidden: Exception | None = None  # what TorchScript does not tell of an error
        self.inside: InsideCall | None = None
        self._meets_sparse = False
        self.stand_ins = stand_ins
        self.on_operator: Any = on_operator

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        kwargs = kwargs or {}
        if torch._C._is_torch_function_mode_enabled():  # TorchScript calls operators alone
            return self._from_script(func, types, args, kwargs)
        if isinstance(func, HigherOrderOperator) or not OURS.issuperset(types):
            return NotImplemented
        facts = facts_of(func)
        if facts.composite:  # in inference mode and in nested tensors; else autograd has taken it apart
            with self:
                return func.decompose(*args, **kwargs)
        if facts.name in NESTING:
            from costlab.tracing.nested import made_jagged

            with self:
                return made_jagged(facts.name, args)
        self._meets_sparse = False
        args, kwargs = self._adopted(args), self._adopted(kwargs) if kwargs else kwargs
        output = self._output(func, facts, args, kwargs)
        if self.stand_ins.with_weights:
            pass_on((args, kwargs), output, self.stand_ins.owners)
        unknown = self._meets_sparse and are_unknown(tensors_in(args))
        if self.inside is None:
            self.on_operator(func, args, kwargs, output, self.called, unknown=unknown)
        elif (plain := facts.name.rstrip("_")) in PRODUCT_OPERATORS:
            self.inside.unknown = self.inside.unknown or unknown
            self.inside.products += 0 if unknown else multiplied(plain, args)
        return output

    def _output(self, func: OpOverload, facts: OperatorFacts, args: Any, kwargs: Any) -> Any:
        """What comes out of an operator, by what it takes."""
        if self._meets_sparse or facts.makes_sparse or (kwargs and kwargs.get("layout") in SPARSE):
            return run_sparse(self.stand_ins, func, facts, args, kwargs)
        if facts.name == "to_mkldnn":
            raise TargetError(IN_MKLDNN)
        run = what_runs(func, args, self.stand_ins)
        return self._run(func, facts, args, kwargs) if run is None else run(func, args, kwargs)

    def _from_script(self, func: Any, types: Any, args: Any, kwargs: Any) -> Any:
        called, self.called = self.called, (func, False)
        with torch._C.DisableTorchFunction():
            try:
                return self.__torch_dispatch__(func, types, args, kwargs)
            except Exception as error:
                self.hidden = error
                raise
            finally:
                self.called = called

    def _adopted(self, value: Any) -> Any:
        """An argument with stand-ins for the tensors that come from elsewhere, such as constants."""
        kind = type(value)
        if kind is StandIn:
            return value
        if isinstance(value, Tensor):
            if value.layout in SPARSE:
                self._meets_sparse = True
                return value
            return self.stand_ins(value, limit=LARGE)
        if kind is tuple or kind is list:
            return kind([self._adopted(each) for each in value])
        if kind is dict:
            return {name: self._adopted(each) for name, each in value.items()}
        return value

    def _run(self, func: OpOverload, facts: OperatorFacts, args: Any, kwargs: Any) -> Any:
        given = list(tensors_in((args, kwargs)))
        known = all(each.held is not None or each.original is not None for each in given)
        device = device_of(given, kwargs)
        if self.stand_ins.deferred and any(id(each) in self.stand_ins.deferred for each in given):
            return self._without_sizes(func, facts, args, kwargs, device)
        if not known:
            answer = answer_without_values(func, facts.name, args, kwargs, self.called)
            if answer is not NotImplemented:
                return self._raised(answer, facts, (), {}, device)
            if facts.name in OVERWRITING and self._overwritten(func, args, kwargs):
                return args[0]
        elif self._affordable(func, facts, given, args, kwargs):
            try:
                output = func(
                    *lowered(args, self.stand_ins.value), **lowered(kwargs, self.stand_ins.value, HOME)
                )
                return self._raised(output, facts, args, kwargs, device)
            except RuntimeError as error:
                # What the processor does not do for a type another device may do.
                if device.type == "cpu" or "not implemented for" not in str(error):
                    raise
        return self._without_values(func, facts, args, kwargs, device)

    def _affordable(
        self, func: OpOverload, facts: OperatorFacts, given: list[StandIn], args: Any, kwargs: Any
    ) -> bool:
        """Whether to compute what comes out of constants takes no more time and memory than it should."""
        if facts.is_view or facts.dynamic:
            return True
        read = sum([each.numel() for each in given])
        if read > (4 * SMALL if facts.name in HEAVY else self.stand_ins.most):
            return False
        if facts.written or (facts.pointwise and read <= 4096):
            return True
        try:
            output = func(*lowered(args, meta_of), **lowered(kwargs, meta_of, torch.device("meta")))
        except (RuntimeError, ValueError, TypeError, IndexError):  # said when it runs
            return True
        return sum(int(each.numel()) for each in tensors_in(output)) <= self.stand_ins.most

    def _overwritten(self, func: OpOverload, args: Any, kwargs: Any) -> bool:
        """Whether a tensor without values has been given some, which do not depend on what was there."""
        into: StandIn = args[0]
        if into.known or into.viewed is not None or into.numel() > LARGE:
            return False
        if not all(each.known for each in tensors_in((args[1:], kwargs))):
            return False
        value = torch.empty_strided(into.size(), into.stride(), dtype=into.dtype)
        func(value, *lowered(args[1:], self.stand_ins.value), **lowered(kwargs, self.stand_ins.value))
        self.stand_ins.know(into, value)
        return True

    def _without_values(
        self, func: OpOverload, facts: OperatorFacts, args: Any, kwargs: Any, device: torch.device
    ) -> Any:
        name = facts.name
        if facts.written:
            self._forget_written(facts, args, kwargs)
        if (made := shortcut(name, args, kwargs)) is not NotImplemented:
            return made
        if name in FORMULAS and not facts.written:
            return FORMULAS[name](*args, **kwargs)
        if name == "masked_select" and args[1].known:
            mask = self.stand_ins.value(args[1])
            kept = mask.expand_as(meta_of(args[0]) + mask.to("meta")).sum()
            return stand_in((int(kept),), args[0].dtype, device)
        low = lowered(args, self.stand_ins.number_or_meta if func.namespace == "prims" else meta_of)
        if name in ("index", "index_put", "index_put_", "_index_put_impl_"):
            low = (low[0], numbered(args[1], self.stand_ins.value, name), *low[2:])
        elif name == "nonzero":
            places = stand_in((args[0].numel(), args[0].dim()), torch.int64, device)
            self.stand_ins.deferred[id(places)] = places, func._schema.name
            return places
        elif name == "_local_scalar_dense" and (answer := answer_that_passes()) is not None:
            return answer if args[0].dtype is torch.bool else float(answer)
        elif facts.dynamic:
            raise ReadsDataError(READS.get(name, func._schema.name))
        output = self._on_sizes(func, facts, low, args, kwargs)
        made = self._raised(output, facts, args, kwargs, device)
        for each in tensors_in(made) if facts.is_view else ():
            each.viewed = whole_of(args[0])
        return made

    def _forget_written(self, facts: OperatorFacts, args: Any, kwargs: Any) -> None:
        for each in tensors_in(written_in(facts, args, kwargs)):
            for one in (each, whole_of(each)):
                if one.known:
                    self.stand_ins.forget(one)

    def _on_sizes(self, func: OpOverload, facts: OperatorFacts, low: Any, args: Any, kwargs: Any) -> Any:
        """What comes out, on torch's meta device, or where torch lacks the operator there, of examples."""
        try:
            return func(*low, **lowered(kwargs, meta_of, torch.device("meta")))
        except NotImplementedError:  # torch has none for its meta device
            made = run_on_examples(func, facts, args, kwargs, self.stand_ins.value)
            if made is NotImplemented:
                raise
            return made

    def _without_sizes(
        self, func: OpOverload, facts: OperatorFacts, args: Any, kwargs: Any, device: torch.device
    ) -> Any:
        """Places that come from data may choose what is written into; all else needs to know how many."""
        deferred = self.stand_ins.deferred
        if facts.name == "unbind" and args[1:] and args[1] % args[0].dim():  # the first axis is how many
            output = self._without_values(func, facts, args, kwargs, device)
            deferred.update({id(each): (each, deferred[id(args[0])][1]) for each in output})
            return output
        written = facts.name in ("index_put", "index_put_", "_index_put_impl_")
        if written and not any(id(each) in deferred for each in tensors_in((args[0], args[2:]))):
            return self._without_values(func, facts, args, kwargs, device)
        first = next(each for each in tensors_in((args, kwargs)) if id(each) in deferred)
        raise ReadsDataError(deferred[id(first)][1])

    def _raised(self, output: Any, facts: OperatorFacts, args: Any, kwargs: Any, device: torch.device) -> Any:
        """What came out as stand-ins: those with values that are not on torch's meta device."""
        written: dict[int, StandIn] = {}
        if facts.written and (args or kwargs):
            for each in tensors_in(written_in(facts, args, kwargs)):
                low = held_or_meta(each)
                written[id(low)] = each
                if low.layout is torch.strided and (
                    low.size() != each.size() or low.stride() != each.stride()
                ):
                    self._resize(each, low)
        if isinstance(output, Tensor):
            return written.get(id(output)) if id(output) in written else self._made(output, facts, device)
        if isinstance(output, tuple | list):
            made = [
                written[id(each)] if id(each) in written else self._made(each, facts, device)
                for each in output
            ]
            return made if isinstance(output, list) else tuple(made)
        return output

    def _made(self, output: Any, facts: OperatorFacts, device: torch.device) -> Any:
        if not isinstance(output, Tensor):
            return output
        if facts.name == "_efficientzerotensor":
            if not output.dim():
                return output  # the tangent of a number, which torch reads past all modes
            output = torch.zeros(output.size(), dtype=output.dtype)  # with memory, which operators read
        strides = output.stride() if output.layout is torch.strided else None
        made = stand_in(output.size(), output.dtype, device, strides)
        if facts.is_view and (output.is_conj() or output.is_neg()):  # which torch asks before an operator
            torch._C._set_conj(made, output.is_conj())
            torch._C._set_neg(made, output.is_neg())
        if output.device.type == "meta":
            made.meta = output
        else:
            if facts.name in UNINITIALIZED:
                output.zero_()  # what lies in memory decides nothing
            self.stand_ins.know(made, output)
        return made

    def _resize(self, tensor: StandIn, low: Tensor) -> None:
        with torch._C._DisableTorchDispatch():
            SET_DATA(tensor, stand_in(low.size(), low.dtype, tensor.device, low.stride()))
        tensor.meta = low if low.device.type == "meta" else None
