"""How much memory is free, where a process may be held to less than the machine has."""

import os
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

GROUP = Path("/sys/fs/cgroup")
"""Where Linux tells, within a container, what its group of processes may take."""


def free_memory() -> int | None:
    """The bytes that this process may still take, as far as the system tells; None where it does not."""
    return min(_told(), default=None)


def _told() -> Iterator[int]:
    """What is free of the machine, of the address space of the process, and of its group."""
    with suppress(OSError, ValueError, StopIteration):
        lines = Path("/proc/meminfo").read_text().splitlines()
        yield int(next(each for each in lines if each.startswith("MemAvailable:")).split()[1]) * 1024
    with suppress(ImportError, OSError, ValueError):
        import resource  # not on Windows

        limit, _ = resource.getrlimit(resource.RLIMIT_AS)
        if limit != resource.RLIM_INFINITY:
            taken = int(Path("/proc/self/statm").read_text().split()[0])
            yield max(limit - taken * os.sysconf("SC_PAGE_SIZE"), 0)
    with suppress(OSError, ValueError):
        limit = int((GROUP / "memory.max").read_text())  # "max" where there is none
        statistics = dict(map(str.split, (GROUP / "memory.stat").read_text().splitlines()))
        kept = int(statistics.get("inactive_file", 0))  # what was read, and is given back when it is wanted
        yield max(limit - int((GROUP / "memory.current").read_text()) + kept, 0)
