"""Ablations: named sets of variants, compared with the first."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar

from costlab.errors import DefinitionError
from costlab.messages import named
from costlab.targets.published import Published
from costlab.targets.target import Variant


@dataclass(frozen=True)
class Ablation:
    """A named set of variants by label, of which the first is the baseline. Make them with `variant`.

    Args:
        name: the name to select it by.
        title: what is compared, in a line.
        variants: the variants by label.
        symbols: the default symbols of closed forms: names of parameters, and C, H and W for the sizes of
            the input.
        figure: where in the literature it comes from.
        published: published figures of variants, by label, shown beside what is counted.
        notes: lines to show below the table.

    Raises:
        DefinitionError: there are fewer than two variants, a value is no variant, a label of ``published`` is
            unknown, or a text is not on one line.
    """

    FEWEST: ClassVar[int] = 2
    """The fewest variants that make one."""

    name: str
    title: str
    variants: Mapping[str, Variant] = field(hash=False)
    symbols: tuple[str, ...] = ()
    figure: str = ""
    published: Mapping[str, Published] = field(default_factory=dict, hash=False)
    notes: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        for name in ("title", "name", "figure"):
            self._check_text(name, getattr(self, name), blank=name != "title")
        variants: Any = self.variants  # not yet known to be what they should be
        if not isinstance(variants, Mapping) or len(variants) < self.FEWEST:
            raise DefinitionError(f"ablation {self.name}: give a baseline and at least one more by label")
        for label, variant in variants.items():
            if not isinstance(variant, Variant):
                raise DefinitionError(f"ablation {self.name}: {label!r}: {named(variant)} is no variant(...)")
            self._check_text("label", label)
        names: Any = self.symbols
        if not isinstance(names, tuple) or not all(isinstance(name, str) for name in names):
            raise DefinitionError(f"ablation {self.name}: symbols={named(names)} must be a tuple of names")
        self._check_published()
        notes: Any = self.notes
        if not isinstance(notes, tuple):
            raise DefinitionError(f"ablation {self.name}: notes={named(notes)} must be a tuple of texts")
        for note in notes:
            self._check_text("note", note)

    def _check_published(self) -> None:
        published: Any = self.published
        if not isinstance(published, Mapping):
            given = named(published)
            raise DefinitionError(f"ablation {self.name}: published={given} must give figures by label")
        for label, figures in published.items():
            if not isinstance(figures, Published):
                reason = f"{named(figures)} is no Published(...)"
                raise DefinitionError(f"ablation {self.name}: {label!r}: {reason}")
            if label not in self.variants:
                raise DefinitionError(f"ablation {self.name}: published: {label!r} is no variant")
            if figures.after and (figures.after == label or figures.after not in published):
                reason = f"after={named(figures.after)} is no other variant with figures"
                raise DefinitionError(f"ablation {self.name}: {label!r}: {reason}")

    def _check_text(self, what: str, value: object, blank: bool = False) -> None:
        if not isinstance(value, str) or not value.isprintable() or not (blank or value.strip()):
            raise DefinitionError(f"ablation {self.name}: {what}={named(value)} must be text on one line")
