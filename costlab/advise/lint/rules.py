"""All that the rules find in a network."""

from costlab.advise.graph import Graph
from costlab.advise.lint.balance import Balance
from costlab.advise.lint.finding import RULES, Finding
from costlab.advise.lint.kernels import large_kernels
from costlab.advise.lint.pinches import pinches
from costlab.advise.lint.reductions import expanded_first, pooled_first


def findings_in(graph: Graph, balance: Balance, expensive_share: float) -> tuple[Finding, ...]:
    """What is found, in the order in which the network runs; at one place in the order of the rules."""
    order = list(RULES)
    found = [
        *pinches(graph),
        *pooled_first(graph),
        *expanded_first(graph, balance, expensive_share),
        *large_kernels(graph, balance),
    ]
    found.sort(key=lambda each: (each[0], order.index(each[1].rule)))
    return tuple(finding for _, finding in found)
