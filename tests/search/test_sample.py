"""Members of spaces that are drawn and trained: which they are, and what is recorded of them."""

from pathlib import Path
from typing import Any

import pytest

from costlab import count
from costlab.errors import DefinitionError, RunError
from costlab.explore.space import Space
from costlab.search import Members, read_written
from costlab.train import plan
from costlab.train.arms import count_arm
from costlab.train.experiment import SizedArm
from costlab.train.finder import Found
from costlab.train.prepare import RunRequest, make_plan, resume_plan, save_plan
from costlab.train.protocol import WorkerSettings
from costlab.train.run import train_plan
from costlab.train.space_record import SpaceRecord
from tests.train.test_run import Notes

pytestmark = pytest.mark.usefixtures("images_once")
WIDTHS = "mini width=0.05:0.3:0.05 large small"
PLAIN = "mini:small=1x3+3x1 width=0.05:0.3:0.05 large"
OWN = """
from blocks import mini as definition
from torch import nn

print("loading the file")
small = definition

class Net(nn.Module):
    def __init__(self, width: int = 8, num_classes: int = 10) -> None:
        super().__init__()
        self.conv = nn.Conv2d(3, width, 3, stride=2)
        self.head = nn.Linear(width, num_classes)

    def forward(self, x):
        return self.head(self.conv(x).relu().mean((2, 3)))
"""


def asked(members: Members, **other: Any) -> RunRequest:
    settings = ("epochs=1", "batch_size=16")
    made = RunRequest(members.source, "smoke", "synthetic", 1, settings, None, 48, words=("--space", "x"))
    return made._replace(**other)


def started(folder: Path, members: Members, **other: Any) -> plan.Plan:
    made, dataset = make_plan(asked(members, **other), lambda _: None, members)
    folder.mkdir(exist_ok=True)
    save_plan(made, dataset, folder)
    return made


def found(*spaces: str, side: int = 32, classes: int = 10, **options: Any) -> Found:
    options = {"sample": 4, **options}
    return Members(tuple(map(read_written, spaces)), **options).find(0.1, side, classes)


def test_the_members_are_those_of_the_exact_sampler_and_cost_what_is_recorded(tmp_path: Path) -> None:
    made = started(tmp_path, Members((read_written(WIDTHS),), 5, seed=7, within="50%", of="2e6"))
    space = Space("mini", (3, 48, 48), width="0.05:0.3:0.05", large="*", small="*")
    exact = space.sample(5, within="50%", of="2e6", seed=7)
    (record,) = made.spaces
    assert list(record.drawn) == [each.target for each in exact.members]
    assert (record.size, record.among) == (24, exact.among)
    assert [arm.label for arm in made.arms] == ["mini", *record.drawn]
    for arm in made.arms:
        counted = count(arm.label, (3, 48, 48))
        assert (arm.multiply_adds, arm.parameters) == (counted.inference.multiply_adds, counted.parameters)
    assert plan.load(tmp_path) == made
    assert plan.load(tmp_path).networks().keys() == {arm.label for arm in made.arms}


def test_it_is_counted_at_the_images_and_classes_that_are_trained_on() -> None:
    at = found(WIDTHS, side=24, classes=100)
    labels = list(at.arms)
    assert labels[0] == "mini:num_classes=100"
    assert {arm.side for arm in at.arms.values()} == {24}
    sizes = {label: count_arm(label, arm, 100).multiply_adds for label, arm in at.arms.items()}
    assert sizes == {label: count(label, (3, 24, 24)).inference.multiply_adds for label in labels}
    own = found("mini num_classes=10,100 width=0.1,0.2", classes=10, sample=1, where=("num_classes == 10",))
    assert all(arm.network.settings.get("num_classes", 10) == 10 for arm in own.arms.values())
    assert {arm.side for arm in found(WIDTHS, side=96).arms.values()} == {48}


def test_members_of_two_spaces_are_trained_once_and_belong_to_both() -> None:
    at = found(WIDTHS, PLAIN, sample=12)
    first, second = at.spaces
    assert first.seed == 0
    assert second.seed == 1
    assert set(first.drawn) & set(second.drawn)
    assert len(at.arms) == 1 + len(set(first.drawn) | set(second.drawn))
    assert all("small=1x3+3x1" in label for label in second.drawn)
    assert (
        found(WIDTHS, "mini:small=3x3 width=0.05:0.3:0.05", sample=6)
        .spaces[1]
        .drawn[0]
        .startswith("mini:width=")
    )


def test_sides_that_are_varied_are_those_of_the_images() -> None:
    at = found("mini width=0.1,0.2 input=16:32:8", sample=6)
    assert {arm.side for arm in at.arms.values()} == {16, 24, 32}
    assert "mini:width=0.1 at 16x16" in at.arms
    assert at.arms["mini"].side == 32
    with pytest.raises(DefinitionError, match="input=40: the images come with 32x32 pixels, and none"):
        found("mini width=0.1,0.2 input=16:40:8")
    with pytest.raises(DefinitionError, match="input=4: images have at least 8 pixels"):
        found("mini width=0.1,0.2 input=4,8")


def test_what_stands_beside_keeps_its_labels_and_is_trained_once() -> None:
    at = found(
        "mini width=0.1,0.2 large", sample=4, beside=("large_5x5", "label_smoothing", "mini:width=0.3")
    )
    assert list(at.arms)[: at.fixed] == [
        "mini",
        "5x5",
        "3x3+3x3",
        "no label smoothing",
        "label smoothing",
        "mini:width=0.3",
    ]
    assert set(at.spaces[0].drawn) == {"5x5", "3x3+3x3", "mini:width=0.2", "mini:width=0.2,large=5x5"}
    assert at.arms["no label smoothing"].recipe == {"label_smoothing": 0.0}


def test_where_there_are_fewer_members_all_are_trained_and_that_is_told() -> None:
    notes: list[str] = []
    for search in ("", "nsga2"):
        at = found("mini width=0.1,0.2 large", sample=9, search=search, report=notes.append)
        assert len(at.spaces[0].drawn) == 4
    assert at.search is not None
    assert at.search.first == 4
    assert notes == 2 * ["--space mini: there are 4 such members, and all of them are trained"]


@pytest.mark.usefixtures("preloaded_workers")
def test_a_run_of_members_from_its_beginning_to_its_record(tmp_path: Path) -> None:
    made = started(tmp_path, Members((read_written(WIDTHS),), 2, beside=("mini:width=0.3",)))
    settings = WorkerSettings(tmp_path, "cpu", 1, 0.0, made.identity)
    observer = Notes()
    run = train_plan(made, settings, observer)
    assert [arm.timing for arm in run.arms] == [None] * 4
    assert [trial.failure for trial in run.trials] == [""] * 4
    assert (run.spaces, run.search, observer.rounds) == (made.spaces, None, 0)
    again = train_plan(resume_plan(tmp_path, None, lambda _: None), settings, observer, again=True)
    assert again == run


def test_a_network_that_changed_since_is_not_trained_on(tmp_path: Path) -> None:
    started(tmp_path, Members((read_written(WIDTHS),), 2))
    file = tmp_path / plan.FILE
    file.write_text(file.read_text().replace('"multiply_adds": 31493952', '"multiply_adds": 31493953'))
    with pytest.raises(RunError, match="'mini' is not what it was when the run began"):
        resume_plan(tmp_path, None, lambda _: None)


def test_code_runs_where_the_user_names_it_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "inside").mkdir()
    (tmp_path / "inside" / "own.py").write_text(OWN)
    monkeypatch.chdir(tmp_path)
    space = read_written("inside/own.py:small width=0.1,0.2 large")
    members = Members((space,), 2, beside=("inside/own.py:Net",))
    made = started(tmp_path / "run", members)
    assert made.ablation == "inside/own.py:small"
    assert [arm.network for arm in made.arms][:2] == ["own.py:small", "own.py:Net"]
    assert "inside" not in "".join(arm.label for arm in made.arms)
    assert made.resume_command(Path("run")) == "costlab train inside/own.py:small --resume run"
    assert "loading the file" in capsys.readouterr().err
    with pytest.raises(RunError, match=r"if you trust it, costlab train inside/own\.py:small"):
        resume_plan(tmp_path / "run", None, lambda _: None)
    assert "loading" not in capsys.readouterr().err
    resume_plan(tmp_path / "run", None, lambda _: None, name="inside/own.py:small")
    assert "loading the file" in capsys.readouterr().err
    file = tmp_path / "run" / plan.FILE
    file.write_text(file.read_text().replace("own.py:Net", "evil.py:Net"))
    (tmp_path / "inside" / "evil.py").write_text("print('evil')")
    with pytest.raises(RunError, match=r"'evil\.py:Net' is no code of 'inside/own\.py:small'"):
        resume_plan(tmp_path / "run", None, lambda _: None, name="inside/own.py:small")
    assert "evil" not in capsys.readouterr().err


@pytest.mark.parametrize("target", ["evil.py:Net", "os:system", "x.pt2", "x.onnx", "inside/own.py:Net"])
def test_a_folder_of_somebody_else_runs_no_code(target: str, tmp_path: Path) -> None:
    started(tmp_path, Members((read_written(WIDTHS),), 2))
    file = tmp_path / plan.FILE
    file.write_text(file.read_text().replace('"network": "mini"', f'"network": "{target}"'))
    with pytest.raises(RunError, match="is no code of 'mini', which alone runs"):
        resume_plan(tmp_path, None, lambda _: None)


def test_a_file_says_the_same_as_a_text(tmp_path: Path) -> None:
    file = tmp_path / "so small.toml"
    file.write_text(
        'target = "mini"\ninput = "3x24x24"\nwhere = ["width < 0.25"]\n'
        '[vary]\nwidth = "0.05:0.3:0.05"\nlarge = "*"\nsmall = ["3x3", "1x3+3x1"]\n'
    )
    (record,) = found(str(file)).spaces
    (typed,) = found(WIDTHS, side=24, where=("width < 0.25",)).spaces
    assert (record.name, record.drawn, record.input) == ("so small", typed.drawn, "3x24x24")
    assert record.vary["small"] == ["3x3", "1x3+3x1"]
    assert (record.where, record.among) == (typed.where, typed.among)
    assert isinstance(record, SpaceRecord)


def test_arms_that_differ_in_their_recipe_alone_are_two() -> None:
    at = found("mini width=0.1,0.2", sample=2, beside=("label_smoothing",))
    alike = [arm for arm in at.arms.values() if arm.network.label == "mini:width=0.1"]
    assert len(alike) == 3
    assert all(isinstance(arm, SizedArm) for arm in alike)
