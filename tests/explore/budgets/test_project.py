"""The budgets of a project: what its pyproject.toml may hold, where it is found, and that all are held."""

from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest

import costlab
from costlab.errors import CostlabError
from costlab.explore.budgets.project import Entry, find_project, hold_all
from costlab.report.tables.count import count_table
from tests.explore.networks import parameters

WHOLE = sum(parameters().values())
SMALL = "[tool.costlab.budget.one]\ntarget = 'stem'\n"


def project(folder: Path, text: str) -> tuple[Entry, ...]:
    (folder / "pyproject.toml").write_text(text)
    return find_project(folder).entries


def test_every_key_is_read(tmp_path: Path) -> None:
    (entry,) = project(
        tmp_path,
        """
        [project]
        name = "mine"
        [tool.costlab.budget."every key"]
        target = "nets.py:net"
        input = ["tokens:1x128:int64", "1x3x8x8"]
        batch = 2
        inference = true
        convention = "fvcore"
        strict = true
        against = "reference.json"
        max-increase = "0.5%"
        max-multiply-adds = 6e9
        max-bias-adds = 6_000
        max-weights = "25M"
        max-parameters = 123456789012345678901234567890
        max-activations = 1.2345678901234567890123e22
        max-cost = "0"
        """,
    )
    assert entry == Entry(
        "every key",
        "nets.py:net",
        {
            "multiply_adds": 6_000_000_000,
            "bias_adds": 6_000,
            "weights": 25_000_000,
            "parameters": 123456789012345678901234567890,
            "activations": 12_345_678_901_234_567_890_123,
            "cost": 0,
        },
        ("tokens:1x128:int64", "1x3x8x8"),
        2,
        True,
        "fvcore",
        "reference.json",
        Fraction(1, 200),
        True,
    )


def test_memory_has_a_limit_and_says_how_it_runs(tmp_path: Path) -> None:
    how = "batch = 32\ntrain = true\noptimizer = 'rmsprop'\nmomentum = true\ndtype = 'bfloat16'"
    (entry,) = project(tmp_path, f"{SMALL}max-peak-memory = '16GiB'\n{how}")
    running: dict[str, Any] = {"train": True, "optimizer": "rmsprop", "momentum": True, "dtype": "bfloat16"}
    assert entry == Entry("one", "stem", {"peak_memory": 2**34}, batch=32, running=running)
    (outcome,) = hold_all(find_project(tmp_path))
    assert outcome.budget is not None
    assert outcome.budget.checks[0].size == costlab.memory("stem", batch=32, **running).total


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            "[tool.costlab.budget]",
            "tool.costlab.budget is empty: write [tool.costlab.budget.NAME] with target",
        ),
        ("[tool.costlab]\nbudget = 3", "tool.costlab.budget: 3 is no table"),
        ("[[tool.costlab.budget]]\ntarget = 'stem'", "tool.costlab.budget: an array is no table"),
        ("[tool.costlab.budget]\ntarget = 'stem'", "tool.costlab.budget.target: 'stem' is no table"),
        ("[tool.costlab.budget.a]", "tool.costlab.budget.a.target is missing"),
        ("[tool.costlab.budget.'']", "tool.costlab.budget: '' is no name of a budget"),
        ('[tool.costlab.budget."a\\nb"]', "tool.costlab.budget: 'a\\nb' is no name of a budget"),
        ("[tool.costlab.budget.'a b']", "tool.costlab.budget.'a b'.target is missing"),
        (SMALL, "there is no limit: give tool.costlab.budget.one.max-multiply-adds"),
        (
            f"{SMALL}max-parameter = 3",
            "tool.costlab.budget.one: there is no key 'max-parameter'; did you mean",
        ),
        (
            f"{SMALL}max_parameters = 3",
            "tool.costlab.budget.one: there is no key 'max_parameters'; did you mean",
        ),
        (f"{SMALL}max-parameters = true", "tool.costlab.budget.one.max-parameters: True is no whole number"),
        (f"{SMALL}max-parameters = 6.5", "tool.costlab.budget.one.max-parameters: '6.5' is no whole number"),
        (f"{SMALL}max-parameters = -1", "tool.costlab.budget.one.max-parameters: -1 must be at least 0"),
        (f"{SMALL}max-parameters = nan", "tool.costlab.budget.one.max-parameters: 'NaN' is no number"),
        (f"{SMALL}max-parameters = 1e9999999", "tool.costlab.budget.one.max-parameters: "),
        (f"{SMALL}max-parameters = 0x{'f' * 9000}", "tool.costlab.budget.one.max-parameters: about 2**"),
        (f"{SMALL}max-parameters = 1979-05-27", "tool.costlab.budget.one.max-parameters: a date is no"),
        (f"{SMALL}max-parameters = [3]", "tool.costlab.budget.one.max-parameters: [3] is no whole number"),
        (f"{SMALL}against = 'stem'", "tool.costlab.budget.one.against needs tool.costlab.budget.one.max-inc"),
        (f"{SMALL}max-increase = '1%'", "tool.costlab.budget.one.max-increase needs"),
        (
            f"{SMALL}against = 'stem'\nmax-increase = 0.01",
            "tool.costlab.budget.one.max-increase: 0.01 is no per",
        ),
        (
            f"{SMALL}against = 'stem'\nmax-increase = 1",
            "tool.costlab.budget.one.max-increase: 1 is no percent",
        ),
        (f"{SMALL}against = 3", "tool.costlab.budget.one.against: 3 is no text"),
        (f"{SMALL}max-cost = 3", "tool.costlab.budget.one.max-cost needs tool.costlab.budget.one.convention"),
        (
            f"{SMALL}convention = 'fvcor'",
            "tool.costlab.budget.one.convention: there is no convention 'fvcor'; did",
        ),
        (
            f"{SMALL}max-peak-memory = '16G'",
            "tool.costlab.budget.one.max-peak-memory: '16G' is no number of b",
        ),
        (f"{SMALL}max-peak-memory = 1\noptimizer = 'x'", "tool.costlab.budget.one.optimizer: 'x' is none of"),
        (f"{SMALL}max-peak-memory = 1\ndtype = 4", "tool.costlab.budget.one.dtype: 4 is none of float32, bf"),
        (
            f"{SMALL}max-peak-memory = 1\nmomentum = true",
            "tool.costlab.budget.one.momentum goes with tool.costlab.budget.one.train",
        ),
        (
            f"{SMALL}max-weights = 1\ntrain = true",
            "tool.costlab.budget.one.train goes with tool.costlab.budget.one.max-peak-memory: it says whose",
        ),
        (
            f"{SMALL}max-peak-memory = 1\ntrain = true\ninference = true",
            "tool.costlab.budget.one.inference leaves out auxiliary heads, which tool.costlab.",
        ),
        (f"{SMALL}batch = 0", "tool.costlab.budget.one.batch=0 must be at least 1"),
        (f"{SMALL}batch = 1.0", "tool.costlab.budget.one.batch: 1.0 is no whole number"),
        (f"{SMALL}batch = true", "tool.costlab.budget.one.batch: True is no whole number"),
        (f"{SMALL}inference = 'yes'", "tool.costlab.budget.one.inference: 'yes' is neither true nor false"),
        (f"{SMALL}strict = 1", "tool.costlab.budget.one.strict: 1 is neither true nor false"),
        (f"{SMALL}input = 224", "tool.costlab.budget.one.input: 224 is no text"),
        (f"{SMALL}input = '3xx8'", "tool.costlab.budget.one.input: input='3xx8' must be channels x "),
        (f"{SMALL}input = ['3x8x8', '3,8']", "tool.costlab.budget.one.input: "),
        (f"{SMALL}input = []", "tool.costlab.budget.one.input: there is no input in it"),
        (f"{SMALL}input = ['3x8x8', 3]", "tool.costlab.budget.one.input[1]: 3 is no text"),
        ("[tool.costlab.budget.a]\ntarget = ' '", "tool.costlab.budget.a.target: ' ' is no text"),
        ("[tool.costlab.budget.a]\ntarget = ['stem']", "tool.costlab.budget.a.target: ['stem'] is no text"),
    ],
)
def test_what_is_wrong_in_the_table_is_refused_by_its_key(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(CostlabError) as refused:
        project(tmp_path, text)
    assert str(refused.value).startswith(f"{tmp_path / 'pyproject.toml'}: {message}")
    assert str(refused.value).isprintable()
    assert len(str(refused.value)) < 600


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"[tool", "is no TOML: "),
        (b"a = 1\na = 2", "is no TOML: "),
        (b"\xff", "is no TOML: "),
        (b"a = " + b"[" * 100_000, "is nested too deeply"),
        (b"a = " + b"9" * 5000, "is no TOML: "),
        (b"tool = 3", ": tool: 3 is no table"),
        (b"[tool]\ncostlab = 'x'", ": tool.costlab: 'x' is no table"),
    ],
)
def test_a_file_that_is_none_is_named(tmp_path: Path, content: bytes, message: str) -> None:
    file = tmp_path / "pyproject.toml"
    file.write_bytes(content)
    with pytest.raises(CostlabError) as refused:
        find_project(tmp_path)
    assert str(refused.value).startswith(f"{file}{'' if message.startswith(':') else ' '}{message}")


def test_a_folder_of_that_name_is_no_project(tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").mkdir()
    with pytest.raises(CostlabError, match=r"pyproject\.toml cannot be read"):
        find_project(tmp_path)


def test_the_nearest_that_has_budgets_is_taken(tmp_path: Path) -> None:
    inner = tmp_path / "a" / "b"
    inner.mkdir(parents=True)
    (tmp_path / "pyproject.toml").write_text(f"{SMALL}max-weights = 3")
    (tmp_path / "a" / "pyproject.toml").write_text("[project]\nname = 'mine'\n[tool.costlab]\n")
    assert find_project(inner).folder == tmp_path
    (inner / "pyproject.toml").write_text(f"{SMALL}max-weights = 4")
    assert find_project(inner).entries[0].most == {"weights": 4}
    assert find_project(inner.parent).entries[0].most == {"weights": 3}


def test_where_there_is_none_it_says_what_to_write(tmp_path: Path) -> None:
    with pytest.raises(CostlabError, match=r"^no pyproject\.toml here or above has budgets: give a TARGET"):
        find_project(tmp_path)
    (tmp_path / "pyproject.toml").write_text("[tool.costlab.budgets.a]\ntarget = 'stem'")
    with pytest.raises(CostlabError, match=r"has no \[tool\.costlab\.budget\]: give a TARGET"):
        find_project(tmp_path)


def test_all_are_held_in_the_folder_of_the_project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "nets.py").write_text(
        "from costlab import Linear, block\nfrom beside import WIDTH\n\n"
        "@block(input='10')\ndef net(width: int = WIDTH):\n    return Linear(width)\n"
    )
    (tmp_path / "beside.py").write_text("WIDTH = 7\n")
    made = costlab.count(f"{tmp_path}/nets.py:net", width=6)
    (tmp_path / "reference.json").write_text(count_table(made).to_json())
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")
    (tmp_path / "pyproject.toml").write_text("""
        [tool.costlab.budget.fits]
        target = "nets.py:net"
        max-parameters = 77
        [tool.costlab.budget.broken]
        target = "nets.py:nosuch"
        max-parameters = 77
        [tool.costlab.budget.over]
        target = "nets.py:net"
        max-parameters = 76
        [tool.costlab.budget.grew]
        target = "nets.py:net"
        against = "reference.json"
        max-increase = "16%"
        [tool.costlab.budget.nowhere]
        target = "nets.py:net"
        against = "elsewhere"
        max-increase = "16%"
    """)
    outcomes = {outcome.name: outcome for outcome in hold_all(find_project(Path.cwd()))}
    assert list(outcomes) == ["fits", "broken", "over", "grew", "nowhere"]
    verdicts = {name: each.budget.within for name, each in outcomes.items() if each.budget}
    assert verdicts == {"fits": True, "over": False, "grew": False}
    assert outcomes["broken"].failure.startswith("nets.py has no 'nosuch'")
    assert outcomes["nowhere"].failure.startswith("elsewhere is no file")
    grew = outcomes["grew"].budget
    assert grew is not None
    assert [check.size - check.limit for check in grew.checks] == [70 - 69, 77 - 76, 7 - 6]
    assert Path.cwd() == tmp_path / "elsewhere"
