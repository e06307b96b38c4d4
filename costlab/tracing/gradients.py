"""Whose gradients autograd computes: the nodes of its graph know the path of the module that made them."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch import nn
from torch.nn.modules.module import register_module_forward_hook, register_module_forward_pre_hook

from costlab.tracing.arguments import tensors_in
from costlab.tracing.module_tracker import ModuleTracker

PATH = "costlab"
"""The key in the metadata of a node of the autograd graph for the path of the module that made it."""


PART = "costlab part"
"""The key in the metadata of a node that is one more of the real parts of what is counted as one."""
CONVOLUTION = "ConvolutionBackward0"


def tag(output: Any, path: str) -> None:
    """Mark the nodes that an operation added to the autograd graph with the module's path.

    A convolution of complex numbers is made of three of real ones, of which one stands for all.
    """
    outputs = [each for each in tensors_in(output) if each.grad_fn is not None]
    pending = [each.grad_fn for each in outputs]
    in_parts = any(each.is_complex() for each in outputs)
    seen = False
    while pending:
        node: Any = pending.pop()
        if PATH in node.metadata:
            continue
        node.metadata[PATH] = path
        if in_parts and node.name() == CONVOLUTION:
            node.metadata[PART], seen = seen, True
        pending += [before for before, _ in node.next_functions if before is not None]


@contextmanager
def tagging(tracker: ModuleTracker) -> Iterator[None]:
    """Mark the nodes of every module that is called within: those of what comes in are of the one around it.

    It is entered before the tracker follows, so that the path is the caller's when a module is entered.
    """

    def enter(module: nn.Module, args: Any) -> None:
        tag(args, tracker.path)

    def leave(module: nn.Module, args: Any, output: Any) -> None:
        tag(output, tracker.path)

    hooks = register_module_forward_pre_hook(enter), register_module_forward_hook(leave)
    try:
        yield
    finally:
        for each in hooks:
            each.remove()


def is_further_part() -> bool:
    """Whether autograd computes the gradient of a part of what another part stands for."""
    node: Any = torch._C._current_autograd_node()
    return node is not None and bool(node.metadata.get(PART))


def is_in_gradient() -> bool:
    """Whether autograd runs what runs, also where a model's forward pass asks for gradients."""
    return torch._C._current_autograd_node() is not None


def tagged_path() -> str:
    """The path of the module whose gradient autograd computes now; empty where there is none."""
    node: Any = torch._C._current_autograd_node()
    return str(node.metadata.get(PATH, "")) if node is not None else ""
