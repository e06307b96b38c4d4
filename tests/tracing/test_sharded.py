"""Sharded and distributed modules count as the module that was sharded; in a process of one, with gloo."""

import subprocess
import sys

PROGRAM = """
import warnings
import torch, torch.distributed as dist
from torch import nn
warnings.simplefilter("ignore")
from torch.distributed.fsdp import FullyShardedDataParallel, fully_shard
from torch.distributed.tensor import distribute_module, distribute_tensor, init_device_mesh, Replicate
from torch.distributed.tensor.parallel import ColwiseParallel, RowwiseParallel, parallelize_module
import costlab

dist.init_process_group("gloo", store=dist.HashStore(), rank=0, world_size=1)
mesh = init_device_mesh("cpu", (1,))

class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.a, self.b, self.norm = nn.Linear(8, 16), nn.Linear(16, 8), nn.BatchNorm1d(8)
        self.register_buffer("steps", torch.tensor(2))
        self.seen = []

    def forward(self, x):
        for _ in range(int(self.steps)):
            x = self.norm(self.b(torch.relu(self.a(x))))
        return x

def fsdp2(net):
    fully_shard(net.a, mesh=mesh)
    return fully_shard(net, mesh=mesh)

def hooked(net):
    net = fsdp2(net)
    net.a.register_forward_pre_hook(lambda module, args: net.seen.append(1))
    return net

ways = {
    "DistributedDataParallel": nn.parallel.DistributedDataParallel,
    "FSDP2": fsdp2,
    "FSDP2, with a hook of one's own": hooked,
    "tensor parallel": lambda net: parallelize_module(
        net, mesh, {"a": ColwiseParallel(), "b": RowwiseParallel()}
    ),
    "distribute_module": lambda net: distribute_module(net, mesh),
}
x = torch.rand(3, 8)
# Two steps of two products of 3 rows; in the gradients two for each, but for the weight of the first alone.
forward = 2 * 2 * 3 * 8 * 16
for name, way in ways.items():
    for backward in (False, True):
        model = way(Net())
        hooks = [(dict(m._forward_pre_hooks), dict(m._forward_hooks)) for m in model.modules()]
        held = [(name, type(each), id(each)) for name, each in model.named_parameters()]
        state = {key: each.clone() for key, each in model.state_dict().items()}
        counted = costlab.count(model, x, backward=backward)
        right = forward + backward * (2 * forward - 3 * 8 * 16)
        assert counted.multiply_adds == right, (name, backward, counted.multiply_adds, right)
        assert counted.parameters == 8 * 16 + 16 + 16 * 8 + 8 + 2 * 8, (name, counted.parameters)
        assert not counted.unsupported and counted.held.unused == 0, name
        assert hooks == [(dict(m._forward_pre_hooks), dict(m._forward_hooks)) for m in model.modules()], name
        assert held == [(name, type(each), id(each)) for name, each in model.named_parameters()], name
        for key, each in model.state_dict().items():
            assert type(each) is type(state[key]), (name, key)
            mine, before = (getattr(one, "_local_tensor", one) for one in (each, state[key]))
            assert torch.equal(mine, before), (name, key)
        if name != "distribute_module":  # which wants distributed inputs
            assert model(x).shape == (3, 8)

given = distribute_tensor(torch.rand(3, 8), mesh, [Replicate()])
assert costlab.count(nn.Linear(8, 4), given).multiply_adds == 3 * 8 * 4
try:
    costlab.count(FullyShardedDataParallel(Net(), device_id=torch.device("cpu")), x)
except costlab.CostlabError as error:
    assert "count the module before it is wrapped" in str(error)
else:
    raise AssertionError("a flat tensor")
dist.destroy_process_group()
"""


def test_it_counts_as_what_was_sharded() -> None:
    done = subprocess.run([sys.executable, "-c", PROGRAM], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
