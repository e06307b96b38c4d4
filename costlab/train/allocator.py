"""The allocator of the C library, told to keep the memory that a step frees for the next one."""

import ctypes
import platform

M_TRIM_THRESHOLD, M_MMAP_MAX = -1, -4
"""From ``malloc.h`` of glibc."""


def keep_freed_memory() -> bool:
    """Keep freed memory in this process, where the C library is glibc; returns whether it does.

    By default glibc gives the memory of large tensors back to the system and asks for it anew, with a page
    fault for every 4 KiB: thousands in a step, which take an eighth of it.
    """
    if platform.libc_ver()[0] != "glibc":
        return False
    mallopt = ctypes.CDLL(None).mallopt
    return bool(mallopt(M_MMAP_MAX, 0) and mallopt(M_TRIM_THRESHOLD, -1))
