"""Processes forked from one that has loaded torch: each begins as a new one does, but sooner.

Only for an interpreter that has computed nothing yet: torch's threads do not come along.
"""

import os
import socket
import traceback
from collections.abc import Callable

import torch._dynamo  # noqa: F401  # which the first optimizer loads


def fork(work: Callable[[], None]) -> int:
    """The id of a new process that does the work and ends, with 1 if it raises."""
    if pid := os.fork():
        return pid
    try:
        work()
    except BaseException:
        traceback.print_exc()
        os._exit(1)
    os._exit(0)


def ended(pid: int) -> int:
    """The exit code of a process, once it has ended; below 0 that of the signal that ended it."""
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])


def together(work: Callable[[], None], world: int = 2) -> list[int]:
    """The exit codes of processes that do some work as torchrun has them do it: as ranks of one group."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    common = {"WORLD_SIZE": str(world), "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(port)}
    begun = []
    for rank in range(world):
        os.environ.update(common, RANK=str(rank), LOCAL_RANK=str(rank))
        begun.append(fork(work))
    return [ended(pid) for pid in begun]
