"""One thread per process: tests run side by side, and threads beyond the cores wait for each other."""

import os

os.environ["OMP_NUM_THREADS"] = "1"  # before torch is imported, and for the processes that tests start
