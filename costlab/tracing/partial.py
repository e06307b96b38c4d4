"""Runs that stop because of their data: what is told of them, and what is counted of them on request."""

from traceback import walk_tb

from torch import nn

from costlab.algebra.traced import Stop
from costlab.tracing.frames import is_the_models
from costlab.tracing.lazy import has_lazy
from costlab.tracing.rules.registry import MODULES

PART = "; costlab count --partial, partial=True in Python, counts what runs up to there"
PART_OF_FORWARD = f"; a step of training is not counted in part: without backward{PART.replace(';', ',')}"


def raised_by_torch(error: BaseException) -> bool:
    """Whether an error comes from torch, and is none that a model raises itself."""
    *_, (frame, _) = walk_tb(error.__traceback__)
    return not is_the_models(frame.f_code.co_filename)


def stop_at(model: nn.Module, path: str, reason: str) -> Stop:
    """Where a run stopped, and what is left out besides: what ran in a module with a rule, lazy modules."""
    modules = dict(model.named_modules(remove_duplicate=False))
    parts = path.split(".") if path else []
    for around in (".".join(parts[:end]) for end in range(len(parts) + 1)):
        if type(modules.get(around)) in MODULES:
            where = around or type(model).__name__
            reason += f"; the rule of {where} is for all of it, so that nothing in it is counted"
            break
    unsized = [name for name, module in modules.items() if has_lazy([module])]
    if unsized:
        reason += (
            f"; {unsized[0] or type(model).__name__} has no sizes yet, so that its parameters are not counted"
        )
    return Stop(path, reason, bool(unsized))
