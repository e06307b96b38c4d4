"""Programs of torch.export cost what the modules cost that they are made from, module by module."""

from pathlib import Path
from typing import Any

import pytest
import torch
from torch import nn
from torch.export import Dim, ExportedProgram, save

import costlab
from costlab.algebra.modules import to_module
from costlab.errors import DefinitionError
from costlab.targets.resolve import resolve
from tests.tracing.exporting import CASES, X, by_module, operations, rows, totals

pytestmark = [  # torch's, of its own parts and of what it exports
    pytest.mark.filterwarnings("ignore:.*LeafSpec:FutureWarning"),
    pytest.mark.filterwarnings("ignore:The tensor attributes self._flat_weights:UserWarning"),
    pytest.mark.filterwarnings("ignore:While compiling, we found certain side effects:UserWarning"),
]
FEW = ("twice", "chooses", "encoder")
EVERY = [pytest.param(name, marks=() if name in FEW else pytest.mark.slow) for name in CASES]
SMALL = ("conv_1xn_nx1", "x_block")


@pytest.mark.parametrize("name", EVERY)
def test_a_program_costs_what_its_module_does(name: str) -> None:
    case = CASES[name]
    module = case.make().eval()
    wanted, found = rows(module, case.inputs), rows(case.program(module))
    assert totals(found) == totals(wanted)
    assert by_module(found) == by_module(wanted)


@pytest.mark.slow
@pytest.mark.parametrize("strict", [False, True])
@pytest.mark.parametrize("train", [False, True])
@pytest.mark.parametrize("name", CASES)
def test_all_ways_of_exporting(name: str, strict: bool, train: bool) -> None:
    case = CASES[name]
    module = case.make().train(train)
    wanted = totals(rows(module.eval(), case.inputs))
    program = case.program(module.train(train), strict=strict)
    assert totals(rows(program)) == wanted
    if strict and name == "settings":
        return  # torch itself fails to decompose a cast under autocast of a strict export
    decomposed = totals(rows(program.run_decompositions()))
    assert (decomposed[0], decomposed[2]) == (wanted[0], wanted[2])


def test_by_hand() -> None:
    """``Twice``: two runs of 3 -> 3 in 3x3 and one of 3 -> 4 on 8x8, two of 4 -> 5 and two of 5 -> 5."""
    case = CASES["twice"]
    program = case.program(case.make().eval())
    count = costlab.count(program)
    assert count.multiply_adds == 2 * (64 * (2 * 3 * 3 * 9 + 3 * 4) + 2 * 4 * 5 + 2 * 5 * 5)
    assert count.held is not None
    assert (count.held.shared, count.held.unused) == (4 * 5, 2 * 2 + 2 + 2 * (25 + 5))
    assert [row[:2] for row in rows(program)][:2] == [
        ("block.0.call", "conv2d"),
        ("block.0.call_2", "conv2d"),
    ]


def test_linear_layers_that_were_decomposed_are_linear_layers() -> None:
    layers = nn.Sequential(nn.Linear(8, 6), nn.Linear(6, 5, bias=False))
    program = torch.export.export(layers, (X,)).run_decompositions()
    assert not any("linear" in str(node.target) for node in program.graph.nodes)
    assert rows(program) == rows(layers, X)


@pytest.mark.parametrize(
    "name",
    [pytest.param(name, marks=() if name in SMALL else pytest.mark.slow) for name in costlab.catalog()],
)
def test_networks_of_the_catalog(name: str, tmp_path: Path) -> None:
    target = resolve(name)
    root = target.walk()
    with torch.device("meta"):
        module = to_module(root)
    module = module.to_empty(device="cpu").eval()
    trained = name == "auxiliary_classifier"  # which runs in training alone, but for batch norms on one value
    for each in module.modules():
        each.training = trained and not isinstance(each, nn.BatchNorm2d)
    given: Any = target.input
    with torch.no_grad():
        program = torch.export.export(module, (torch.zeros(1, *given),))
    if not trained:  # torch writes no outputs of other classes
        save(program, tmp_path / "network.pt2")
    wanted = {node.path: node.work for node in operations(root)}
    found = {
        node.path: node.work
        for node in operations(resolve(program if trained else tmp_path / "network.pt2").walk())
    }
    costly = {
        path for path, work in wanted.items() if work and (work.multiply_adds, work.parameters) != (0, 0)
    }
    assert costly <= found.keys()
    for quantity in ("multiply_adds", "bias_adds", "parameters", "activations"):
        for path in costly:
            assert getattr(found[path], quantity) == getattr(wanted[path], quantity), path
        by_definition, by_program = (
            sum(int(getattr(work, quantity)) for work in some.values()) for some in (wanted, found)
        )
        assert by_program == by_definition


class Doubled(nn.Module):
    """Twice as many rows in the second input, and sizes that have to be even."""

    def __init__(self) -> None:
        super().__init__()
        self.layer = nn.Linear(3, 3)

    def forward(self, x: Any, y: Any, scale: int = 2) -> Any:
        return self.layer(x)[:, None] + self.layer(y).view(x.shape[0], 2, 3) * scale, x.view(2, -1)


@pytest.fixture(scope="module")
def open_program() -> ExportedProgram:
    given, half = (torch.zeros(4, 3), torch.zeros(8, 3), 5), Dim("half", min=1, max=8)
    sizes: Any = ({0: 2 * half}, {0: 4 * half}, None)
    return torch.export.export(Doubled(), given, dynamic_shapes=sizes)


def test_sizes_that_are_left_open(open_program: ExportedProgram) -> None:
    assert costlab.count(open_program).multiply_adds == (4 + 8) * 9
    assert costlab.count(open_program, ("6x3", "12x3")).multiply_adds == (6 + 12) * 9
    assert costlab.count(open_program, ("6x3", "y:12x3")).multiply_adds == (6 + 12) * 9


TAKES = "Doubled was exported for x:(2*A)x3 y:(4*A)x3, A from 2 to 8; given "


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (("6x3", "13x3"), TAKES + "y:13x3"),
        (("5x3", "10x3"), TAKES + "x:5x3"),
        (("18x3", "36x3"), TAKES + "A=9"),
        (("6x4", "12x3"), TAKES + "x:6x4"),
        (("6x3:int64", "12x3"), TAKES + "x:6x3:int64"),
        (("6", "12x3"), TAKES + "x:6"),
        (("6x3",), TAKES + "no y"),
        (("6x3", "12x3", "y:12x3"), TAKES + "y twice"),
        (("6x3", "12x3", "z:12x3"), TAKES + "z"),
        ((torch.zeros(6, 3), torch.zeros(12, 3), 4), TAKES + "scale=4"),
        ((torch.zeros(6, 3), [torch.zeros(12, 3)]), TAKES + "values of another structure"),
        ((torch.zeros(6, 3), 12), TAKES + "y=12"),
        (("6x3", "12x3", "3", "3"), TAKES + "4 inputs"),
    ],
)
def test_others_are_refused(open_program: ExportedProgram, given: Any, message: str) -> None:
    with pytest.raises(DefinitionError) as raised:
        costlab.count(open_program, given)
    assert str(raised.value) == message


def test_a_batch_that_is_left_open_and_one_that_is_not() -> None:
    layer, given = nn.Linear(8, 3), torch.zeros(2, 8)
    sizes: Any = ({0: Dim.AUTO},)
    assert (
        costlab.count(torch.export.export(layer, (given,), dynamic_shapes=sizes), batch=7).multiply_adds
        == 168
    )
    fixed = torch.export.export(layer, (given,))
    assert costlab.count(fixed).multiply_adds == 48
    with pytest.raises(DefinitionError, match="Linear was exported for input:2x8; given batch=7"):
        costlab.count(fixed, batch=7)


def test_conditions_that_were_found_on_the_way() -> None:
    class Halves(nn.Linear):
        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return super().forward(x.view(2, -1, 3))

    sizes: Any = ({0: Dim.AUTO},)
    program = torch.export.export(Halves(3, 4), (torch.zeros(6, 3),), dynamic_shapes=sizes)
    assert costlab.count(program, "8x3").multiply_adds == 8 * 3 * 4
    with pytest.raises(DefinitionError, match=r"Halves was exported for sizes with .*x\.shape\[0\].*others"):
        costlab.count(program, "7x3")


def test_conditions_on_sizes_that_a_factor_makes() -> None:
    class Shrinks(nn.Linear):
        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return super().forward(nn.functional.interpolate(x, scale_factor=0.5))

    given, open_ones = torch.zeros(2, 3, 8), ({2: Dim.AUTO},)
    program = torch.export.export(Shrinks(4, 5), (given,), dynamic_shapes=open_ones)
    assert costlab.count(program, torch.zeros(2, 3, 9)).multiply_adds == 2 * 3 * 4 * 5
    with pytest.raises(DefinitionError, match=r"exported for sizes with .*x\.shape\[2\].* == 4: these are"):
        costlab.count(program, torch.zeros(2, 3, 12))


def test_what_an_error_leaves_behind(open_program: ExportedProgram) -> None:
    with pytest.raises(DefinitionError):
        costlab.count(open_program, ("6x3", "13x3"))
    assert costlab.count(open_program, ("6x3", "12x3")).multiply_adds == (6 + 12) * 9


def test_a_step_of_training() -> None:
    layers = nn.Sequential(nn.Conv2d(3, 4, 3), nn.ReLU(), nn.Flatten(), nn.Linear(16, 5))
    given = torch.zeros(2, 3, 4, 4)
    program = torch.export.export(layers, (given,))
    step = costlab.count(program, backward=True)
    assert step.multiply_adds == costlab.count(layers, given, backward=True).multiply_adds


def test_a_program_that_is_called_computes_what_its_module_does() -> None:
    case = CASES["twice"]
    module = case.make().eval()
    given = torch.rand(2, 3, 8, 8)
    block: Any = resolve(case.program(module)).block
    with torch.no_grad():
        torch.testing.assert_close(block.module(given)["out"], module(given)["out"])


def test_an_image_is_compared_with_a_definition_at_its_own_input() -> None:
    image = torch.zeros(1, 3, 8, 8)
    program = torch.export.export(nn.Sequential(nn.Conv2d(3, 4, 3), nn.ReLU()).eval(), (image,))
    definition = costlab.variant(costlab.seq(costlab.Conv2d(4, 3, bias=True), costlab.ReLU()), (3, 8, 8))
    compared = costlab.compare(definition, program)
    assert [each.multiply_adds for each in compared.counts] == [36 * 27 * 4] * 2
    several = torch.export.export(nn.Linear(8, 2), (torch.zeros(2, 8),))
    assert costlab.count(several).multiply_adds == 2 * 16
