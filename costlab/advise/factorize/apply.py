"""Plans applied: the network with the replacements in it, as a module, and how far its weights are off."""

from typing import Any

from torch import nn

from costlab.advise.factorize.decomposition import decomposed
from costlab.advise.factorize.layers import Memo, empty_layers, fill, fresh_layers, with_layers
from costlab.advise.factorize.plan import Plan, Replacement
from costlab.advise.factorize.torch_layer import is_lazy
from costlab.algebra.block import Block
from costlab.algebra.modules import to_module
from costlab.counting.count import count
from costlab.errors import CostlabError, DefinitionError
from costlab.targets.target import guard
from costlab.tracing.process import unwrapped


def apply(plan: Plan, weights: Any = None) -> nn.Module:
    """`Plan.apply`."""
    if weights is not None:
        raise NotImplementedError(weights)
    refuse_other_counts(plan)
    if not plan.found.block.takes_tensors:
        return to_module(plan.found._replace(block=plan.block).walk())
    return with_layers(network(plan), plan.replacements, factorized_layers)


def refuse_other_counts(plan: Plan) -> None:
    """Refuse a network that does other things with its convolutions than call them.

    Raises:
        DefinitionError: with the replacements in it, it does not run, or does not count as the plan says.
    """
    hint = "its code uses a convolution in other ways than calling it: leave that out, by only="
    try:
        total = count(plan.variant, plan.found.input).total
    except CostlabError as error:
        raise DefinitionError(f"{plan.label}: {error}; {hint}") from error
    wrong = [name for name, a, b in zip(total._fields, total, plan.saving.after, strict=True) if a != b]
    if wrong:
        name = wrong[0]
        has, said = getattr(total, name), getattr(plan.saving.after, name)
        raise DefinitionError(f"{plan.label}: {name} would be {has:,}, and not {said:,} as planned; {hint}")


def network(plan: Plan) -> nn.Module:
    """The module that was given, or that is made anew by what was given."""
    subject: Any = plan.given.subject
    if isinstance(subject, Block):
        module: nn.Module = plan.found.block.module  # type: ignore[attr-defined]  # of a module's block
        return unwrapped(module)
    with guard(plan.given.label, plan.given.from_user, plan.given.folder):
        made: nn.Module = subject.module(**plan.given.settings)
    return unwrapped(made)


def factorized_layers(planned: Replacement, conv: nn.Conv2d, memo: Memo) -> nn.Sequential:
    """The layers with weights from those of the convolution, and fresh ones where there are none."""
    if not planned.scheme.has_rank or conv.weight.is_meta or is_lazy(conv):
        return fresh_layers(planned, conv, memo)
    layers = empty_layers(planned, conv, memo)
    fill(layers, decomposed(planned, conv.weight))
    return layers
