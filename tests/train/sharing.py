"""Machines that train together, as processes that share a database."""

import os
import signal
from collections import Counter
from collections.abc import Callable
from contextlib import ExitStack
from multiprocessing.context import ForkServerContext
from typing import Any


def train_while_one_is_killed(
    context: ForkServerContext, work: Callable[..., None], arguments: Callable[[int], tuple[Any, ...]]
) -> Counter[str]:
    """Three machines, of which the first is killed in its first trial: how often the others did each trial.

    Each calls ``work`` with the ``arguments`` of its number and a connection that takes what it tells.
    """
    machines, told = [], []
    with ExitStack() as stack:
        for i in range(3):
            lines, theirs = context.Pipe(duplex=False)
            machine = context.Process(target=work, args=(*arguments(i), theirs))
            machine.start()
            theirs.close()
            machines.append(machine)
            told.append(stack.enter_context(os.fdopen(os.dup(lines.fileno()))))
            lines.close()
        while not told[0].readline().startswith("training: "):
            assert machines[0].is_alive()
        machines[0].kill()
        outputs = [each.read() for each in told[1:]]
    for machine in machines:
        machine.join()
    assert [machine.exitcode for machine in machines] == [-signal.SIGKILL, 0, 0], outputs
    return Counter(
        line.partition(": top-1")[0]
        for text in outputs
        for line in text.splitlines()
        if line.startswith("done")
    )
