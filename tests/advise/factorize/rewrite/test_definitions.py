"""Written-out networks, run and counted, against their plans."""

from typing import Any

import pytest

import costlab
from costlab.advise.factorize.factorize import factorize
from costlab.advise.factorize.plan import Plan
from costlab.advise.factorize.rewrite.code import file_name, rewrite_code
from costlab.advise.factorize.scheme import SCHEMES
from costlab.algebra import (
    Auxiliary,
    AvgPool2d,
    Block,
    Conv2d,
    Dim,
    Flatten,
    Linear,
    Node,
    Operation,
    ReLU,
    Sequence,
    Shape,
    Work,
    auxiliary,
    block,
    concat,
    seq,
)
from costlab.counting.count import count
from costlab.errors import DefinitionError
from costlab.targets.catalog import catalog

SAMPLE = {"alexnet": "tucker", "googlenet": "3x3-pairs", "mini": "separable", "bottleneck": "1xn+nx1"}


def ran(plan: Plan) -> dict[str, Any]:
    """What the code of a plan defines."""
    code = rewrite_code(plan)
    defined: dict[str, Any] = {"__name__": "written"}
    exec(compile(code, file_name(plan), "exec"), defined)
    return defined


def holds(plan: Plan) -> None:
    """Refuse code that gives another network than the plan, in any operation at any path."""
    made = ran(plan)[file_name(plan).removesuffix(".py")]
    counted = count(made)
    assert counted.input == plan.found.input
    assert counted.total == plan.saving.after
    assert kept(counted.root) == kept(count(plan.block, plan.found.input).root)


def kept(root: Node) -> list[tuple[str, type[Block], object, bool]]:
    return [
        (node.path, type(node.block), node.work and (node.block, node.work), node.training_only)
        for node in root.nodes()
    ]


@pytest.mark.parametrize("name", SAMPLE)
def test_what_is_written_is_the_network_of_the_plan(name: str) -> None:
    holds(factorize(name, by=SAMPLE[name]))


@pytest.mark.slow
@pytest.mark.parametrize("by", SCHEMES)
@pytest.mark.parametrize("name", catalog())
def test_each_network_of_the_catalog(name: str, by: str) -> None:
    plan = factorize(name, by=by)
    if plan.replacements:
        holds(plan)
        return
    with pytest.raises(DefinitionError, match="nothing is replaced"):
        rewrite_code(plan)


@pytest.mark.parametrize("name", ["mini:aux=bn,num_classes=7", "mini:aux=bn,width=0.25"])
def test_settings_and_auxiliary_heads_are_written_out(name: str) -> None:
    plan = factorize(name)
    holds(plan)
    assert any(isinstance(node.block, Auxiliary) for node in count(plan.block, plan.found.input).root.nodes())
    assert ("num_classes: Dim = 10" in rewrite_code(plan)) == ("classes" not in name)


def test_the_number_of_classes_stays_open() -> None:
    plan = factorize("mini", by="tucker")
    made = ran(plan)["mini_by_tucker"]
    for classes in (3, 11):
        assert count(made, num_classes=classes).total == count(plan, num_classes=classes).total


def test_a_number_that_follows_from_the_classes_in_another_way_is_written_as_it_is() -> None:
    @block(input="3x8x8")
    def doubled(num_classes: Dim = 10) -> Block:
        return seq(Conv2d(8, 3), Flatten(), Linear(2 * num_classes))

    plan = factorize(doubled)
    holds(plan)
    assert "num_classes" not in rewrite_code(plan)


def test_odd_names() -> None:
    inner = Sequence((("class", Conv2d(4, 3, padding=1)), ("0", ReLU()), ("Conv2d", Conv2d(4, 3, padding=1))))
    body = concat(inner, inner, seq=inner, lambda_=seq(inner, block=auxiliary(inner)))
    plan = factorize(seq(body, return_=AvgPool2d(2)), (3, 9, 9), by="separable")
    holds(plan)


def test_a_network_of_another_author_brings_its_original_along() -> None:
    @block(input="3x40x40", unverified=True)
    def tiny(num_classes: Dim = 10) -> Block:
        return seq(Conv2d(16, 5, dilation=(1, 2)), Flatten(), Linear(num_classes))

    plan = factorize(tiny)
    holds(plan)
    arms = ran(plan)["experiment"].arms
    assert [count(arm.network, (3, arm.side, arm.side)).total for arm in arms.values()] == [*plan.saving]
    assert [count(arm.network, (3, arm.side, arm.side)).unverified for arm in arms.values()] == [True, True]


def test_both_networks_are_trained_beside_each_other() -> None:
    plan = factorize("mini:width=0.25")
    experiment = ran(plan)["experiment"]
    assert experiment.name == "mini_by_1xn_nx1"
    original, rewritten = (count(arm.network, (3, 48, 48)).total for arm in experiment.arms.values())
    assert (original, rewritten) == plan.saving
    assert [arm.side for arm in experiment.arms.values()] == [48, 48]


@pytest.mark.parametrize("name", ["bottleneck", "stem", "conv_nxn"])
def test_what_takes_no_images_or_gives_no_classes_is_not_trained(name: str) -> None:
    assert "experiment" not in ran(factorize(name))


def test_what_the_file_says() -> None:
    plan = factorize("resnet50:width=0.5", (3, 96, 96), saving=0.3, only=["conv_2", "conv_3.*"])
    code = rewrite_code(plan, "my file.py")
    assert code.startswith('r"""resnet50:width=0.5, with 1xn+nx1 in the place of 7 of its 53 convolutions.\n')
    assert (
        "costlab factorize resnet50:width=0.5 -i 3x96x96 --by 1xn+nx1 --saving 30% "
        "--only conv_2 --only 'conv_3.*' \\\n        --rewrite 'my file.py'\n"
    ) in code
    assert "fresh\nweights" in code
    assert code.isascii()


def test_the_figures_are_those_of_the_plan() -> None:
    code = rewrite_code(factorize("vgg16"))
    assert "    multiply-adds  15,470,264,320  7,793,938,432  -49.6%\n" in code
    assert "    activations        13,556,712     20,807,144  +53.5%\n" in code


class Own(Operation):
    """An operation that no file can import."""

    kind = "own"

    def output(self, x: Any) -> Shape:
        return Shape(*x)

    def work(self, x: Any, y: Any) -> Work:
        return Work("own")

    def module(self, x: Any) -> Any:
        raise NotImplementedError


def test_an_operation_that_can_be_imported() -> None:
    plan = factorize(seq(Conv2d(8, 3), Own()), (8, 9, 9))
    holds(plan)
    assert f"from {__name__} import Own\n" in rewrite_code(plan)


def test_an_operation_that_cannot_be_imported() -> None:
    class Local(Own):
        pass

    plan = factorize(seq(a=Conv2d(8, 3), b=seq(own=Local())), (8, 9, 9))
    with pytest.raises(DefinitionError, match=r"^b.own: no file can import Local: put it into a module"):
        rewrite_code(plan)


def test_a_plan_that_replaces_nothing() -> None:
    with pytest.raises(DefinitionError, match="nothing is replaced in conv_1xn_nx1, so there is nothing to"):
        rewrite_code(costlab.factorize("conv_1xn_nx1"))


def test_a_plan_gives_its_code() -> None:
    plan = costlab.factorize("alexnet")
    assert plan.code("small.py") == rewrite_code(plan, "small.py")
    assert "costlab train small.py:experiment" in plan.code("small.py")
