"""Large kernels: dense ones of more than 3x3, and what smaller ones in their place would cost."""

from collections.abc import Iterator
from typing import Any

from costlab.advise.convolution import Convolution
from costlab.advise.factorize.scheme import SCHEMES, Scheme, work_of
from costlab.advise.graph import Graph, Step
from costlab.advise.lint.balance import Balance
from costlab.advise.lint.finding import LARGE_KERNEL, Alternative, Finding
from costlab.advise.lint.text import many
from costlab.algebra.ratio import in_between
from costlab.algebra.window import as_pair, times

LARGEST = 3
"""The largest side of a kernel that is not large."""


def large_kernels(graph: Graph, balance: Balance) -> Iterator[tuple[int, Finding]]:
    """The large kernels of a network, each with the number of its step."""
    for number in graph.convolutions:
        step = graph.steps[number]
        if step.convolution is not None and _is_large(step.convolution):
            yield number, _finding(step, step.convolution, balance)


def _is_large(found: Convolution) -> bool:
    """Whether a kernel is dense, larger than 3x3, and shared by places that overlap.

    One that moves by its own size cuts into patches, and one as large as all that comes in is a fully
    connected layer: in both every weight meets every input once.
    """
    height, width = found.kernel
    down, right = map(_whole, as_pair("stride", found.conv.stride))
    overlaps = height > down or width > right
    covers = height >= _whole(found.input.height) and width >= _whole(found.input.width)
    large = min(height, width) > 1 and max(height, width) > LARGEST
    return bool(found.is_dense and large and overlaps and not covers)


def alternatives_to(found: Convolution) -> tuple[Alternative, ...]:
    """What stands in the paper for a convolution: smaller kernels (section 3.1), asymmetric ones (3.2).

    Between the parts the channels go from those in to those out in equal steps of the ratio.
    """
    made = []
    for scheme in SCHEMES.values():
        if scheme.section and not scheme.misfit(found.conv):
            done = _multiply_adds(scheme, found)
            made.append(Alternative(scheme.name, done, _whole(found.work.multiply_adds) * found.batch - done))
    return tuple(made)


def _multiply_adds(scheme: Scheme, found: Convolution) -> int:
    """Those of the parts of an alternative, for the whole batch."""
    channels = _whole(found.input.channels)
    between = (_whole(in_between(channels, found.conv.filters)),) if scheme.has_rank else ()
    parts = scheme.parts(found.conv, channels, between)
    return _whole(work_of(parts, found.input).multiply_adds) * found.batch


def _finding(step: Step, found: Convolution, balance: Balance) -> Finding:
    kernel, channels, filters = found.kernel, _whole(found.input.channels), _whole(found.conv.filters)
    share = balance.share_of_convolutions(step.multiply_adds)
    alternatives = alternatives_to(found)
    return Finding(
        LARGE_KERNEL,
        step.path,
        "warning",
        f"a dense {times(kernel)} kernel, from {many(channels, 'channel')} to {filters}, takes "
        f"{step.multiply_adds:,} multiply-adds, {share:.1%} of those of the convolutions",
        {
            "kernel": kernel,
            "channels": channels,
            "filters": filters,
            "grid": step.grid,
            "multiply_adds": step.multiply_adds,
            "share_of_convolutions": share,
            "share": balance.share(step.multiply_adds),
        },
        _change(step, kernel, alternatives),
        alternatives,
    )


def _change(step: Step, kernel: tuple[int, int], alternatives: tuple[Alternative, ...]) -> str:
    """The alternatives that save something, with what they save."""
    height, width = kernel
    names = {
        "3x3-pairs": f"{(height - 1) // 2} of 3x3 in a row",
        "1xn+nx1": f"1x{width} and then {height}x1",
    }
    saving = [
        f"{names[each.scheme]} would save {each.saved:,} ({each.saved / step.multiply_adds:.1%})"
        for each in alternatives
        if each.saved > 0
    ]
    return "; ".join(saving) if saving else "none of the paper's: smaller kernels would cost more here"


def _whole(size: Any) -> int:
    return int(size)
