"""Files of ONNX that can be read, and what is said of those that cannot."""

import sys
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from onnx import ModelProto, helper

from costlab import CostlabError, Count, TargetError, count
from costlab.onnx import memory, read
from tests.onnx.graphs import parsed

ONE = "agraph (float[N,3] x) => (float[N,5] y) { y = MatMul (x, w) }"


def model() -> ModelProto:
    return parsed(ONE, w=np.ones((3, 5), np.float32))


@pytest.fixture
def file(tmp_path: Path) -> Path:
    onnx.save(model(), tmp_path / "model.onnx")
    return tmp_path / "model.onnx"


def refused(file: Path) -> str:
    """What is said of a file, behind its name."""
    with pytest.raises(TargetError) as caught:
        count(str(file))
    text = str(caught.value)
    assert text.startswith(f"{file}: ")
    assert "\n" not in text
    return text.removeprefix(f"{file}: ")


def tried(file: Path) -> tuple[CostlabError | None, Count | None]:
    """The count of a file, or what is said of it; anything else is raised."""
    try:
        return None, count(file, "1x3")
    except CostlabError as error:
        return error, None


def test_a_file_by_its_name_its_path_and_a_model_in_memory(file: Path) -> None:
    by_name, by_path, in_memory = count(str(file)), count(file), count(model())
    assert by_name.multiply_adds == by_path.multiply_adds == in_memory.multiply_adds == 15
    assert by_name.label == by_path.label == str(file)
    assert in_memory.label == "agraph"


def test_the_ending_may_be_written_otherwise(file: Path) -> None:
    assert count(file.rename(file.with_name("MODEL.ONNX"))).multiply_adds == 15


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b"", "this file is empty"),
        (b"PK\x03\x04rest", "this is a zip archive, as torch.save and torch.export write them, and no ONNX"),
        (b"\x1f\x8b\x08rest", "this is compressed by gzip: unpack it first, and no ONNX"),
        (b"\x89HDF\r\n", "this is HDF5, as Keras writes it, and no ONNX"),
        (b"\x14\x00\x00\x00ORTM", "this is a model in onnxruntime's own format"),
        (b"\x1c\x00\x00\x00TFL3", "this is TFLite, and no ONNX"),
        (
            b"version https://git-lfs.github.com/spec/v1\noid",
            "this is a pointer of git-lfs to the file itself",
        ),
        (b"\n<!doctype html><html>", "this is a page of HTML, as a download gives that failed, and no ONNX"),
        (b'{"ir_version": 8}', "this is JSON, and no ONNX"),
        (b"ir_version: 8\ngraph {", "this is ONNX as text, which protobuf.text_format reads"),
        (b"<\n  ir_version: 8", "this is ONNX as text: onnx.parser reads it"),
        (b"\xff" * 100, "this is no ONNX, or it is damaged: it cannot be decoded"),
        (b"\x08\x07", "this holds no graph of ONNX"),
        (b"\x12\x04abcd", "this holds no graph of ONNX"),
    ],
)
def test_what_is_no_onnx_is_told_by_what_it_is(tmp_path: Path, content: bytes, told: str) -> None:
    file = tmp_path / "model.onnx"
    file.write_bytes(content)
    assert refused(file).startswith(told)


def test_a_file_that_is_not_there_or_no_file(tmp_path: Path) -> None:
    assert refused(tmp_path / "no.onnx") == "there is no such file"
    folder = tmp_path / "folder.onnx"
    folder.mkdir()
    assert refused(folder) == "this is a folder, and no file"


def test_a_file_that_may_not_be_read(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def denied(*_: Any, **__: Any) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "open", denied)
    assert refused(file) == "Permission denied"


def test_a_file_cut_off_anywhere_is_refused(file: Path) -> None:
    whole = file.read_bytes()
    for length in range(1, len(whole)):
        file.write_bytes(whole[:length])
        error, found = tried(file)
        if found is None:
            assert str(error).startswith(f"{file}: ")
        else:  # what is lacking is none of the graph
            assert found.multiply_adds == 15


def test_damaged_bytes_end_in_one_line_or_in_a_count(file: Path) -> None:
    whole = file.read_bytes()
    drawn = np.random.default_rng(0)
    for _ in range(80):
        damaged = bytearray(whole)
        for place in drawn.integers(0, len(whole), 3):
            damaged[place] = drawn.integers(0, 256)
        file.write_bytes(bytes(damaged))
        error, _ = tried(file)
        assert "\n" not in str(error)


def test_what_is_larger_than_protobuf_or_memory_takes(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    size = file.stat().st_size
    monkeypatch.setattr(read, "LARGEST", size - 1)
    assert refused(file).startswith(
        f"{size:,} bytes are more than a file of ONNX can have (2 GiB): save it with"
    )
    monkeypatch.setattr(read, "LARGEST", size)
    monkeypatch.setattr(read, "free_memory", lambda: 2 * size - 1)
    assert refused(file).startswith(
        f"{size:,} bytes take {2 * size:,} of memory to read, and {2 * size - 1:,} are"
    )
    monkeypatch.setattr(read, "free_memory", lambda: 2 * size)
    assert count(file).multiply_adds == 15


def test_memory_that_does_not_do(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: Any, **__: Any) -> None:
        raise MemoryError

    monkeypatch.setattr(onnx, "load", full)
    assert refused(file) == "there is not enough memory to read it"


def test_operators_and_forms_that_are_not_known_yet(file: Path) -> None:
    newer = model()
    newer.opset_import[0].version = 999
    onnx.save(newer, file)
    known = onnx.defs.onnx_opset_version()
    assert refused(file) == (
        f"it holds operators of onnx of version 999, and onnx {onnx.__version__} knows them up to {known}: "
        "pip install -U onnx may bring what knows them"
    )
    newer = model()
    newer.ir_version = 999
    onnx.save(newer, file)
    assert refused(file).startswith(
        f"its form is version 999, and onnx {onnx.__version__} knows {onnx.IR_VERSION}"
    )


def test_operators_of_somebodys_own_are_not_counted_and_told() -> None:
    text = '<ir_version: 10, opset_import: ["" : 18, "com.acme" : 7]>\n'
    found = count(parsed(f"{text}agraph (float[1,3] x) => (float[1,3] y) {{ y = com.acme.Thing (x) }}"))
    assert dict(found.without_rule) == {"Thing": ("Thing",)}


@pytest.mark.parametrize(
    ("nodes", "told"),
    [
        ("y = Relu (z)", "Relu 'y' reads 'z', which nothing gives"),
        (
            "a = Add (x, b) b = Relu (a) y = Relu (b)",
            "Add 'a', Relu 'b', Relu 'y' read each other in a circle",
        ),
        ("y = Relu (x) y = Neg (x)", "Neg 'y' gives 'y', which something else gives, too"),
        ("x = Relu (x)", "Relu 'x' gives 'x', which something else gives, too"),
        ("y = MatMul (x)", "MatMul 'y': "),
    ],
)
def test_malformed_graphs(nodes: str, told: str) -> None:
    with pytest.raises(TargetError) as caught:
        count(parsed(f"agraph (float[1,3] x) => (float[1,3] y) {{ {nodes} }}"))
    assert str(caught.value).startswith(f"agraph: {told}")


def test_nodes_in_another_order_are_put_into_theirs() -> None:
    found = count(parsed("agraph (float[1,3] x) => (float[1,3] y) { y = Relu (a) a = Neg (x) }"))
    assert [row.operation for row in found.rows] == ["neg", "relu"]


def test_data_beside_the_file_need_not_be_there(tmp_path: Path) -> None:
    file = tmp_path / "model.onnx"
    onnx.save(model(), file, save_as_external_data=True, location="weights.bin", size_threshold=0)
    (tmp_path / "weights.bin").unlink()
    found = count(file)
    assert (found.multiply_adds, found.parameters) == (15, 15)


def test_onnx_that_is_missing_is_named(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in sys.modules if name == "onnx" or name.startswith("onnx.")]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "onnx", None)
    assert refused(file).endswith("pip install 'costlab[onnx]'")


def test_settings_are_refused(file: Path) -> None:
    with pytest.raises(TargetError, match=r"model.onnx is a model, made already, and takes no settings$"):
        count(f"{file}:width=2")


def test_sparse_and_damaged_initializers_have_their_sizes() -> None:
    given = model()
    values = helper.make_tensor("w", onnx.TensorProto.FLOAT, [1], [1.0])
    places = helper.make_tensor("w_places", onnx.TensorProto.INT64, [1], [4])
    del given.graph.initializer[:]
    given.graph.sparse_initializer.append(helper.make_sparse_tensor(values, places, [3, 5]))
    assert count(given).multiply_adds == 15
    given = model()
    given.graph.initializer[0].raw_data = b"short"
    assert count(given).multiply_adds == 15


def test_names_that_are_no_text(tmp_path: Path) -> None:
    file = tmp_path / "model.onnx"
    onnx.save(model(), file, save_as_external_data=True, location="weights.bin", size_threshold=0)
    (tmp_path / "weights.bin").unlink()
    file.write_bytes(file.read_bytes().replace(b"MatMul", b"\xffatMul"))
    with pytest.raises(TargetError, match=r"^model.onnx: it is damaged: it holds names that are no text$"):
        count(file)


def test_what_a_process_is_held_to_is_all_that_is_free(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(memory, "GROUP", tmp_path)
    alone = memory.free_memory()
    for name, told in (("max", "max\n"), ("current", "700\n"), ("stat", "anon 300\ninactive_file 100\n")):
        (tmp_path / f"memory.{name}").write_text(told)
    assert alone is None or alone > 1_000_000
    (tmp_path / "memory.max").write_text("1000\n")
    assert memory.free_memory() == 1000 - (700 - 100)
    (tmp_path / "memory.max").write_text("500\n")
    assert memory.free_memory() == 0
