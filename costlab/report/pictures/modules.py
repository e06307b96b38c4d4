"""The picture of a network: each module's multiply-adds, parameters and activations, by kernel."""

from collections import Counter
from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

from costlab.counting.breakdown import kernel_of, module_at
from costlab.counting.count import Count
from costlab.counting.row import Row
from costlab.report.cell import human
from costlab.report.figure import COLORS, SMALL, WIDTH, Picture, add_title, format_sizes, wrap_text
from costlab.report.tables.count import listed, marks_of, titles_of

if TYPE_CHECKING:
    from matplotlib.figure import Figure

KERNELS = 7
"""The most kernels; the smaller ones are combined."""
MODULES = 32
"""The most modules; of more, those with the fewest multiply-adds are combined."""
OTHER = "other"
SEPARATOR = "\n"
LEAST_SHARE = 0.005
"""The share of a measure from which on a kernel is visible, and in the legend."""


class ModuleCosts(NamedTuple):
    """The data: the size by measure, module and kernel; ``totals`` by measure."""

    title: str
    modules: tuple[str, ...]
    kernels: tuple[str, ...]
    sizes: tuple[tuple[tuple[int, ...], ...], ...]
    totals: tuple[int, ...]
    measures: tuple[str, ...]


def module_costs(count: Count, depth: int = 1) -> ModuleCosts:
    """The cost of each module that costs anything, in the order of execution, by kernel."""
    module = module_at(depth)
    modules = _named([row for row in count.grouped(module) if any(row.sizes(count.measures))], MODULES)
    of_kernels = [row for row in count.grouped(kernel_of) if any(row.sizes(count.measures))]
    kernels = _named(sorted(of_kernels, key=_size, reverse=True), KERNELS)
    sizes: Counter[tuple[str, str, str]] = Counter()
    for row in count.grouped(lambda node: module(node) + SEPARATOR + kernel_of(node)):
        place, kernel = row.work.kind.split(SEPARATOR)
        for name, size in zip(count.measures, row.sizes(count.measures), strict=True):
            if size != 0:
                sizes[name, modules[place], kernels[kernel]] += int(size)
    shown_modules, shown_kernels = (tuple(dict.fromkeys(names.values())) for names in (modules, kernels))
    return ModuleCosts(
        "\n".join((f"{count.title}: cost by module and kernel", *marks_of(count))),
        shown_modules,
        shown_kernels,
        tuple(
            tuple(tuple(sizes[name, module, kernel] for kernel in shown_kernels) for module in shown_modules)
            for name in count.measures
        ),
        tuple(int(count.size(name)) for name in count.measures),
        titles_of(count),
    )


def _size(row: Row) -> tuple[int, int]:
    return int(row.work.multiply_adds), int(row.work.parameters)


def _named(rows: Sequence[Row], most: int) -> dict[str, str]:
    """The names in the picture, by kind; those beyond ``most`` share one name, the last."""
    kept = {row.work.kind for row in sorted(rows, key=_size, reverse=True)[: most - (len(rows) > most)]}
    named = {row.work.kind: row.work.kind or "(root)" for row in rows if row.work.kind in kept}
    rest = [row.work.kind for row in rows if row.work.kind not in kept]
    return named | dict.fromkeys(rest, f"{len(rest)} {OTHER}")


def modules_picture(count: Count, name: str, depth: int = 1) -> Picture[ModuleCosts]:
    """A panel for each measure, a bar for each module, a color for each kernel."""
    costs = module_costs(count, depth)
    alt = f"Stacked bars of {listed(costs.measures)} per module and kernel of {count.shown}"
    return Picture(name, alt, costs, draw_modules, (WIDTH, 1.7 + 0.27 * max(4, len(costs.modules))))


def draw_modules(figure: "Figure", costs: ModuleCosts) -> None:
    """Draw the costs of modules."""
    add_title(figure, costs.title)
    rows = range(len(costs.modules))
    in_legend = [
        any(
            sum(row[j] for row in sizes) > LEAST_SHARE * total
            for sizes, total in zip(costs.sizes, costs.totals, strict=True)
        )
        for j in range(len(costs.kernels))
    ]
    panels = figure.subplots(1, len(costs.measures), sharey=True, squeeze=False)[0]
    for axes, name, sizes, total in zip(panels, costs.measures, costs.sizes, costs.totals, strict=True):
        starts = [0.0] * len(costs.modules)
        for j, kernel in enumerate(costs.kernels):
            widths = [float(sizes[i][j]) for i in rows]  # matplotlib's whole numbers have an end
            color, label = COLORS[j % len(COLORS)], kernel if axes is panels[0] and in_legend[j] else None
            axes.barh(rows, widths, 0.78, starts, color=color, edgecolor="white", linewidth=0.4, label=label)
            starts = [start + width for start, width in zip(starts, widths, strict=True)]
        for i in rows:
            share = f"{starts[i] / total:.1%}" if total else ""
            axes.annotate(
                share, (starts[i], i), (3, 0), textcoords="offset points", va="center", fontsize=SMALL
            )
        axes.set_title(f"{human(total)} {name}")
        axes.set_xlim(0, 1.32 * max([*starts, 1]))
        axes.locator_params(axis="x", nbins=3, integer=True)
        format_sizes(axes.xaxis)
        axes.tick_params(axis="y", length=0)
    panels[0].set_yticks(rows, [wrap_text(module, 22) for module in costs.modules])
    panels[0].set_ylim(len(costs.modules) - 0.4, -0.6)
    if any(in_legend):
        figure.legend(ncols=4, loc="outside lower center")
