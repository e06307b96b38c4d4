"""Waists against their definition: without one, nothing that comes in reaches what goes out."""

from hypothesis import given
from hypothesis import strategies as st

from costlab.advise.graph import INPUT, Graph, Step
from costlab.advise.lint.cuts import on_the_way, waists


@st.composite
def graphs(draw: st.DrawFn) -> Graph:
    """Graphs of a few steps, also with constants, dead ends, and inputs that go out as they are."""
    count = draw(st.integers(1, 9))
    steps: list[Step] = []
    for number in range(count):
        reads = tuple(sorted(draw(st.sets(st.integers(max(INPUT, number - 3), number - 1), max_size=3))))
        comes = any(read == INPUT or steps[read].from_input for read in reads)
        steps.append(Step(str(number), "relu", reads, (1, 2, 3, 3), 0, from_input=comes))
    outputs = draw(st.lists(st.integers(INPUT, count - 1), min_size=1, max_size=2, unique=True))
    return Graph("random", tuple(steps), tuple(outputs))


def _reached(graph: Graph, without: int | None = None) -> set[int]:
    """What comes from the input, if one step is taken out."""
    reached = {INPUT}
    for number, step in enumerate(graph.steps):
        if number != without and not reached.isdisjoint(step.reads):
            reached.add(number)
    return reached


@given(graphs())
def test_waists_are_the_steps_that_nothing_gets_around(graph: Graph) -> None:
    outputs = set(graph.outputs)
    reached = _reached(graph)
    ahead = outputs & reached
    expected = tuple(
        number
        for number in sorted(reached - {INPUT})
        if _reaches(graph, number, outputs) and not (ahead - {number}) & _reached(graph, number)
    )
    assert waists(graph) == expected


@given(graphs())
def test_what_is_on_the_way_comes_from_the_input_and_reaches_an_output(graph: Graph) -> None:
    outputs = set(graph.outputs)
    assert on_the_way(graph) == tuple(
        number for number in sorted(_reached(graph) - {INPUT}) if _reaches(graph, number, outputs)
    )


def _reaches(graph: Graph, number: int, outputs: set[int]) -> bool:
    return number in outputs or any(_reaches(graph, reader, outputs) for reader in graph.readers[number])
