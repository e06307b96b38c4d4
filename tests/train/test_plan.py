"""Recipes, experiments and plans: what is asked for, checked before anything is trained."""

from dataclasses import asdict
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
import torch

from costlab.errors import CostlabError, DataError, DefinitionError, RunError, TargetError
from costlab.targets.resolve import variant
from costlab.train import Expectation, Experiment, arm, plan, recipe
from costlab.train.arms import count_arm, find_experiment, is_code, sized_arms
from costlab.train.experiments import experiment
from costlab.train.prepare import RunRequest, command_line, make_plan, resume_plan, save_plan
from costlab.train.recipe import Recipe

pytestmark = pytest.mark.usefixtures("images_once")
SETS = """
from blocks import inception_a, mini
from costlab import Ablation, variant
from costlab.train import Expectation, Experiment, arm

print("loading the set")
mine = Experiment(
    "mine", "Mine", {"a": arm(mini, width=0.125), "b": arm(mini, side=24, width=0.25, recipe={"epochs": 2})},
    (Expectation("b is better", "b", "a", "1 point", "here"),),
)
widths = Ablation("widths", "Widths", {"a": variant(mini, width=0.125), "b": variant(mini, width=0.25)})
modules = Ablation("modules", "Modules", {"a": variant(inception_a), "b": variant(inception_a, pool=64)})
number = 3
"""


@pytest.fixture
def sets(tmp_path: Path) -> Path:
    file = tmp_path / "sets.py"
    file.write_text(SETS)
    return file


def request(name: str, *settings: str, **other: Any) -> RunRequest:
    return RunRequest(name, "smoke", "synthetic", 2, settings, 0.125, 250)._replace(**other)


def test_the_defaults_are_those_of_section_8_at_half_the_batches_of_its_replicas() -> None:
    made = Recipe()
    assert (made.decay, made.epsilon, made.momentum, made.clip) == (0.9, 1.0, 0.9, 2.0)
    assert (made.lr_decay, made.label_smoothing, made.aux_weight) == (0.94, 0.1, 0.4)
    assert made.lr_decay_every * 100 == 2  # epochs of the paper's 100
    assert made.learning_rate / made.batch_size == 0.045 / 32


def started(made: RunRequest, folder: Path) -> plan.Plan:
    settled_plan, dataset = make_plan(made, lambda _: None)
    folder.mkdir(exist_ok=True)
    save_plan(settled_plan, dataset, folder)
    return settled_plan


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        (["epochs"], "recipe: 'epochs' must be name=value"),
        (["epochs=x"], "recipe: epochs=x must be a whole number"),
        (["epochs=0"], "recipe: epochs=0 must be at least 1"),
        (["batch_size=1"], "recipe: batch_size=1 must be at least 2"),
        (["epochs=1", "epochs=2"], "recipe: epochs is given twice"),
        (["epoch=1"], "recipe: there is no epoch; did you mean epochs"),
        (["learning_rate=0"], "recipe: learning_rate=0.0 must be above 0"),
        (["learning_rate=nan"], "recipe: learning_rate=nan must be above 0"),
        (["lr_decay=1.5"], "recipe: lr_decay=1.5 must be above 0 and at most 1"),
        (["momentum=1"], "recipe: momentum=1.0 must be at least 0 and below 1"),
        (["clip=-1"], "recipe: clip=-1.0 must be at least 0"),
        (["shift=0.6"], "recipe: shift=0.6 must be at least 0 and at most 0.5"),
        (["warm_up=1"], "recipe: warm_up=1.0 must be at least 0 and below 1"),
        (["optimizer=adam"], "recipe: optimizer=adam must be rmsprop or sgd"),
    ],
)
def test_settings_that_are_none_are_refused(settings: list[str], message: str) -> None:
    with pytest.raises(DefinitionError) as raised:
        Recipe().with_settings(recipe.read(settings))
    assert str(raised.value).startswith(message)


def test_settings_are_read() -> None:
    assert recipe.read(["epochs=3", "optimizer=sgd", "clip=0"]) == {
        "epochs": 3,
        "optimizer": "sgd",
        "clip": 0,
    }


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("larg_5x5", "there is no experiment 'larg_5x5'; did you mean large_5x5"),
        ("large_7x7", "large_7x7: '7x7' takes 64x35x35"),
        ("sets.py:nothing", "has no 'nothing'"),
        ("sets.py:number", "is of type int, not an Ablation"),
        ("sets.py:mine:width=2", "an experiment takes no settings"),
        ("large_5x5:width=2", "large_5x5:width=2: an experiment takes no settings"),
        ("nowhere:mine", "No module named 'nowhere'"),
        ("sets.py:modules", "'a' takes 192x35x35 and cannot be trained"),
        ("nowhere.py:mine", "nowhere.py"),
    ],
)
def test_what_cannot_be_trained_is_named(
    name: str, message: str, sets: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(sets.parent)
    with pytest.raises(CostlabError) as raised:
        find_experiment(name, 1.0)
    assert message in str(raised.value)


def test_an_experiment_and_an_ablation_of_ones_own(sets: Path, tmp_path: Path) -> None:
    made = started(request(f"{sets}:mine", width=None), tmp_path / "run")
    assert (made.name, made.title, made.claims[0].claim) == ("mine", "Mine", "b is better")
    assert [(each.label, each.side, each.network) for each in made.arms] == [
        ("a", 48, "mini:width=0.125"),
        ("b", 24, "mini:width=0.25"),
    ]
    assert (made.recipe_of("a").epochs, made.recipe_of("b").epochs) == (15, 2)
    assert made.command == "costlab train --ablation sets.py:mine --preset smoke --seeds 2 --images 250"
    assert plan.load(tmp_path / "run") == made
    assert {file.name for file in (tmp_path / "run" / "data").iterdir()} == {"images-24.pt", "images-48.pt"}
    of_ablation = find_experiment(f"{sets}:widths", 1.0)
    assert [each.side for each in of_ablation.arms.values()] == [48, 48]


def test_a_network_gets_as_many_outputs_as_there_are_classes() -> None:
    arms = sized_arms(experiment("large_5x5", 0.125), 7, 96)
    assert [count_arm(label, made, 7).network for label, made in arms.items()] == [
        "mini:width=0.125,large=5x5,num_classes=7",
        "mini:width=0.125,num_classes=7",
    ]
    fixed = Experiment("e", "E", {"a": arm("mini", num_classes=3), "b": arm("mini", num_classes=7)})
    with pytest.raises(DefinitionError, match="a: the network puts out 3, and there are 7 classes"):
        count_arm("a", sized_arms(fixed, 7, 96)["a"], 7)


def test_pairs_go_seed_by_seed(tmp_path: Path) -> None:
    made = started(request("large_5x5"), tmp_path)
    assert made.pairs == (("5x5", 0), ("3x3+3x3", 0), ("5x5", 1), ("3x3+3x3", 1))


def test_more_seeds_make_the_same_run_and_other_settings_another(tmp_path: Path) -> None:
    made = started(request("large_5x5"), tmp_path / "a")
    more = resume_plan(tmp_path / "a", 5, lambda _: None)
    assert more.identity == made.identity
    assert "--seeds 5" in more.command
    assert plan.load(tmp_path / "a") == more
    with pytest.raises(RunError, match="--seeds 3: the run has 5 already"):
        resume_plan(tmp_path / "a", 3, lambda _: None)
    other = started(request("large_5x5", "epochs=3"), tmp_path / "b")
    assert other.identity != made.identity


def test_images_are_made_again_where_they_are_gone_or_damaged(tmp_path: Path) -> None:
    started(request("large_5x5"), tmp_path)
    file = tmp_path / "data" / "images-48.pt"
    whole = file.read_bytes()
    reported: list[str] = []
    others = BytesIO()
    torch.save({**torch.load(file, weights_only=True), "digest": "of other images"}, others)
    for damage in (None, b"", whole[:1000], others.getvalue()):
        file.unlink() if damage is None else file.write_bytes(damage)
        resume_plan(tmp_path, None, reported.append)
        assert file.read_bytes() == whole
    assert len(reported) == 4
    resume_plan(tmp_path, None, reported.append)
    assert len(reported) == 4


def test_an_experiment_in_a_module(sets: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (sets.parent / "sets_in_a_module.py").write_text(SETS)
    monkeypatch.chdir(sets.parent)
    assert is_code("sets_in_a_module:mine")
    assert find_experiment("sets_in_a_module:mine", 1.0).title == "Mine"
    assert find_experiment("sets_in_a_module:widths", 1.0).title == "Widths"


def test_an_experiment_that_changed_is_noticed(sets: Path, tmp_path: Path) -> None:
    made = started(request(f"{sets}:mine", width=None), tmp_path / "run")
    sets.write_text(SETS.replace("width=0.25", "width=0.5"))
    with pytest.raises(RunError, match="'b' is not what it was when the run began"):
        made.networks()


def test_a_width_is_not_for_what_has_its_own(sets: Path) -> None:
    with pytest.raises(RunError, match="--width goes with costlab's own experiments"):
        make_plan(request(f"{sets}:mine"), lambda _: None)


def test_fewer_images_than_a_batch_are_refused(tmp_path: Path) -> None:
    with pytest.raises(
        DataError, match="40 training images are fewer than batch_size=64 of 5x5: --set batch_size"
    ):
        started(request("large_5x5", images=40), tmp_path)


def test_a_folder_that_holds_no_run_is_named(tmp_path: Path) -> None:
    with pytest.raises(RunError, match=r"there is no run in it; costlab train NAME begins a run"):
        plan.load(tmp_path)
    (tmp_path / plan.FILE).write_text("{}")
    with pytest.raises(RunError, match="is no plan of a run"):
        plan.load(tmp_path)


def test_commands_hold_no_folders() -> None:
    command = command_line(
        request("/home/me/sets.py:mine", "clip=0", source="folder:/home/me/images"), "folder"
    )
    assert "/home" not in command
    assert command.endswith("--data folder:PATH --width 0.125 --images 250 --set clip=0")


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: arm("mini", side=4), "side"),
        (lambda: arm("mini", side="big"), "side"),  # type: ignore[arg-type]  # on purpose
        (lambda: arm("mini", recipe={"epoch": 3}), "there is no epoch"),
        (lambda: arm("nothing"), "nothing"),
        (lambda: Experiment("e", "E", {"a": arm("mini")}), "at least one more"),
        (lambda: Experiment("e", "E", {"a": arm("mini"), "b": variant("mini")}), "arms must be"),  # type: ignore[dict-item]  # on purpose
        (lambda: Experiment("a/b", "E", {"a": arm("mini"), "b": arm("mini")}), "its name must be of letters"),
        (
            lambda: Experiment(
                "e", "E", {"a": arm("mini"), "b": arm("mini")}, (Expectation("", "a", "c", "", ""),)
            ),
            "a claim is of 'c', which is no arm",
        ),
    ],
)
def test_experiments_that_are_none_are_refused(make: object, message: str) -> None:
    with pytest.raises((DefinitionError, TargetError), match=message):
        make()  # type: ignore[operator]  # of the parameters


def test_the_recipe_of_a_record_is_the_recipe() -> None:
    assert Recipe(**asdict(Recipe(epochs=3))) == Recipe(epochs=3)


def test_what_could_not_be_read_again_is_refused_before_anything_is_written(tmp_path: Path) -> None:
    file = tmp_path / "sets.py"
    for made, problem in (
        (
            SETS.replace('"1 point"', '"1 point\\n2 points"'),
            r"claims\[0\].reported: .* must be text on one line",
        ),
        (SETS.replace('"Mine"', '"M" * 5000'), "title: .* must be text on one line, of at most 4,096 signs"),
        (
            SETS.replace('"b": arm(', '**{str(i): arm(mini, width=0.125) for i in range(100)}, "b": arm('),
            "it has 102 arms, and a run has at most 100",
        ),
    ):
        file.write_text(made)
        with pytest.raises(DefinitionError, match=problem):
            make_plan(request(f"{file}:mine", width=None), lambda _: None)


def test_a_name_that_no_plan_can_hold_leaves_the_plan_as_it_is(sets: Path, tmp_path: Path) -> None:
    started(request(f"{sets}:mine", width=None), tmp_path / "run")
    before = (tmp_path / "run" / plan.FILE).read_bytes()
    odd = sets.with_name("turned\u202e.py")
    odd.write_text(SETS)
    with pytest.raises(DefinitionError, match=r"ablation: .* must be text on one line"):
        resume_plan(tmp_path / "run", None, lambda _: None, name=f"{odd}:mine")
    assert (tmp_path / "run" / plan.FILE).read_bytes() == before
