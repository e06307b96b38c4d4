"""A plan as a target: the network with the replacements in it."""

from typing import TYPE_CHECKING

from costlab.targets.target import Variant

if TYPE_CHECKING:
    from costlab.advise.factorize.plan import Plan


def variant_of(plan: "Plan") -> Variant:
    """The network of a plan, to count, to compare and to train."""
    found = plan.found
    return Variant(plan.label, plan.block, {}, found.input, found.from_user, found.folder, found.batch)
