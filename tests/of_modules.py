"""The conventions that have a number for modules and definitions: all but those of tools that read graphs."""

from costlab import conventions
from costlab.counting.convention import GRAPHS

OF_MODULES = {name: each for name, each in conventions().items() if each.of != GRAPHS}
