"""What is counted whether torch has loaded its compiler or not; as a program of a model: where it has not."""

import gc
import sys
import warnings

import torch
from torch import Tensor, nn

import costlab
from costlab.tracing.stand_in import StandIn

LINEAR = 2 * 8 * 8
"""Multiply-adds of a layer."""


class Plain(nn.Module):
    """One layer, whichever branch is taken."""

    def __init__(self) -> None:
        super().__init__()
        self.layer = nn.Linear(8, 8)

    def forward(self, x: Tensor) -> Tensor:
        chosen: Tensor = torch.cond(x.sum() > 0, self.layer, self.layer, (x,))
        return chosen


class Compiled(Plain):
    """The same, after the layer once more, compiled as it is called."""

    def forward(self, x: Tensor) -> Tensor:
        return super().forward(torch.compile(self.layer, backend="eager")(x))


MODELS: dict[type[Plain], int] = {Plain: LINEAR, Compiled: 2 * LINEAR}


def _stand_ins() -> list[StandIn]:
    gc.collect()
    return [each for each in gc.get_objects() if type(each) is StandIn]


def check(model: type[Plain]) -> None:
    """It counts what it should, leaves nothing behind, and runs afterwards."""
    there = _stand_ins()  # of other tests in this process, held so that no other takes an address of theirs
    found = costlab.count(model(), torch.zeros(2, 8)).multiply_adds
    assert found == MODELS[model], found
    left = [each for each in _stand_ins() if all(each is not other for other in there)]
    assert not left, [type(each) for each in gc.get_referrers(left[0])]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # what torch warns of when it compiles
        assert model()(torch.ones(2, 8)).shape == (2, 8)


if __name__ == "__main__":
    assert "torch._dynamo" not in sys.modules
    check({each.__name__: each for each in MODELS}[sys.argv[1]])
