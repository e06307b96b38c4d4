"""Targets: what a name stands for, and the one line that says why it stands for nothing."""

import os
import sys
from collections.abc import Iterator
from importlib.metadata import EntryPoint
from pathlib import Path
from types import ModuleType

import pytest

from costlab.algebra import Definition, ReLU, Shape, Vector, seq
from costlab.counting.count import count
from costlab.errors import CostlabError, DefinitionError, TargetError
from costlab.targets.catalog import ablations, catalog
from costlab.targets.find_ablation import find_ablation
from costlab.targets.resolve import resolve

NETS = '''
import sibling
from costlab import Conv2d, block, seq

print("loading")
fixed = seq(Conv2d(4, 3))
number = 3

@block(input="3x9x9")
def defined(channels: int = 4):
    """A definition."""
    return seq(Conv2d(channels, sibling.KERNEL))

def plain(channels=4):
    import late_sibling
    return seq(Conv2d(channels, late_sibling.KERNEL))

def fails():
    return 1 / 0
'''


@pytest.fixture
def nets(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    (tmp_path / "sibling.py").write_text("KERNEL = 3\n")
    (tmp_path / "late_sibling.py").write_text("KERNEL = 3\n")
    (tmp_path / "my_nets.py").write_text(NETS)
    (tmp_path / "lacks.py").write_text("def __getattr__(name):\n    raise RuntimeError('nothing here')\n")
    (tmp_path / "package").mkdir()
    (tmp_path / "package" / "inner.py").write_text("from costlab.algebra import ReLU\nnet = ReLU()\n")
    monkeypatch.chdir(tmp_path)
    yield tmp_path / "my_nets.py"
    for name in ("sibling", "late_sibling", "my_nets", "package", "package.inner"):
        sys.modules.pop(name, None)


def test_a_name_of_the_catalog() -> None:
    found = resolve("inception_v3:width=0.5,aux=true")
    assert (found.label, found.input) == ("inception_v3:width=0.5,aux=true", Shape(3, 299, 299))
    assert found.block == catalog()["inception_v3"](width=0.5, aux=True)
    assert resolve("inception_v3", width=0.5, aux=True).block == found.block
    both = resolve("inception_v3:aux=true", width=0.5)
    assert both.block == found.block
    assert both.label == "inception_v3:aux=true,width=0.5"
    assert resolve("inception_v3", aux=True, branch_5x5="3x3").label == "inception_v3:aux=true,branch_5x5=3x3"
    with pytest.raises(DefinitionError, match="width is given twice"):
        resolve("inception_v3:width=0.25", width=0.5)


@pytest.mark.parametrize("source", ["my_nets.py", "./my_nets.py", "my_nets"])
def test_an_attribute_of_a_file_or_module(
    nets: Path, source: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert resolve(f"{source}:fixed", "3x9x9").block.output(Shape(3, 9, 9)) == Shape(4, 7, 7)
    assert resolve(f"{source}:defined").input == Shape(3, 9, 9)
    assert resolve(f"{source}:defined:channels=5").block.output(Shape(3, 9, 9)) == Shape(5, 7, 7)
    assert resolve(f"{source}:plain:channels=6", (3, 9, 9)).block.output(Shape(3, 9, 9)) == Shape(6, 7, 7)
    assert capsys.readouterr().out == ""  # what the user's file prints is no result of ours


def test_an_absolute_path_and_a_package(nets: Path) -> None:
    assert resolve(f"{nets}:defined").input == Shape(3, 9, 9)
    assert resolve(f"{nets}:defined").label == f"{nets}:defined"
    assert resolve("package.inner:net", [7]).input == Vector(7)


def test_modules_beside_a_file_elsewhere_are_found(nets: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (nets.parent / "elsewhere").mkdir()
    monkeypatch.chdir(nets.parent / "elsewhere")
    before = list(sys.path)
    assert resolve("../my_nets.py:plain", (3, 9, 9)).block.output(Shape(3, 9, 9)) == Shape(4, 7, 7)
    assert sys.path == before


def test_a_path_in_a_setting_is_no_part_of_the_file(nets: Path) -> None:
    nets.with_name("tagged.py").write_text(
        "from costlab.algebra import ReLU\n"
        "def net(tag: str):\n    assert tag == 'x.py:b'\n    return ReLU()\n"
    )
    assert resolve("tagged.py:net:tag=x.py:b", "3").label == "tagged.py:net:tag=x.py:b"


def test_an_operation_of_an_installed_package_that_fails_is_theirs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    package = tmp_path / "site-packages"
    package.mkdir()
    (package / "shipping.py").write_text(
        "from costlab.algebra import ReLU, block\n"
        "class Bad(ReLU):\n    def output(self, x):\n        raise ValueError('theirs')\n"
        "@block(input='3')\ndef bad():\n    return Bad()\n"
        "@block(input='3')\ndef worse():\n    print('noise')\n    raise KeyError('theirs')\n"
    )
    monkeypatch.syspath_prepend(package)
    plugins(monkeypatch, ("mine", "shipping"))
    for target in ("shipping:bad", "bad", "worse"):
        with pytest.raises(TargetError, match=r"(Value|Key)Error: '?theirs'? \(shipping\.py, line \d+\)"):
            resolve(target).walk()


def test_a_broken_package_does_not_stand_in_the_way(nets: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    plugins(monkeypatch, ("mine", "no_such_package"))
    assert resolve("my_nets:defined").input == Shape(3, 9, 9)


def test_a_name_that_is_no_text(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    name = os.fsdecode(b"b\xff.py")
    Path(name).write_text("from costlab.algebra import ReLU\nnet = ReLU()\n")
    assert resolve(f"{name}:net", "3").label == "b\\udcff.py:net"


def test_blocks_and_definitions_as_they_are() -> None:
    assert resolve(seq(ReLU()), "5").label == "sequence of 1"
    definition = catalog()["stem"]
    assert resolve(definition, width=0.5).label == "stem:width=0.5"


@pytest.mark.parametrize(
    ("target", "complaint"),
    [
        ("inception_v4", "there is no definition 'inception_v4'; did you mean inception_v3"),
        ("inception_v4:width=2", "there is no definition 'inception_v4'"),
        ("inception_v3:wdth=2", "inception_v3 has no parameter 'wdth'; did you mean width?"),
        ("inception_v3:nonsense", "inception_v3: 'nonsense' must be name=value"),
        ("inception_v3:width=", "inception_v3: width= must be a number"),
        ("", "'' names nothing: a target is a name from costlab list, file.py:attribute,"),
        ("a b", "'a b' names nothing"),
        ("my_nets.py", "my_nets.py: say which attribute of the file, as in my_nets.py:network"),
        ("missing.py:net", "missing.py: there is no such file"),
        ("my_nets.py:fxed", "my_nets.py has no 'fxed'; did you mean fixed?"),
        ("my_nets.py:Conv2d", "my_nets.py:Conv2d is a class, not a block"),
        (
            "my_nets.py:number",
            "my_nets.py:number is of type int, not a block, a module, or a function that returns one",
        ),
        (
            "my_nets.py:fixed:width=2",
            "my_nets.py:fixed:width=2 is a block, made already, and takes no settings",
        ),
        ("my_nets.py:plain", "my_nets.py:plain has no input shape of its own: give one"),
        ("my_nets.py:fails", "fails: ZeroDivisionError: division by zero (my_nets.py, line 19)"),
        ("no_such_module:net", "no_such_module: ModuleNotFoundError: No module named 'no_such_module'"),
        ("lacks:net", "lacks: RuntimeError: nothing here (lacks.py, line 2)"),
        ("package.inner:nett", "package.inner has no 'nett'; did you mean net?"),
    ],
)
def test_what_names_nothing(nets: Path, target: str, complaint: str) -> None:
    with pytest.raises(CostlabError) as refusal:
        resolve(target)
    assert str(refusal.value).startswith(complaint)
    assert "\n" not in str(refusal.value)


@pytest.mark.parametrize(
    "shape", ["3x0x8", "3x8", "3x-8x8", "axbxc", "3x8x8x1", "", "3 x 8 x 8", "²x8x8", "3x8x"]
)
def test_malformed_inputs(shape: str) -> None:
    with pytest.raises(DefinitionError, match="input"):
        resolve("inception_v3", shape)


@pytest.mark.parametrize("shape", [(3, 8), 7, (3, 8.0, 8), (0, 8, 8)])
def test_malformed_shapes(shape: object) -> None:
    with pytest.raises(DefinitionError, match="input"):
        resolve("inception_v3", shape)


def test_what_is_no_target() -> None:
    with pytest.raises(TargetError, match="3 is no target"):
        resolve(3)  # type: ignore[arg-type]  # a wrong type is what is tested


def test_a_foreign_blocks_module_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    foreign = ModuleType("blocks")
    foreign.__file__ = str(tmp_path / "blocks.py")
    monkeypatch.setitem(sys.modules, "blocks", foreign)
    with pytest.raises(
        DefinitionError, match=r"blocks\.py hides the package 'blocks' that comes with costlab"
    ):
        resolve("inception_v3")


def plugins(monkeypatch: pytest.MonkeyPatch, *entries: tuple[str, str]) -> None:
    points = [EntryPoint(name, value, "costlab.blocks") for name, value in entries]
    monkeypatch.setattr("importlib.metadata.entry_points", lambda group: points)


def test_other_packages_ship_definitions(nets: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(nets.parent)
    plugins(monkeypatch, ("costlab", "blocks"), ("mine", "my_nets"))
    assert list(catalog())[-1] == "defined"
    assert resolve("defined:channels=3").input == Shape(3, 9, 9)


def test_a_package_that_cannot_be_loaded_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    plugins(monkeypatch, ("mine", "no_such_package"))
    with pytest.raises(TargetError, match="the entry point mine = no_such_package cannot be loaded"):
        catalog()
    assert resolve("inception_v3").label == "inception_v3"  # what does not need it goes on


def test_a_name_taken_twice_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    code = "from costlab.algebra import ReLU, block\n@block()\ndef stem():\n    return ReLU()\n"
    (tmp_path / "twice.py").write_text(code)
    monkeypatch.syspath_prepend(tmp_path)
    plugins(monkeypatch, ("mine", "twice"))
    with pytest.raises(DefinitionError, match="mine = twice defines 'stem', a name that is taken already"):
        catalog()


def test_an_entry_point_must_name_a_module(monkeypatch: pytest.MonkeyPatch) -> None:
    plugins(monkeypatch, ("mine", "math:pi"))
    with pytest.raises(DefinitionError, match="must name a module"):
        catalog()


def test_every_definition_has_a_summary_and_notes_on_its_parameters() -> None:
    for definition in catalog().values():
        assert isinstance(definition, Definition)
        assert definition.summary
        assert definition.figure
        assert definition.input
        assert all(p.note for p in definition.parameters.values()), definition.name


SHIPPED = """
from costlab import Ablation, Conv2d, block, variant

@block(input="3x9x9")
def plugged(fail: bool = False):
    if fail:
        raise RuntimeError("boom")
    return Conv2d(4, 3)

ours = Ablation("{name}", "Ours", {{"a": variant(plugged), "b": variant(plugged, fail=True)}})
"""


def test_other_packages_ship_ablations(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "with_a_set.py").write_text(SHIPPED.format(name="ours"))
    monkeypatch.syspath_prepend(tmp_path)
    plugins(monkeypatch, ("costlab", "blocks"), ("mine", "with_a_set"))
    assert list(ablations())[-1] == "ours"
    found = find_ablation("ours")
    assert count(found.variants["a"]).multiply_adds == 27 * 4 * 49
    with pytest.raises(TargetError, match=r"^plugged: RuntimeError: boom \(with_a_set.py, line 7\)$"):
        count(found.variants["b"])
    sys.modules.pop("with_a_set")


def test_a_package_that_cannot_be_loaded_stops_no_set_in_a_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "alone.py").write_text(SHIPPED.format(name="ours"))
    monkeypatch.syspath_prepend(tmp_path)
    plugins(monkeypatch, ("mine", "no_such_package"))
    assert find_ablation("alone:ours").title == "Ours"
    sys.modules.pop("alone", None)


def test_an_ablation_taken_twice_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "same_set.py").write_text(SHIPPED.format(name="nxn"))
    monkeypatch.syspath_prepend(tmp_path)
    plugins(monkeypatch, ("mine", "same_set"))
    with pytest.raises(DefinitionError, match="mine = same_set defines 'nxn', a name that is taken already"):
        ablations()
    assert find_ablation("nxn").title.startswith("An n x n convolution")  # needs no other package
    sys.modules.pop("same_set")
