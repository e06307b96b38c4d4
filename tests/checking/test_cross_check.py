"""The cross-check: it agrees where the count is right, and says where it is wrong."""

import sys
from dataclasses import MISSING, dataclass, fields
from typing import Any, ClassVar

import pytest
from torch import nn

from costlab.algebra import (
    AnyShape,
    BatchNorm2d,
    Conv2d,
    Flatten,
    Linear,
    Operation,
    ReLU,
    Shape,
    Work,
    add,
    auxiliary,
    concat,
    seq,
    symbols,
)
from costlab.algebra.dim import product, total
from costlab.algebra.work import QUANTITIES, add_up
from costlab.checking import observe
from costlab.checking.cross_check import check
from costlab.checking.observe import Subject
from costlab.counting.count import Count, count
from costlab.counting.row import Row
from costlab.errors import DefinitionError, TargetError
from tests.samples import accepted_shape, operation_classes

X = Shape(3, 8, 8)


def failures(block: Any, **settings: Any) -> list[str]:
    return [str(finding) for finding in check(count(block, X, **settings)) if not finding.agreed]


@dataclass(frozen=True)
class WrongWork(Conv2d):
    """A convolution that reports one multiply-add, activation, parameter and weight too many."""

    def work(self, x: AnyShape, y: AnyShape) -> Work:
        right: Any = super().work(x, y)
        wrong: Work = right._replace(
            multiply_adds=right.multiply_adds + 1,
            activations=right.activations + 1,
            parameters=right.parameters + 1,
            weights=right.weights + 1,
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
    """A rectifier whose module takes other inputs, and which prints."""

    def module(self, x: AnyShape) -> nn.Module:
        print("made")  # noqa: T201  # a user's print is what is tested
        return nn.Linear(999, 1)


@dataclass(frozen=True)
class Composed(ReLU):
    """An operation of the user's own whose module has parts: a depthwise and a pointwise convolution."""

    def output(self, x: AnyShape) -> AnyShape:
        return x

    def work(self, x: AnyShape, y: AnyShape) -> Work:
        assert isinstance(x, Shape)
        depthwise, pointwise = Conv2d(x.channels, 3, padding=1, groups=x.channels), Conv2d(x.channels, 1)
        both = [part.work(x, x) for part in (depthwise, pointwise)]
        return add_up("conv2d", both)._replace(inputs=both[0].inputs, outputs=both[0].outputs)

    def module(self, x: AnyShape) -> nn.Module:
        c: Any = x[0]
        return nn.Sequential(nn.Conv2d(c, c, 3, padding=1, groups=c), nn.Conv2d(c, c, 1))


def test_agreement() -> None:
    net = seq(Conv2d(4, 3), BatchNorm2d(), head=auxiliary(Flatten(), Linear(3)), relu=ReLU())
    findings = check(count(net, X, batch=2))
    assert [finding.agreed for finding in findings] == [True] * 11
    assert str(findings[0]).endswith("agreed on 7 modules")
    assert {finding.source.split()[0] for finding in findings} == {"fvcore", "torch"}


def test_a_wrong_count_is_told_by_every_source_with_both_numbers() -> None:
    told = failures(seq(a=ReLU(), b=seq(WrongWork(4, 3))))
    assert len(told) == 6
    assert told[0].endswith("DIFFERS at b.0: counted 3,889, reported 3,888")
    assert told[1].endswith("DIFFERS at b.0: counted 145, reported 144")
    assert told[2].endswith("DIFFERS at b.0: counted 113, reported 112")
    assert told[3].endswith("DIFFERS at b.0: counted 7,778, reported 7,776")
    assert told[4].endswith("DIFFERS at b.0: counted 113, reported 112")
    assert told[5].endswith("DIFFERS at b.0: counted 109, reported 108")


@pytest.mark.parametrize("quantity", QUANTITIES)
@pytest.mark.parametrize("cls", operation_classes(), ids=lambda cls: cls.kind)
def test_no_quantity_of_any_operation_can_be_wrong_unseen(
    cls: type[Operation], quantity: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    operation = cls(**{f.name: 2 for f in fields(cls) if f.default is MISSING})
    right = type(operation).work

    def wrong(self: Operation, x: AnyShape, y: AnyShape) -> Work:
        work: Any = right(self, x, y)
        mistaken: Work = work._replace(**{quantity: getattr(work, quantity) + 1})
        return mistaken

    monkeypatch.setattr(type(operation), "work", wrong)
    assert any(not finding.agreed for finding in check(seq(a=operation), accepted_shape(operation)))


@dataclass(frozen=True)
class Transposed(Conv2d):
    """An operation of the user's own, of a kind that no convention has heard of."""

    kind: ClassVar[str] = "conv_transpose2d"

    def output(self, x: AnyShape) -> Shape:
        assert isinstance(x, Shape)
        return Shape(self.filters, 2 * x.height, 2 * x.width)

    def work(self, x: AnyShape, y: AnyShape) -> Work:
        assert isinstance(x, Shape)
        weights, outputs = product(x.channels, self.filters, 2, 2), product(*y)
        return Work(
            self.kind,
            multiply_adds=product(weights, x.height, x.width),
            bias_adds=outputs,
            weights=weights,
            parameters=total((weights, self.filters)),
            inputs=product(*x),
            outputs=outputs,
            activations=outputs,
        )

    def module(self, x: AnyShape) -> nn.Module:
        c: Any = x[0]
        filters: Any = self.filters
        return nn.ConvTranspose2d(c, filters, 2, stride=2)


def test_kinds_that_no_convention_lists_are_charged_their_multiply_adds() -> None:
    assert failures(seq(a=ReLU(), b=Transposed(5, 2), c=Conv2d(2, 1))) == []


@pytest.mark.parametrize(
    ("name", "wrong", "complaint"),
    [
        ("rows", property(lambda self: self.modules(9)[1:]), "the operations: 0, reported 384"),
        ("kinds", lambda self: (), "the kinds: 0, reported 384"),
        ("modules", lambda self, depth: (), "the modules: 0, reported 384"),
        ("whole", property(lambda self: Row("", "", None, Work("total"), 0)), "the total: 0, reported 384"),
    ],
)
def test_rows_that_do_not_add_up_are_told(
    monkeypatch: pytest.MonkeyPatch, name: str, wrong: Any, complaint: str
) -> None:
    monkeypatch.setattr(Count, name, wrong)
    assert failures(seq(a=Conv2d(2, 1), b=ReLU()))[0].endswith(f"DIFFERS in the sum of {complaint}")


def test_an_operation_may_be_made_of_several_modules() -> None:
    block = seq(a=Composed(), b=Composed())
    assert count(block, X).multiply_adds == 2 * (9 * 3 + 3 * 3) * 64
    assert failures(block) == []
    assert failures(Composed()) == []


def test_heads_in_joins_are_identities_in_inference() -> None:
    """The branch stays: what a head is beside goes on."""
    for net in (
        concat(a=auxiliary(Flatten()), b=ReLU()),
        add(a=auxiliary(Flatten(), Linear(2)), b=ReLU()),
        auxiliary(Flatten()),
        seq(auxiliary(Flatten()), add(auxiliary(auxiliary(ReLU())), ReLU())),
    ):
        whole = count(net, X)
        without = whole.inference
        assert without.auxiliary == ()
        assert without.root.output == whole.root.output
        assert [str(finding) for finding in check(without) if not finding.agreed] == []


def test_a_wrong_shape_is_told() -> None:
    assert failures(seq(a=WrongShape())) == [
        "torch tensors, elements written: DIFFERS at a: counted 256, reported 192",
        "torch tensors, output shapes: DIFFERS at a: counted 1x4x8x8, reported 1x3x8x8",
    ]


@pytest.mark.parametrize("analysis", ["FlopCountAnalysis", "ActivationCountAnalysis"])
def test_what_one_analysis_cannot_count_the_other_of_the_same_trace_does(
    analysis: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(*_: Any) -> Any:
        raise ValueError("no such size")

    right = getattr(observe, analysis)
    monkeypatch.setattr(
        observe, analysis, lambda *given: right(*given).set_op_handle("aten::_convolution", fails)
    )
    (told,) = failures(seq(Conv2d(4, 3), ReLU()))
    assert told.startswith(f"fvcore {analysis}, ")
    assert told.endswith("COULD NOT RUN: ValueError: no such size")


def test_a_module_that_does_not_run_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    told = failures(seq(a=WrongModule()))
    assert any(
        "COULD NOT RUN: RuntimeError: mat1 and mat2 shapes cannot be multiplied" in line for line in told
    )
    assert all("\n" not in line for line in told)
    printed = capsys.readouterr()
    assert (printed.out, "made" in printed.err) == ("", True)


def test_a_wrong_count_in_a_head_is_told() -> None:
    assert failures(seq(head=auxiliary(x=WrongWork(1, 1))))[0].endswith(
        "at head.x: counted 193, reported 192"
    )


def test_a_source_that_reports_more_modules_than_there_are_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    module = sys.modules["costlab.checking.cross_check"]
    honest = module.SOURCES[0]

    def observe(subject: Subject) -> Any:
        return {**honest.observe(subject), "ghost": 5}

    monkeypatch.setattr(module, "SOURCES", (honest._replace(observe=observe),))
    assert failures(seq(ReLU()))[0].endswith("DIFFERS at ghost: counted 0, reported 5")


def test_progress_is_told() -> None:
    steps: list[str] = []
    check(count(ReLU(), X), progress=steps.append)
    assert steps[0] == "building the module"
    assert len(steps) == 12


def test_a_target_is_taken_as_count_takes_it() -> None:
    assert all(finding.agreed for finding in check("stem", (3, 75, 80), batch=2, width=0.1))
    with pytest.raises(DefinitionError, match="relu is a count, made already, and takes no input"):
        check(count(ReLU(), X), X)


def test_what_is_too_large_for_the_machine_is_told() -> None:
    with pytest.raises(TargetError, match=r"^relu cannot be built here: RuntimeError: .*allocate"):
        check(count(ReLU(), (2**16, 2**16, 2**16)))
    with pytest.raises(TargetError, match=r"^linear cannot be built here: RuntimeError: .*allocate"):
        check(count(Linear(2**30), (2**20,)))
    with pytest.raises(TargetError, match=r"^relu cannot be built here: \w+Error: [^\n]*$"):
        check(count(ReLU(), (2**31 - 1, 2**31 - 1, 2**31 - 1)))


@pytest.mark.parametrize(
    "raised", [KeyError("mine"), MemoryError("no room"), ValueError("not\nso"), OverflowError("too much")]
)
def test_what_cannot_be_built_is_told_in_one_line(monkeypatch: pytest.MonkeyPatch, raised: Exception) -> None:
    def fails(*_: Any) -> Any:
        raise raised

    monkeypatch.setattr(ReLU, "module", fails)
    with pytest.raises(
        TargetError, match=rf"^sequence of 1 cannot be built here: {type(raised).__name__}: '?\w+"
    ):
        check(count(seq(b=ReLU()), X))


def test_symbols_cannot_be_checked() -> None:
    with pytest.raises(DefinitionError, match="is no single number"):
        check(count(ReLU(), (3, symbols("h"), 4)))
    with pytest.raises(DefinitionError, match="batch=n is no single number"):
        check(count(ReLU(), X, batch=symbols("n")))
