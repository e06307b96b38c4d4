"""Constants as models make them, what is done to them in place, and what they decide."""

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F  # noqa: N812  # as everybody calls it
from torch import Tensor, nn

KINDS = [
    torch.int64,
    torch.int32,
    torch.int16,
    torch.uint8,
    torch.bool,
    torch.float32,
    torch.float64,
    torch.bfloat16,
    torch.float16,
]
SIZE = 4
full: Any = torch.full  # which takes a number as a tensor, too
GLOBAL: Tensor = torch.tensor([0, 2, 1, 1])
Make = Callable[["Decides", Any, torch.dtype, Any], Any]

CONSTRUCTORS: dict[str, Make] = {
    "tensor": lambda m, h, kind, device: torch.tensor([1, 0, 2, 3], device=device).to(kind),
    "tensor of tensors": lambda m, h, kind, device: torch.tensor(
        [torch.tensor(2), 1, m.steps, 0], dtype=kind, device=device
    ),
    "as_tensor": lambda m, h, kind, device: torch.as_tensor([1, 2, 0, 1], dtype=kind, device=device),
    "from_numpy": lambda m, h, kind, device: torch.from_numpy(np.array([2, 0, 1, 1])).to(device, kind),
    "zeros": lambda m, h, kind, device: torch.zeros(SIZE, dtype=kind, device=device),
    "ones": lambda m, h, kind, device: torch.ones(h.shape[-1] // 2, dtype=kind, device=device),
    "full": lambda m, h, kind, device: full((SIZE,), m.stride[0], dtype=kind, device=device),
    "arange": lambda m, h, kind, device: torch.arange(h.shape[0] + 2, device=device).to(kind),
    "linspace": lambda m, h, kind, device: torch.linspace(0, 3, SIZE, device=device).to(kind),
    "eye": lambda m, h, kind, device: torch.eye(SIZE, device=device)[1].to(kind),
    "tril": lambda m, h, kind, device: torch.ones(SIZE, SIZE, device=device).tril()[2].to(dtype=kind),
    "empty, filled": lambda m, h, kind, device: torch.empty(SIZE, dtype=kind, device=device).fill_(2),
    "zeros_like": lambda m, h, kind, device: torch.zeros_like(h[0, :SIZE], dtype=kind),
    "ones_like": lambda m, h, kind, device: torch.ones_like(h, dtype=kind)[0, :SIZE],
    "full_like": lambda m, h, kind, device: torch.full_like(h[0, :SIZE], 3, dtype=kind),
    "new_zeros": lambda m, h, kind, device: h.new_zeros(SIZE).to(kind),
    "new_ones": lambda m, h, kind, device: h.new_ones((SIZE,), dtype=kind),
    "new_full": lambda m, h, kind, device: h.new_full((SIZE,), 2, dtype=kind),
    "new_tensor": lambda m, h, kind, device: h.new_tensor([1, 2, 3, 0], dtype=kind),
    "new_empty, filled": lambda m, h, kind, device: h.new_empty(SIZE, dtype=kind).fill_(1),
    "buffer": lambda m, h, kind, device: m.counts.to(kind),
    "small float buffer": lambda m, h, kind, device: m.scales.to(h.device, kind),
    "attribute": lambda m, h, kind, device: m.stride.repeat(SIZE).type(kind),
    "parameter": lambda m, h, kind, device: m.alphas.softmax(-1).mul(4).round().to(kind),
    "arg of a parameter": lambda m, h, kind, device: F.one_hot(m.alphas.argmax(), SIZE).to(kind),
    "given": lambda m, h, kind, device: m.given.to(kind),
    "global": lambda m, h, kind, device: GLOBAL.to(kind),
    "isnan": lambda m, h, kind, device: h.isnan()[0, :SIZE].to(kind),
    "stacked": lambda m, h, kind, device: torch.stack([m.steps, m.steps + 1, m.counts[0], m.counts[1]]).to(
        kind
    ),
}
DEVICES: dict[str, Callable[[Tensor], Any]] = {
    "none": lambda h: None,
    "of the activation": lambda h: h.device,
    "its type": lambda h: h.device.type,
    "cpu": lambda h: "cpu",
    "an accelerator where there is one": lambda h: "cuda" if h.is_cuda else "cpu",
}


def pointwise_in_place() -> Iterator[str]:
    """The names of all methods that compute element by element in place."""
    for name in sorted(dir(Tensor)):
        packet = getattr(torch.ops.aten, name, None) if name.endswith("_") and name[0] != "_" else None
        if packet is None or not hasattr(packet, "overloads"):
            continue
        if any(torch.Tag.pointwise in getattr(packet, each).tags for each in packet.overloads()):
            yield name


def applied(name: str) -> Callable[[Tensor], Any]:
    """A method in place with as many plain arguments as it needs."""

    def apply(c: Tensor) -> Any:
        for args in (
            (),
            (2,),
            (torch.ones_like(c),),
            (c.clone(), c.clone()),
            (torch.ones_like(c), 2),
            (1, 2),
        ):
            before = c.clone()
            try:
                return getattr(c, name)(*args)
            except (TypeError, RuntimeError):
                assert torch.equal(before, c) or c.is_floating_point()  # nothing is done by half
        return c

    return apply


def _indexed(c: Tensor) -> None:
    c[1] = 2


def _sliced(c: Tensor) -> None:
    c[1:] += 1


def _masked(c: Tensor) -> None:
    c[c > 1] = 1


def _placed(c: Tensor) -> None:
    c[torch.tensor([0, 3])] = c[torch.tensor([1, 2])]


PLACES = torch.tensor([3, 1, 0, 2])
IN_PLACE: dict[str, Callable[[Tensor], Any]] = {
    **{name: applied(name) for name in pointwise_in_place()},
    "nothing": lambda c: None,
    "x[i] = v": _indexed,
    "x[i:] += v": _sliced,
    "x[mask] = v": _masked,
    "x[places] = y": _placed,
    "fill_": lambda c: c.fill_(1),
    "zero_": lambda c: c.zero_(),
    "copy_": lambda c: c.copy_(torch.arange(SIZE)),
    "index_fill_": lambda c: c.index_fill_(0, torch.tensor([0, 2]), 3),
    "index_copy_": lambda c: c.index_copy_(0, PLACES, c.clone()),
    "index_add_": lambda c: c.index_add_(0, PLACES, torch.ones_like(c)),
    "index_put_": lambda c: c.index_put_((PLACES,), torch.ones_like(c), accumulate=True),
    "masked_fill_": lambda c: c.masked_fill_(c == 0, 2),
    "masked_scatter_": lambda c: c.masked_scatter_(c > 0, torch.ones_like(c)),
    "scatter_": lambda c: c.scatter_(0, PLACES, c.clone()),
    "scatter_ a number": lambda c: c.scatter_(0, PLACES[:2], 2),
    "scatter_add_": lambda c: c.scatter_add_(0, PLACES, torch.ones_like(c)),
    "scatter_reduce_": lambda c: c.scatter_reduce_(0, PLACES, torch.ones_like(c), "amax"),
    "put_": lambda c: c.put_(PLACES[:2], torch.ones_like(c)[:2]),
    "a view": lambda c: c.view(2, 2)[1].add_(1),
    "a transposed view": lambda c: c.view(2, 2).t()[0].mul_(2),
    "cumsum_": lambda c: c.cumsum_(0),
    "an alias": lambda c: c.detach().add_(1),
    "sort and write": lambda c: c.copy_(c.sort(descending=True).values),
    "squeezed in place": lambda c: c.unsqueeze_(0).squeeze_(0).add_(1),
}


def _number(c: Tensor) -> int:
    """A small number that depends on all elements."""
    value = c.double().nan_to_num(1, 2, -2).clamp(-50, 50)
    return int((value * torch.arange(1, 1 + value.numel())).sum().abs()) % 5


def _loop(m: "Decides", h: Tensor, c: Tensor) -> Any:
    for _ in range(_number(c)):
        h = m.again(h)
    return h


def _mask(m: "Decides", h: Tensor, c: Tensor) -> Any:
    return m.again(h.t()[:SIZE][c.flatten()[:SIZE] > 1].new_zeros(3, 8)) if c.any() else m.last(h)


def _rows(m: "Decides", h: Tensor, c: Tensor) -> Any:
    return m.again(h.repeat(SIZE, 1)[:SIZE][c.flatten()[:SIZE] > 0])


def _shape(m: "Decides", h: Tensor, c: Tensor) -> Any:
    n = _number(c)
    return m.again(F.pad(h, (0, 0, 0, n)))


def _slice(m: "Decides", h: Tensor, c: Tensor) -> Any:
    return m.again(h[: 1 + _number(c) % 2])


def _branch(m: "Decides", h: Tensor, c: Tensor) -> Any:
    if (c > 1).any():
        return m.last(h)
    return m.last(m.again(h)) if c.all() else m.again(h)


def _repeated(m: "Decides", h: Tensor, c: Tensor) -> Any:
    counts = c.flatten()[:2].double().nan_to_num(1, 2, 0).clamp(0, 4).long()
    return m.again(h.repeat_interleave(counts, 0))


def _chosen(m: "Decides", h: Tensor, c: Tensor) -> Any:
    layers = [m.again, m.last, nn.Identity(), m.wide]
    return layers[int(c.flatten()[:SIZE].double().nan_to_num(0, 1, 2).argmax())](h)


def _listed(m: "Decides", h: Tensor, c: Tensor) -> Any:
    for each in c.flatten().tolist():
        h = m.again(h) if each == each and each > 0 else h
    return h


DECISIONS: dict[str, Callable[["Decides", Tensor, Tensor], Any]] = {
    each.__name__.strip("_"): each
    for each in (_loop, _mask, _rows, _shape, _slice, _branch, _repeated, _chosen, _listed)
}


class Decides(nn.Module):
    """A layer, a constant made beside what it puts out, something done to it, and what it decides."""

    def __init__(self, make: str, kind: torch.dtype, device: str, changes: list[str], decision: str) -> None:
        super().__init__()
        self.first, self.again, self.last = nn.Linear(6, 8), nn.Linear(8, 8), nn.Linear(8, 5)
        self.wide = nn.Linear(8, 9)
        self.alphas: nn.Parameter = nn.Parameter(torch.tensor([0.1, 0.9, 0.3, 2.0]))
        self.counts: Tensor
        self.scales: Tensor
        self.register_buffer("counts", torch.tensor([2, 0, 1, 3]))
        self.register_buffer("scales", torch.tensor([0.0, 1.0, 2.0, 1.0]), persistent=False)
        self.stride: Tensor = torch.tensor([3.0])
        self.steps: Tensor = torch.tensor(2)
        self.given: Tensor = torch.zeros(())
        self.drawn = make, kind, device, changes, decision

    def forward(self, x: Tensor, given: Tensor) -> Any:
        make, kind, device, changes, decision = self.drawn
        self.given = given
        h = self.first(x)
        c = CONSTRUCTORS[make](self, h, kind, DEVICES[device](h))
        for name in changes:
            try:
                IN_PLACE[name](c)
            except (RuntimeError, TypeError, NotImplementedError):
                continue  # not for this type
        assert c.device == h.device
        return DECISIONS[decision](self, h, c)
