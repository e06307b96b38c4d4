"""Names of torchvision's networks that are typed as if they were in the catalog."""

import pytest

from costlab.errors import TargetError
from costlab.targets.resolve import resolve


@pytest.mark.parametrize(
    ("target", "tail"),
    [
        (
            "resnet18",
            "resnet101 or resnet50?; torchvision's is torchvision.models:resnet18 (see costlab list)",
        ),
        (
            "vit_b_16:num_classes=9",
            "'vit_b_16'; torchvision's is torchvision.models:vit_b_16 (see costlab list)",
        ),
        ("resnet19", "'resnet19'; did you mean resnet152 or resnet101 or resnet50? (see costlab list)"),
    ],
)
def test_a_network_of_torchvision_is_hinted_at(target: str, tail: str) -> None:
    with pytest.raises(TargetError) as refusal:
        resolve(target)
    assert str(refusal.value).startswith("there is no definition")
    assert str(refusal.value).endswith(tail)
