"""What is told of an operation: each byte that it reads or writes once, by hand."""

import torch
from torch import Tensor, nn

from costlab.counting.count import count
from costlab.hardware.timing.features import Features, features_of


class Words(nn.Module):
    """Rows of a table, times a parameter, through one layer twice."""

    def __init__(self) -> None:
        super().__init__()
        self.rows = nn.Embedding(5000, 16)
        self.factor = nn.Parameter(torch.ones(16, 32))
        self.layer = nn.Linear(32, 32)

    def forward(self, x: Tensor) -> Tensor:
        out: Tensor = self.layer(self.layer(self.rows(x) @ self.factor))
        return out


def test_each_byte_counts_once() -> None:
    counted = count(Words(), "1x8:int64")
    found = {node.path: features_of(counted, [node]) for node in counted.operations}
    assert found["rows"] == Features(0, 4 * 8, 4 * 8 * 16, 4 * 8 * 16)  # not the whole table
    assert found["matmul"] == Features(8 * 16 * 32, 4 * (8 * 16 + 16 * 32), 4 * 8 * 32, 0)
    assert found["layer.call"] == Features(8 * 32 * 32, 4 * 8 * 32, 4 * 8 * 32, 4 * (32 * 32 + 32))
    assert found["layer.call_2"] == Features(8 * 32 * 32, 4 * 8 * 32, 4 * 8 * 32, 4 * 32 * 32)
    assert features_of(counted, []) == Features(0, 0, 0, 0, 0)
