"""Files of torch.export: what they hold is read as data, and what else is in them is told in one line."""

import json
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.export import Dim, export, load, save

import costlab
from costlab.errors import TargetError
from costlab.tracing.exported_file import _has_small_powers, read_program

Change = Callable[[bytes], bytes | None]


class Net(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.a, self.tied, self.frozen = nn.Linear(3, 4), nn.Linear(3, 4), nn.Linear(4, 2)
        self.tied.weight = self.a.weight
        self.frozen.requires_grad_(requires_grad=False)
        self.register_buffer("scale", torch.arange(4.0), persistent=False)
        self.scale: Tensor

    def forward(self, x: Tensor) -> Any:
        return self.frozen((self.a(x) + self.tied(x)) * self.scale)


@pytest.fixture(scope="module")
def net() -> Net:
    return Net()


@pytest.fixture(scope="module")
def saved(net: Net, tmp_path_factory: pytest.TempPathFactory) -> Path:
    file = tmp_path_factory.mktemp("programs") / "net.pt2"
    sizes: Any = ({0: Dim("rows", min=1, max=64)},)
    save(export(net, (torch.zeros(5, 3),), dynamic_shapes=sizes), file)
    return file


def changed(saved: Path, file: Path, ending: str, change: Change) -> Path:
    """The file with one of its records changed, or left out where None comes back."""
    found = False
    with zipfile.ZipFile(saved) as old, zipfile.ZipFile(file, "w") as new:
        for record in old.infolist():
            content: bytes | None = old.read(record)
            if record.filename.endswith(ending):
                assert content is not None
                content, found = change(content), True
            if content is not None:
                new.writestr(record.filename, content)
    assert found
    return file


def test_a_file_is_counted_with_the_inputs_that_it_holds(saved: Path) -> None:
    count = costlab.count(str(saved))
    assert str(count.input) == "5x3"
    assert count.multiply_adds == 5 * (2 * 3 * 4 + 4 * 2)
    assert count.held is not None
    assert (count.held.trainable, count.held.frozen, count.held.shared) == (12 + 4 + 4, 10, 12)
    assert costlab.count(str(saved), batch=7).multiply_adds == 7 * 32


def test_weights_are_those_of_the_module_and_lie_in_the_file(saved: Path, net: Net) -> None:
    program = read_program(saved)
    for name, each in net.state_dict().items():
        torch.testing.assert_close(program.state_dict[name].data, each)
    assert program.state_dict["a.weight"].data_ptr() == program.state_dict["tied.weight"].data_ptr()
    with torch.no_grad():
        program.state_dict["a.bias"].zero_()  # a copy, and not what lies in the file
    torch.testing.assert_close(read_program(saved).state_dict["a.bias"].data, net.a.bias.data)
    torch.testing.assert_close(load(saved).state_dict["a.bias"].data, net.a.bias.data)


def test_records_that_are_compressed_are_read(saved: Path, tmp_path: Path) -> None:
    file = tmp_path / "deflated.pt2"
    with zipfile.ZipFile(saved) as old, zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as new:
        for record in old.infolist():
            new.writestr(record.filename, old.read(record))
    assert costlab.count(str(file)).multiply_adds == costlab.count(str(saved)).multiply_adds


def test_a_program_of_another_device_is_counted_here(saved: Path, tmp_path: Path) -> None:
    def moved(content: bytes) -> bytes:
        return content.replace(b'"type": "cpu", "index": null', b'"type": "cuda", "index": 0')

    file = changed(saved, tmp_path / "cuda.pt2", ".json", moved)
    assert b'"cuda"' in file.read_bytes()
    assert costlab.count(str(file)).multiply_adds == 160


def test_objects_of_other_classes_are_not_made(saved: Path, tmp_path: Path) -> None:
    """What `torch.export.load` would run: a class in the inputs, in the weights, a call in a size."""
    ran = tmp_path / "ran"

    class Runs:
        def __reduce__(self) -> tuple[Any, ...]:
            return Path.touch, (ran,)

    torch.save(((Runs(),), {}), tmp_path / "inputs.pt")
    inputs = changed(
        saved,
        tmp_path / "inputs.pt2",
        "sample_inputs/model.pt",
        lambda _: (tmp_path / "inputs.pt").read_bytes(),
    )
    assert costlab.count(str(inputs), "5x3").multiply_adds == 160
    with pytest.raises(TargetError, match=r"inputs\.pt2 has no input shape of its own"):
        costlab.count(str(inputs))

    def pickled(content: bytes) -> bytes:
        config = json.loads(content)
        config["config"]["a.weight"]["use_pickle"] = True
        return json.dumps(config).encode()

    weights = changed(saved, tmp_path / "weights.pt2", "model_weights_config.json", pickled)
    with pytest.raises(
        TargetError, match=r"a\.weight is no plain tensor, and is not unpickled: load it with"
    ):
        read_program(weights)
    size = changed(
        saved, tmp_path / "size.pt2", "model.json", lambda content: content.replace(b"Symbol('", b"exec('")
    )
    with pytest.raises(TargetError, match=r"size\.pt2 holds a size that is no arithmetic of sizes"):
        read_program(size)
    assert not ran.exists()


def without(_: bytes) -> None:
    """The record is left out."""


@pytest.mark.parametrize(
    ("ending", "change", "message"),
    [
        (
            "archive_version",
            lambda _: b"7",
            r"is an archive of version 7, and this torch, \S+, reads version 0",
        ),
        ("archive_format", lambda _: b"zip", "is a zip archive, and no exported program"),
        ("models/model.json", without, "holds no program, where torch.export.save writes one"),
        ("models/model.json", lambda content: content[:99], "cannot be read as an exported program: JSON"),
        (
            "model_weights_config.json",
            without,
            "is damaged: it lacks 'data/weights/model_weights_config.json'",
        ),
        ("weight_0", without, "is damaged: it lacks 'data/weights/weight_0'"),
        ("weight_0", lambda content: content[:8], "cannot be read as an exported program: "),
        (
            "models/model.json",
            lambda content: content.replace(
                b'"schema_version": {"major": 8', b'"schema_version": {"major": 99'
            ),
            r"is of version 99 of torch\.export's format, and this torch, \S+, reads version \d+: export it",
        ),
        (
            "models/model.json",
            lambda content: content.replace(b"torch.ops.aten.mul.Tensor", b"torch.ops.mine.mul.Tensor"),
            r"calls torch\.ops\.mine\.mul\.Tensor, which nothing registers here: import the package",
        ),
        (
            "models/model.json",
            lambda content: content.replace(b"torch.ops.aten.mul.Tensor", b"torch.os.system"),
            "cannot be read as an exported program: SpecViolationError",
        ),
    ],
)
def test_what_is_wrong_in_a_file(
    saved: Path, tmp_path: Path, ending: str, change: Change, message: str
) -> None:
    file = changed(saved, tmp_path / "other.pt2", ending, change)
    with pytest.raises(TargetError, match=f"^{file} {message}") as raised:
        costlab.count(str(file))
    assert "\n" not in str(raised.value)


@pytest.mark.parametrize(
    ("size", "expected"),
    [
        ("Pow(Symbol('s0', positive=True), Integer(2))", True),
        ("Mul(Integer(100000), Pow(Integer(2), Integer(-1)))", True),
        ("Pow(Integer(2), Symbol('s0'))", True),
        ("Pow(Integer(9), Integer(99999))", False),
        ("Pow(Integer(9), Pow(Integer(9), Integer(9)))", False),
        ("Pow(Pow(Integer(9), Integer(99)), Integer(99))", False),
    ],
)
def test_sizes_that_take_forever_are_refused(size: str, expected: bool) -> None:
    assert _has_small_powers(size) is expected


@pytest.mark.filterwarnings("ignore:.torch.jit:DeprecationWarning")
def test_files_of_other_kinds(saved: Path, tmp_path: Path) -> None:
    content = saved.read_bytes()
    with zipfile.ZipFile(tmp_path / "zip.pt2", "w") as archive:
        archive.writestr("a/b", "c")
    with zipfile.ZipFile(tmp_path / "old.pt2", "w") as archive:
        archive.writestr("serialized_exported_program.json", "{}")
    with zipfile.ZipFile(tmp_path / "compiled.pt2", "w") as archive:
        archive.writestr("a/data/aotinductor/model/model.so", "")
    torch.save(Net().state_dict(), tmp_path / "state.pt2")
    script: Any = torch.jit
    script.trace(nn.Linear(3, 4), torch.zeros(1, 3)).save(str(tmp_path / "script.pt2"))
    (tmp_path / "empty.pt2").touch()
    (tmp_path / "folder.pt2").mkdir()
    (tmp_path / "cut.pt2").write_bytes(content[: len(content) // 2])
    (tmp_path / "text.pt2").write_text("no program")
    (tmp_path / "start.pt2").write_bytes(bytes(400) + content[400:])
    told = {
        "zip": " is a zip archive, and no exported program",
        "old": " was written by torch 2.7 or before: export it again with torch.export.save",
        "compiled": " is compiled by AOTInductor, and has no graph any more: give the program",
        "state": " is what torch.save wrote, such as a state_dict, and no exported program: give the model "
        "itself",
        "script": " is a TorchScript archive: load it with torch.jit.load, and give costlab.count the module",
        "empty": " is empty",
        "folder": " is a folder: name a file",
        "cut": " is no exported program, or is damaged",
        "text": " is no exported program, or is damaged",
        "start": " is no exported program, or is damaged",
        "none": ": there is no such file",
    }
    for name, message in told.items():
        file = tmp_path / f"{name}.pt2"
        with pytest.raises(TargetError) as raised:
            costlab.count(str(file))
        assert str(raised.value) == f"{file}{message}"
    with pytest.raises(TargetError, match="is a model, made already, and takes no settings"):
        costlab.count(f"{saved}:width=2")


@pytest.mark.parametrize("error", [MemoryError(), OSError(12, "Cannot allocate memory")])
def test_a_file_that_memory_does_not_hold(
    saved: Path, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    def fails(*_: Any, **__: Any) -> Any:
        raise error

    monkeypatch.setattr("costlab.tracing.exported_file.mmap.mmap", fails)
    size = saved.stat().st_size
    with pytest.raises(TargetError, match=f"has {size:,} bytes, more than this machine has memory for"):
        read_program(saved)


def test_a_file_that_cannot_be_read(saved: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(*_: Any, **__: Any) -> Any:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("costlab.tracing.exported_file.ZipFile", fails)
    with pytest.raises(TargetError, match=r"net\.pt2 cannot be read: Permission denied"):
        read_program(saved)
