"""All that the rules find in a network."""

from costlab.advise.graph import Graph
from costlab.advise.lint.balance import Balance
from costlab.advise.lint.finding import Finding


def findings_in(graph: Graph, balance: Balance, expensive_share: float) -> tuple[Finding, ...]:
    """What is found, in the order in which the network runs."""
    return ()
