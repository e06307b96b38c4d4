"""The peak that a step is held against: by the type that a module computes in, and the name of its device."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
import torch
from torch import Tensor, nn

import costlab
from costlab.errors import DeviceError
from costlab.torch import mfu
from costlab.torch.peaks import CALLED, called, given_device
from tests.torch.test_utilization import ROWS, TEN, stack

BACKENDS: Any = torch.backends
PARTS: tuple[Any, ...] = BACKENDS.cuda.matmul, BACKENDS.cudnn.conv


@pytest.fixture
def precisions() -> Iterator[Callable[[str, str], None]]:
    """Sets how float32 may be rounded in products of matrices, and in convolutions."""
    before = [each.fp32_precision for each in PARTS]

    def put(*values: str) -> None:
        for each, value in zip(PARTS, values, strict=True):
            each.fp32_precision = value

    yield put
    put(*before)


def test_the_type_is_what_the_module_computes_in(precisions: Callable[[str, str], None]) -> None:
    x = torch.rand(ROWS, 8)

    def kind(module: nn.Module | None = None, given: Tensor = x, **options: Any) -> str:
        return mfu(module or stack(), given, 1.0, device=TEN, **options).dtype

    assert kind() == kind(dtype="float32") == kind(dtype=torch.float32) == "float32"
    assert kind(stack().to(torch.bfloat16), x.to(torch.bfloat16)) == "bfloat16"
    with torch.autocast("cpu", torch.float16):
        assert kind() == "float16"
    precisions("tf32", "ieee")
    convolves, image = nn.Conv2d(3, 4, 3), torch.rand(1, 3, 8, 8)
    assert (kind(), kind(convolves, image)) == ("tf32", "float32")
    precisions("ieee", "tf32")
    assert (kind(), kind(convolves, image)) == ("float32", "tf32")
    assert mfu(convolves, image, 1.0, device="v100").dtype == "float32"
    assert kind(convolves, image, dtype="float32") == "float32"


def test_devices_go_by_what_the_driver_calls_them() -> None:
    assert called("NVIDIA H100 80GB HBM3").name == "h100"
    assert called("Tesla V100-SXM2-16GB").name == called("NVIDIA Tesla V100-SXM2-32GB").name == "v100"
    assert called("A100-SXM4-80GB").name == "a100"
    assert given_device("NVIDIA H100 80GB HBM3") == given_device("H100") == costlab.device("h100")
    assert set(CALLED.values()) <= set(costlab.devices())
    for other in ("NVIDIA H100 NVL", "NVIDIA A100-SXM4-40GB MIG 1g.5gb", "NVIDIA GH200 480GB", ""):
        with pytest.raises(DeviceError, match="give one, as device='h100'"):
            called(other)
