"""A module on fake tensors: they say that they are on the CPU, and have no memory."""

import logging
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, closing, contextmanager
from functools import partial
from typing import Any, TypeAlias

import torch
from torch import Tensor, nn

from costlab.algebra.inputs import Inputs, TensorInput
from costlab.algebra.shape import Sizes
from costlab.errors import CostlabError, TargetError
from costlab.hardware.held.cpu_fakes import CPUFakes
from costlab.hardware.held.precision import Precision
from costlab.hardware.held.refused import refuse_opaque, refuse_tensor, refused
from costlab.tracing.gradients import tagging
from costlab.tracing.holdings import Holdings
from costlab.tracing.lazy import initialized
from costlab.tracing.module import stand_in_inputs, type_of
from costlab.tracing.module_tracker import ModuleTracker, Named, named_modules
from costlab.tracing.observers import let_through
from costlab.tracing.process import evaluate, process_restored, run_as_written, unwrapped
from costlab.tracing.signature import refuse_unfitting
from costlab.tracing.stand_in import StandIn
from costlab.tracing.threads import followed_in_one_thread

TYPES: dict[str, torch.dtype] = {
    "float32": torch.float32,
    "bfloat16": torch.bfloat16,
    "amp": torch.float32,
}
CPU = torch.device("cpu")
Sized: TypeAlias = Inputs | tuple[int, ...]
"""What a module is called with: its inputs, or the sizes of the only one, the batch first."""


class Fakes:
    """One fake tensor for each real one, which share memory where those do.

    Of floating point, what comes in takes on the type, and so does what a module holds unless it stays as it
    is, without a ``precision``; then the type is that of its parameters, if they have one.
    """

    def __init__(self, precision: Precision | None, modules: Iterable[nn.Module]) -> None:
        held = [
            tensor for part in modules for tensor in (*part._parameters.values(), *part._buffers.values())
        ]
        given = None if precision is None else TYPES[precision]
        self.mode = CPUFakes(allow_non_fake_inputs=True)
        self.inputs: set[int] = set()
        """The keys of the storages that came in."""
        self.type = given or _type_of(each for each in held if isinstance(each, nn.Parameter))
        self._cast = set() if precision is None else {id(each) for each in held}
        self._known: dict[int, tuple[Tensor, Tensor]] = {}  # with the tensor, so that its id stays its own
        self._storages: dict[int, tuple[Any, Any]] = {}

    def __call__(self, tensor: Tensor) -> Tensor:
        """The fake tensor of one that the module holds."""
        if id(tensor) not in self._known:
            self._known[id(tensor)] = tensor, self._fake(tensor)
        return self._known[id(tensor)][1]

    def of_input(self, tensor: Tensor) -> Tensor:
        """The fake tensor of one that comes in."""
        if tensor.is_floating_point():
            self._cast.add(id(tensor))
        made = self(tensor)
        self.inputs.add(key_of(made))
        return made

    @property
    def storages(self) -> list[Any]:
        """The memory of all of them, which is there before the module runs."""
        return [made.untyped_storage() for _, made in self._known.values()]

    @property
    def given(self) -> int:
        """The bytes of what comes in."""
        came_in = {each._cdata: each for each in self.storages if each._cdata in self.inputs}
        return sum(int(each.nbytes()) for each in came_in.values())

    def _fake(self, tensor: Tensor) -> Tensor:
        refuse_tensor(tensor)
        parameter = isinstance(tensor, nn.Parameter)
        convert: Any = self.mode.fake_tensor_converter
        if _is_known(tensor) and not parameter:
            made: Tensor = convert.from_real_tensor(self.mode, tensor.detach().clone(), make_constant=True)
        else:
            made = convert.from_meta_and_device(self.mode, self.meta(tensor), CPU)
        if parameter:
            return nn.Parameter(made, requires_grad=tensor.requires_grad)
        return made.requires_grad_(tensor.requires_grad)

    def meta(self, tensor: Tensor) -> Tensor:
        """A tensor without memory, of the type that it has here; those that share a storage share one."""
        takes_it = self.type is not None and tensor.is_floating_point() and id(tensor) in self._cast
        cast = self.type if takes_it else tensor.dtype
        if type(tensor) is StandIn:  # of a lazy module, which has no storage
            return torch.empty_strided(tensor.size(), tensor.stride(), dtype=cast, device="meta")
        storage = tensor.untyped_storage()
        if storage._cdata not in self._storages:
            empty = torch.empty(storage.nbytes(), dtype=torch.uint8, device="meta")
            self._storages[storage._cdata] = storage, empty.untyped_storage()
        view = torch.empty(0, dtype=tensor.dtype, device="meta")
        view.set_(self._storages[storage._cdata][1], tensor.storage_offset(), tensor.size(), tensor.stride())
        return view.to(cast)


def _type_of(parameters: Iterable[Tensor]) -> torch.dtype | None:
    """The type of all parameters of floating point, float32 if there are none; None if there are several."""
    types = {each.dtype for each in parameters if each.is_floating_point()} or {torch.float32}
    return types.pop() if len(types) == 1 else None


def key_of(tensor: Tensor) -> int:
    """What tells the memory of a tensor from that of others that are alive."""
    return int(tensor.untyped_storage()._cdata)


def _is_known(tensor: Tensor) -> bool:
    """Whether a tensor keeps its value: one number that counts or says yes or no, in memory of its own."""
    real = type(tensor) is Tensor and tensor.device.type == "cpu" and not tensor.is_floating_point()
    return real and tensor.numel() == 1 and tensor.untyped_storage().nbytes() == tensor.element_size()


class Run:
    """A module that is ready to run on fake tensors, and what it is called with."""

    def __init__(
        self, model: nn.Module, named: Named, fakes: Fakes, precision: Precision | None, training: bool
    ) -> None:
        self.model = model
        self.fakes = fakes
        self.args: tuple[Any, ...] = ()
        self.kwargs: dict[str, Any] = {}
        self.tracker = ModuleTracker(model, named, backward=training)
        self._precision = precision

    def autocast(self) -> Any:
        """What the forward pass and the loss run under."""
        return torch.autocast("cpu", torch.bfloat16, enabled=self._precision == "amp")

    def forward(self) -> Any:
        """What the module puts out."""
        return self.model(*self.args, **self.kwargs)


@contextmanager
def on_fakes(
    module: nn.Module, inputs: Sized, precision: Precision | None, *, training: bool
) -> Iterator[Run]:
    """A module that holds fake tensors in place of its own, which it has again after that, come what may.

    It runs in eval mode but for ``training``, for which it stays in the mode that it is in.

    Raises:
        DefinitionError: it takes other inputs, or is lazy and cannot be copied.
        DependsOnDataError: what it does depends on the values of its data.
        TargetError: it fails, or an operator or a tensor of it cannot be traced so.
    """
    given = given_inputs(inputs)
    model, named = with_sizes(module, given, training=training)
    modules = list({id(each): each for _, each in named}.values())
    with process_restored(), ExitStack() as stack:
        holdings = stack.enter_context(closing(Holdings()))
        stack.callback(torch.clear_autocast_cache)
        fakes = Fakes(precision, modules)
        run = Run(model, named, fakes, precision, training)
        stack.enter_context(_quiet())
        try:
            holdings.replaced(model, fakes)
            run.args, run.kwargs = (
                holdings.replaced(_described(each), fakes.of_input)
                for each in (given.args, dict(given.kwargs))
            )
            run_as_written(modules)
            let_through(modules)
            if not training:
                evaluate(model, modules)
            refuse_unfitting(model, run.args, run.kwargs)
            if torch.get_default_device() != CPU:
                stack.enter_context(CPU)
            stack.enter_context(followed_in_one_thread(run.tracker.title))
            stack.enter_context(fakes.mode)
            if training:
                stack.enter_context(tagging(run.tracker))
            stack.enter_context(run.tracker.following())
            yield run
        except (CostlabError, KeyboardInterrupt, RecursionError):
            raise
        except Exception as error:
            raise refused(error, run.tracker, given) from error


@contextmanager
def _quiet() -> Iterator[None]:
    """Let torch not write what it raises into its log, too."""
    log = logging.getLogger("torch._subclasses.fake_tensor")
    before, log.disabled = log.disabled, True
    try:
        yield
    finally:
        log.disabled = before


def given_inputs(inputs: Sized) -> Inputs:
    """What a module is called with, in the form of all of costlab."""
    return inputs if isinstance(inputs, Inputs) else Inputs([TensorInput(Sizes(*inputs))])


def with_sizes(module: nn.Module, given: Inputs | None, *, training: bool = False) -> tuple[nn.Module, Named]:
    """A module without its wrapper, and those in it; a copy with sizes of one that is lazy.

    Raises:
        DefinitionError: it is lazy, and cannot be copied or is given no inputs.
        TargetError: one of its modules or tensors cannot be traced.
    """
    model = unwrapped(module)
    if not hasattr(model, "_modules"):
        raise TargetError(f"{type(model).__name__}: its __init__ has to call super().__init__() first")
    if given is not None:
        model, named = initialized(model, partial(stand_in_inputs, given), evaluated=not training)
    else:
        named = named_modules(model)
    refuse_opaque(named)
    return model, named


def bytes_of(tensors: Iterable[Tensor]) -> int:
    """The bytes of the memory of some tensors; what several share counts once."""
    storages = {each.untyped_storage()._cdata: each.untyped_storage() for each in tensors}
    return sum(int(each.nbytes()) for each in storages.values())


def _described(value: Any) -> Any:
    """A value with tensors of torch's meta device in place of those that are described by their sizes."""
    if isinstance(value, TensorInput):
        return torch.empty(value.sizes, dtype=type_of(value), device="meta")
    if type(value) in (tuple, list):
        return type(value)(_described(each) for each in value)
    return {key: _described(each) for key, each in value.items()} if type(value) is dict else value
