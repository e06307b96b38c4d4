"""Finding ablations: the sets of networks that a user names."""

import re
from dataclasses import replace

from costlab.errors import TargetError
from costlab.messages import named
from costlab.targets.ablation import Ablation
from costlab.targets.catalog import is_listed, is_listed_ablation, is_shipped, lookup_ablation
from costlab.targets.resolve import IN_CATALOG, load_reference
from costlab.targets.target import made_again


def find_ablation(name: str) -> Ablation:
    """The ablation of that name from the catalog, or ``file.py:attribute``, ``package.module:attribute``.

    Raises:
        TargetError: there is none, or its code fails.
    """
    if not isinstance(name, str):
        raise TargetError(f"{named(name)} is no ablation: give its name, file.py:attribute or an Ablation")
    in_catalog = re.fullmatch(IN_CATALOG, name)
    if in_catalog and (not in_catalog["settings"] or is_listed_ablation(in_catalog["name"])):
        ablation, settings = lookup_ablation(in_catalog["name"]), in_catalog["settings"]
        from_user, folder = not is_shipped(ablation), None
    else:
        reference = load_reference(name)
        if not isinstance(reference.value, Ablation):
            raise TargetError(f"{name} is of type {type(reference.value).__name__}, not an Ablation")
        ablation, settings, from_user, folder = (
            made_again(reference.value, name),
            reference.settings_text,
            True,
            reference.folder,
        )
    if settings:
        raise TargetError(f"{name}: an ablation takes no settings")
    if not from_user:
        return ablation
    variants = {
        label: replace(variant, from_user=True, folder=folder) for label, variant in ablation.variants.items()
    }
    return replace(ablation, variants=variants)


def is_ablation(name: str) -> bool:
    """Whether a name is that of an ablation, and of no target. Raises `TargetError` where its code fails."""
    if ":" not in name:
        return not is_listed(name) and is_listed_ablation(name)
    return isinstance(load_reference(name).value, Ablation)
