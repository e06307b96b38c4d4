"""Factorization on the page of advice: what schemes save, and where, what they cost, and bounds on time."""

from collections import Counter
from collections.abc import Mapping, Sequence
from fractions import Fraction
from typing import Any, NamedTuple

from costlab.advise.factorize.factorize import DEFAULT, factorize
from costlab.advise.factorize.plan import TITLES, Plan, Replacement
from costlab.advise.factorize.scheme import SCHEMES
from costlab.hardware.saved_time import SavedTime, saved_time
from costlab.report.cell import Column, in_percent
from costlab.report.page import Part
from costlab.report.pages.hardware_bounds import DEVICES
from costlab.report.pages.hardware_memory import BATCH
from costlab.report.pictures.replaceable import replaceable_picture
from costlab.report.pictures.saved_and_added import saved_and_added_picture
from costlab.report.table import Table
from costlab.report.tables.count import listed
from costlab.targets.resolve import resolve
from costlab.targets.target import Variant

PICTURED = (
    "alexnet",
    "alexnet_one_tower",
    "vgg16",
    "prelu_net_a",
    "googlenet",
    "bn_inception",
    "inception_v3",
    "resnet50",
    "regnet_x",
    "mini",
)
"""A network of each family: those whose schemes are drawn."""
NAMED = "resnet50"
"""The network of which a sentence gives the numbers."""
ALONE = "conv_separable"
"""A block that is depthwise and 1x1, and nothing else."""
MEDIUM = (12, 20)
"""The grids on which the paper found 1xn and nx1 to work well (section 3.2)."""
AREAS = ("larger", "medium", "smaller")
ABOUT = (
    "`costlab factorize` plans what stands in the place of each dense convolution. Here each that can be "
    "replaced has half its multiply-adds at most, as many as the highest rank within that leaves it; "
    "`3x3-pairs` and `separable`, which have no rank, replace whatever saves anything. What is saved and "
    "added is of the whole network, exactly."
)
LIMITS = (
    "A plan says what a network costs, not how well it does. Below full rank its weights only come near the "
    "given ones: they are a start for fine-tuning, and nothing to be used as it is. Those of `3x3-pairs` and "
    "of `separable` are learned anew in any case."
)
TIME = (
    "Fewer multiply-adds are no shorter time by themselves: each replacement also writes and reads what lies "
    f"between its parts. These are lower bounds for batch {BATCH}, fused, as on "
    "[the page of hardware](hardware.md): nothing was timed."
)


class Planned(NamedTuple):
    """The plans of a network by scheme: at half the cost, and at full rank where a scheme has one."""

    half: Mapping[str, Plan]
    full: Mapping[str, Plan]


def planned(target: str) -> Planned:
    """The plans of a network, which is made once."""
    label, block, shape, *_ = resolve(target)
    network = Variant(label, block, {}, shape)
    return Planned(
        {name: factorize(network, by=name) for name in SCHEMES},
        {name: factorize(network, by=name, full=True) for name, each in SCHEMES.items() if each.has_rank},
    )


def factorization_parts(plans: Mapping[str, Planned], targets: Mapping[str, str]) -> list[Part]:
    """What the page says of factorization: ``plans`` and ``targets`` are by the shown names of networks."""
    default = {label: each.half[DEFAULT] for label, each in plans.items()}
    drawn = {label: each.half for label, each in plans.items() if targets[label] in PICTURED}
    (named,) = (each for label, each in plans.items() if targets[label] == NAMED)
    return [
        "## What factorization would save",
        ABOUT,
        replaceable_picture(default),
        _left_in_words(default),
        saved_and_added_picture(drawn),
        _savings_table(plans),
        "### Where it would save",
        _areas_in_words(default),
        _areas_table(default),
        "### What an exact one costs",
        *_full_in_words(plans, named),
        "### What stays to be done",
        LIMITS,
        "### Whether it is time that is saved",
        TIME,
        *_time(default),
    ]


def _left_in_words(plans: Mapping[str, Plan]) -> str:
    saved = {label: plan.saving.share("multiply_adds") for label, plan in plans.items()}
    least, most = min(saved, key=lambda each: saved[each]), max(saved, key=lambda each: saved[each])
    left = Counter[str]()
    for each in plans[least].left:
        left[each.reason] += each.multiply_adds
    whole = int(plans[least].before.multiply_adds)
    shares = [f"{in_percent(Fraction(size, whole))} is {reason}" for reason, size in left.items()]
    alone = factorize(ALONE)
    assert not alone.replacements
    return (
        f"Of {most}, {DEFAULT} saves {in_percent(saved[most])}; of {least}, {in_percent(saved[least])}: "
        f"{listed(shares)}, and is left as it is. Where convolutions are depthwise there is next to nothing "
        f"to gain: of `{ALONE}`, which is {listed([each.reason for each in alone.left])}, none is replaced."
    )


def _savings_table(plans: Mapping[str, Planned]) -> Table:
    columns = (
        Column("network", "network", once=True),
        Column("by", "by"),
        Column("replaced", "replaced", "size"),
        Column("multiply_adds", "multiply-adds", "size"),
        Column("multiply_adds_change", "change", "deviation"),
        Column("parameters", "parameters", "size"),
        Column("parameters_change", "change", "deviation"),
        Column("activations", "activations", "size"),
        Column("activations_change", "change", "deviation"),
        Column("full", "multiply-adds at full rank", "size", empty="has no rank"),
        Column("full_change", "change", "deviation"),
    )
    rows = [
        (label, name, len(plan.replacements), *_quantities(plan), *_at_full(each.full.get(name)))
        for label, each in plans.items()
        for name, plan in each.half.items()
        if plan.replacements
    ]
    return Table(
        "Whole networks at half the cost of each convolution that is replaced",
        columns,
        tuple(rows),
        notes=("where a scheme replaces nothing in a network, there is no row",),
    )


def _quantities(plan: Plan) -> Sequence[Any]:
    """What a network has then, and by what share it changed."""
    saving = plan.saving
    return [each for name in TITLES for each in (saving.sizes(name)[1], -saving.share(name))]


def _at_full(plan: Plan | None) -> Sequence[Any]:
    if plan is None:
        return (None, None)
    return plan.saving.sizes("multiply_adds")[1], -plan.saving.share("multiply_adds")


def _areas(plan: Plan) -> Counter[str]:
    """The multiply-adds that a plan saves, by the grid that comes out of a convolution."""
    saved: Counter[str] = Counter()
    for each in plan.replacements:
        before, after = each.saving.sizes("multiply_adds")
        saved[_area(each)] += before - after
    return saved


def _area(replacement: Replacement) -> str:
    """Whether the grid that comes out is larger than medium, medium, or smaller; by its height."""
    out: Any = replacement.site.conv.output(replacement.site.calls[0].input)
    low, high = MEDIUM
    return AREAS[0] if out.height > high else AREAS[1] if out.height >= low else AREAS[2]


def _areas_table(plans: Mapping[str, Plan]) -> Table:
    low, high = MEDIUM
    columns = (
        Column("network", "network"),
        Column("saved", "multiply-adds saved", "size"),
        Column("larger", f"above {high}x{high}", "share"),
        Column("medium", f"{low}x{low} to {high}x{high}", "share"),
        Column("smaller", f"below {low}x{low}", "share"),
    )
    rows = []
    for label, plan in plans.items():
        areas = _areas(plan)
        rows.append((label, areas.total(), *(areas[area] / areas.total() for area in AREAS)))
    return Table(
        f"Where {DEFAULT} saves at half the cost: shares by the grid that comes out",
        columns,
        rows=tuple(rows),
    )


def _areas_in_words(plans: Mapping[str, Plan]) -> str:
    low, high = MEDIUM
    medium = {label: Fraction(_areas(plan)["medium"], _areas(plan).total()) for label, plan in plans.items()}
    few = sum(share < Fraction(1, 2) for share in medium.values())
    least, most = (pick(medium, key=lambda each: medium[each]) for pick in (min, max))
    return (
        f"The paper found 1xn and nx1 to work well on grids of {low}x{low} to {high}x{high}, and not on "
        f"early layers (section 3.2). In {few} of {len(medium)} networks, most of what they would save lies "
        f"on other grids: from {in_percent(medium[least])} ({least}) to {in_percent(medium[most])} ({most}) "
        f"of it lies on grids of {low}x{low} to {high}x{high}."
    )


def _full_in_words(plans: Mapping[str, Planned], named: Planned) -> list[str]:
    more = {label: -each.full[DEFAULT].saving.share("multiply_adds") for label, each in plans.items()}
    dearer = sum(share > 0 for share in more.values())
    least, most = (pick(more, key=lambda each: more[each]) for pick in (min, max))
    before, after = named.full[DEFAULT].saving.sizes("multiply_adds")
    at_half = named.half[DEFAULT].saving.after
    return [
        "The paper argues that any n x n can be replaced by a 1 x n and an n x 1 behind it (section 3.2). "
        "With as many channels between them as come in and go out, they save 1 - 2/n, and cannot compute all "
        "that an n x n can. With C channels in and F out, they can from min(C n, F n) channels between them "
        "on; where C is F and the stride is 1, more than C n / 2 already cost more than the n x n.",
        f"At full rank {dearer} of {len(more)} networks cost more than as they are, from "
        f"{in_percent(more[least])} ({least}) to {in_percent(more[most])} ({most}): {NAMED} has "
        f"{after - before:,} multiply-adds more. At half the cost of what is replaced it has "
        f"{int(at_half.multiply_adds):,}, {int(at_half.parameters):,} parameters and "
        f"{int(at_half.activations):,} activations.",
    ]


def _time(plans: Mapping[str, Plan]) -> list[Part]:
    """The bounds before and after, on a device of then and on one of today."""
    found = {
        label: [
            saved_time(plan.given, plan, device, dtype, batch=BATCH, fused=True)
            for device, dtype in DEVICES.items()
        ]
        for label, plan in plans.items()
    }
    columns = [Column("network", "network"), Column("fewer", "saved multiply-adds", "share")]
    for device, dtype in DEVICES.items():
        columns.append(Column(device, f"saved of the bound, {device} in {dtype}", "share"))
        columns.append(Column(f"{device}_verdict", f"the saving on {device}"))
    rows = tuple(
        (
            label,
            each[0].saved_multiply_adds,
            *(cell for on in each for cell in (on.saved_seconds, on.verdict)),
        )
        for label, each in found.items()
    )
    table = Table(f"What {DEFAULT} saves of the least time at half the cost", tuple(columns), rows)
    return [table, " ".join(_verdicts(list(each)) for each in zip(*found.values(), strict=True))]


def _verdicts(found: Sequence[SavedTime]) -> str:
    many = Counter(each.verdict for each in found)
    line = found[0].before
    return (
        f"On {line.device.full_name} in {line.dtype}, {many['arrives']} of {len(found)} savings arrive, "
        f"{many['in part']} in part, and {many['does not arrive']} not."
    )
