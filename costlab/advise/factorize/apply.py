"""Plans applied: the network with the replacements in it, as a module, and how far its weights are off."""

from collections.abc import Iterator, Mapping
from typing import Any

import torch
from torch import Tensor, nn

from costlab.advise.factorize.decomposition import decomposed, relative_error
from costlab.advise.factorize.layers import Maker, Memo, empty_layers, fill, fresh_layers, with_layers
from costlab.advise.factorize.plan import Plan, Replacement
from costlab.advise.factorize.torch_layer import is_lazy
from costlab.advise.factorize.weights import fitted, put_into
from costlab.algebra.block import Block, Node
from costlab.algebra.modules import to_module
from costlab.counting.count import count
from costlab.errors import CostlabError, DefinitionError
from costlab.targets.target import guard
from costlab.tracing.process import unwrapped
from costlab.tracing.stand_in import Uninitialized


def apply(plan: Plan, weights: Any = None) -> nn.Module:
    """`Plan.apply`."""
    refuse_other_counts(plan)
    if weights is None:
        if not plan.found.block.takes_tensors:
            return to_module(_rewritten(plan))
        return with_layers(network(plan), plan.replacements, _maker(None))
    before = network(plan)
    given = fitted(weights, before)
    if plan.found.block.takes_tensors:
        made = with_layers(before, plan.replacements, _maker(given))
    else:
        made = _definition_with(plan, given)
    put_into(made, _others(plan, given))
    return made


def _rewritten(plan: Plan) -> Node:
    return plan.found._replace(block=plan.block).walk()


def _definition_with(plan: Plan, given: Mapping[str, Any]) -> nn.Module:
    """The module of a definition, in which only the replacements have their weights yet."""
    if not plan.scheme.has_rank:
        return to_module(_rewritten(plan))
    with torch.device("meta"):
        made = to_module(_rewritten(plan))
    for each in plan.replacements:
        weight = given[_weight_of(each)]
        fill(made.get_submodule(each.path), decomposed(each, weight), weight)
    return made


def _maker(given: Mapping[str, Any] | None) -> Maker:
    """Makes layers from weights that are given, or else from those of the module."""

    def make(planned: Replacement, conv: nn.Conv2d, memo: Memo) -> nn.Sequential:
        weight: Tensor = conv.weight if given is None else given[_weight_of(planned)]
        where = weight if conv.weight.is_meta or is_lazy(conv) else conv.weight
        if not planned.scheme.has_rank or weight.is_meta or isinstance(weight, Uninitialized):
            return fresh_layers(planned, conv, where.device)
        layers = empty_layers(planned, conv, memo)
        fill(layers, decomposed(planned, weight), where)
        return layers

    return make


def _weight_of(planned: Replacement) -> str:
    """The name of the weights of a convolution in the state of its network."""
    return f"{planned.path}.weight".lstrip(".")


def _others(plan: Plan, given: Mapping[str, Any]) -> dict[str, Any]:
    """What is given beside the weights of the convolutions, by the names that it has afterwards."""
    last = {name: len(each.parts) - 1 for each in plan.replacements for name in each.site.names}
    others = {}
    for name, value in given.items():
        path, _, kind = name.rpartition(".")
        if path not in last:
            others[name] = value
        elif kind == "bias" and plan.scheme.has_rank:
            others[f"{path}.{last[path]}.bias".lstrip(".")] = value
    return others


def errors(plan: Plan, weights: Any = None) -> Mapping[str, float]:
    """`Plan.errors`."""
    if weights is None and not plan.found.block.takes_tensors:
        raise DefinitionError(
            f"{plan.label}: a definition has no weights of its own: give some with weights="
        )
    before = network(plan)
    given = before.state_dict(keep_vars=True) if weights is None else fitted(weights, before)
    planned = plan.replacements if plan.scheme.has_rank else ()
    return Errors({each.path: (each, given[_weight_of(each)]) for each in planned})


class Errors(Mapping[str, float]):
    """Relative errors by path, each computed when it is asked for first."""

    def __init__(self, weights: Mapping[str, tuple[Replacement, Tensor]]) -> None:
        self._weights = weights
        self._known: dict[str, float] = {}

    def __getitem__(self, path: str) -> float:
        if path not in self._known:
            self._known[path] = relative_error(*self._weights[path])
        return self._known[path]

    def __iter__(self) -> Iterator[str]:
        return iter(self._weights)

    def __len__(self) -> int:
        return len(self._weights)

    def __repr__(self) -> str:
        return repr(dict(self))


def refuse_other_counts(plan: Plan) -> None:
    """Refuse a network that does other things with its convolutions than call them.

    Raises:
        DefinitionError: with the replacements in it, it does not run, or does not count as the plan says.
    """
    told = (
        f"{plan.label}: its code uses a convolution in other ways than calling it: leave that out, by only="
    )
    try:
        total = count(plan.variant, plan.found.input).total
    except CostlabError as error:
        raise DefinitionError(f"{told} ({error})") from error
    for name, has, said in zip(total._fields, total, plan.saving.after, strict=True):
        if has != said:
            raise DefinitionError(f"{told} ({name} would be {has:,}, and not {said:,} as planned)")


def network(plan: Plan) -> nn.Module:
    """The module that was given, or that is made anew by what was given; of a definition, without values."""
    given, found, subject = plan.given, plan.found, plan.given.subject
    if not found.block.takes_tensors:
        with torch.device("meta"):
            return to_module(found.walk())
    known: Any = found.block if isinstance(subject, Block) else None
    if known is not None:
        module: nn.Module = known.module
        return unwrapped(module)
    factory: Any = subject
    with guard(given.label, given.from_user, given.folder):
        made: nn.Module = factory.module(**given.settings)
    return unwrapped(made)
