"""What cannot be traced on fake tensors, in one line."""

import re
from typing import Any

import torch
from torch import Tensor
from torch._subclasses import fake_tensor

from costlab.algebra.inputs import Inputs
from costlab.errors import CostlabError, DependsOnDataError, TargetError, first_line
from costlab.messages import a, first_sentence, message_of
from costlab.tracing.module import hint_at_batch, line_of
from costlab.tracing.module_tracker import ModuleTracker, Named
from costlab.tracing.quantized import IS_QUANTIZED
from costlab.tracing.remedy import too_few_values
from costlab.tracing.stand_in import StandIn

FROM_FLOATS = "memory is traced in the module that it was made from"
DATA = (fake_tensor.DataDependentOutputException, fake_tensor.DynamicOutputShapeException)
UNSUPPORTED = (fake_tensor.UnsupportedOperatorException, fake_tensor.UnsupportedFakeTensorException)
VALUES = re.compile(
    r"data-(in)?dependent|unallocated storage|data pointer|\.numpy\(\) is not supported for tensor subclasses"
)
"""What torch says where values are read that a fake tensor does not have."""
MISSING = re.compile(
    r"no fake impl registered for <CustomOpDef\((\S+?)\)>|fake impl for this operator|'Meta' backend"
)
"""What torch says where an operator cannot run without values, with its name where it has one."""


def refuse_opaque(named: Named) -> None:
    """Refuse modules whose operators run out of sight.

    Raises:
        TargetError: there is one among the modules: scripted, or quantized.
    """
    for path, module in named:
        home = type(module).__module__
        kind = "scripted" if isinstance(module, torch.jit.ScriptModule) else ""
        if ".quantized" in home and home.startswith("torch.") and ".qat" not in home:
            kind = "quantized"
        if kind:
            raise TargetError(f"{path or type(module).__name__}: it is {kind}: {FROM_FLOATS}")
        for name, parameter in (*module._parameters.items(), *module._buffers.items()):
            place = ".".join(filter(None, (path, name)))
            if parameter is not None and not isinstance(parameter, Tensor):
                raise TargetError(f"{place}: it is {a(type(parameter).__name__)}, no tensor")
            if parameter is not None:
                refuse_tensor(parameter, place)


def refuse_tensor(tensor: Tensor, place: str = "") -> None:
    """Refuse a tensor that is more than one piece of memory.

    Raises:
        TargetError: it is quantized, nested, sparse, or of a class that runs operators itself.
    """
    what = ""
    kind: Any = type(tensor)
    if tensor.is_nested:
        what = "it is nested"
    elif tensor.is_quantized:
        what = "it is quantized"
    elif tensor.layout is not torch.strided:
        what = f"its layout is {str(tensor.layout).removeprefix('torch.')}"
    elif kind is not StandIn and kind.__torch_dispatch__ is not Tensor.__torch_dispatch__:
        what = f"it is {a(kind.__name__)}, which runs operators itself"
    if what:
        where = place or f"a tensor of {tuple(tensor.shape)}"
        raise TargetError(f"{where}: {what}, and memory is not traced in such tensors")


def refused(error: Exception, tracker: ModuleTracker, given: Inputs) -> CostlabError:
    """What a module did not run for, with the path of the one that failed."""
    place = tracker.path_of(error) or tracker.title
    text = message_of(error)
    if isinstance(error, DATA) or (isinstance(error, RuntimeError) and VALUES.search(text)):
        cause = f"{_operator(error) or first_sentence(text, 80)}{line_of(error)}"
        return DependsOnDataError(
            f"{place}: what it does depends on the values of its data, which a trace of memory does not have "
            f"({cause})"
        )
    if found := IS_QUANTIZED.search(text.partition("\n")[0]):
        return TargetError(f"{place}: it is quantized ({found[0]}): {FROM_FLOATS}")
    missing = MISSING.search(text) if isinstance(error, RuntimeError) else None
    if missing or isinstance(error, UNSUPPORTED):
        what = _operator(error) or (missing and missing[1]) or first_sentence(text, 80)
        return TargetError(
            f"{place}: {what} has no implementation for tensors without values, on which memory is traced "
            "(torch.library.register_fake)"
        )
    return TargetError(
        f"{place}: {too_few_values(error, given) or f'{first_line(error)}{hint_at_batch(given)}'}"
    )


def _operator(error: Exception) -> str:
    """The name of the operator that an error of fake tensors is about; empty where it has none."""
    func: Any = getattr(error, "func", None) or (error.args[0] if error.args else None)
    name: Any = getattr(func, "_schema", None)
    return str(name.name) if name is not None else ""


def parameters_needed(title: str) -> CostlabError:
    """Of a module that an optimizer has nothing to do for."""
    return TargetError(f"{title}: it has no parameters: there is nothing to train")


def gradients_needed(title: str) -> CostlabError:
    """Of a module whose outputs have no gradient."""
    return TargetError(
        f"{title}: a step of training goes back from what forward returns, and nothing in it has a gradient"
    )
