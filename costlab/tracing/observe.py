"""What fvcore, PyTorch's flop counter and the tensors themselves report, by module path.

Each function runs ``model`` as it is (the mode is the caller's) on ``x`` and gives one value per
module path, ``""`` for the root. Modules that a tool does not mention are absent.
"""

import warnings
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor, nn
from torch.utils.flop_counter import FlopCounterMode

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # fvcore uses names that torch has deprecated, here and in `quiet`
    from fvcore.nn import ActivationCountAnalysis, FlopCountAnalysis, parameter_count
    from fvcore.nn.jit_handles import conv_flop_count, generic_activation_jit, get_shape


def fvcore_flops(model: nn.Module, x: Tensor) -> Mapping[str, int]:
    """Fvcore's flops, one per multiply-add, taught ``aten::_convolution_mode`` (padding="same")."""
    with quiet():
        analysis = _mute(FlopCountAnalysis(model, x))
        analysis.set_op_handle("aten::_convolution_mode", _same_convolution)
        return _whole(analysis.by_module())


def fvcore_activations(model: nn.Module, x: Tensor) -> Mapping[str, int]:
    """Fvcore's activations, taught ``aten::_convolution_mode`` (padding="same")."""
    with quiet():
        analysis = _mute(ActivationCountAnalysis(model, x))
        analysis.set_op_handle("aten::_convolution_mode", generic_activation_jit("conv"))
        return _whole(analysis.by_module())


def fvcore_parameters(model: nn.Module, x: Tensor) -> Mapping[str, int]:
    """Fvcore's parameter count."""
    modules = dict(model.named_modules())
    return {path: size for path, size in parameter_count(model).items() if path in modules}


def torch_flops(model: nn.Module, x: Tensor) -> Mapping[str, int]:
    """FLOPs by ``torch.utils.flop_counter``, two per multiply-add."""
    with FlopCounterMode(display=False) as counter, torch.no_grad():
        model(x)
    prefix = type(model).__name__
    return {
        path.removeprefix(prefix).removeprefix("."): sum(by_operator.values())
        for path, by_operator in counter.get_flop_counts().items()
        if path != "Global"
    }


def torch_parameters(model: nn.Module, x: Tensor) -> Mapping[str, int]:
    """Elements of the parameter tensors."""
    return {path: sum(p.numel() for p in module.parameters()) for path, module in model.named_modules()}


def torch_shapes(model: nn.Module, x: Tensor) -> Mapping[str, tuple[int, ...]]:
    """The shape, batch included, that each module put out."""
    shapes: dict[str, tuple[int, ...]] = {}

    def hook(path: str) -> Any:
        def seen(module: nn.Module, args: object, y: Any) -> None:
            shapes[path] = tuple(getattr(y, "output", y).shape)

        return seen

    handles = [module.register_forward_hook(hook(path)) for path, module in model.named_modules()]
    try:
        with torch.no_grad():
            model(x)
    finally:
        for handle in handles:
            handle.remove()
    return shapes


def _same_convolution(inputs: list[Any], outputs: list[Any]) -> Counter[str]:
    weight, output = get_shape(inputs[1]), get_shape(outputs[0])
    return Counter({"conv": conv_flop_count(get_shape(inputs[0]), weight, output)})


def _whole(by_module: Mapping[str, float]) -> Mapping[str, int]:
    return {path: int(amount) for path, amount in by_module.items()}


def _mute(analysis: Any) -> Any:
    return analysis.unsupported_ops_warnings(False).uncalled_modules_warnings(False).tracer_warnings("none")


@contextmanager
def quiet() -> Iterator[None]:
    """Fvcore traces with torch.jit, which warns of its own deprecation."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield
