"""What is wrong with the checkpoint of a trial is named, and no code of it is run."""

import re
from pathlib import Path

import pytest
import torch

from costlab.errors import RunError
from costlab.train import checkpoint
from tests.train.tasks import trial


@pytest.fixture(scope="module")
def an_epoch(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """The checkpoint of a trial of one epoch at its end."""
    folder = tmp_path_factory.mktemp("epoch")
    trial(folder, epochs=1).run()
    return (folder / checkpoint.FILE).read_bytes()


@pytest.fixture
def trained(an_epoch: bytes, tmp_path: Path) -> Path:
    """Such a checkpoint, in a folder of its own."""
    file = tmp_path / checkpoint.FILE
    file.write_bytes(an_epoch)
    return file


@pytest.mark.parametrize("damage", [b"", b"PK\x03\x04 no archive", b"text"])
def test_a_damaged_checkpoint_is_named(tmp_path: Path, damage: bytes) -> None:
    file = tmp_path / checkpoint.FILE
    file.write_bytes(damage)
    with pytest.raises(RunError, match=re.escape(f"{file} is damaged: remove it, and the trial begins anew")):
        trial(tmp_path)


def test_a_checkpoint_that_is_cut_off_is_named(trained: Path, tmp_path: Path) -> None:
    trained.write_bytes(trained.read_bytes()[:-500])
    with pytest.raises(RunError, match="is damaged"):
        trial(tmp_path, epochs=1)


def test_a_checkpoint_of_another_trial_is_refused(trained: Path, tmp_path: Path) -> None:
    trial(tmp_path, epochs=1)
    with pytest.raises(RunError, match="is of another trial: remove it"):
        trial(tmp_path, epochs=1, identity="another")


def test_a_checkpoint_of_another_network_is_named(trained: Path, tmp_path: Path) -> None:
    state = torch.load(trained, weights_only=True)
    del state["learner"]["network"]["head.fc.bias"]
    torch.save(state, trained)
    with pytest.raises(RunError, match="is damaged"):
        trial(tmp_path, epochs=1)


@pytest.mark.parametrize(
    "change",
    [
        {"step": 15},
        {"step": -1},
        {"epochs": [{}]},
        {"epochs": "epochs"},
        {"epochs": [{"epoch": "<b>"}]},
    ],
)
def test_a_checkpoint_of_what_no_training_saves_is_damaged(
    trained: Path, tmp_path: Path, change: dict[str, object]
) -> None:
    torch.save(torch.load(trained, weights_only=True) | change, trained)
    with pytest.raises(RunError, match="is damaged"):
        trial(tmp_path, epochs=1)


def test_a_checkpoint_of_epochs_that_are_none_is_damaged(trained: Path, tmp_path: Path) -> None:
    state = torch.load(trained, weights_only=True)
    (epoch,) = state["epochs"]
    for epochs in ([epoch, epoch], [epoch, epoch | {"epoch": 2}], [epoch | {"loss": "0.1"}]):
        torch.save(state | {"epochs": epochs}, trained)
        with pytest.raises(RunError, match="is damaged"):
            trial(tmp_path, epochs=1)


class Evil:
    def __reduce__(self) -> tuple[object, tuple[str]]:
        return exec, ("raise SystemExit('code of a checkpoint was run')",)


def test_a_checkpoint_runs_no_code(tmp_path: Path) -> None:
    torch.save({"identity": "a trial", "epochs": Evil()}, tmp_path / checkpoint.FILE)
    with pytest.raises(RunError, match="is damaged"):
        trial(tmp_path)
