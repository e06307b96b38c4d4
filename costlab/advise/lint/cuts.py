"""Cuts of a network: the waists, at which all that comes from the input is in a single tensor."""

from math import prod

from costlab.advise.graph import INPUT, Graph, Step
from costlab.counting.family import family_of


def waists(graph: Graph) -> tuple[int, ...]:
    """The steps whose output is all that is alive of the input when they have run, in their order.

    Alive is what a later step reads on the way to an output of the network, and an output from then on.
    What reaches no output is left out, as it is an auxiliary head's.
    """
    steps = on_the_way(graph)
    ends = {read: number for number in steps for read in graph.steps[number].reads}  # the last that reads it
    ends |= dict.fromkeys(graph.outputs, len(graph.steps))
    alive = {INPUT}
    found = []
    for number in steps:
        alive = {each for each in (*alive, number) if ends.get(each, number) > number}
        if alive == {number}:
            found.append(number)
    return tuple(found)


def on_the_way(graph: Graph) -> tuple[int, ...]:
    """The steps between what comes in and what goes out, in their order."""
    reaching: set[int] = set()
    pending = list(graph.outputs)
    while pending:
        number = pending.pop()
        if number == INPUT or number in reaching or not graph.steps[number].from_input:
            continue
        reaching.add(number)
        pending += graph.steps[number].reads
    return tuple(sorted(reaching))


def between_blocks(graph: Graph, found: tuple[int, ...]) -> tuple[int, ...]:
    """The waists without those inside of a separable convolution, or of an inverted bottleneck.

    A depthwise convolution and the pointwise one behind it stand for one convolution. A pointwise one before
    them that widens, where the last narrows again, makes what only these read: nothing is represented there.
    """
    steps = graph.steps
    inside: set[int] = set()
    for place, number in enumerate(found):
        if not is_depthwise(steps[number]):
            continue
        last = next((each for each in found[place + 1 :] if _is_dense(steps[each])), None)
        if last is None or not is_pointwise(steps[last]) or _widely_mixes(steps[number + 1 : last]):
            continue
        first = number
        before = next((each for each in reversed(found[:place]) if _multiplies(steps[each])), None)
        if before is not None and _widens_and_narrows(steps[before], steps[last]):
            first = number if _widely_mixes(steps[before + 1 : number]) else before
        inside |= set(range(first, last))
    return tuple(each for each in found if each not in inside)


def _widely_mixes(between: tuple[Step, ...]) -> bool:
    """Whether some of the steps mix all channels of a map, as a residual block does."""
    return any(_is_dense(step) and is_map(step) for step in between)


def is_depthwise(step: Step) -> bool:
    """Whether it is a convolution of each channel by itself."""
    found = step.convolution
    return found is not None and found.conv.groups == found.input.channels != 1


def is_pointwise(step: Step) -> bool:
    """Whether it is a dense 1x1 convolution."""
    return step.convolution is not None and step.convolution.is_dense and step.convolution.kernel == (1, 1)


def is_map(step: Step) -> bool:
    """Whether it puts out channels, or features, at more than one place.

    Of three axes the places may be the last, or the second, as of tokens.
    """
    if len(step.sizes) < 3:
        return False
    return prod(step.grid) > 1 and (len(step.sizes) > 3 or step.sizes[1] > 1)


def narrows(before: Step, step: Step) -> bool:
    """Whether a step has fewer channels; of a product with a matrix these are the features, the last axis."""
    axis = -1 if family_of(step.kind) == "matrix products" else 1
    return step.sizes[axis] < before.sizes[axis]


def first_of_answer(graph: Graph, found: tuple[int, ...]) -> int:
    """The waist from which on the channels are those of the answer, such as scores; past all if none is.

    It is the last step that multiplies, if that is a waist, or the first of the waists at the end that have
    as many channels as a map that is put out.
    """
    steps = graph.steps
    multiplying = [number for number in on_the_way(graph) if _multiplies(steps[number])]
    begin = multiplying[-1] if multiplying and multiplying[-1] in found else len(steps)
    outputs = {
        steps[number].sizes[1] for number in graph.outputs if number != INPUT and _is_plane(steps[number])
    }
    if len(outputs) == 1:
        for number in reversed(found):
            if not _is_plane(steps[number]) or steps[number].sizes[1] not in outputs:
                break
            begin = min(begin, number)
    return begin


def _is_plane(step: Step) -> bool:
    return len(step.sizes) > 3


def _is_dense(step: Step) -> bool:
    return _multiplies(step) and not is_depthwise(step)


def _multiplies(step: Step) -> bool:
    return step.multiply_adds > 0


def _widens_and_narrows(wide: Step, narrow: Step) -> bool:
    """Whether the first is a pointwise convolution that widens, and the second has fewer channels again."""
    if wide.convolution is None or not is_pointwise(wide):
        return False
    return wide.sizes[1] > int(wide.convolution.input.channels) and narrow.sizes[1] < wide.sizes[1]
