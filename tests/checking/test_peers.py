"""Every tool reports what its convention predicts: of the catalog, of each operation, and of networks."""

from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from typing import Any

import pytest
import torch
from packaging.version import Version
from torch import Tensor, nn
from torch.utils.flop_counter import FlopCounterMode

import costlab
from costlab.algebra.block import Node
from costlab.algebra.dim import total
from costlab.algebra.work import QUANTITIES as SHOWN
from costlab.checking.peers import PEERS, reports
from costlab.counting.convention import PER_INPUT, Convention
from costlab.counting.conventions.operation import ChargedOperation
from costlab.counting.conventions.quantities import QUANTITIES
from costlab.counting.conventions.quantities.registry import PLAIN
from costlab.counting.terms import fits
from tests.checking.call_probes import ASKED
from tests.checking.layer_probes import LAYERS
from tests.checking.pair_probes import PAIRS
from tests.checking.probes import CONVOLUTIONS, SIZES, Inputs, Probe, Size
from tests.checking.shared_probes import SHARED
from tests.networks import at_a_quarter_if_large
from tests.of_modules import OF_MODULES
from tests.sampling import one_in
from tests.tracing.models import NETWORKS

PROBES: Mapping[str, Probe] = {**LAYERS, **ASKED, **PAIRS}
CALFLOPS = ["calflops_macs", "calflops_flops"]
TOOLS = [
    "fvcore",
    "thop",
    "ptflops",
    "ptflops_aten",
    "torchinfo",
    "torchprofile",
    "flopco",
    *CALFLOPS,
    "torch_flop_counter",
]
"""The tools that the development environment installs; the others are DeepSpeed and a fork of thop."""

ONE_FUNCTION = "torch.conv2d and F.conv2d are one function, and the tool sees the second name only"
A_VECTOR = "it fails on a matrix by a vector"
EXCEPTIONS: Mapping[str, Mapping[str, str]] = {
    "torch.conv2d": dict.fromkeys(CALFLOPS, ONE_FUNCTION),
    "torch.matmul_vector": {"fvcore": A_VECTOR},
    "x.matmul_vector": {"fvcore": A_VECTOR},
    "x@vector": {"fvcore": A_VECTOR},
}
"""What no table of coefficients predicts: by the name of a probe or network and of the tool, why not."""


class Beside(nn.Module):
    """A module beside one that has parameters, without which calflops does not run."""

    def __init__(self, model: nn.Module) -> None:
        super().__init__()
        self.model, self.unused = model, nn.Linear(1, 1)

    def forward(self, *inputs: Tensor) -> Any:
        return self.model(*inputs)


def reported(model: nn.Module, inputs: Inputs) -> dict[str, int | str | None]:
    """What each tool says: its number, or what was wrong."""
    has_parameters = next(model.parameters(), None) is not None
    others = [name for name in TOOLS if name not in CALFLOPS]
    found = dict(reports(model, inputs, others))
    found |= dict(reports(model if has_parameters else Beside(model), inputs, CALFLOPS))
    return {name: report.problem or report.number for name, report in found.items()}


def predicted(count: costlab.Count) -> dict[str, int | str | None]:
    return {name: int(count.under(name).cost) for name in TOOLS}


def held(name: str, model: nn.Module, inputs: Inputs) -> set[str]:
    """Hold what the tools report against what is predicted; the exceptions among them that differ."""
    ours, theirs = predicted(costlab.count(model, inputs)), reported(model, inputs)
    assert set(theirs) == set(TOOLS), "a tool is not installed"
    excepted = EXCEPTIONS.get(name, {})
    assert {tool: theirs[tool] for tool in TOOLS if tool not in excepted} == {
        tool: ours[tool] for tool in TOOLS if tool not in excepted
    }
    return {tool for tool in excepted if theirs[tool] != ours[tool]}


LIKE_OTHERS = {
    *("anynet_x", "ensemble", "inception_v2", "prelu_net_b", "prelu_net_c"),
    *("regnet_x", "resnet101", "resnet152", "vgg19"),
}
"""Networks of the same operations as others of the catalog, only more of them or wider."""


LARGE = {
    *(
        "alexnet_one_tower",
        "bn_inception",
        "googlenet",
        "inception_v3",
        "inception_v3_table_1",
        "prelu_net_a",
    ),
    *("resnet50", "vgg16"),
}
"""Networks that take long, of operations that others have, too."""


@pytest.mark.parametrize(
    "name",
    [
        pytest.param(name, marks=pytest.mark.slow if name in LARGE else ())
        for name in costlab.catalog()
        if name not in LIKE_OTHERS
    ],
)
def test_the_catalog(name: str) -> None:
    """What a definition's count says, what a trace of its module says, and what every tool says."""
    count = at_a_quarter_if_large(name)
    sizes: Any = count.input
    model, x = costlab.build(count.label, sizes).eval(), torch.zeros(1, *sizes)
    theirs = reported(model, (x,))
    assert predicted(count.inference) == theirs
    assert predicted(costlab.count(model, x)) == theirs


FEW = frozenset([*list(PROBES)[::8], *EXCEPTIONS])
"""Probes that are held at every size in each run: those that stand side by side are of one kind."""


@pytest.mark.parametrize(
    "name", [pytest.param(name, marks=() if name in FEW else pytest.mark.slow) for name in PROBES]
)
def test_each_operation(name: str) -> None:
    """At two sizes and batches; layers within another module, too."""
    hold_at(name, SIZES if name in LAYERS else SIZES[:-1])


@pytest.mark.parametrize("name", one_in(2, [name for name in PROBES if name not in FEW]))
def test_each_operation_at_one_size(name: str) -> None:
    hold_at(name, SIZES[1:2])


def hold_at(name: str, sizes: Sequence[Size]) -> None:
    """Hold what the tools report of a probe against what is predicted."""
    probe = PROBES[name]
    differing: set[str] = set()
    for size in sizes:
        torch.manual_seed(0)
        model, inputs = probe.make(size).eval(), size.inputs(probe.inputs)
        within = size is SIZES[-1] and len(inputs) == 1
        differing |= held(name, nn.Sequential(model) if within else model, inputs)
    assert differing == set(EXCEPTIONS.get(name, {})), "predicted after all"


@pytest.mark.parametrize("name", one_in(3, NETWORKS))
def test_networks_as_people_write_them(name: str) -> None:
    make, inputs = NETWORKS[name]
    for batch in (1, 2):
        differing = held(name, make().eval(), (inputs(batch),))
        assert differing == set(EXCEPTIONS.get(name, {})), "predicted after all"


@pytest.mark.filterwarnings("ignore:Using padding='same' with even kernel lengths")
@pytest.mark.parametrize("name", [*CONVOLUTIONS, "mobile", "u_net", "attention_by_hand", "gru_classifier"])
def test_a_step_of_training(name: str) -> None:
    """The one tool that counts gradients; those of LSTMs and fused attention run elsewhere on a CPU."""
    if name in NETWORKS:
        make, given = NETWORKS[name]
        model = make()
        inputs: Inputs = (given(2),)
    else:
        model, inputs = PROBES[name].make(SIZES[1]), SIZES[1].inputs(PROBES[name].inputs)
    count = costlab.count(model, inputs, backward=True)
    with FlopCounterMode(display=False) as counter:
        model(*inputs).sum().backward()
    assert counter.get_total_flops() == count.under("torch_flop_counter").cost


def test_the_networks_left_out_have_the_operations_of_others() -> None:
    def operations_of(names: set[str]) -> set[tuple[str, str]]:
        nodes = (node for name in names for node in costlab.count(name).operations)
        return {(each.kind, each.form) for each in map(ChargedOperation, nodes)}

    others = operations_of(set(costlab.catalog()) - LIKE_OTHERS)
    assert operations_of(LIKE_OTHERS) - others == {("softmax", "module")}  # which is a probe


def test_every_exception_is_one_of_a_probe_or_network() -> None:
    assert EXCEPTIONS.keys() <= PROBES.keys() | NETWORKS.keys()


def test_calflops_does_not_run_without_parameters() -> None:
    """Else `Beside` has no reason to be."""
    found = dict(reports(nn.ReLU(), (torch.rand(1, 3),), CALFLOPS))
    assert [report.problem.partition(":")[0] for report in found.values()] == ["StopIteration"] * 2


@pytest.mark.parametrize("name", TOOLS)
def test_conventions_are_those_of_the_installed_releases(name: str) -> None:
    """A new release is measured first, then named."""
    package, release = PEERS[name].package, PEERS[name].release
    assert release is not None, "it is not installed"
    assert costlab.convention(name).measured_on == f"{package} {Version(release).public}"


@cache
def operations() -> tuple[Node, ...]:
    """The operations of every probe, network and definition."""
    return tuple(_operations())


def _operations() -> Iterator[Node]:
    for probe in PROBES.values():
        yield from costlab.count(probe.make(SIZES[-1]).eval(), SIZES[-1].inputs(probe.inputs)).operations
    for held, given in SHARED.values():
        yield from costlab.count(held().eval(), given).operations
    for make, inputs in NETWORKS.values():
        yield from costlab.count(make().eval(), inputs(2)).operations
        yield from costlab.count(make(), inputs(2), backward=True).operations
    for name in costlab.catalog():
        yield from costlab.count(name).operations


every_convention = pytest.mark.parametrize("convention", OF_MODULES.values(), ids=OF_MODULES)


@every_convention
def test_the_terms_add_up_to_the_cost(convention: Convention) -> None:
    for node in operations():
        for batch in (1, 3):
            amounts = [term.amount for term in convention.terms(node, batch)]
            assert total(amounts) == convention.cost(node, batch), node


@every_convention
def test_every_pattern_means_some_operation(convention: Convention) -> None:
    """One that means none is misspelt, or was never held against the tool."""
    asked = {(each.kind, each.form) for each in map(ChargedOperation, operations())}
    patterns = [*convention.charges, *convention.activations, *convention.unknown]
    patterns += [pattern for defect in convention.defects for pattern in defect.match]
    patterns += convention.places.hooked if convention.places else ()
    dead = [pattern for pattern in patterns if not any(fits(pattern, *each) for each in asked)]
    assert dead == []
    # A row that earlier ones take every operation of is dead, too.
    for rows in (convention.charges, convention.activations):
        taken = {next((pattern for pattern in rows if fits(pattern, *each)), None) for each in asked}
        assert [pattern for pattern in rows if pattern not in taken] == []


def test_every_quantity_is_charged_by_some_convention() -> None:
    charged: set[str] = set()
    for convention in costlab.conventions().values():
        for row in (convention.default, *convention.charges.values(), *convention.activations.values()):
            charged |= row.keys()
        for defect in convention.defects:
            charged |= defect.charge.keys()
            assert defect.reason
        charged |= {failure.where for failure in convention.fails if failure.where}
    names = {name.removesuffix(PER_INPUT) for name in charged}
    assert names <= PLAIN | QUANTITIES.keys()
    assert QUANTITIES.keys() | (PLAIN - set(SHOWN)) <= names
