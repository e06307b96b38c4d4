"""The callback for Lightning in real trainers, of both packages."""

import sys
from csv import DictReader
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

from tests.torch.example import run_example
from tests.torch.test_lightning import HOME, PACKAGES, ROW, TEN


@pytest.mark.slow  # to import Lightning takes ten seconds
@pytest.mark.filterwarnings("default")
@pytest.mark.parametrize("package", PACKAGES)
def test_real_trainers_log_it(package: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Any) -> None:
    library: Any = import_module(package)
    for name in PACKAGES:
        if name != package:
            monkeypatch.delitem(sys.modules, name, raising=False)
    monkeypatch.delitem(sys.modules, HOME, raising=False)
    made = import_module(HOME).CostCallback(TEN, every=2, warm_up=1)
    assert isinstance(made, library.Callback)
    torchmetrics: Any = import_module("torchmetrics")

    class Net(library.LightningModule):  # type: ignore[misc]  # one of two classes
        def __init__(self) -> None:
            super().__init__()
            self.first, self.second = nn.Linear(8, 16), nn.Linear(16, 4)
            self.right = torchmetrics.Accuracy(task="multiclass", num_classes=4)

        def training_step(self, batch: Any, batch_idx: int) -> Any:
            x, y = batch
            found = self.second(self.first(x).relu())
            self.right(found, y)
            self.log("right", self.right)
            return nn.functional.cross_entropy(found, y)

        def validation_step(self, batch: Any, batch_idx: int) -> None:
            self.log("checked", self.first(batch[0]).sum())

        def configure_optimizers(self) -> Any:
            return torch.optim.SGD(self.parameters(), 0.1)

    loader: Any = DataLoader(TensorDataset(torch.rand(22, 8), torch.zeros(22, dtype=torch.int64)), 4)
    loggers: Any = import_module(f"{package}.loggers")
    logger = loggers.CSVLogger(tmp_path)
    trainer = library.Trainer(
        accelerator="cpu", max_epochs=2, logger=logger, callbacks=[made], log_every_n_steps=1,
        accumulate_grad_batches=2, enable_progress_bar=False, enable_model_summary=False,
        default_root_dir=tmp_path,
    )  # fmt: skip
    module = Net()
    trainer.fit(module, loader, loader)
    # steps of 8, 8 and 6 rows, twice
    assert made.metrics["costlab/multiply_adds"] == 8 * ROW
    with (Path(logger.log_dir) / "metrics.csv").open() as file:
        logged = [float(row["costlab/multiply_adds"]) for row in DictReader(file) if row["costlab/mfu"]]
    assert logged == [7 * ROW, 8 * ROW]
    if package == "lightning.pytorch":
        monkeypatch.chdir(tmp_path)
        found = run_example("lightning", module=module, loader=loader)
        assert found["trainer"].global_step == 6
