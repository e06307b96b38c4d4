"""A plan as a target: the network with the replacements in it."""

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from costlab.advise.factorize.blocks import with_blocks
from costlab.algebra.block import Block
from costlab.algebra.define import Definition
from costlab.targets.target import Variant
from costlab.targets.torch_module import Factory

if TYPE_CHECKING:
    from costlab.advise.factorize.plan import Plan, Replacement

    Replacements = tuple[Replacement, ...]


def variant_of(plan: "Plan") -> Variant:
    """The network of a plan, to count, to compare and to train."""
    given, found = plan.given, plan.found
    subject: Definition[...] | Block
    if isinstance(given.subject, Block):
        subject = _rewritten(found.block, plan.replacements)
    else:
        kind = RewrittenFactory if isinstance(given.subject, Factory) else Rewritten
        subject = kind(given.subject, plan.replacements)
    return replace(given, label=plan.label, subject=subject, input=found.input)


class Rewritten(Definition[...]):
    """A definition whose networks have other blocks in the place of some convolutions.

    Its parameters are those of the definition: with others than those of the plan, the convolutions must be
    the same.
    """

    def __init__(self, original: Definition[...], replacements: "Replacements") -> None:
        super().__init__(original.function, original.figure, original.template, original.unverified)
        self._original, self._replacements = original, replacements

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (self._original, self._replacements)

    def _make(self, *args: Any, **kwargs: Any) -> Block:
        made = self._original._make(*args, **kwargs)  # which may be a rewritten one itself
        return _rewritten(made, self._replacements)


class RewrittenFactory(Rewritten, Factory):
    """A function that makes modules, with fresh layers in the place of some convolutions in each."""

    def module(self, **kwargs: Any) -> Any:
        from costlab.advise.factorize.layers import fresh_in_place, with_layers

        original: Any = self._original
        return with_layers(original.module(**kwargs), self._replacements, fresh_in_place)


def _rewritten(block: Block, replacements: "Replacements") -> Block:
    """A block, or a module as one, with the replacements in it."""
    if not block.takes_tensors:
        return with_blocks(block, replacements)
    from costlab.advise.factorize.layers import to_count

    module: Any = block
    rewritten: Block = replace(module, module=to_count(module.module, replacements))
    return rewritten
