"""Grid reductions made bluntly: a pooling, and before or behind it a convolution that widens."""

from collections.abc import Callable, Iterator

from costlab.advise.graph import INPUT, Graph, Step
from costlab.advise.lint.balance import Balance
from costlab.advise.lint.cuts import is_map, on_the_way, waists
from costlab.advise.lint.finding import CONVOLUTION_BEFORE_POOL, POOL_BEFORE_EXPANSION, Finding
from costlab.advise.lint.text import channels_text, percent, sizes_text
from costlab.counting.family import family_of

PASSING = ("activation functions", "normalization")
"""The families of what stands between a convolution and a pooling, and changes no sizes."""


def pooled_first(graph: Graph) -> Iterator[tuple[int, Finding]]:
    """The poolings with a stride whose output goes to a convolution that widens, with nothing beside them.

    A pooling beside which something else goes on, a shortcut say, is no bottleneck; nor is a convolution that
    leaves a single place one on a grid: it is a fully connected layer.
    """
    alone = _Chain(graph)
    for number in waists(graph):
        pool = graph.steps[number]
        before = alone.given(number)
        if before is None or not _reduces(pool, before):
            continue
        conv = alone.reader(number, _is_convolution)
        if conv is not None and is_map(conv) and _widens(pool.sizes[1], conv.sizes[1]):
            yield number, _bottleneck(before, pool, conv)


def expanded_first(graph: Graph, balance: Balance, expensive_share: float) -> Iterator[tuple[int, Finding]]:
    """The convolutions that widen on the full grid, and whose output goes to a strided pooling alone."""
    alone = _Chain(graph)
    for number in on_the_way(graph):
        conv = graph.steps[number]
        given = alone.channels_and_grid(number)
        if not _is_convolution(conv) or given is None:
            continue
        channels, grid = given
        if _halves(grid, conv.grid) or not _widens(channels, conv.sizes[1]):
            continue
        pool = alone.reader(number, _is_pooling)
        if pool is not None and _reduces(pool, conv):
            yield number, _expensive(channels, conv, pool, balance, expensive_share)


class _Chain:
    """Steps in a row, between which nothing branches off."""

    def __init__(self, graph: Graph) -> None:
        self._graph = graph
        self._counted = frozenset(on_the_way(graph))

    def reader(self, number: int, wanted: Callable[[Step], bool]) -> Step | None:
        """The step that alone reads one, past activations, norms and dropout, if it is such."""
        steps = self._graph.steps
        while number not in self._graph.outputs:
            readers = [each for each in self._graph.readers[number] if each in self._counted]
            if len(readers) != 1 or steps[readers[0]].reads != (number,):
                return None
            number = readers[0]
            if wanted(steps[number]):
                return steps[number]
            if not _passes(steps[number]):
                return None
        return None

    def given(self, number: int) -> Step | None:
        """The step that one reads, if it is one; what comes in from outside is none."""
        reads = self._graph.steps[number].reads
        return self._graph.steps[reads[0]] if len(reads) == 1 and reads != (INPUT,) else None

    def channels_and_grid(self, number: int) -> tuple[int, tuple[int, ...]] | None:
        """What comes into a step, as far as is known of it."""
        step = self._graph.steps[number]
        if step.convolution is not None:
            channels, *grid = map(int, step.convolution.input)
            return channels, tuple(grid)
        before = self.given(number)
        return None if before is None or len(before.sizes) < 3 else (before.sizes[1], before.grid)


def _is_convolution(step: Step) -> bool:
    return family_of(step.kind) == "convolution" and "transpose" not in step.kind


def _is_pooling(step: Step) -> bool:
    return family_of(step.kind) == "pooling"


def _passes(step: Step) -> bool:
    return family_of(step.kind) in PASSING or "dropout" in step.kind


def _reduces(pool: Step, before: Step) -> bool:
    """Whether a pooling moves by 2 or more, and leaves more than one place."""
    return _is_pooling(pool) and is_map(pool) and _halves(before.grid, pool.grid)


def _halves(before: tuple[int, ...], after: tuple[int, ...]) -> bool:
    """Whether an axis has half as many places or less, an odd one rounded up."""
    pairs = zip(before, after, strict=False)
    return any(b < a and 2 * b <= a + 1 for a, b in pairs)


def _widens(channels: int, filters: int) -> bool:
    """Whether there are more filters by the square root of 2, nearer to twice as many than to as many."""
    return filters * filters > 2 * channels * channels


def _bottleneck(before: Step, pool: Step, conv: Step) -> Finding:
    channels, filters = pool.sizes[1], conv.sizes[1]
    return Finding(
        POOL_BEFORE_EXPANSION,
        pool.path,
        "warning",
        f"{sizes_text(before.grid)} is pooled to {sizes_text(pool.grid)} before {conv.path} goes "
        f"from {channels_text(channels)} to {filters}",
        {
            "convolution": conv.path,
            "channels": channels,
            "filters": filters,
            "from_grid": before.grid,
            "to_grid": pool.grid,
        },
        _side_by_side(channels, filters),
    )


def _expensive(channels: int, conv: Step, pool: Step, balance: Balance, expensive_share: float) -> Finding:
    filters, share = conv.sizes[1], balance.share_of_convolutions(conv.multiply_adds)
    return Finding(
        CONVOLUTION_BEFORE_POOL,
        conv.path,
        "warning" if share >= expensive_share else "note",
        f"from {channels_text(channels)} to {filters} on the full {sizes_text(conv.grid)} grid "
        f"before {pool.path}, in {conv.multiply_adds:,} multiply-adds, {percent(share)} of those of the "
        "convolutions",
        {
            "pool": pool.path,
            "channels": channels,
            "filters": filters,
            "from_grid": conv.grid,
            "to_grid": pool.grid,
            "multiply_adds": conv.multiply_adds,
            "share_of_convolutions": share,
            "share": balance.share(conv.multiply_adds),
        },
        _side_by_side(channels, filters),
    )


def _side_by_side(channels: int, filters: int) -> str:
    return (
        f"side by side: a convolution of {filters - channels} filters with the pooling's stride and the "
        f"pooling of the {channels_text(channels)}, concatenated to {filters}"
    )
