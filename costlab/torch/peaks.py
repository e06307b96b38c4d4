"""The peak that a step is held against: of the device of a module, at the type that it computes in."""

from collections.abc import Mapping
from typing import Any

import torch
from torch import nn
from torch.nn.parameter import is_lazy

from costlab.errors import DeviceError
from costlab.hardware.device import TYPES, Device, device, plain
from costlab.messages import named
from costlab.torch.step_cost import StepCost

AUTO = "auto"
CALLED: Mapping[str, str] = {
    plain(name): ours
    for ours, names in {
        "k20x": ["Tesla K20Xm"],
        "k40": ["Tesla K40m", "Tesla K40c"],
        "k80-half": ["Tesla K80"],
        "p100-pcie": ["Tesla P100-PCIE-16GB"],
        "p100": ["Tesla P100-SXM2-16GB"],
        "v100-pcie": ["Tesla V100-PCIE-16GB", "Tesla V100-PCIE-32GB"],
        "v100": ["Tesla V100-SXM2-16GB", "Tesla V100-SXM2-32GB"],
        "t4": ["Tesla T4", "NVIDIA T4"],
        "a100-pcie-40gb": ["NVIDIA A100-PCIE-40GB"],
        "a100-40gb": ["NVIDIA A100-SXM4-40GB"],
        "a100": ["NVIDIA A100-SXM4-80GB"],
        "l4": ["NVIDIA L4"],
        "rtx4090": ["NVIDIA GeForce RTX 4090"],
        "h100-pcie": ["NVIDIA H100 PCIe"],
        "h100": ["NVIDIA H100 80GB HBM3"],
        "h200": ["NVIDIA H200"],
        "b200": ["NVIDIA B200"],
        "mi300x": ["AMD Instinct MI300X"],
    }.items()
    for name in names
}
"""The devices of the table by what torch.cuda.get_device_name says: boards that differ, as an H100 NVL or a
part of a board, are none of them. Older drivers leave the vendor's name out of some."""
TORCHS: Mapping[torch.dtype, str] = {
    torch.float64: "float64",
    torch.float32: "float32",
    torch.bfloat16: "bfloat16",
    torch.float16: "float16",
    torch.float8_e4m3fn: "float8",
    torch.float8_e5m2: "float8",
    torch.int8: "int8",
}
PLACES = frozenset(["cuda", "cpu", "gpu", "mps", "xpu"])
"""Where torch says that tensors are, which is no device of the table."""
HINT = "; give one, as device='h100' or a costlab.Device: costlab list --devices shows what there is"


def device_for(given: str | Device, module: nn.Module) -> Device:
    """The device of that name; with ``auto`` the CUDA device that the module's parameters are on.

    Raises:
        DeviceError: there is none, or the module is on one that the table does not have.
    """
    if given != AUTO:
        return given_device(given)
    where = next((each.device for each in module.parameters()), None)
    if where is None or where.type != "cuda":
        place = f"on {where.type}" if where is not None else "without parameters"
        raise DeviceError(f"device='auto' is for a module on a CUDA device, and this one is {place}{HINT}")
    return called(torch.cuda.get_device_name(where))


def given_device(given: str | Device) -> Device:
    """The device of that name, by the table or by the driver.

    Raises:
        DeviceError: there is none.
    """
    if isinstance(given, str | torch.device) and str(given).partition(":")[0] in PLACES:
        place = named(str(given))
        raise DeviceError(
            f"device={place} says where tensors are; 'auto' is the CUDA device of the module{HINT}"
        )
    return called(given) if isinstance(given, str) and plain(given) in CALLED else device(given)


def called(name: str) -> Device:
    """The device that a driver calls so.

    Raises:
        DeviceError: the table does not have it.
    """
    known = plain(name)
    ours = CALLED.get(known) or CALLED.get(f"nvidia{known}") or CALLED.get(known.removeprefix("nvidia"))
    if ours is None:
        raise DeviceError(f"the table of devices has no {named(name)}{HINT}")
    return device(ours)


def type_for(given: "str | torch.dtype | None", module: nn.Module, cost: StepCost, on: Device) -> str:
    """The type whose peak a step is held against, of `costlab.hardware.device.TYPES`.

    Without one given it is that of autocast where it is on for the module's device, else that of most of the
    parameters; float32 becomes tf32 where torch is let use it for most of the multiply-adds, and the device
    has it.

    Raises:
        DeviceError: there is no such type, or no peaks are known for it.
    """
    if isinstance(given, str):
        if given not in TYPES:
            raise DeviceError(f"{named(given)} is no type: give one of {', '.join(TYPES)}")
        return given
    kind = _type_of(module) if given is None else given
    if kind not in TORCHS:
        raise DeviceError(f"there is no peak for {kind}: give dtype, one of {', '.join(TYPES)}")
    found = TORCHS[kind]
    return "tf32" if found == "float32" and "tf32" in on.peaks and _uses_tf32(cost) else found


def _type_of(module: nn.Module) -> torch.dtype:
    floats = [each for each in module.parameters() if each.is_floating_point()]
    where = floats[0].device.type if floats else "cpu"
    if torch.amp.is_autocast_available(where) and torch.is_autocast_enabled(where):
        return torch.get_autocast_dtype(where)
    elements: dict[torch.dtype, int] = {}
    for each in floats:
        if is_lazy(each):
            continue
        elements[each.dtype] = elements.get(each.dtype, 0) + each.numel()
    return max(elements, key=lambda kind: elements[kind], default=torch.float32)


def _uses_tf32(cost: StepCost) -> bool:
    """Whether torch may round most of the products of float32 to tf32."""
    backends: Any = torch.backends
    convolves = 2 * cost.of_convolutions > cost.multiply_adds
    where = backends.cudnn.conv if convolves else backends.cuda.matmul
    return bool(where.fp32_precision == "tf32")
