"""The trace: a module runs once on tensors without values, and every operation is seen and counted."""

from collections.abc import Callable
from contextlib import ExitStack
from typing import Any

import torch
from torch import Tensor, nn
from torch._ops import HigherOrderOperator, OpOverload
from torch.autograd import forward_ad
from torch.overrides import TorchFunctionMode

from costlab.algebra.shape import Sizes
from costlab.algebra.traced import Call, CallForm
from costlab.algebra.work import Work
from costlab.tracing import flex_attention as _flex_attention  # noqa: F401  # registers what it does
from costlab.tracing import packed as _packed  # noqa: F401  # registers what it intercepts
from costlab.tracing.arguments import tensors_in
from costlab.tracing.backward import run_back
from costlab.tracing.call_form import CallDescriber, call_form, is_sign, kernel_of
from costlab.tracing.connections import Connections
from costlab.tracing.dispatch_mode import OURS, InsideCall, StandInDispatch
from costlab.tracing.gradients import is_further_part, is_in_gradient, tag, tagged_path
from costlab.tracing.higher_order import higher_order
from costlab.tracing.intercepted import INTERCEPTED, READ_LENGTHS, here, with_lengths
from costlab.tracing.module_tracker import ModuleTracker
from costlab.tracing.nested import nested_call
from costlab.tracing.operands import OperandReader
from costlab.tracing.operator_facts import facts_of
from costlab.tracing.rules import elements, known
from costlab.tracing.rules.activations import COMPUTED
from costlab.tracing.rules.product_operators import PRODUCT_OPERATORS
from costlab.tracing.rules.registry import (
    CALLS,
    INSTEAD,
    MODULES,
    OVERLOADS,
    Rule,
    Seen,
    Works,
    works_of,
)
from costlab.tracing.rules.twins import function_of, rule_of
from costlab.tracing.shaped import shaped
from costlab.tracing.sizes import COUNTED, SIZES, Products
from costlab.tracing.stand_in import ReadsDataError
from costlab.tracing.stand_ins import StandIns
from costlab.tracing.threads import followed_in_one_thread
from costlab.tracing.traced_operation import TracedOperation


class Trace(TorchFunctionMode):
    """Records the functions of torch that a module calls, and the operators that run below them."""

    def __init__(
        self,
        tracker: ModuleTracker,
        stand_ins: StandIns,
        samples: int,
        products: Products,
        connections: Connections | None = None,
        reader: OperandReader | None = None,
    ) -> None:
        super().__init__()
        self.tracker, self._connections, self._reader = tracker, connections, reader
        tracker.on_enter, tracker.on_leave = self._entered, self._left
        self.operations: list[TracedOperation] = []
        self.complex_products: dict[str, None] = {}  # the paths, in their order
        self._stand_ins, self._backward = stand_ins, tracker.backward
        self._described = CallDescriber(samples, self.tracker, products)
        self._dispatch = StandInDispatch(stand_ins, self.on_operator)
        self._ruled: list[nn.Module] = []
        self.in_backward = False
        self._asked: tuple[ReadsDataError, int] | None = None  # with how many operations had run

    def run(self, call: Callable[[], Any]) -> Any:
        """Run what calls the module, and then the backward pass if it is to be counted."""
        with ExitStack() as stack:
            stack.callback(self._let_go)
            stack.enter_context(self.tracker.following())
            stack.enter_context(torch.enable_grad() if self._backward else torch.no_grad())
            stack.enter_context(self._dispatch)
            with self, followed_in_one_thread(self.tracker.title):
                output = self._told(call)
            if self._asked is not None:
                del self.operations[self._asked[1] :]
                raise self._asked[0]  # which the model has caught, and went on as it does not with values
            self._note_products(output)
            if self._backward:
                self.in_backward = True
                run_back(output, self.operations, self.tracker.title)
        return output

    def apart(self, function: Callable[..., Any], *args: Any) -> tuple[Any, list[TracedOperation]]:
        """What comes out of a function, and the operations in it, which are none of the trace's."""
        first = len(self.operations)
        with self:
            output = function(*args)
        ran, self.operations[first:] = self.operations[first:], []
        return output, ran

    def _let_go(self) -> None:
        """Hold nothing in a circle, so that what the run has made is gone at once."""
        self.tracker.on_enter = self.tracker.on_leave = None
        self._dispatch.on_operator = None

    def _told(self, call: Callable[[], Any]) -> Any:
        """Call, and let an error in a script be the one that was raised there."""
        try:
            return call()
        except RuntimeError as error:
            hidden = self._dispatch.hidden
            if hidden is None or "TorchScript interpreter" not in str(error):
                raise
            raise hidden from error

    def _note_products(self, output: Any) -> None:
        """Products of sizes that calls after the last operation were given: told with it, or with a view."""
        if self._described.products.pending and not self._described.products.told_with_last(self.operations):
            view = self._described.call(Tensor.view, "method", self.tracker.module, None, (), {})
            self._record(Work("view"), output, (), "method", view)

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        try:
            return self._function(func, types, args, kwargs or {})
        except ReadsDataError as error:
            self._asked = self._asked or (error, len(self.operations))
            self.tracker.note_failure(error)
            raise

    def _function(self, func: Any, types: Any, args: Any, kwargs: Any) -> Any:
        dispatch = self._dispatch
        if dispatch.inside is not None:
            return func(*args, **kwargs)
        if self._stand_ins.deferred and func in SIZES:
            self._stand_ins.refuse_deferred(args[0])
        args, kwargs = self._described.products.plain(func, args, kwargs)
        if kwargs and "device" in kwargs:
            kwargs = {**kwargs, "device": here(kwargs["device"])}
        # Under torch.vmap a call sees one sample, with tangents the values alone, and of a tensor of parts
        # its layout; the operators below see all of it.
        mapped = torch._C._functorch.peek_interpreter_stack() is not None or forward_ad._current_level >= 0
        wrapped = mapped or not (not types or OURS.issuperset(types))
        known_as = function_of(func)
        rule = None if wrapped else CALLS.get(known_as)
        if rule is None:
            done = INTERCEPTED.get(func)
            return done(self._stand_ins, func, args, kwargs) if done else self._plain(func, args, kwargs)
        return self._ruled_function(rule, func, known_as, args, kwargs)

    def _ruled_function(self, rule: Rule, func: Any, known_as: Any, args: Any, kwargs: Any) -> Any:
        """A function that a rule counts, with all that runs inside."""
        dispatch = self._dispatch
        weighted = known_as not in COMPUTED and self._stand_ins.has_parameter(args, kwargs)
        dispatch.inside = inside = InsideCall()
        try:
            output = shaped(self._stand_ins, known_as, args, kwargs, weighted=weighted)
            if output is NotImplemented:
                if known_as in READ_LENGTHS:
                    args, kwargs = (with_lengths(self._stand_ins, each) for each in (args, kwargs))
                output = INSTEAD.get(known_as, func)(*args, **kwargs)
        finally:
            dispatch.inside = None
        if weighted and not (
            self._reader and self._reader.prepares(args, kwargs)
        ):  # small ones are data, too
            self._stand_ins.make_data(output)
        self._ruled_call(rule, func, args, kwargs, output, inside)
        if self._backward:
            tag(output, self.tracker.path)
        return output

    def _ruled_call(self, rule: Rule, func: Any, args: Any, kwargs: Any, output: Any, inside: Any) -> None:
        if self._connections is not None:
            self._connections.passed_on(None, args, kwargs, output)
        if self._ruled:
            return
        module = self.tracker.module
        form: CallForm = "operator" if is_sign(func) else call_form(module, func)
        works = works_of(rule, Seen(output, module, inside.products), args, kwargs)
        call = self._described.call(func, form, module, rule, args, kwargs)
        self._record(works, output, (args, kwargs), form, call, unknown=inside.unknown, func=func)

    def _plain(self, func: Any, args: Any, kwargs: Any) -> Any:
        """A function without a rule: the operators in it are counted one by one."""
        if func in COUNTED or getattr(func, "__name__", "") == "__get__":
            return self._described.products.read(func, args, kwargs)
        if isinstance(func, HigherOrderOperator) and (done := higher_order(func)) is not None:
            return done(self, *args, **kwargs)
        if (done := nested_call(func, args, kwargs)) is not None:
            return done(self, *args, **kwargs)
        self._dispatch.called = func, is_sign(func)
        try:
            output = func(*args, **kwargs)
        finally:
            self._dispatch.called = None
        if self._backward:
            tag(output, self.tracker.path)
        return output

    def on_operator(
        self, func: OpOverload, args: Any, kwargs: Any, output: Any, called: Any, *, unknown: bool
    ) -> None:
        """Count an operator of aten, or another, that no rule of a call explains."""
        if self._connections is not None:
            self._connections.passed_on(facts_of(func), args, kwargs, output)
        if self._ruled or (self.in_backward and is_further_part()):
            return
        deferred = self._stand_ins.deferred
        if deferred and any(id(each) in deferred for each in tensors_in(output)):
            output = None  # its sizes are not known
        name = facts_of(func).name
        ours = OVERLOADS.get(func) or OVERLOADS.get(func.overloadpacket)
        if ours is None and known.only_asks(func):
            return
        rule = ours or rule_of(func, name)
        module = self.tracker.module
        if ours is None and (func.is_view or known.moves(name)):
            read = self._stand_ins.parameters_in((args, kwargs))
            if (self.in_backward or not read) and name not in ("cat", "stack"):
                return
        function, by_sign = called or (func, False)
        form: CallForm = "operator" if by_sign else call_form(module, function)
        works: Works
        if rule is not None and not unknown:
            plain = name.rstrip("_")
            product = plain in PRODUCT_OPERATORS and not (self.in_backward or is_in_gradient())
            weights = self._stand_ins.weights(list(tensors_in(args))[-2:]) if product else 0
            works = works_of(rule, Seen(output, module, 0, plain, weights), args, kwargs)
        else:
            works = elements.element_work(Seen(output, module), name, args)
            unknown = unknown or not known.has_no_products(func)
        call = self._described.call(func, form, module, rule, args, kwargs)
        self._record(works, output, (args, kwargs), form, call, unknown=unknown, func=func)

    def _record(
        self,
        works: Works,
        output: Any,
        given: Any,
        form: CallForm,
        call: Call | None,
        *,
        unknown: bool = False,
        kernel: str = "",
        func: Any = None,
    ) -> None:
        if self._ruled:
            return  # what is inside is in the rule
        results = list(tensors_in(output))
        counts = isinstance(works, Work) and works.multiply_adds != 0  # as a dot product of integers
        if results and not results[0].dim() and not results[0].is_floating_point() and not counts:
            return  # a counter, such as that of the batches that a normalization has seen
        sizes = Sizes(*results[0].shape) if results else Sizes()
        read = self._stand_ins.parameters_in(given)
        path = self.tracker.path  # in a gradient too, where a checkpoint runs once more
        path = path or (tagged_path() if self.in_backward else "")
        own, back = form == "module", self.in_backward or is_in_gradient()
        call = self._described.recorded(call, backward=back)
        for part, work in enumerate((works,) if isinstance(works, Work) else works):
            slides = work.kind.startswith("conv") and work.kind[-1] == "d" and not back
            shown = kernel_of(given) if slides else kernel
            done = work._replace(activations=0) if back else work  # a gradient is not what a layer puts out
            if results and results[0].is_complex() and work.multiply_adds != 0:
                self.complex_products[path] = None
            numbered = call._replace(part=part, first=False, size_products=0) if part and call else call
            fields = path, done, sizes, shown, own, unknown, read, self.in_backward, numbered
            reader = self._reader
            told = None if reader is None else reader.read(work, part, given, output, path, func)
            self._note(TracedOperation(*fields, operands=told), given, output, part)
            read = ()

    def _note(self, operation: TracedOperation, given: Any, output: Any, part: int) -> None:
        """Record an operation; further parts of a call read the one before."""
        if self._connections is not None:
            number, reads = self._connections.recorded(output if part else given, output)
            operation = operation._replace(number=number, reads=reads)
        self.operations.append(operation)

    def _entered(self, module: nn.Module) -> None:
        if not self._ruled and type(module) in MODULES:
            self._ruled.append(module)

    def _left(self, module: nn.Module, args: Any, kwargs: Any, output: Any, failing: bool) -> None:
        if self._ruled and self._ruled[-1] is module:
            self._ruled.pop()
            if failing:
                return
            with torch._C.DisableTorchFunction():  # a rule is given plain sizes
                works = MODULES[type(module)](Seen(output, module), module, *args, **kwargs)
                works = (works,) if isinstance(works, Work) else tuple(works)
                sizes = next((Sizes(*each.shape) for each in tensors_in(output)), Sizes())
            path = self.tracker.path_in_reach(module)
            if self._backward:
                tag(output, path)
            read = self._stand_ins.parameters_in(module.parameters())
            for part, work in enumerate(works):
                operation = TracedOperation(path, work, sizes, own=True, read=read)
                self._note(operation, (args, kwargs), output, part)
                read = ()
