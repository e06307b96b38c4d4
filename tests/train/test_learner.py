"""The learner against a loop that is written out: schedule, losses, clipping, optimizers, average."""

import math
from typing import Any

import pytest
import torch
from torch import nn

from costlab.targets.build import build
from costlab.train.batches import Batch
from costlab.train.learner import Learner
from costlab.train.recipe import Recipe

CPU = torch.device("cpu")
STEPS = 10


def network(aux: str = "none") -> nn.Module:
    torch.manual_seed(5)
    return build("mini", (3, 16, 16), width=0.125, num_classes=4, dropout=0.0, aux=aux, modules_6=0)


def batch() -> Batch:
    random = torch.Generator().manual_seed(8)
    return Batch(torch.randn(6, 3, 16, 16, generator=random), torch.tensor([0, 1, 2, 3, 0, 1]))


def rate(recipe: Recipe, step: int, steps: int) -> float:
    """The learning rate of a step, by the recipe's words."""
    warm = round(recipe.warm_up * steps)
    rising = min(1.0, (step + 1) / (warm + 1)) if warm else 1.0
    return recipe.learning_rate * rising * recipe.lr_decay ** (step // round(recipe.lr_decay_every * steps))


def test_the_learning_rate_rises_in_a_line_and_decays_fifty_times() -> None:
    recipe = Recipe(epochs=10)
    learner = Learner(nn.Linear(2, 2), recipe, STEPS, CPU)
    seen = []
    for _ in range(recipe.epochs * STEPS):
        seen.append(learner.learning_rate)
        learner.optimizer.step()
        learner.scheduler.step()
    assert seen == pytest.approx([rate(recipe, step, 100) for step in range(100)])
    assert seen[-1] == pytest.approx(0.09 * 0.94**49)


def test_without_warm_up_the_first_rate_is_the_highest() -> None:
    learner = Learner(nn.Linear(2, 2), Recipe(warm_up=0.0), STEPS, CPU)
    assert learner.learning_rate == 0.09


@pytest.mark.parametrize("aux", ["none", "plain"])
@pytest.mark.parametrize("optimizer", ["rmsprop", "sgd"])
@pytest.mark.parametrize("clip", [0.0, 0.01])
def test_a_step_is_what_the_formulas_say(aux: str, optimizer: str, clip: float) -> None:
    recipe = Recipe(optimizer=optimizer, warm_up=0.0, epochs=4, clip=clip, average=0.5)  # type: ignore[arg-type]  # of the test
    learner, plain = Learner(network(aux), recipe, STEPS, CPU), network(aux)
    squares = [torch.zeros_like(p) for p in plain.parameters()]
    speeds = [torch.zeros_like(p) for p in plain.parameters()]
    averages = [p.detach().clone() for p in plain.parameters()]
    images, labels = batch()
    for step in range(3):
        sums = learner.step(Batch(images, labels))
        plain.train()
        out = plain(images)
        output, heads = (out.output, list(out.auxiliary.values())) if aux == "plain" else (out, [])
        own = smoothed(output, labels, 0.1)
        gradients = torch.autograd.grad(
            own + 0.4 * sum(smoothed(h, labels, 0.1) for h in heads), list(plain.parameters())
        )
        norm = math.sqrt(sum(float(g.square().sum()) for g in gradients))
        factor = min(1.0, clip / (norm + 1e-6)) if clip else 1.0
        with torch.no_grad():
            for i, (p, g) in enumerate(zip(plain.parameters(), gradients, strict=True)):
                slope = factor * g + 4e-5 * p
                lr = rate(recipe, step, 40)
                if optimizer == "rmsprop":
                    squares[i] = 0.9 * squares[i] + 0.1 * slope**2
                    speeds[i] = 0.9 * speeds[i] + slope / (squares[i].sqrt() + 1.0)
                    p.sub_(lr * speeds[i])
                else:
                    speeds[i] = slope if step == 0 else 0.9 * speeds[i] + slope
                    p.sub_(lr * speeds[i])
                kept = 0.5 ** (1 / (0.5 * STEPS))
                averages[i] = p.clone() if step == 0 else kept * averages[i] + (1 - kept) * p
        assert float(sums.loss) == pytest.approx(6 * own.item(), rel=1e-4)
        assert float(sums.correct) == float((output.argmax(1) == labels).sum())
    assert learner.averaged is not None
    for mine, theirs in zip(learner.network.parameters(), plain.parameters(), strict=True):
        assert torch.allclose(mine, theirs, rtol=1e-3, atol=1e-5)
    for mine, average in zip(learner.averaged.parameters(), averages, strict=True):
        assert torch.allclose(mine, average, rtol=1e-3, atol=1e-5)


def smoothed(output: torch.Tensor, labels: torch.Tensor, part: float) -> torch.Tensor:
    """Cross-entropy with the labels of section 7: (1 - part) on the class, and part / K on all."""
    classes = output.shape[1]
    target = (1 - part) * nn.functional.one_hot(labels, classes) + part / classes
    return -(target * output.log_softmax(1)).sum(1).mean()


def test_validation_is_of_the_averaged_network_with_one_hot_labels() -> None:
    learner = Learner(network(), Recipe(average=1.0), STEPS, CPU)
    images, labels = batch()
    for _ in range(3):
        learner.step(Batch(images, labels))
    sums = learner.evaluate([Batch(images, labels), Batch(images[:2], labels[:2])])
    assert learner.averaged is not None
    output = learner.averaged.module(images).detach()
    each = -output.log_softmax(1)[torch.arange(6), labels]
    assert float(sums.loss) == pytest.approx((each.sum() + each[:2].sum()).item(), rel=1e-5)
    right = output.argmax(1) == labels
    assert float(sums.correct) == float(right.sum() + right[:2].sum())
    assert not torch.equal(output, learner.network.eval()(images))


def test_without_an_average_the_network_itself_is_evaluated() -> None:
    learner = Learner(network(), Recipe(average=0.0), STEPS, CPU)
    assert learner.averaged is None
    made = batch()
    learner.step(made)
    output = learner.network.eval()(made.images)
    assert float(learner.evaluate([made]).correct) == float((output.argmax(1) == made.labels).sum())


@pytest.fixture
def graphs(monkeypatch: pytest.MonkeyPatch) -> list[object]:
    """What is compiled from now on; it is run as it is, so that no compiler is needed."""
    compile_, found = torch.compile, []

    def backend(graph: Any, _: object) -> Any:
        found.append(graph)
        return graph.forward

    def compiling(run: nn.Module, **settings: Any) -> Any:
        return compile_(run, backend=backend, **settings)

    monkeypatch.setattr(torch, "compile", compiling)
    return found


def test_a_compiled_step_is_the_same_step(graphs: list[object]) -> None:
    plain, compiled = (Learner(network("bn"), Recipe(), STEPS, CPU, compiled=on) for on in (False, True))
    for _ in range(2):
        a, b = plain.step(batch()), compiled.step(batch())
        assert float(a.loss) == pytest.approx(float(b.loss), rel=1e-5)
    for mine, theirs in zip(plain.network.parameters(), compiled.network.parameters(), strict=True):
        assert torch.allclose(mine, theirs, rtol=1e-4, atol=1e-6)
    assert len(graphs) == 1


def test_any_number_of_networks_is_compiled(graphs: list[object]) -> None:
    for number in range(1, 11):  # after eight, torch by itself would stop
        made = nn.Sequential(nn.Flatten(), nn.Linear(3 * 16 * 16, number), nn.Linear(number, 4))
        Learner(made, Recipe(), STEPS, CPU, compiled=True).step(batch())
        assert len(graphs) == number
