"""What can be given as a target, as types: protocols, so that no library is imported for them."""

import os
from collections.abc import Callable
from typing import Any, Protocol, TypeAlias

from costlab.algebra.block import Block
from costlab.algebra.define import Definition
from costlab.targets.target import Variant


class TorchModule(Protocol):
    """A module of PyTorch, as a protocol, so that torch is not imported."""

    training: bool

    def state_dict(self, *args: Any, **kwargs: Any) -> Any: ...


class TorchProgram(Protocol):
    """An exported program, ``torch.export.ExportedProgram``, as a protocol as well."""

    @property
    def graph_signature(self) -> Any: ...

    @property
    def example_inputs(self) -> Any: ...


class OnnxModel(Protocol):
    """A model of ONNX in memory, ``onnx.ModelProto``, as a protocol as well."""

    @property
    def opset_import(self) -> Any: ...

    @property
    def graph(self) -> Any: ...


class VariantHolder(Protocol):
    """What holds a variant, as a member of a space does."""

    @property
    def variant(self) -> Variant: ...


TargetLike: TypeAlias = (
    str
    | os.PathLike[str]
    | Block
    | Definition[...]
    | Variant
    | VariantHolder
    | TorchModule
    | OnnxModel
    | TorchProgram
    | Callable[..., TorchModule | TorchProgram]
)
"""What `costlab.count` and the others take, as `costlab.targets.resolve.resolve` says."""
