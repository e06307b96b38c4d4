"""The devices that the tests of this folder run on. Of the tools of the project they need pytest alone."""

from typing import cast

import pytest
import torch


@pytest.fixture(params=["cpu", pytest.param("cuda", marks=pytest.mark.cuda)])
def device(request: pytest.FixtureRequest) -> torch.device:
    """Each in turn: what is expected of a GPU is seen to hold where there is none."""
    return torch.device(cast("str", request.param))
