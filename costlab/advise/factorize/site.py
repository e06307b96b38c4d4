"""Sites: the convolutions of a network, with all their calls, and which of them can be replaced."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, NamedTuple

from costlab.advise.factorize.scheme import Parts, work_of
from costlab.algebra.block import Node
from costlab.algebra.ops.convolution import Conv2d
from costlab.algebra.shape import Shape
from costlab.algebra.traced import Call, Traced
from costlab.algebra.work import Work, add_up
from costlab.targets.torch_module import refuse_without_module

OF_OTHER_DIMENSIONS = {"conv1d": "1-D", "conv3d": "3-D"}


class SiteCall(NamedTuple):
    """One call of a convolution: the input without its batch, and the batch."""

    input: Shape
    batch: int


@dataclass(frozen=True)
class Site:
    """A convolution by its path, with its calls: a module may be called several times.

    ``names`` are all its paths in a module that holds it more than once. ``made_larger`` says that its input
    is first made larger by its padding, as torch does for other padding than zeros.
    """

    path: str
    conv: Conv2d
    calls: tuple[SiteCall, ...]
    names: tuple[str, ...]
    made_larger: bool = False

    @property
    def channels(self) -> int:
        """How many come in."""
        channels: Any = self.calls[0].input.channels
        return int(channels)

    def work(self, parts: Parts) -> Work:
        """What some convolutions in its place do in all calls, which have the same parameters."""
        each = [work_of(parts, call.input, self.made_larger) for call in self.calls]
        if len(each) == self.calls[0].batch == 1:  # as in most definitions, where there is nothing to add up
            return each[0]
        batched = [add_up("conv2d", [work], call.batch) for work, call in zip(each, self.calls, strict=True)]
        return add_up("conv2d", batched)._replace(parameters=each[0].parameters)


class Left(NamedTuple):
    """A convolution that stays as it is, and why."""

    path: str
    reason: str
    multiply_adds: int


def sites_of(root: Node, batch: int) -> Iterator[Site | Left]:
    """The convolutions of a definition, or of a module that was traced, in their order.

    ``batch`` is that of a definition; what was traced has its own in it.
    """
    if isinstance(root.block, Traced):
        yield from _traced_sites(root)
        return
    for node, _ in root.working():
        if isinstance(node.block, Conv2d) and isinstance(node.input, Shape):
            yield Site(node.path, node.block, (SiteCall(node.input, batch),), (node.path,))


@dataclass
class _Found:
    """A module of a convolution while its calls are gathered."""

    path: str
    module: Any
    calls: list[SiteCall]
    multiply_adds: int


def _traced_sites(root: Node) -> Iterator[Site | Left]:
    assert isinstance(root.block, Traced)
    refuse_without_module(root.block, root.block.name, "factorizing")
    model: Any = root.block.subject
    modules: dict[str, Any] = dict(model.named_modules(remove_duplicate=False))
    found: dict[int, _Found | Left] = {}
    for node, work in root.working():
        block = node.block
        if not isinstance(block, Traced) or block.call is None or not work.kind.startswith("conv"):
            continue
        path = node.path if node.path in modules else node.path.rpartition(".")[0]
        done: Any = work.multiply_adds
        module = modules.get(path)
        if reason := _no_site(block.call, work.kind, module, modules):
            found[id(node)] = Left(node.path, reason, int(done))
            continue
        known = found.setdefault(id(module), _Found(path, module, [], 0))
        assert isinstance(known, _Found)
        known.calls.append(_call_of(block.call, module))
        known.multiply_adds += int(done)
    for each in found.values():
        yield each if isinstance(each, Left) else _site(each, modules)


def _no_site(call: Call, kind: str, module: Any, modules: dict[str, Any]) -> str:
    """Why a convolution is not that of a layer in two dimensions; empty where it is.

    One in whose place nothing can stand may call it as a function: `obstacle` says why.
    """
    from torch import nn

    from costlab.advise.factorize.torch_layer import obstacle

    if kind != "conv2d":
        return OF_OTHER_DIMENSIONS.get(kind, "transposed" if "transpose" in kind else "called as a function")
    as_layer = call.form in ("module", "subclass")
    if not isinstance(module, nn.Conv2d):
        return "no module of the network" if as_layer else "called as a function"
    return "" if as_layer or obstacle(module, modules) else "called as a function"


def _call_of(call: Call, module: Any) -> SiteCall:
    """One call by what the convolution read: other padding than zeros was put there before."""
    sizes = call.tensors[0].sizes
    channels, height, width = sizes[-3:]
    if module.padding_mode != "zeros":
        left, right, above, below = module._reversed_padding_repeated_twice
        height, width = height - above - below, width - left - right
    return SiteCall(Shape(channels, height, width), sizes[0] if len(sizes) == 4 else 1)


def _site(found: _Found, modules: dict[str, Any]) -> Site | Left:
    from costlab.advise.factorize.torch_layer import conv_of, is_lazy, obstacle

    if reason := obstacle(found.module, modules):
        return Left(found.path, reason, found.multiply_adds)
    names = tuple(name for name, each in modules.items() if each is found.module)
    made_larger = found.module.padding_mode != "zeros"
    site = Site(found.path, conv_of(found.module), tuple(found.calls), names, made_larger)
    other_channels = not is_lazy(found.module) and found.module.in_channels != site.channels
    done = site.work((site.conv,)).multiply_adds
    if other_channels or done != found.multiply_adds:  # as of complex numbers, or of weights that were cut
        return Left(found.path, "not counted by its settings alone", found.multiply_adds)
    return site
