"""Distributions of data: drawing from them, and what their densities cost, is counted as they run."""

from collections.abc import Callable
from typing import Any

import pytest
import torch
import torch.nn.functional as F  # noqa: N812  # as everybody calls it
from torch import Tensor, nn
from torch.utils.flop_counter import FlopCounterMode

from costlab import count
from tests.sampling import one_in

Laws = Callable[[Tensor, Tensor], Any]
D: Any = torch.distributions  # which torch leaves without types


def square(y: Tensor) -> Tensor:
    """Positive definite matrices."""
    return y[:, :, None] * y[:, None] + 9 * torch.eye(5)


LAWS: dict[str, Laws] = {
    "Bernoulli": lambda y, p: D.Bernoulli(logits=y),
    "Beta": lambda y, p: D.Beta(p, p),
    "Binomial": lambda y, p: D.Binomial(torch.tensor([1, 2, 3, 4, 5]), logits=y),
    "Categorical": lambda y, p: D.Categorical(logits=y),
    "Cauchy": D.Cauchy,
    "Chi2": lambda y, p: D.Chi2(p),
    "ContinuousBernoulli": lambda y, p: D.ContinuousBernoulli(logits=y),
    "Dirichlet": lambda y, p: D.Dirichlet(p),
    "Exponential": lambda y, p: D.Exponential(p),
    "FisherSnedecor": lambda y, p: D.FisherSnedecor(p, p),
    "Gamma": lambda y, p: D.Gamma(p, p),
    "Geometric": lambda y, p: D.Geometric(logits=y),
    "Gumbel": D.Gumbel,
    "Independent": lambda y, p: D.Independent(D.Laplace(y, p), 1),
    "LKJCholesky": lambda y, p: D.LKJCholesky(3, p[:, 0]),
    "LogisticNormal": D.LogisticNormal,
    "MixtureSameFamily": lambda y, p: D.MixtureSameFamily(D.Categorical(logits=y), D.Normal(y, p)),
    "Multinomial": lambda y, p: D.Multinomial(4, logits=y),
    "covariance": lambda y, p: D.MultivariateNormal(y, square(y)),
    "precision": lambda y, p: D.MultivariateNormal(y, precision_matrix=square(y)),
    "triangle": lambda y, p: D.MultivariateNormal(y, scale_tril=torch.linalg.cholesky(square(y))),
    "low rank": lambda y, p: D.LowRankMultivariateNormal(y, y[:, :, None], p),
    "NegativeBinomial": lambda y, p: D.NegativeBinomial(p, logits=y),
    "OneHotCategorical": lambda y, p: D.OneHotCategorical(probs=p / p.sum(-1, keepdim=True)),
    "OneHotCategoricalStraightThrough": lambda y, p: D.OneHotCategoricalStraightThrough(logits=y),
    "Poisson": lambda y, p: D.Poisson(p),
    "RelaxedOneHotCategorical": lambda y, p: D.RelaxedOneHotCategorical(torch.tensor(0.5), logits=y),
    "StudentT": lambda y, p: D.StudentT(p, y, p),
    "TransformedDistribution": lambda y, p: D.TransformedDistribution(
        D.Normal(y, p), [D.transforms.TanhTransform(cache_size=1)]
    ),
    "Uniform": lambda y, p: D.Uniform(y, y + p),
    "Weibull": lambda y, p: D.Weibull(p, p),
}


class Draws(nn.Module):
    """A layer, a distribution of what comes out, and a draw from it."""

    def __init__(self, law: Laws) -> None:
        super().__init__()
        self.layer, self.law = nn.Linear(6, 5), law

    def forward(self, x: Tensor) -> Any:
        y = self.layer(x)
        law = self.law(y, F.softplus(y) + 0.1)
        drawn = law.rsample() if law.has_rsample else law.sample()
        return drawn, law.log_prob(drawn)


@pytest.mark.parametrize("backward", [False, True])
@pytest.mark.parametrize("name", one_in(3, LAWS))
def test_a_draw_costs_what_it_does_when_it_runs(name: str, backward: bool) -> None:
    torch.manual_seed(0)
    model, x = Draws(LAWS[name]), torch.rand(4, 6)
    state = torch.get_rng_state()
    counted = count(model, x, backward=backward)
    assert torch.equal(torch.get_rng_state(), state)
    with FlopCounterMode(display=False) as counter, torch.set_grad_enabled(backward):
        outputs = [each for each in model(x) if each.requires_grad]
        if backward:
            torch.autograd.backward(outputs, [torch.ones_like(each) for each in outputs])
    assert 2 * counted.multiply_adds == counter.get_total_flops()
    assert not any("dirichlet" in kind or "gamma" in kind for kind in counted.unsupported)
