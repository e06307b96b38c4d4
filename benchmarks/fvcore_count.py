"""The least fvcore script that says of Inception v3 what ``costlab count inception_v3`` does.

fvcore needs a built model, and costlab is where this one comes from; building it takes about as long
as torchvision's. Run by ``count.py``.
"""

import logging

import torch
from fvcore.nn import ActivationCountAnalysis, FlopCountAnalysis, parameter_count

import costlab

logging.disable(logging.CRITICAL)
model = costlab.build("inception_v3").eval()
x = torch.zeros(1, 3, 299, 299)
flops, activations = FlopCountAnalysis(model, x), ActivationCountAnalysis(model, x)
parameters = parameter_count(model)
for name, module in model.named_children():
    kind = type(module).__name__
    print(
        f"{name:10} {kind:20} {parameters[name]:>12,} {flops.total(name):>15,} {activations.total(name):>11,}"
    )
print(f"{'total':31} {parameters['']:>12,} {flops.total():>15,} {activations.total():>11,}")
