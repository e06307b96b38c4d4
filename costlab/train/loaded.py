"""What each worker needs and takes seconds to load: imported once, in the process that they are copies of."""

from contextlib import suppress

import torch._dynamo  # noqa: F401  # an optimizer imports it

import costlab.train.worker

with suppress(Exception):  # where numba is missing or broken there are no kernels, see `fused.has_kernels`
    import costlab.train.kernels  # noqa: F401  # for the workers
