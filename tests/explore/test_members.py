"""Members of spaces have the quantities that counts of them give, and fit where these do."""

import os
from random import Random
from typing import Any

from hypothesis import HealthCheck, Phase, event, given, settings
from hypothesis import strategies as st

from costlab.algebra.dim import Dim
from costlab.algebra.parameter import Parameter
from costlab.algebra.ratio import Ratio
from costlab.algebra.work import QUANTITIES
from costlab.counting.count import Count, count
from costlab.errors import CostlabError, ShapeError
from costlab.explore.derive.derived import Derived
from costlab.explore.member import variant_of
from costlab.explore.space import Space
from costlab.targets.catalog import catalog
from costlab.targets.target import Variant

EXAMPLES = int(os.environ.get("EXPLORE_EXAMPLES", "25"))
MEMBERS = 6
"""How many members of a space are counted."""


def _choices(parameter: Parameter) -> list[Any]:
    """Values that a parameter takes, those that make no network among them."""
    default = parameter.default
    number = isinstance(default, int) and not isinstance(default, bool)
    if parameter.choices:
        return list(parameter.choices)
    if parameter.type is bool:
        return [True, False]
    if parameter.type == Ratio:
        return [0.25, 0.3, 0.55, 1.0, 1.5]
    if parameter.type is Dim and number:
        return sorted({1, max(1, default // 2), default, default + 3, 2 * default})
    if parameter.type is int and number:
        return sorted({max(0, default - 1), default, default + 1})
    return [0.1, 0.2] if parameter.type is float else []


@st.composite
def spaces(draw: st.DrawFn, name: str) -> Space:
    """A space of a definition of the catalog, along some of its parameters and its input's size."""
    definition = catalog()[name]
    kinds = {each: values for each, p in definition.parameters.items() if (values := _choices(p))}
    names = draw(st.lists(st.sampled_from(sorted(kinds)), unique=True, max_size=6)) if kinds else []
    axes: dict[str, Any] = {}
    for each in names:
        axes[each] = draw(st.lists(st.sampled_from(kinds[each]), unique=True, min_size=1, max_size=3))
    shape: Any = definition.input
    if len(shape) == 3 and not definition.ties and (not axes or draw(st.booleans())):
        sides = sorted({3, 7, shape[1] // 4 + 1, shape[1] // 2, shape[1], shape[1] + 5})
        axes["input"] = draw(st.lists(st.sampled_from(sides), unique=True, min_size=1, max_size=3))
    return Space(definition, **axes)


NAMES = st.sampled_from(sorted(name for name, each in catalog().items() if each.input is not None))


@settings(
    max_examples=EXAMPLES,
    deadline=None,
    suppress_health_check=list(HealthCheck),
    phases=[Phase.generate, Phase.shrink],
    database=None,
    print_blob=True,
)
@given(NAMES.flatmap(spaces), st.integers(0, 2**32))
def test_members_are_what_is_counted(space: Space, seed: int) -> None:
    random = Random(seed)
    event(space.variant.label)
    indices = [tuple(map(random.randrange, space.sizes)) for _ in range(MEMBERS)]
    try:
        derived = space.lowering.derived
    except CostlabError:
        derived = None
    for index in dict.fromkeys(indices):
        hold(space, derived, index)


def hold(space: Space, derived: Derived | None, index: tuple[int, ...]) -> None:
    """Hold a member against a count of it; ``derived`` is None where nothing fits."""
    variant = variant_of(space.variant, space.axes, index)
    counted = _counted(variant)
    misfit = "" if derived is None else derived.misfit_at(index)
    if isinstance(counted, CostlabError):
        event("does not fit")
        assert misfit is not None, f"{variant.label}: {counted}"
        assert derived is None or not isinstance(counted, ShapeError) or misfit == counted.path
        return
    assert derived is not None, variant.label
    assert misfit is None, variant.label
    assert derived.at(index) == {name: counted.size(name) for name in QUANTITIES}, variant.label


def _counted(variant: Variant) -> Count | CostlabError:
    try:
        return count(variant)
    except CostlabError as error:
        return error


def test_every_parameter_of_the_catalog_can_be_drawn() -> None:
    drawn = {name for name, each in catalog().items() if each.input}
    assert len(drawn) == len(catalog())
