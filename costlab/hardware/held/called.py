"""The function of torch that is running, by the name that its kind has in a count."""

import re
import sys
from typing import Any

from torch import Tensor, nn
from torch.overrides import TorchFunctionMode

from costlab.tracing.arguments import tensors_in

KINDS = {
    "cat": "concat",
    "concatenate": "concat",
    "scaled_dot_product_attention": "attention",
    "multi_head_attention_forward": "attention",
    "CheckpointFunction": "checkpoint",
    "NoopSaveInputs": "checkpoint",
    "matmul": "matmul",
    "max_pool2d_with_indices": "max_pool2d",
}
LAYERS = {"MultiheadAttention": "attention", "PReLU": "prelu"}
"""Layers of torch whose kind is not their name in small letters."""
WORDS = re.compile(r"(?<=[a-z])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")
"""Where a word begins in the name of a class."""
BY_RANK = frozenset(["batch_norm", "instance_norm"])
"""Functions for any number of axes, which are counted by it."""
APPLIES = ("torch/autograd/function.py", "torch\\autograd\\function.py")


class Called(TorchFunctionMode):
    """The outermost function of torch that is running, as a kind of operation."""

    def __init__(self) -> None:
        super().__init__()
        self.kind = ""

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        before, self.kind = self.kind, _kind(getattr(func, "__name__", ""), args)
        try:
            return func(*args, **(kwargs or {}))
        finally:
            self.kind = before

    def kind_of(self, operator: str) -> str:
        """The kind of what runs; by the name of the operator where no function of torch was called."""
        return self.kind or _kind(operator, ())

    def kind_of_saver(self) -> str:
        """The kind of what saves a tensor; by its class where that is a function of autograd's in Python."""
        if self.kind:
            return self.kind
        frame = sys._getframe(1)
        while frame.f_back is not None and not frame.f_code.co_filename.endswith(APPLIES):
            frame = frame.f_back
        return _kind(getattr(frame.f_locals.get("cls"), "__name__", "function"), ())


def kind_of_layer(module: nn.Module) -> str:
    """The kind of the operation that a layer of torch runs; of other modules the name of their class."""
    for each in type(module).__mro__:
        if each.__module__.startswith("torch.nn.modules.") and each is not nn.Module:
            layer = each.__name__
            return LAYERS.get(layer, WORDS.sub("_", layer.removeprefix("NonDynamicallyQuantizable")).lower())
    return type(module).__name__


def _kind(name: str, args: Any) -> str:
    plain = name.strip("_")
    if name.startswith("__") and plain[:1] in "ir" and plain[1:] in {"add", "sub", "mul", "truediv", "pow"}:
        plain = plain[1:]
    if plain in BY_RANK:
        first: Tensor | None = next(tensors_in(args), None)
        return f"{plain}{max(1, first.dim() - 2)}d" if first is not None else plain
    return KINDS.get(plain, plain.replace("truediv", "div"))
