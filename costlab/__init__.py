"""The cost of convolutional networks: counted exactly, compared, and checked against what runs.

``count`` gives the cost of a network as arithmetic on its definition, ``compare`` what changes to it cost or
save, ``closed_form`` the formula of a cost; ``check`` holds it against fvcore, PyTorch's flop counter and the
real tensors, ``build`` makes the torch module. Any PyTorch model counts, too; ``rule`` says what an operation
of one's own costs. ``Space`` asks all networks of a family at once, ``budget`` holds one against limits.
``verify`` recomputes the claims of the Inception-v3 paper. Blocks are written with the operations, ``seq``,
``concat``, ``add`` and ``block``.
"""

__version__ = "0.1.0"

TYPE_CHECKING = False  # as typing has it, which takes as long to load as the rest: a command could be killed
if TYPE_CHECKING:
    from typing import Any

    from costlab import torch as torch
    from costlab.advise.factorize.factorize import factorize as factorize
    from costlab.advise.factorize.plan import Plan as Plan
    from costlab.advise.lint.lint import Lint as Lint
    from costlab.advise.lint.lint import lint as lint
    from costlab.algebra import Add as Add
    from costlab.algebra import Auxiliary as Auxiliary
    from costlab.algebra import Block as Block
    from costlab.algebra import Concat as Concat
    from costlab.algebra import Definition as Definition
    from costlab.algebra import Dim as Dim
    from costlab.algebra import Node as Node
    from costlab.algebra import Operation as Operation
    from costlab.algebra import Ratio as Ratio
    from costlab.algebra import Saved as Saved
    from costlab.algebra import Sequence as Sequence
    from costlab.algebra import Shape as Shape
    from costlab.algebra import Size2d as Size2d
    from costlab.algebra import Vector as Vector
    from costlab.algebra import Work as Work
    from costlab.algebra import add as add
    from costlab.algebra import auxiliary as auxiliary
    from costlab.algebra import block as block
    from costlab.algebra import concat as concat
    from costlab.algebra import in_between as in_between
    from costlab.algebra import part as part
    from costlab.algebra import scale as scale
    from costlab.algebra import seq as seq
    from costlab.algebra import symbols as symbols
    from costlab.algebra.ops import *  # noqa: F403  # its `__all__` names the operations
    from costlab.checking.cross_check import check as check
    from costlab.checking.finding import Finding as Finding
    from costlab.counting.compare import Comparison as Comparison
    from costlab.counting.compare import compare as compare
    from costlab.counting.convention import Convention as Convention
    from costlab.counting.convention import convention as convention
    from costlab.counting.convention import conventions as conventions
    from costlab.counting.count import Count as Count
    from costlab.counting.count import count as count
    from costlab.errors import CalibrationError as CalibrationError
    from costlab.errors import CostlabError as CostlabError
    from costlab.errors import DefinitionError as DefinitionError
    from costlab.errors import DependsOnDataError as DependsOnDataError
    from costlab.errors import DeviceError as DeviceError
    from costlab.errors import MeasureError as MeasureError
    from costlab.errors import OutputError as OutputError
    from costlab.errors import ShapeError as ShapeError
    from costlab.errors import TargetError as TargetError
    from costlab.explore.budget import Budget as Budget
    from costlab.explore.budget import budget as budget
    from costlab.explore.member import Member as Member
    from costlab.explore.member import Selection as Selection
    from costlab.explore.scale import scale_to as scale_to
    from costlab.explore.scaling.answer import Network as Network
    from costlab.explore.scaling.answer import Scaling as Scaling
    from costlab.explore.scaling.compound import Compound as Compound
    from costlab.explore.space import Space as Space
    from costlab.hardware.compression.compression import Compression as Compression
    from costlab.hardware.compression.compression import compression as compression
    from costlab.hardware.device import Device as Device
    from costlab.hardware.device import device as device
    from costlab.hardware.device import devices as devices
    from costlab.hardware.memory import Memory as Memory
    from costlab.hardware.memory import memory as memory
    from costlab.hardware.roofline import Roofline as Roofline
    from costlab.hardware.roofline import TimeBound as TimeBound
    from costlab.hardware.roofline import roofline as roofline
    from costlab.hardware.saved_time import SavedTime as SavedTime
    from costlab.hardware.saved_time import saved_time as saved_time
    from costlab.hardware.timing.calibration import Calibration as Calibration
    from costlab.hardware.timing.calibration import read_calibration as read_calibration
    from costlab.hardware.timing.catalog import calibrate as calibrate
    from costlab.hardware.timing.measure import measure as measure
    from costlab.hardware.timing.measured import Measurement as Measurement
    from costlab.hardware.training_cost import training_cost as training_cost
    from costlab.hardware.training_run import TrainingCost as TrainingCost
    from costlab.hardware.training_run import TrainingSteps as TrainingSteps
    from costlab.hardware.training_step import TrainingStep as TrainingStep
    from costlab.hardware.training_step import training_step as training_step
    from costlab.paper import AuditedClaim as AuditedClaim
    from costlab.paper import verify as verify
    from costlab.report.html.network import html_page as html_page
    from costlab.symbolic.closed_form import ClosedForm as ClosedForm
    from costlab.symbolic.derive import closed_form as closed_form
    from costlab.symbolic.derive import closed_forms as closed_forms
    from costlab.targets.ablation import Ablation as Ablation
    from costlab.targets.build import build as build
    from costlab.targets.catalog import catalog as catalog
    from costlab.targets.published import Published as Published
    from costlab.targets.resolve import variant as variant
    from costlab.targets.target import Variant as Variant
    from costlab.tracing.rules import rule as rule

# Where each public name lives, the operations aside, whose names `costlab.algebra.ops` knows. Loaded on first
# use: a count needs no torch, so neither does the import.
_HOMES = {
    "costlab.algebra": (
        "Add",
        "Auxiliary",
        "Block",
        "Concat",
        "Definition",
        "Dim",
        "Node",
        "Operation",
        "Ratio",
        "Saved",
        "Sequence",
        "Shape",
        "Size2d",
        "Vector",
        "Work",
        "add",
        "auxiliary",
        "block",
        "concat",
        "in_between",
        "part",
        "scale",
        "seq",
        "symbols",
    ),
    "costlab.advise.factorize.factorize": ("factorize",),
    "costlab.advise.factorize.plan": ("Plan",),
    "costlab.advise.lint.lint": ("Lint", "lint"),
    "costlab.targets.ablation": ("Ablation",),
    "costlab.targets.build": ("build",),
    "costlab.targets.catalog": ("catalog",),
    "costlab.targets.published": ("Published",),
    "costlab.targets.resolve": ("variant",),
    "costlab.targets.target": ("Variant",),
    "costlab.tracing.rules": ("rule",),
    "costlab.counting.compare": ("Comparison", "compare"),
    "costlab.counting.convention": ("Convention", "convention", "conventions"),
    "costlab.counting.count": ("Count", "count"),
    "costlab.symbolic.closed_form": ("ClosedForm",),
    "costlab.symbolic.derive": ("closed_form", "closed_forms"),
    "costlab.checking.cross_check": ("check",),
    "costlab.checking.finding": ("Finding",),
    "costlab.explore.budget": ("Budget", "budget"),
    "costlab.explore.scale": ("scale_to",),
    "costlab.explore.scaling.answer": ("Network", "Scaling"),
    "costlab.explore.scaling.compound": ("Compound",),
    "costlab.explore.member": ("Member", "Selection"),
    "costlab.explore.space": ("Space",),
    "costlab.hardware.compression.compression": ("Compression", "compression"),
    "costlab.hardware.device": ("Device", "device", "devices"),
    "costlab.hardware.training_cost": ("training_cost",),
    "costlab.hardware.training_run": ("TrainingSteps", "TrainingCost"),
    "costlab.hardware.training_step": ("TrainingStep", "training_step"),
    "costlab.hardware.memory": ("Memory", "memory"),
    "costlab.hardware.roofline": ("Roofline", "TimeBound", "roofline"),
    "costlab.hardware.saved_time": ("SavedTime", "saved_time"),
    "costlab.hardware.timing.calibration": ("Calibration", "read_calibration"),
    "costlab.hardware.timing.catalog": ("calibrate",),
    "costlab.hardware.timing.measure": ("measure",),
    "costlab.hardware.timing.measured": ("Measurement",),
    "costlab.paper": (
        "AuditedClaim",
        "verify",
    ),
    "costlab.report.html.network": ("html_page",),
    "costlab.errors": (
        "CalibrationError",
        "CostlabError",
        "DefinitionError",
        "DependsOnDataError",
        "DeviceError",
        "MeasureError",
        "OutputError",
        "ShapeError",
        "TargetError",
    ),
}
_HOME_OF = {name: home for home, names in _HOMES.items() for name in names}


def __getattr__(name: str) -> "Any":
    from importlib import import_module

    if name in _HOME_OF:
        return getattr(import_module(_HOME_OF[name]), name)
    if name == "torch":  # what is for training loops, of which `import costlab` brings nothing
        return import_module("costlab.torch")
    from costlab.algebra import ops

    if name == "__all__":
        return [*_HOME_OF, *ops.__all__]
    if name in ops.__all__:
        return getattr(ops, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted([*__getattr__("__all__"), "__version__"])
