"""The allocator: memory that is freed and taken again costs no page faults any more."""

import platform
import subprocess
import sys

import pytest

FAULTS = """
import resource, torch
from costlab.train.allocator import keep_freed_memory
def faults():
    before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    for _ in range(10):
        [torch.ones(1 << 20) for _ in range(8)]
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before
faults(), print(keep_freed_memory()), faults(), print(faults())
"""


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="the C library is another")
def test_freed_memory_is_kept() -> None:
    done = subprocess.run([sys.executable, "-c", FAULTS], check=True, capture_output=True, text=True)
    kept, faults = done.stdout.split()
    assert kept == "True"
    assert int(faults) < 1000  # 10 times 8 tensors are of 1024 pages each
