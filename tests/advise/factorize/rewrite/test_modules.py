"""Functions that rewrite modules, run, against their plans and against what they leave as it is."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from costlab.advise.factorize.factorize import factorize
from costlab.advise.factorize.plan import Plan
from costlab.advise.factorize.rewrite.code import file_name, rewrite_code
from costlab.advise.factorize.scheme import SCHEMES
from costlab.counting.count import count
from costlab.errors import DefinitionError, TargetError
from costlab.targets.build import build

NETS = """
from torch import Tensor, nn


class Net(nn.Module):
    def __init__(self, width: int = 8, num_classes: int = 10) -> None:
        super().__init__()
        self.stem = nn.Sequential(nn.Conv2d(3, width, 3, 2, 1, bias=False), nn.BatchNorm2d(width), nn.ReLU())
        self.body = nn.Conv2d(width, 2 * width, (5, 3), padding=(2, 1), padding_mode="reflect")
        self.again = self.twice = nn.Conv2d(2 * width, 2 * width, 5, padding="same", dilation=2)
        self.head = nn.Linear(2 * width, num_classes)

    def forward(self, x: Tensor) -> Tensor:
        x = self.again(self.body(self.stem(x)).relu())
        return self.head(self.twice(x).mean((2, 3)))
"""
namespace: dict[str, Any] = {"__name__": "nets"}
exec(NETS, namespace)
Net: Callable[..., Any] = namespace["Net"]
SIZE = (1, 3, 24, 24)


def rewriting(plan: Plan) -> Callable[[nn.Module], nn.Module]:
    """The function of the code of a plan."""
    defined: dict[str, Any] = {"__name__": "written"}
    exec(compile(rewrite_code(plan), file_name(plan), "exec"), defined)
    rewrite: Callable[[nn.Module], nn.Module] = defined["rewrite"]
    return rewrite


@pytest.mark.parametrize("by", SCHEMES)
def test_what_is_rewritten_counts_and_runs_as_planned(by: str) -> None:
    plan = factorize(Net(), SIZE, by=by, saving=0.1)
    made = Net()
    kept = {name: weight.clone() for name, weight in made.named_parameters() if name.startswith("head")}
    rewritten = rewriting(plan)(made.eval())
    assert rewritten is made
    assert count(rewritten, SIZE).total == plan.saving.after
    assert rewritten(torch.ones(SIZE)).isfinite().all()
    assert not any(module.training for module in rewritten.modules())
    named = dict(rewritten.named_parameters())
    assert all(torch.equal(named[name], weight) for name, weight in kept.items())
    assert {name: tuple(each.shape) for name, each in made.state_dict().items()} == {
        name: tuple(each.shape) for name, each in plan.apply().state_dict().items()
    }


def test_settings_of_layers_are_kept() -> None:
    plan = factorize(Net(), SIZE)
    rewritten: Any = rewriting(plan)(Net().double())
    assert rewritten.again is rewritten.twice
    applied: Any = plan.apply()
    for path in ("stem.0", "body", "again"):
        assert repr(rewritten.get_submodule(path)) == repr(applied.get_submodule(path))
    assert {weight.dtype for weight in rewritten.parameters()} == {torch.float64}


def test_a_network_without_weights() -> None:
    definition = factorize("alexnet")
    with torch.device("meta"):
        plan, other = factorize(build("alexnet"), definition.found.input), build("alexnet")
    rewritten = rewriting(plan)(other)
    assert all(weight.is_meta for weight in rewritten.parameters())
    assert count(rewritten, definition.found.input).total == plan.saving.after == definition.saving.after


NETWORKS = [
    "alexnet_one_tower",
    "bn_inception",
    "googlenet",
    "inception_v3",
    "mini",
    "prelu_net_a",
    "resnet50",
]


@pytest.mark.slow
@pytest.mark.parametrize("by", SCHEMES)
@pytest.mark.parametrize("name", NETWORKS)
def test_more_networks_without_weights(name: str, by: str) -> None:
    definition = factorize(name, by=by)
    if not definition.replacements:
        return
    with torch.device("meta"):
        plan, other = factorize(build(name), definition.found.input, by=by), build(name)
    total = count(rewriting(plan)(other), definition.found.input).total
    assert total == plan.saving.after
    # A trace reads the slopes of a PReLU as an input, which a definition does not.
    assert total._replace(inputs=0) == definition.saving.after._replace(inputs=0)


def test_a_convolution_alone() -> None:
    plan = factorize(nn.Conv2d(8, 16, 3), (8, 9, 9))
    assert count(rewriting(plan)(nn.Conv2d(8, 16, 3)), (8, 9, 9)).total == plan.saving.after


class Apart(nn.Module):
    """The same with two modules for one."""

    def __init__(self) -> None:
        super().__init__()
        net = Net()
        self.stem, self.body, self.again, self.head = net.stem, net.body, net.again, net.head
        self.twice = nn.Conv2d(16, 16, 5, padding="same", dilation=2)

    def forward(self, x: Tensor) -> Tensor:
        result: Tensor = self.twice(self.again(self.body(self.stem(x))))
        return result


OTHERS: dict[str, tuple[Callable[[], nn.Module], str]] = {
    "another width": (lambda: Net(width=6), "stem.0 is Conv2d(3, 6, .* and the plan is for Conv2d(3, 8, "),
    "not there": (lambda: nn.Sequential(nn.Conv2d(3, 8, 3)), "stem.0 is None, and the plan is for Conv2d"),
    "no convolution": (lambda: nn.ModuleDict({"stem": nn.ModuleList([nn.ReLU()])}), r"stem.0 is ReLU\(\)"),
    "apart": (Apart, "again, twice are not the same module"),
}


@pytest.mark.parametrize("case", OTHERS)
def test_another_model_is_left_as_it_is(case: str) -> None:
    make, message = OTHERS[case]
    model = make()
    before = repr(model)
    with pytest.raises(ValueError, match=message.replace("(3", r"\(3")):
        rewriting(factorize(Net(), SIZE))(model)
    assert repr(model) == before


def test_what_makes_the_network_makes_the_rewritten_one(tmp_path: Path) -> None:
    (tmp_path / "nets.py").write_text(NETS)
    plan = factorize(f"{tmp_path}/nets.py:Net", SIZE)
    file = tmp_path / file_name(plan)
    file.write_text(rewrite_code(plan))
    assert file.name == "Net_by_1xn_nx1.py"
    assert str(tmp_path) not in file.read_text()
    name = f"{file}:Net_by_1xn_nx1"
    assert count(name, SIZE).total == plan.saving.after
    assert count(f"{name}:num_classes=3", SIZE).parameters == count(plan, SIZE, num_classes=3).parameters
    with pytest.raises(TargetError, match=r"stem.0 is Conv2d\(3, 5"):
        count(f"{name}:width=5", SIZE)
    narrow = factorize(f"{tmp_path}/nets.py:Net:width=6", SIZE)
    file.write_text(rewrite_code(narrow))
    assert count(name, SIZE).total == narrow.saving.after


def test_what_no_file_can_import_is_not_called() -> None:
    def local() -> nn.Module:
        made: nn.Module = Net()
        return made

    for target in (local, Net(), lambda: Net()):  # noqa: PLW0108  # a function without a name
        code = rewrite_code(factorize(target, SIZE))
        assert "import Any" not in code
        assert "_by_1xn_nx1(" not in code


class Asks(nn.Module):
    """Asks its convolution for what no row of convolutions has."""

    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv2d(4, 4, 3)

    def forward(self, x: Tensor) -> Tensor:
        y: Tensor = self.conv(x)
        return y * self.conv.out_channels


def test_no_code_is_written_that_would_not_run() -> None:
    plan = factorize(Asks(), "4x8x8")
    with pytest.raises(DefinitionError, match="uses a convolution in other ways than calling it"):
        rewrite_code(plan)


class Two(nn.Module):
    """Takes two images."""

    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv2d(3, 8, 3)

    def forward(self, x: Tensor, y: Tensor, scale: float = 1.0) -> Tensor:
        return self.conv(x) + self.conv(y) * scale  # type: ignore[no-any-return]  # a call of a module


def test_commands_have_all_inputs_and_none_is_written_for_what_no_command_takes() -> None:
    x = torch.zeros(1, 3, 8, 8)
    code = rewrite_code(factorize(Two, {"x": x, "y": x}))
    assert f"{file_name(factorize(Two, (x, x)))}:Two_by_1xn_nx1 -i x:1x3x8x8 -i y:1x3x8x8" in code
    code = rewrite_code(factorize(Two, {"x": x, "y": x, "scale": 2.0}))
    assert "costlab count" not in code
