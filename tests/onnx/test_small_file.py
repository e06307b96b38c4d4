"""The file of the documents is the export of a small network, which is made here anew."""

import warnings
from collections import OrderedDict
from pathlib import Path

import onnx
import torch
from torch import nn

FILE = Path(__file__).parents[2] / "docs" / "small.onnx"


def small() -> nn.Module:
    """The network of the file."""
    features = OrderedDict(
        conv_1=nn.Conv2d(3, 16, 3, padding=1),
        relu_1=nn.ReLU(),
        pool=nn.MaxPool2d(2),
        conv_2=nn.Conv2d(16, 32, 3, padding=1),
        relu_2=nn.ReLU(),
    )
    layers = OrderedDict(
        features=nn.Sequential(features),
        pool=nn.AdaptiveAvgPool2d(1),
        flatten=nn.Flatten(),
        fc=nn.Linear(32, 10),
    )
    return nn.Sequential(layers).eval()


def test_the_file_is_what_is_exported_of_it(tmp_path: Path) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # about the exporter
        torch.onnx.export(
            small(),
            (torch.zeros(1, 3, 32, 32),),
            tmp_path / "plain.onnx",
            dynamo=False,
            opset_version=20,
            input_names=["image"],
            output_names=["scores"],
            dynamic_axes={"image": {0: "batch", 2: "height", 3: "width"}, "scores": {0: "batch"}},
        )
    made = onnx.load(tmp_path / "plain.onnx")
    made.graph.name = "small"
    onnx.save(
        made, tmp_path / FILE.name, save_as_external_data=True, location="small.onnx.data", size_threshold=0
    )
    ours, theirs = (onnx.load(each, load_external_data=False) for each in (tmp_path / FILE.name, FILE))
    for each in (ours, theirs):
        each.producer_version = ""
    assert ours == theirs
