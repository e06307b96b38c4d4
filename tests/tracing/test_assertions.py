"""What only checks data, and raises if it is wrong, decides nothing; what else asks for a value is told."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from costlab import count
from costlab.errors import DependsOnDataError, TargetError
from costlab.tracing.frames import COSTLAB, TORCH
from tests.tracing import caught, checks, managed

X = torch.rand(2, 8) + 0.1
ONCE = 2 * 8 * 8
UNTYPED: Any = torch  # which leaves these without types
LAWS: Any = torch.distributions


class Asks(nn.Module):
    """A layer, after something is asked of its input."""

    def __init__(self, asks: Callable[[Tensor], Any]) -> None:
        super().__init__()
        self.layer, self.asks = nn.Linear(8, 8), asks

    def forward(self, x: Tensor) -> Any:
        self.asks(x)
        return self.layer(x)


CHECKS: dict[str, Callable[[Tensor], Any]] = {
    **checks.CHECKS,
    **caught.NOT_CAUGHT,
    **managed.NOT_CAUGHT,
    "torch._assert": lambda x: UNTYPED._assert((x > 0).all(), "not positive"),
    "torch._assert_async": lambda x: torch._assert_async((x > 0).all()),
    "torch._check_tensor_all": lambda x: UNTYPED._check_tensor_all(x > 0),
    "normal": lambda x: LAWS.Normal(x, x, validate_args=True).rsample(),
    "categorical": lambda x: LAWS.Categorical(probs=x, validate_args=True).entropy(),
    "bernoulli": lambda x: LAWS.Bernoulli(logits=x).log_prob((x > 0.5).float()),
    "beta": lambda x: LAWS.Beta(x, x).mean,
    "independent": lambda x: LAWS.Independent(LAWS.Laplace(x, x), 1).rsample(),
    "covariance": lambda x: LAWS.MultivariateNormal(x, x[:, :, None] * x[:, None] + torch.eye(8)).mean,
    "precision": lambda x: LAWS.MultivariateNormal(x, precision_matrix=torch.diag_embed(x)).entropy(),
    "triangle": lambda x: LAWS.MultivariateNormal(x, scale_tril=torch.diag_embed(x)).mean,
    "divergence": lambda x: LAWS.kl_divergence(LAWS.Normal(x, 1.0), LAWS.Normal(0.0, 1.0)),
}


@pytest.mark.parametrize("name", CHECKS)
@pytest.mark.parametrize("backward", [False, True])
def test_a_check_of_data_passes(name: str, backward: bool) -> None:
    Asks(CHECKS[name])(X)  # as it does when the model runs
    counted = count(Asks(CHECKS[name]), X, backward=backward)
    assert counted.multiply_adds == ONCE * (2 if backward else 1)


def branches(x: Tensor) -> Tensor:
    if x.sum() > 0:
        return x
    return x + 1


def raises_in_one_of_three(x: Tensor) -> Tensor:
    if x.sum() > 0:
        x = x + 1
    elif x.sum() < -1:
        raise ValueError("negative")
    return x


def catches(x: Tensor) -> Tensor:
    return x if x.any() else -x


def loops(x: Tensor) -> None:
    while x.sum() < 9:
        x = x * 2


@pytest.mark.parametrize(
    "asks",
    [
        *(branches, raises_in_one_of_three, catches, loops),
        lambda x: max(x[0, 0], x[0, 1]),
        lambda x: [each for each in x.flatten() if each > 0],
        lambda x: not x.any(),
        lambda x: [True].index(x.any()),
    ],
)
def test_a_branch_is_no_check(asks: Callable[[Tensor], Any]) -> None:
    with pytest.raises(DependsOnDataError, match=r"test_assertions.py, line \d+"):
        count(Asks(asks), X)


CAUGHT = caught.CAUGHT | managed.CAUGHT


@pytest.mark.parametrize("name", CAUGHT)
def test_a_check_that_is_caught_decides(name: str) -> None:
    with pytest.raises(DependsOnDataError, match=r"caught.py, line \d+"):
        count(Asks(CAUGHT[name]), X)


def test_a_check_of_what_is_known_is_made() -> None:
    def fails(x: Tensor) -> None:
        assert (torch.arange(x.shape[0]) > 7).all(), "too few"

    with pytest.raises(TargetError, match="Asks: AssertionError: too few"):
        count(Asks(fails), X)


CAUGHT_IN_A_FILE = """
def asks(x):
    try:
        if (x < 0).any():
            raise ValueError("negative")
    except ValueError:
        return x + 1
    return x
"""


@pytest.mark.parametrize("package", ["torchvision", "torch_geometric", "costlab_models", "torch"])
def test_whose_code_it_is_is_told_by_its_whole_folder(package: str) -> None:
    home = COSTLAB if package.startswith("costlab") else TORCH
    file = Path(home).parent / package / "models.py"
    scope: dict[str, Any] = {}
    exec(compile(CAUGHT_IN_A_FILE, str(file), "exec"), scope)
    if package == "torch":  # what is caught there is raised again
        assert count(Asks(scope["asks"]), X).multiply_adds == ONCE
        return
    with pytest.raises(DependsOnDataError, match="a value is read"):
        count(Asks(scope["asks"]), X)
