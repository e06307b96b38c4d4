"""The stand-ins of the tensors that a model and its caller hold, and the values of those that have some."""

from sys import getrefcount
from typing import Any
from weakref import ref

import torch
from torch import Tensor, nn

from costlab.errors import TargetError
from costlab.tracing.packed_weights import Packed
from costlab.tracing.sharded import local_part, whole_stand_in
from costlab.tracing.sparse import SPARSE, sparse_copy
from costlab.tracing.stand_in import (
    HOME,
    LARGE,
    SMALL,
    ReadsDataError,
    StandIn,
    Uninitialized,
    become,
    meta_of,
    stand_in,
)

MKLDNN: Any = vars(torch)["_mkldnn"]  # torch's stubs lack it
IN_MKLDNN = (
    "it runs on tensors in mkldnn's own layout, which are not counted: count the module that it was made "
    "from (by torch.utils.mkldnn or torch.jit.optimize_for_inference)"
)
MOST = 2**31
"""Elements up to which what is computed of weights has values, where these are looked at."""
REFERENCES = 3
"""How many references to a stand-in this file itself has when it asks."""


class StandIns:
    """One stand-in for each tensor; values are copied before anything is written into them.

    ``with_weights`` large parameters keep their values, too, and so does what is computed of them alone, up
    to ``most`` elements.
    """

    with_weights = False
    most = LARGE

    def __init__(self) -> None:
        self._known: dict[int, tuple[Tensor, StandIn]] = {}  # with the tensor, so that its id stays its own
        self._copies: dict[int, tuple[Any, Any]] = {}  # by the id of a caller's storage
        self._views: dict[int, list[ref[StandIn]]] = {}  # by the id of a storage with values
        self._unread: list[StandIn] = []  # those of the caller's that are not among them yet
        self.quantized = False
        self.packed = Packed()
        self.owners: dict[int, Tensor] = {}  # by the id of the stand-in, the parameter
        self.deferred: dict[int, tuple[Tensor, str]] = {}
        """By its id, a tensor whose sizes come from data, and the operator that made it."""

    def keep_weights(self) -> None:
        """Keep the values of large parameters, too."""
        self.with_weights, self.most = True, MOST

    def __call__(self, tensor: Tensor, limit: int = 0) -> StandIn:
        """The stand-in of a tensor; one of floating point with more elements than ``limit`` has no values."""
        if type(tensor) is StandIn or isinstance(tensor, Uninitialized):
            return tensor  # one without sizes has no stand-in
        known = self._known.get(id(tensor))
        if known is None:
            self.quantized = self.quantized or tensor.is_quantized
            known = self._known[id(tensor)] = (tensor, self._new(tensor, limit))
        return known[1]

    def _new(self, tensor: Tensor, limit: int) -> Any:
        if tensor.is_nested:
            from costlab.tracing.nested import nested_stand_in

            return nested_stand_in(self, tensor, limit)
        if (local := local_part(tensor)) is not None:
            return whole_stand_in(tensor, self(local, limit))
        if tensor.layout in SPARSE:
            return sparse_copy(tensor)
        if tensor.layout is MKLDNN:
            raise TargetError(IN_MKLDNN)
        made = _made(tensor, limit)
        if made.original is not None:
            self._unread.append(made)
        return made

    @property
    def hold_meta(self) -> bool:
        """Whether a tensor of the model's that is no parameter is on the meta device, without values."""
        return any(
            each.device.type == "meta" and not isinstance(each, nn.Parameter)
            for each, _ in self._known.values()
        )

    def of_parameter(self, parameter: Tensor) -> StandIn:
        """The stand-in of a parameter that the model holds."""
        made = self(parameter, self.most if self.with_weights else SMALL)
        self.owners[id(made)] = parameter
        return made

    def has_parameter(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> bool:
        """Whether a parameter is among the arguments of a call."""
        owners = self.owners.keys()
        return not owners.isdisjoint(map(id, args)) or not (
            not kwargs or owners.isdisjoint(map(id, kwargs.values()))
        )

    def parameters_in(self, given: Any) -> tuple[Tensor, ...]:
        """The parameters among the arguments of a call, in containers too."""
        found: list[Tensor] = []
        self._collect(given, found)
        return tuple(found)

    def _collect(self, given: Any, found: list[Tensor]) -> None:
        owners = self.owners
        for each in given:
            owner = owners.get(id(each))
            if owner is not None:
                found.append(owner)
            elif isinstance(each, (tuple, list)):
                self._collect(each, found)
            elif isinstance(each, dict):
                self._collect(each.values(), found)
            elif isinstance(each, torch.ScriptObject):
                found += self.packed(each)

    def weights(self, factors: list[Any]) -> int:
        """The elements of the parameter among the factors of a product, as it is or as a view; 0 for none."""
        bases = (each._base if each._is_view() else each for each in factors)
        return sum(base.numel() for base in bases if id(base) in self.owners)

    def value(self, tensor: StandIn) -> Tensor:
        """The values of a stand-in that has some; never the caller's own memory."""
        if tensor.held is None:
            assert tensor.original is not None
            with torch._C._DisableTorchDispatch():
                self.know(tensor, self._copy(tensor.original))
        assert tensor.held is not None
        return tensor.held

    def number_or_meta(self, tensor: StandIn) -> Tensor:
        """Without a device, or a number, which torch's own primitives let be on the processor."""
        return meta_of(tensor) if tensor.dim() or not tensor.known else self.value(tensor)

    def know(self, tensor: StandIn, value: Tensor) -> None:
        """From now on a stand-in has these values."""
        tensor.held = value
        if value.layout is torch.strided:
            self._views.setdefault(value.untyped_storage()._cdata, []).append(ref(tensor))

    def make_data(self, output: Any) -> None:
        """What has just come out has no values."""
        for each in (output,) if isinstance(output, Tensor) else output:
            if type(each) is StandIn and id(each) not in self.owners:  # dropout may put out what it is given
                each.held = each.original = None
            elif isinstance(each, tuple | list):
                self.make_data(each)

    def _note_views(self) -> None:
        """Where the values of the caller's tensors lie, which matters once some are copied."""
        for made in self._unread:
            if made.original is not None and made.original.layout is torch.strided:
                self._views.setdefault(made.original.untyped_storage()._cdata, []).append(ref(made))
        self._unread.clear()

    def forget(self, tensor: StandIn) -> None:
        """Something without values is written into a tensor: neither it nor a view of it has any now."""
        key = self.value(tensor).untyped_storage()._cdata
        alive = [each for view in self._views.pop(key, ()) if (each := view()) is not None]
        views = [each for each in alive if each.held is None or each.held.untyped_storage()._cdata == key]
        whole = max(views, key=StandIn.numel, default=tensor)
        for each in views:
            each.held = each.original = None
            each.viewed = None if each is whole else whole

    def close(self) -> None:
        """Stand-ins that something keeps, such as a function's cache, become what a real run leaves there."""
        if torch._C._is_any_autocast_enabled():
            torch.clear_autocast_cache()  # which keeps what they were cast to
        for refs in self._views.values():
            for view in refs:
                _become_known(view())
        self._views.clear()
        self._unread.clear()
        for tensor, made in self._known.values():
            if type(made) is StandIn and getrefcount(made) > REFERENCES:
                become(made, tensor)

    def refuse_deferred(self, tensor: Any) -> None:
        """Nothing reads how many places there are that come from data.

        Raises:
            ReadsDataError: this does.
        """
        if id(tensor) in self.deferred:
            raise ReadsDataError(self.deferred[id(tensor)][1])

    def _copy(self, tensor: Tensor) -> Tensor:
        tensor = tensor.detach()
        if tensor._is_zerotensor():  # which has no memory
            return torch.zeros(tensor.size(), dtype=tensor.dtype)
        if tensor.layout is not torch.strided or tensor.device.type != "cpu":
            return tensor.cpu()
        self._note_views()
        storage = tensor.untyped_storage()
        if tensor.is_conj() or tensor.is_neg() or storage.nbytes() > 2 * tensor.nbytes + LARGE:
            return tensor.resolve_conj().resolve_neg().clone()
        _, copied = self._copies.setdefault(storage._cdata, (storage, None))
        if copied is None:
            copied = torch.empty(0, dtype=torch.uint8).set_(storage).clone().untyped_storage()
            self._copies[storage._cdata] = storage, copied
            self._views.setdefault(copied._cdata, []).extend(self._views.pop(storage._cdata, ()))
        empty = torch.empty(0, dtype=tensor.dtype)
        return empty.set_(copied, tensor.storage_offset(), tensor.size(), tensor.stride())


def _become_known(tensor: StandIn | None) -> None:
    # One may stand there twice, and is a plain tensor after the first time.
    if type(tensor) is StandIn and tensor.held is not None and tensor.original is None:
        become(tensor, tensor.held.to(tensor.device))


def _made(tensor: Tensor, limit: int) -> StandIn:
    device, kind, strided = tensor.device, tensor.dtype, tensor.layout is torch.strided
    on_meta = device.type == "meta"
    strides = tensor.stride() if strided else None
    made = stand_in(tensor.shape, kind, HOME if on_meta else device, strides, tensor.requires_grad)
    floating = (kind.is_floating_point or kind.is_complex) and strided and not tensor.is_quantized
    if not on_meta and not (floating and tensor.numel() > limit):
        made.original = tensor
    if isinstance(tensor, nn.Parameter):
        made._is_param = True  # what `isinstance` asks of a parameter that is no plain tensor
    return made


def device_of(given: list[StandIn], kwargs: Any) -> torch.device:
    """Where the output of an operator is."""
    if kwargs and (asked := kwargs.get("device")) is not None:
        device = torch.device(asked)
        return HOME if device.type == "meta" else device
    for each in given:
        if each.dim():
            return each.device
    return given[0].device if given else HOME
