"""Networks that were traced without a batch, as torch's layers allow."""

import re
from dataclasses import replace

from costlab.advise.graph import Graph, Step

CONVOLUTION = re.compile(r"conv(?:_transpose)?([123])d")


def with_batch(graph: Graph) -> Graph:
    """The graph with a batch of 1 before the sizes of all steps, where its convolutions had none."""
    if not any(map(_lacks_batch, graph.steps)):
        return graph
    steps = tuple(step._replace(sizes=(1, *step.sizes)) for step in graph.steps)
    return replace(graph, steps=steps, input=(1, *graph.input) if graph.input else ())


def _lacks_batch(step: Step) -> bool:
    kind = CONVOLUTION.fullmatch(step.kind)
    return kind is not None and len(step.sizes) == int(kind[1]) + 1
