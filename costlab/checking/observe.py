"""What fvcore, PyTorch's flop counter and the tensors themselves report, by module path.

Each function takes a `Subject`, runs its model as it is (the mode is the caller's), and gives one value
per module path, ``""`` for the root. Modules that a tool does not mention are absent.
"""

import warnings
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property, partial
from inspect import unwrap
from math import prod
from types import MethodType
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn
from torch.utils.flop_counter import FlopCounterMode

from costlab.algebra.block import Node

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # fvcore uses names that torch has deprecated, here and in `quiet`
    from fvcore.nn import ActivationCountAnalysis, FlopCountAnalysis, parameter_count
    from fvcore.nn.jit_handles import generic_activation_jit

CONVOLUTIONS = (nn.Conv1d, nn.Conv2d, nn.Conv3d)
TRANSPOSED = (nn.ConvTranspose1d, nn.ConvTranspose2d, nn.ConvTranspose3d)
WEIGHTED = (nn.Linear, *CONVOLUTIONS, *TRANSPOSED)
SCALED = (nn.BatchNorm1d, nn.BatchNorm2d, nn.BatchNorm3d, nn.GroupNorm, nn.LayerNorm)


class ModuleRun(NamedTuple):
    """What went into a module, in elements, and the shape that came out, batch included."""

    read: int
    output: tuple[int, ...]


@dataclass
class Subject:
    """A model, an input for it, and the walked block that it was built from."""

    model: nn.Module
    x: Tensor
    root: Node

    @cached_property
    def modules(self) -> Mapping[str, nn.Module]:
        """Every module by its path."""
        return dict(self.model.named_modules())

    def within(self, node: Node, kinds: tuple[type[nn.Module], ...]) -> Iterator[tuple[str, Any]]:
        """The modules of these kinds that an operation is made of, by path; a join is made of none."""
        if not node.children:
            for path, module in self.modules[node.path].named_modules(prefix=node.path):
                if isinstance(module, kinds):
                    yield path, module

    @cached_property
    def runs(self) -> Mapping[str, ModuleRun]:
        """What each module did when the model ran, by path."""
        runs: dict[str, ModuleRun] = {}

        def hook(path: str) -> Any:
            def seen(module: nn.Module, args: tuple[Any, ...], y: Any) -> None:
                runs[path] = ModuleRun(args[0].numel(), tuple(getattr(y, "output", y).shape))

            return seen

        handles = [module.register_forward_hook(hook(path)) for path, module in self.modules.items()]
        try:
            with torch.no_grad():
                self.model(self.x)
        finally:
            for handle in handles:
                handle.remove()
        return runs

    @cached_property
    def fvcore_trace(self) -> "FvcoreTrace":
        """What fvcore counts: in one trace, which takes longer than to count."""
        with quiet():
            return _trace(self.model, self.x)


class FvcoreTrace(NamedTuple):
    """Fvcore's flops and activations by module path, and what was wrong where one could not be counted."""

    by_module: Mapping[str, Mapping[str, float]]
    faults: Mapping[str, Exception]

    def amounts(self, name: str) -> Mapping[str, int]:
        """The ``flops`` or the ``activations``."""
        if name in self.faults:
            raise self.faults[name]
        return {path: int(amounts[name]) for path, amounts in self.by_module.items()}


def fvcore_flops(subject: Subject) -> Mapping[str, int]:
    """Fvcore's flops, one per multiply-add; none where padding is given by name, which it has no rule for."""
    return subject.fvcore_trace.amounts("flops")


def fvcore_activations(subject: Subject) -> Mapping[str, int]:
    """Fvcore's activations, taught ``aten::_convolution_mode`` (padding="same")."""
    return subject.fvcore_trace.amounts("activations")


def _trace(model: nn.Module, x: Tensor) -> FvcoreTrace:
    """Trace once, with handles that count as those of both of fvcore's analyses do."""
    flops, activations = FlopCountAnalysis(model, x), ActivationCountAnalysis(model, x)
    activations.set_op_handle("aten::_convolution_mode", generic_activation_jit("conv"))
    handles = {"flops": dict(flops._op_handles), "activations": dict(activations._op_handles)}
    faults: dict[str, Exception] = {}

    def count(operator: str, inputs: Any, outputs: Any) -> Counter[str]:
        found = Counter[str]()
        for name, handle in handles.items():
            try:
                amount = handle[operator](inputs, outputs) if operator in handle else 0
            except Exception as error:
                faults.setdefault(name, error)
            else:
                found[name] = sum(amount.values()) if isinstance(amount, Counter) else amount
        return found

    both = {operator: partial(count, operator) for handle in handles.values() for operator in handle}
    return FvcoreTrace(_mute(flops.set_op_handle(**both)).by_module_and_operator(), faults)


def fvcore_parameters(subject: Subject) -> Mapping[str, int]:
    """Fvcore's parameter count."""
    counted = parameter_count(subject.model).items()
    return {path: size for path, size in counted if path in subject.modules}


def torch_flops(subject: Subject) -> Mapping[str, int]:
    """FLOPs by ``torch.utils.flop_counter``, two per multiply-add."""
    with FlopCounterMode(display=False) as counter, torch.no_grad():
        # torch wraps it to keep its compiler out, and loads that for it, which takes longer than all else.
        counting = unwrap(type(counter.mode).__torch_dispatch__)
        counter.mode.__torch_dispatch__ = MethodType(counting, counter.mode)
        subject.model(subject.x)
    prefix = type(subject.model).__name__
    return {
        path.removeprefix(prefix).removeprefix("."): sum(by_operator.values())
        for path, by_operator in counter.get_flop_counts().items()
        if path != "Global"
    }


def torch_parameters(subject: Subject) -> Mapping[str, int]:
    """Elements of the parameter tensors."""
    return {path: sum(p.numel() for p in m.parameters()) for path, m in subject.modules.items()}


def torch_weights(subject: Subject) -> Mapping[str, int]:
    """Elements of the weight tensors of convolutions and linear layers."""
    return subject.root.sums(lambda node: sum(m.weight.numel() for _, m in subject.within(node, WEIGHTED)))


def torch_bias_adds(subject: Subject) -> Mapping[str, int]:
    """Elements in the outputs of the convolutions and linear layers that have a bias."""
    return _put_out(subject, WEIGHTED, "bias")


def torch_scalings(subject: Subject) -> Mapping[str, int]:
    """Elements in the outputs of the normalizations that have a learned scale."""
    return _put_out(subject, SCALED, "weight")


def torch_elements_read(subject: Subject) -> Mapping[str, int]:
    """Elements of the tensors that go into operations, and into joins of branches."""

    def own(node: Node) -> int:
        if node.children:
            return sum(prod(subject.runs[child.path].output) for child in node.children)
        return subject.runs[node.path].read

    return subject.root.sums(own)


def torch_elements_written(subject: Subject) -> Mapping[str, int]:
    """Elements of the tensors that operations, and joins of branches, give."""
    return subject.root.sums(lambda node: prod(subject.runs[node.path].output))


def torch_shapes(subject: Subject) -> Mapping[str, tuple[int, ...]]:
    """The shape, batch included, of each module's output."""
    return {path: run.output for path, run in subject.runs.items()}


def _put_out(subject: Subject, kinds: tuple[type[nn.Module], ...], tensor: str) -> Mapping[str, int]:
    """Elements in the outputs of modules of these kinds that hold the tensor."""

    def own(node: Node) -> int:
        holders = (path for path, m in subject.within(node, kinds) if getattr(m, tensor) is not None)
        return sum(prod(subject.runs[path].output) for path in holders)

    return subject.root.sums(own)


def _mute(analysis: Any) -> Any:
    return analysis.unsupported_ops_warnings(False).uncalled_modules_warnings(False).tracer_warnings("none")


@contextmanager
def quiet() -> Iterator[None]:
    """Fvcore traces with torch.jit, which warns of its own deprecation."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield
