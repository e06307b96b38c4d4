"""Grid reductions made bluntly: a pooling, and before or behind it a convolution that widens."""

from collections.abc import Iterator

from costlab.advise.graph import Graph, Step
from costlab.advise.lint.balance import Balance
from costlab.advise.lint.chain import Chain, is_convolution
from costlab.advise.lint.cuts import is_map, on_the_way, waists
from costlab.advise.lint.finding import CONVOLUTION_BEFORE_POOL, POOL_BEFORE_EXPANSION, Finding
from costlab.advise.lint.text import many
from costlab.algebra.window import times
from costlab.counting.family import family_of


def pooled_first(graph: Graph) -> Iterator[tuple[int, Finding]]:
    """The poolings with a stride whose output goes to a convolution that widens, with nothing beside them.

    A pooling beside which something else goes on, a shortcut say, is no bottleneck; nor is a convolution that
    leaves a single place one on a grid: it is a fully connected layer.
    """
    alone = Chain(graph)
    for number in waists(graph):
        pool = graph.steps[number]
        given, after = alone.given(number), alone.convolution_after(number)
        if given is None or after is None or not _reduces(pool, graph.steps[given]):
            continue
        conv = graph.steps[after]
        if is_map(conv) and _widens(pool.sizes[1], conv.sizes[1]):
            yield number, _bottleneck(graph.steps[given], pool, conv)


def expanded_first(graph: Graph, balance: Balance, expensive_share: float) -> Iterator[tuple[int, Finding]]:
    """The convolutions that widen on the full grid, and whose output goes to a strided pooling alone."""
    alone = Chain(graph)
    for number in on_the_way(graph):
        conv = graph.steps[number]
        given = alone.channels_and_grid(number)
        if not is_convolution(conv) or given is None:
            continue
        channels, grid = given
        if _halves(grid, conv.grid) or not _widens(channels, conv.sizes[1]):
            continue
        after = alone.reader(number, _is_pooling)
        if after is not None and _reduces(graph.steps[after], conv):
            yield number, _expensive(channels, conv, graph.steps[after], balance, expensive_share)


def _is_pooling(step: Step) -> bool:
    return family_of(step.kind) == "pooling"


def _reduces(pool: Step, before: Step) -> bool:
    """Whether a pooling halves the places along an axis, and leaves more than one."""
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
        f"{times(before.grid)} is pooled to {times(pool.grid)} before {conv.path} goes "
        f"from {many(channels, 'channel')} to {filters}",
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
        f"from {many(channels, 'channel')} to {filters} on the full {times(conv.grid)} grid "
        f"before {pool.path}, in {conv.multiply_adds:,} multiply-adds, {share:.1%} of those of the "
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
        f"pooling of the {many(channels, 'channel')}, concatenated to {filters}"
    )
