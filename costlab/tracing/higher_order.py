"""Operators over functions of torch, such as `torch.cond` and `scan`: what their functions do is counted."""

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor
from torch._ops import HigherOrderOperator
from torch.utils import _pytree as pytree

from costlab.algebra.shape import Sizes
from costlab.algebra.traced import COND_ON_DATA
from costlab.algebra.work import Work
from costlab.tracing.arguments import tensors_in
from costlab.tracing.connections import sources
from costlab.tracing.entries import entered
from costlab.tracing.stand_in import ReadsDataError, StandIn, stand_in
from costlab.tracing.traced_operation import TracedOperation

if TYPE_CHECKING:
    from costlab.tracing.trace import Trace

HigherOrder = Callable[..., Any]
HIGHER_ORDER: dict[str, HigherOrder] = {}
"""By the name of a higher-order operator: what is done in its place, ``done(trace, *args, **kwargs)``."""
OTHER = "other_branch"
"""The kind of the rows of parameters that the branch reads which is not counted."""


def in_place_of(*names: str) -> Callable[[HigherOrder], HigherOrder]:
    """Let something be done in place of higher-order operators."""
    return entered(HIGHER_ORDER, names)


def higher_order(func: HigherOrderOperator) -> HigherOrder | None:
    """What is done in place of a higher-order operator; None where torch can do it by itself."""
    done = HIGHER_ORDER.get(func._name)
    if done is not None:
        return done
    dense: Any = func.py_kernels.get(torch._C.DispatchKey.CompositeExplicitAutograd)
    if dense is None:  # what torch.func differentiates or maps
        return None

    def run(trace: "Trace", *args: Any, **kwargs: Any) -> Any:
        with trace:
            return dense(*args, **kwargs)

    return run


@in_place_of("cond")
def cond(trace: "Trace", pred: Any, true_fn: Any, false_fn: Any, operands: Any) -> Any:
    """One of two functions; where data decides which, one if they cost the same, else both."""
    with trace:
        if not isinstance(pred, StandIn):
            return (true_fn if pred else false_fn)(*operands)
        if pred.known:
            return (true_fn if bool(pred) else false_fn)(*operands)
    kept = _Kept(trace, operands)
    ran: list[list[TracedOperation]] = []
    outputs: list[Any] = []
    for branch in (true_fn, false_fn):
        output, operations = trace.apart(branch, *operands)
        outputs.append(output)
        ran.append(operations)
        kept.put_back()
    kept.forget_what_was_written()
    path = trace.tracker.path
    if _cost(ran[0]) == _cost(ran[1]):
        more = max((0, 1), key=lambda place: (len(ran[place]), -place))
        trace.operations += ran[more]
        trace.operations += [
            TracedOperation(each.path, Work(OTHER), Sizes(), read=each.read)
            for each in ran[1 - more]
            if each.read
        ]
        return pytree.tree_map(partial(_chosen, pred), outputs[more])
    for name, operations in zip(("true_branch", "false_branch"), ran, strict=True):
        trace.operations += [each._replace(path=_within(path, name, each.path)) for each in operations]
    trace.operations.append(TracedOperation(path, Work(COND_ON_DATA), Sizes(), unknown=True))
    return pytree.tree_map(partial(_joined, pred), *outputs)


class _Kept:
    """The known values that two branches are given, either of which may write into them."""

    def __init__(self, trace: "Trace", operands: Any) -> None:
        self._stand_ins = trace._stand_ins
        with torch._C._DisableTorchDispatch():
            self._known = [
                (each, self._stand_ins.value(each).clone())
                for each in tensors_in(operands)
                if isinstance(each, StandIn) and each.known
            ]
        self._written: set[int] = set()

    def put_back(self) -> None:
        """The values as they were before a branch."""
        with torch._C._DisableTorchDispatch():
            for each, before in self._known:
                if each.held is None:
                    self._stand_ins.know(each, before.clone())
                elif torch.equal(each.held, before):
                    continue
                else:
                    each.held.copy_(before)
                self._written.add(id(each))

    def forget_what_was_written(self) -> None:
        """What one of them wrote into has values that data decides."""
        for each, _ in self._known:
            if id(each) in self._written:
                self._stand_ins.forget(each)


def _within(here: str, branch: str, path: str) -> str:
    """A path from here on, by way of a branch."""
    below = path.removeprefix(here).lstrip(".") if path == here or path.startswith(f"{here}.") else path
    if not here:
        below = path
    return ".".join(each for each in (here, branch, below) if each)


def _cost(operations: list[TracedOperation]) -> list[tuple[Any, ...]]:
    """What has to be the same for a branch to cost what another does, on the way back too."""
    return sorted(
        (each.work.multiply_adds, each.work.activations, any(one.requires_grad for one in each.read))
        for each in operations
        if each.work.multiply_adds != 0 or each.unknown
    )


def _chosen(pred: StandIn, value: Any) -> Any:
    """What comes out of a branch that data decides on: it has no values, and comes from what decides, too."""
    if not isinstance(value, StandIn):
        return value
    made = value
    if value.known:
        made = stand_in(value.size(), value.dtype, value.device, value.stride(), value.requires_grad)
    made.made_by = sources((value, pred))
    return made


def _joined(pred: StandIn, one: Any, other: Any) -> Any:
    """What comes out of one of two branches: both of them have gradients."""
    if not isinstance(one, Tensor):
        return one
    joined = torch.where(stand_in((), torch.bool, one.device), one, other)
    return _chosen(pred, joined)


@in_place_of("while_loop", "while_loop_stack_output")
def while_loop(trace: "Trace", cond_fn: Any, body_fn: Any, carried: Any, additional: Any) -> Any:
    """A loop whose condition does not come from data."""
    output = carried = tuple(carried)
    with trace:
        while True:
            condition = cond_fn(*carried, *additional)
            if isinstance(condition, StandIn) and not condition.known:
                raise ReadsDataError("torch.while_loop, how often it runs")
            if not bool(condition):
                return output
            output = body_fn(*carried, *additional)
            carried = tuple(pytree.tree_leaves(output))


@in_place_of("scan")
def scan(trace: "Trace", combine_fn: Any, init: Any, xs: Any, additional_inputs: Any = ()) -> Any:
    """A function for each element of the first axis, which hands something over to the next."""
    init, xs = list(init), list(xs)
    # What `scan` calls gives a pair, what torch.export makes of it all of the results.
    paired = isinstance(combine_fn, partial)
    carry: Any = init
    outputs: list[Any] = []
    with trace:
        for step in range(xs[0].shape[0] if xs else 0):
            given = [each.select(0, step) for each in xs]
            results = combine_fn(*pytree.tree_leaves(carry), *given, *additional_inputs)
            carry, output = results if paired else (results[: len(init)], results[len(init) :])
            outputs.append(output)
        stacked = _stacked(outputs)
    return (carry, stacked) if paired else (*carry, *(stacked or ()))


@in_place_of("map_impl", "map")
def mapped(trace: "Trace", function: Any, xs: Any, pos_args: Any = ()) -> Any:
    """A function of each element of the first axis."""
    with trace:
        each_of = zip(*(each.unbind(0) for each in xs), strict=True)
        return _stacked([function(*elements, *pos_args) for elements in each_of])


def _stacked(outputs: list[Any]) -> Any:
    """Results of one structure, stacked."""
    if not outputs:
        return None
    leaves, structures = zip(*map(pytree.tree_flatten, outputs), strict=True)
    together = [torch.stack(each) if each[0] is not None else None for each in zip(*leaves, strict=True)]
    return pytree.tree_unflatten(together, structures[0])


@in_place_of("associative_scan")
def associative_scan(trace: "Trace", combine_fn: Any, xs: Any, additional_inputs: Any = ()) -> Any:
    """A scan of an associative function, as torch runs it: of pairs at once, by halves."""
    from torch._higher_order_ops.associative_scan import generic_associative_scan

    scanned: Any = generic_associative_scan
    with trace:
        return scanned(combine_fn, list(xs), additional_inputs=additional_inputs)


@in_place_of("strict_mode", "invoke_subgraph")
def called(trace: "Trace", function: Any, *args: Any, **kwargs: Any) -> Any:
    """A function that is called as it is."""
    operands = args[0] if len(args) == 1 and isinstance(args[0], tuple | list) else args
    operands = operands[1:] if operands and isinstance(operands[0], str) else operands
    with trace:
        return function(*operands, **kwargs)
