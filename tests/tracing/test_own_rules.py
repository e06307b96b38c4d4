"""Rules of one's own: for operators, functions and modules, and what every tool charges for them."""

from collections.abc import Iterator
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from costlab import Count, count, rule
from costlab.algebra import Work
from costlab.errors import DefinitionError, TargetError
from costlab.tracing.rules import registry
from costlab.tracing.stand_in import StandIn
from tests.of_modules import OF_MODULES

X = torch.rand(2, 4)
TABLES: list[dict[Any, Any]] = [registry.CALLS, registry.SHAPED, registry.OPERATORS, registry.MODULES]
TABLES.append(registry.OVERLOADS)


@pytest.fixture(autouse=True)
def known() -> Iterator[None]:
    """Rules are the whole process's: they are put back."""
    before = [dict(table) for table in TABLES]
    yield
    for table, content in zip(TABLES, before, strict=True):
        table.clear()
        table.update(content)


def _scaled(x: Tensor, weight: Tensor) -> Tensor:
    return x * weight


def _doubled(x: Tensor) -> Tensor:
    return x * 2


scale: Any = torch.library.custom_op("costlab_tests::scale", _scaled, mutates_args=())
scale.register_fake(lambda x, weight: torch.empty_like(x))
scale.register_autograd(
    lambda ctx, gradient: (gradient, None), setup_context=lambda ctx, inputs, output: None
)
real: Any = torch.library.custom_op("costlab_tests::real", _doubled, mutates_args=())
"""It runs on tensors with values only."""


class Scaled(nn.Module):
    """Calls the operator by its name or by the function that made it."""

    def __init__(self, named: bool) -> None:
        super().__init__()
        self.fc, self.weight, self.named = nn.Linear(4, 4), nn.Parameter(torch.rand(4)), named

    def forward(self, x: Tensor) -> Any:
        x = self.fc(x)
        return torch.ops.costlab_tests.scale(x, self.weight) if self.named else scale(x, self.weight)


class Only(nn.Module):
    """One function and no more."""

    def __init__(self, function: Any) -> None:
        super().__init__()
        self.function = function

    def forward(self, x: Tensor) -> Any:
        return self.function(x, x) if self.function in (gate, torch.cdist) else self.function(x)


def unsupported(counted: Count) -> list[str]:
    """The paths of the nodes that are marked, by the tree itself."""
    found = [node.path for node in counted.root.nodes() if getattr(node.block, "unknown", False)]
    assert sorted(found) == sorted(path for paths in counted.unsupported.values() for path in paths)
    return found


@pytest.mark.parametrize("named", [True, False])
@pytest.mark.parametrize("backward", [True, False])
def test_an_operator_of_ones_own(named: bool, backward: bool) -> None:
    model = Scaled(named)
    before = count(model, X, backward=backward)
    assert unsupported(before) == ["scale"]
    assert before.parameters == 24

    @rule(scale if named else torch.ops.costlab_tests.scale)
    def scaled(output: Tensor, x: Tensor, weight: Tensor) -> Work:
        assert (type(x), output.shape) == (StandIn, x.shape)
        return Work("scale", multiply_adds=output.numel(), bias_adds=weight.numel())

    counted = count(model, X, backward=backward)
    assert unsupported(counted) == []
    assert counted.multiply_adds == (2 if backward else 1) * 32 + 8
    row = next(row for row in counted.rows if row.path == "scale")
    assert (row.operation, row.work.parameters, row.work.bias_adds) == ("scale", 4, 4)


def test_an_overload_has_a_rule_of_its_own() -> None:
    rule(torch.ops.costlab_tests.scale.default)(lambda output, x, weight: Work("scale", multiply_adds=3))
    assert count(Scaled(True), X).multiply_adds == 32 + 3


def test_an_operator_without_a_fake() -> None:
    with pytest.raises(TargetError, match=r"^Only: .*register_fake"):
        count(Only(real), X)


class Block(nn.Module):
    """A module whose parts a rule may replace."""

    def __init__(self) -> None:
        super().__init__()
        self.a, self.b = nn.Linear(4, 4), nn.Sequential(nn.Linear(4, 4))

    def forward(self, x: Tensor, *, times: int = 1) -> Any:
        for _ in range(times):
            x = self.b(torch.fft.fft(self.a(x)).real)
        return x


class Net(nn.Module):
    """Calls its block twice, with an argument by name."""

    def __init__(self) -> None:
        super().__init__()
        self.block, self.fc = Block(), nn.Linear(4, 4)

    def forward(self, x: Tensor) -> Any:
        return self.fc(self.block(self.block(x, times=3)))


def test_a_module_of_ones_own() -> None:
    assert all(path.startswith("block._fft_r2c") for path in unsupported(count(Net(), X)))
    assert len(unsupported(count(Net(), X))) == 4

    @rule(Block)
    def block(output: Tensor, module: Block, x: Tensor, times: int = 1) -> list[Work]:
        assert isinstance(module, Block)
        return [Work("mine", multiply_adds=1000 * times), Work("rest", multiply_adds=output.numel())]

    counted = count(Net(), X)
    assert counted.multiply_adds == 4 * 1000 + 2 * 8 + 32
    assert unsupported(counted) == []
    assert [row.path for row in counted.rows] == [
        "block.call",
        "block.call_2",
        "block.call_3",
        "block.call_4",
        "fc",
    ]
    assert [row.work.kind for row in counted.rows] == ["mine", "rest", "mine", "rest", "linear"]
    assert [row.work.parameters for row in counted.rows] == [40, 0, 0, 0, 20]
    assert count(Block(), X).multiply_adds == 1008


class Attends(nn.Module):
    """Attention of sequences of their own lengths."""

    def forward(self, q: Tensor) -> Any:
        return nn.functional.scaled_dot_product_attention(q, q, q)


@pytest.mark.filterwarnings("ignore:The PyTorch API of nested tensors is in prototype stage")
def test_attention_in_a_module_with_a_rule_is_in_it() -> None:
    rule(Attends)(lambda output, module, q: Work("mine", multiply_adds=1))
    parts = [torch.rand(rows, 2, 8) for rows in (3, 5)]
    q = torch.nested.nested_tensor(parts, layout=torch.jagged).transpose(1, 2)
    assert count(nn.Sequential(Attends()), q).multiply_adds == 1


def test_a_rule_that_is_added_after_a_count_holds() -> None:
    model = Only(lambda x: torch.ops.aten.roll(x, [1]))
    assert count(model, X).multiply_adds == 0
    rule(torch.roll)(lambda output, x, *_, **__: Work("mine", multiply_adds=x.numel()))
    assert count(model, X).multiply_adds == 8


def test_the_way_back_of_a_module_with_a_rule_runs() -> None:
    rule(Block)(lambda output, module, x, times=1: Work("mine", multiply_adds=7))

    class Plain(Block):
        def forward(self, x: Tensor, *, times: int = 1) -> Any:
            return self.b(self.a(x))

    rule(Plain)(lambda output, module, x, times=1: Work("mine", multiply_adds=7))
    counted = count(nn.Sequential(nn.Linear(4, 4), Plain()), X, backward=True)
    assert counted.multiply_adds == 2 * 32 + 7 + 4 * 32
    assert {row.path.split(".")[0] for row in counted.rows} == {"0", "1"}


def test_a_module_with_a_rule_that_fails_and_is_caught() -> None:
    class Bad(Block):
        def forward(self, x: Tensor, *, times: int = 1) -> Any:
            raise ValueError("not today")

    class Model(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.bad, self.fc = Bad(), nn.Linear(4, 4)

        def forward(self, x: Tensor) -> Any:
            try:
                return self.bad(x)
            except ValueError:
                return self.fc(x)

    rule(Bad)(lambda output, module, x: Work("mine", multiply_adds=7))
    counted = count(Model(), X)
    assert counted.multiply_adds == 32


def _gated(x: Tensor, y: Tensor) -> Tensor:
    return torch.sigmoid(x) * y


gate: Any = torch.overrides.wrap_torch_function(lambda x, y: (x, y))(_gated)
"""A function of the user's own that torch tells of."""


@pytest.mark.parametrize("function", [torch.fft.fft, torch.relu, nn.functional.gelu, torch.Tensor.exp, gate])
def test_a_function(function: Any) -> None:
    assert count(Only(function), X).multiply_adds == 0
    rule(function)(lambda output, x, *rest: Work("mine", multiply_adds=11 * output.numel()))
    counted = count(Only(function), X)
    assert (counted.multiply_adds, unsupported(counted)) == (88, [])


KINDS = (
    *("linear", "conv2d", "conv_transpose2d", "bilinear", "einsum", "matvec", "addmm", "attention"),
    *("softmax", "batch_norm2d", "layer_norm", "local_response_norm", "prelu", "embedding", "add"),
    *("lstm", "lstm_projected", "gru_cell", "interpolate_nearest", "adaptive_avg_pool2d", "mine"),
)
"""Kinds of operations that the tables of tools ask more of than a rule reports."""


@pytest.mark.parametrize("target", [torch.cumsum, scale, nn.Linear])
def test_what_a_rule_reports_is_charged_by_every_tool(target: Any) -> None:
    given = Work("", multiply_adds=40, bias_adds=8, weights=6, inputs=12, outputs=24)
    rule(target)(lambda output, *args, **kwargs: [given._replace(kind=kind) for kind in KINDS])

    class Model(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.fc = nn.Linear(4, 4)

        def forward(self, x: Tensor) -> Any:
            if target is nn.Linear:
                return self.fc(input=x)
            return scale(x, x) if target is scale else torch.cumsum(x, dim=0)

    counted = count(Model(), X)
    found = [row for row in counted.rows if row.work.kind in KINDS]
    assert [row.work.multiply_adds for row in found] == [40] * len(KINDS)
    for name in OF_MODULES:
        charged = counted.under(name).by_operator()
        assert set(charged) >= set(KINDS)
    # It is charged as if a layer of torch did it, by what the rule reports and no more.
    thop = counted.under("thop").by_operator()
    assert [thop[kind] for kind in ("linear", "softmax", "lstm")] == [40, 3 * 24, 40 + 8]
    torchinfo = counted.under("torchinfo").by_operator()
    assert [torchinfo[kind] for kind in ("linear", "conv2d", "gru_cell", "mine")] == [
        40 + 8,
        40 + 8,
        0,
        40 + 8,
    ]


def test_what_can_have_no_rule() -> None:
    for target in (3, "conv", None, int, torch.Tensor, nn.Linear(2, 2), nn.Sequential(nn.ReLU())):
        with pytest.raises(DefinitionError, match=r"^a rule is for an operator, .* not [^\n]*$"):
            rule(target)
    with pytest.raises(DefinitionError, match=r"^count: torch does not tell of calls of it"):
        rule(count)


def test_a_rule_that_fails_is_told() -> None:
    @rule(torch.relu)
    def wrong(output: Tensor) -> Work:
        return Work("mine")

    with pytest.raises(TargetError, match=r"^1: TypeError: .*wrong\(\) takes 1 positional argument"):
        count(nn.Sequential(nn.Linear(4, 4), Only(torch.relu)), X)
