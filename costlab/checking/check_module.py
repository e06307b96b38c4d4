"""The cross-check of a module that was traced: what the counters say of the module itself, as it runs."""

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import torch
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

from costlab.algebra.block import Node
from costlab.algebra.traced import ModuleCall, Traced
from costlab.checking.finding import Finding, size_text
from costlab.checking.fused import fused_attention
from costlab.checking.materialize import runnable
from costlab.checking.peers import PEERS, reports
from costlab.counting.convention import convention
from costlab.counting.count import Count
from costlab.errors import one_line
from costlab.tracing.arguments import tensors_in


def check_module(count: Count, progress: Callable[[str], None] | None = None) -> list[Finding]:
    """Run the module that was traced, on tensors with values, under the counters of torch and fvcore.

    FlopCounterMode is held against every module that has one path alone; a step of training is run there and
    back. fvcore and the parameters are held against the whole.

    Raises:
        TargetError: the module cannot be built on this machine.
    """
    tell = progress or (lambda _: None)
    tell("building the module")
    model, inputs = runnable(count)
    tell("torch FlopCounterMode")
    findings = [_flops(count, model, inputs)]
    if not count.is_step and PEERS["fvcore"].release:
        tell("fvcore FlopCountAnalysis")
        findings += _fvcore(count, model, inputs)
    held = sum(each.numel() for each in model.parameters())
    findings.append(_whole("torch tensors", "parameters", int(count.parameters), held))
    return findings


def _whole(source: str, quantity: str, ours: int, theirs: int) -> Finding:
    problem = "" if ours == theirs else f"DIFFERS: counted {size_text(ours)}, reported {size_text(theirs)}"
    return Finding(source, quantity, 1, problem)


def _fvcore(count: Count, model: nn.Module, inputs: Any) -> Iterator[Finding]:
    for _, report in reports(model, inputs, ["fvcore"]):
        source, quantity = "fvcore FlopCountAnalysis", "flops as it charges them"
        if report.number is None:  # it cannot follow every model
            yield Finding(source, quantity, 0, left_out=f"cannot follow this module: {report.problem}")
        else:
            yield _whole(source, quantity, int(count.under("fvcore").cost), report.number)


def _flops(count: Count, model: nn.Module, inputs: Any) -> Finding:
    by = convention("torch_flop_counter")

    expected = count.root.sums(lambda node: int(by.cost(_apart(node), count.batch)))
    source, quantity = "torch FlopCounterMode", "FLOPs, two per multiply-add"
    try:
        reported, ran = _run(model, inputs, step=count.is_step)
    except Exception as error:
        return Finding(source, quantity, 1, f"COULD NOT RUN: {one_line(error)}")
    comparable = {""} if count.is_step else _alone(model) & ran
    held = [path for path in expected if path in comparable]
    for path in held:
        ours, theirs = expected[path], reported.get(path, 0)
        if ours != theirs:
            where = path or "the root"
            problem = f"DIFFERS at {where}: counted {size_text(ours)}, reported {size_text(theirs)}"
            return Finding(source, quantity, len(held), problem)
    return Finding(source, quantity, len(held))


def _run(model: nn.Module, inputs: Any, *, step: bool) -> tuple[dict[str, int], frozenset[str]]:
    """What the counter says of each module, by path, and the paths of those that are called themselves."""
    ran = {""}
    handles = [
        module.register_forward_pre_hook(lambda *_, name=name: ran.add(name))
        for name, module in model.named_modules()
    ]
    apart = fused_attention(False)  # as it is counted: fused it would be 0
    try:
        with apart, torch.set_grad_enabled(step), FlopCounterMode(display=False) as counter:
            output = model(*inputs)
            if step:
                outputs = [each for each in tensors_in(output) if each.requires_grad]
                torch.autograd.backward(outputs, [torch.ones_like(each) for each in outputs])
    finally:
        for handle in handles:
            handle.remove()
    prefix = type(model).__name__
    counted = {
        path.removeprefix(prefix).removeprefix("."): sum(by_operator.values())
        for path, by_operator in counter.get_flop_counts().items()
        if path != "Global"
    }
    return counted | {"": counter.get_total_flops()}, frozenset(ran)


def _apart(node: Node) -> Node:
    """An operation as it is run here, where attention is never one operation of which nothing is seen."""
    block = node.block
    if not isinstance(block, Traced) or block.call is None or not block.call.within.is_fused:
        return node
    return node._replace(block=replace(block, call=block.call._replace(within=ModuleCall())))


def _alone(model: nn.Module) -> frozenset[str]:
    """The paths of modules that are in one place only."""
    named = list(model.named_modules(remove_duplicate=False))
    times = Counter(id(module) for _, module in named)
    return frozenset(name for name, module in named if times[id(module)] == 1)
