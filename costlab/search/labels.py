"""Labels: members as targets, the same whichever space they are of."""

import re
from collections.abc import Container
from dataclasses import replace

from costlab.explore.member import is_default
from costlab.explore.space import Space
from costlab.explore.written.axis import INPUT, typed
from costlab.targets.catalog import is_listed
from costlab.targets.resolve import IN_FILE, IN_MODULE, without_folder
from costlab.targets.target import Variant
from costlab.train.experiment import SizedArm


def name_of(target: str) -> str:
    """A target without its settings."""
    name = target.partition(":")[0]
    match = None if is_listed(name) else re.fullmatch(IN_FILE, target) or re.fullmatch(IN_MODULE, target)
    return f"{match['source']}:{match['attribute']}" if match else name


def as_target(network: Variant) -> Variant:
    """The network, named by a target with the settings that are not as by default, in a fixed order."""
    told = [
        f"{name}={typed(network.settings[name])}"
        for name in network.parameters
        if name in network.settings and not is_default(network, name, network.settings[name])
    ]
    name = name_of(network.label)
    return replace(network, label=f"{name}:{','.join(told)}" if told else name, input=None)


def key_of(arm: SizedArm) -> tuple[str, int, str]:
    """What two arms share that train the same: the network, the images, the recipe."""
    return arm.network.label, arm.side, repr(sorted(arm.recipe.items()))


def label_of(made: SizedArm, space: Space, taken: Container[str]) -> str:
    """The label of a member as an arm: its target, with the side of its images where that is varied."""
    target = without_folder(made.network.label)
    is_varied = any(axis.name == INPUT for axis in space.axes)
    return f"{target} at {made.side}x{made.side}" if is_varied or target in taken else target
