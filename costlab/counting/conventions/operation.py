"""An operation as a counting tool meets it: what it does, what it was called with, and how."""

from typing import Any

from costlab.algebra.block import Node
from costlab.algebra.traced import Call, ModuleSpec, TensorSpec, Traced
from costlab.algebra.work import Work

MULTI_HEAD = "multi_head_attention_forward"
JOINS = {"concat": "torch", "add": "operator"}
"""How the modules that are built from a definition's joins call what joins them."""


class ChargedOperation:
    """A node that does something: its work, settings, shapes in and out, and how it was called.

    For a definition these are of the module that it builds, for one input: shapes begin with a batch of 1.
    """

    def __init__(self, node: Node) -> None:
        assert node.work is not None
        self.node = node
        self.work: Work = node.work
        self.kind = self.work.kind
        traced = node.block if type(node.block) is Traced else None
        self.is_definition = traced is None
        """Whether it is an operation of a definition, which was not called yet."""
        self.call: Call | None = traced.call if traced else None
        self.form = self._form()
        """How it is called: a `CallForm`, or which variant of nn.MultiheadAttention it is part of.

        ``multihead`` and ``weighing``: without and with the attention weights among its outputs.
        """

    @property
    def is_opaque(self) -> bool:
        """Whether only its work is known, as a user's rule reported it."""
        return self.call is None and not self.is_definition

    def _form(self) -> str:
        if self.call is None:
            return JOINS.get(self.kind, "module") if self.is_definition else "module"
        if self.call.function == MULTI_HEAD:
            return "weighing" if self.argument("need_weights", True) else "multihead"
        return self.call.form

    @property
    def module(self) -> ModuleSpec:
        """The module that calls it; empty for a definition, which has no module yet."""
        return ModuleSpec() if self.call is None else self.call.module

    @property
    def part(self) -> int:
        """Its number among the operations of one call."""
        return 0 if self.call is None else self.call.part

    @property
    def samples(self) -> int:
        """The batch of the model's only input, 1 where it has several; a definition is for one."""
        return 1 if self.call is None else self.call.samples

    @property
    def places_within(self) -> int:
        """The places of the innermost module that is running and part of the model."""
        return 1 if self.call is None else self.call.places

    def argument(self, name: str, default: Any = None) -> Any:
        """An argument of the call by torch's name, or a field of a definition."""
        if self.call is None:
            return getattr(self.node.block, name, default)
        return self.call.argument(name, default)

    @property
    def tensors(self) -> tuple[TensorSpec, ...]:
        """The tensors that the call was given, in their order."""
        return () if self.call is None else self.call.tensors

    def tensor(self, name: str) -> TensorSpec | None:
        """A tensor that the call was given by that name, if it was."""
        given = None if self.call is None else self.call.argument(name)
        return given if isinstance(given, TensorSpec) else None

    def elements(self, *names: str) -> int:
        """The elements of the tensors that the call was given by these names."""
        return sum(tensor.elements for name in names if (tensor := self.tensor(name)) is not None)

    @property
    def input(self) -> tuple[int, ...]:
        """The sizes of the first tensor that goes in, the batch among them."""
        if self.is_definition:
            return (1, *map(int, self.node.input))
        return self.tensors[0].sizes if self.tensors else ()

    @property
    def given(self) -> tuple[int, ...]:
        """The sizes of what the module was given that is the operation; a layer may pad it first."""
        within = () if self.call is None or self.form != "module" else self.call.within.input
        return within or self.input

    @property
    def output(self) -> tuple[int, ...]:
        """The sizes of what comes out, the batch among them."""
        sizes = tuple(map(int, self.node.output))
        return (1, *sizes) if self.is_definition else sizes
