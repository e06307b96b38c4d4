"""The cross-check: it agrees where the count is right, and says where it is wrong."""

import sys
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest
from torch import nn

from costlab.algebra import (
    AnyShape,
    BatchNorm2d,
    Conv2d,
    Flatten,
    Linear,
    ReLU,
    Shape,
    Work,
    auxiliary,
    seq,
    symbols,
)
from costlab.counting import count
from costlab.errors import DefinitionError, TargetError
from costlab.tracing import check

X = Shape(3, 8, 8)


def failures(block: Any, **settings: Any) -> list[str]:
    return [str(finding) for finding in check(count(block, X, **settings)) if not finding.agreed]


@dataclass(frozen=True)
class WrongWork(Conv2d):
    """A convolution that reports one multiply-add, activation and parameter too many."""

    def work(self, x: AnyShape, y: AnyShape) -> Work:
        right: Any = super().work(x, y)
        wrong: Work = right._replace(
            multiply_adds=right.multiply_adds + 1,
            activations=right.activations + 1,
            parameters=right.parameters + 1,
        )
        return wrong


@dataclass(frozen=True)
class WrongShape(ReLU):
    """A rectifier that declares one channel more than it gives."""

    def output(self, x: AnyShape) -> Shape:
        assert isinstance(x, Shape)
        return Shape(x.channels + 1, x.height, x.width)


@dataclass(frozen=True)
class WrongModule(ReLU):
    """A rectifier whose module takes other inputs."""

    def module(self, x: AnyShape) -> nn.Module:
        return nn.Linear(999, 1)


def test_agreement() -> None:
    net = seq(Conv2d(4, 3), BatchNorm2d(), head=auxiliary(Flatten(), Linear(3)), relu=ReLU())
    findings = check(count(net, X, batch=2))
    assert [finding.agreed for finding in findings] == [True] * 6
    assert str(findings[0]).endswith("agreed on 7 modules")
    assert {finding.source.split()[0] for finding in findings} == {"fvcore", "torch"}


def test_a_wrong_count_is_told_by_every_source_with_both_numbers() -> None:
    told = failures(seq(a=ReLU(), b=seq(WrongWork(4, 3))))
    assert len(told) == 5
    assert told[0].endswith("DIFFERS at b.0: counted 3,889, reported 3,888")
    assert told[1].endswith("DIFFERS at b.0: counted 145, reported 144")
    assert told[2].endswith("DIFFERS at b.0: counted 113, reported 112")
    assert told[3].endswith("DIFFERS at b.0: counted 7,778, reported 7,776")
    assert told[4].endswith("DIFFERS at b.0: counted 113, reported 112")


def test_a_wrong_shape_is_told() -> None:
    assert failures(seq(a=WrongShape())) == [
        "torch tensors, output shapes: DIFFERS at a: counted 1x4x8x8, reported 1x3x8x8"
    ]


def test_a_module_that_does_not_run_is_told() -> None:
    told = failures(seq(a=WrongModule()))
    assert any(
        "DIFFERS at the run: RuntimeError: mat1 and mat2 shapes cannot be multiplied" in line for line in told
    )
    assert all("\n" not in line for line in told)


def test_a_wrong_count_in_a_head_is_told() -> None:
    assert failures(seq(head=auxiliary(x=WrongWork(1, 1))))[0].endswith(
        "at head.x: counted 193, reported 192"
    )


def test_a_source_that_reports_more_modules_than_there_are_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    module = sys.modules["costlab.tracing.check"]
    honest = module.SOURCES[0]
    observe: Callable[..., Any] = lambda model, x: {**honest.observe(model, x), "ghost": 5}  # noqa: E731
    monkeypatch.setattr(module, "SOURCES", (honest._replace(observe=observe),))
    assert failures(seq(ReLU()))[0].endswith("DIFFERS at ghost: counted 0, reported 5")


def test_progress_is_told() -> None:
    steps: list[str] = []
    check(count(ReLU(), X), steps.append)
    assert steps[0] == "building the module"
    assert len(steps) == 7


def test_what_is_too_large_for_the_machine_is_told() -> None:
    with pytest.raises(TargetError, match=r"^relu cannot be built here: RuntimeError: .*allocate"):
        check(count(ReLU(), (2**16, 2**16, 2**16)))
    with pytest.raises(TargetError, match=r"^linear cannot be built here: RuntimeError: .*allocate"):
        check(count(Linear(2**40), (2**10,)))


def test_symbols_cannot_be_checked() -> None:
    with pytest.raises(DefinitionError, match="is no single number"):
        check(count(ReLU(), (3, symbols("h"), 4)))
    with pytest.raises(DefinitionError, match="batch=n is no single number"):
        check(count(ReLU(), X, batch=symbols("n")))
