"""The record: what it holds, what moves against it, and that it is never shown as a result."""

from pathlib import Path

import pytest

from costlab.errors import DefinitionError
from costlab.paper import CLAIMS, Claim, verify
from costlab.paper import audit as auditing
from costlab.paper import expected as recording
from costlab.paper.derivation import Derivation
from costlab.paper.expected import FILE, ExpectedFigure, ExpectedOutcome, differences, load_expected, to_toml
from costlab.paper.stated import Printed, Trained, Value, Verdict
from costlab.symbolic import closed_form
from tests.cli.conftest import Run

ONE = ExpectedOutcome((ExpectedFigure("a", "1", Verdict.EXACT, "1"),), (("x", "2"),), unverified=False)


def test_the_record_is_what_is_found_and_reads_back() -> None:
    outcomes = auditing.current_outcomes()
    assert FILE.read_text("utf-8") == to_toml(outcomes)
    assert load_expected() == outcomes
    assert list(outcomes) == list(CLAIMS)
    assert auditing.orphaned_outcomes() == ()


@pytest.mark.parametrize(
    ("current", "lines"),
    [
        (ONE, []),
        (
            ONE._replace(figures=(ExpectedFigure("a", "1", Verdict.DIFFERS, "2"),), steps=(("x", "3"),)),
            ["a: moved from exact at 1 to differs at 2"],
        ),
        (
            ONE._replace(figures=(ExpectedFigure("a", "1", Verdict.EXACT, "3/3"),)),
            ["a: moved from exact at 1 to exact at 3/3"],
        ),
        (ONE._replace(figures=()), ["states other figures than those recorded"]),
        (ONE._replace(figures=ONE.figures * 2), ["states other figures than those recorded"]),
        (
            ONE._replace(figures=(ExpectedFigure("a", "1.0", Verdict.EXACT, "1"),)),
            ["a: is stated as 1.0, and was as 1"],
        ),
        (
            ONE._replace(figures=(ExpectedFigure("a", "2", Verdict.DIFFERS, "1"),)),
            ["a: is stated as 2, and was as 1", "a: moved from exact at 1 to differs at 1"],
        ),
        (
            ONE._replace(figures=(ExpectedFigure("b", "1", Verdict.EXACT, "1"),)),
            ["states other figures than those recorded"],
        ),
        (ONE._replace(steps=(("x", "3"),)), ["x: moved from 2 to 3"]),
        (ONE._replace(steps=()), ["is derived by other steps than those recorded"]),
        (ONE._replace(steps=(("y", "2"),)), ["is derived by other steps than those recorded"]),
        (ONE._replace(unverified=True), ["unverified: moved from False to True"]),
        (
            ONE._replace(figures=(ExpectedFigure("a", "1", Verdict.DIFFERS, ""),)),
            ["a: moved from exact at 1 to differs at no value"],
        ),
    ],
)
def test_what_moves(current: ExpectedOutcome, lines: list[str]) -> None:
    assert differences(current, ONE) == lines
    assert differences(current, None) == ["not recorded"]


def test_a_record_is_never_what_is_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(auditing, "load_expected", lambda: {"budget-params": ONE})
    (audited,) = verify("budget-params")
    assert audited.outcomes[0].value == 23_834_568
    assert audited.changes == ("states other figures than those recorded",)
    (other,) = verify("budget-madds")
    assert other.changes == ("not recorded",)


def test_what_is_recorded_of_no_claim_is_told(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(auditing, "load_expected", lambda: {**load_expected(), "gone": ONE})
    code, _, err = run("verify")
    assert code == 1
    assert err.splitlines()[0] == "gone: recorded, but there is no such claim"
    assert run("verify", "two-3x3").code == 0


@pytest.mark.parametrize(
    "content",
    [
        None,
        b"\xff",
        b"[a",
        b"[budget-madds]\n",
        b"budget-madds = 1\n",
        b'[a]\nunverified = false\nsteps = []\nfigures = [["a", "1", "clos", "1"]]\n',
        b'[a]\nunverified = false\nsteps = []\nfigures = [["a"]]\n',
        b"[a]\nunverified = false\nsteps = 3\nfigures = []\n",
    ],
)
def test_a_damaged_record_is_told_in_one_line(
    content: bytes | None, run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "recorded.toml"
    if content is not None:
        file.write_bytes(content)
    monkeypatch.setattr(recording, "FILE", file)
    for name in set(CLAIMS) - {"two-3x3", "asymmetric"}:  # the others are derived alike
        monkeypatch.delitem(CLAIMS, name)
    load_expected.cache_clear()
    try:
        code, out, err = run("verify", "two-3x3")
        assert set(auditing.current_outcomes()) == set(CLAIMS)  # it can be written anew
    finally:
        load_expected.cache_clear()
    assert (code, out) == (2, "")
    assert err.startswith(f"costlab: error: {file} holds no outcomes: ")
    assert err.endswith("; make record writes it anew\n")
    assert err.count("\n") == 1


def claim(*stated: Printed | Trained, values: list[Value] | Exception) -> Claim:
    def recompute(derivation: Derivation) -> list[Value]:
        derivation.step("first", "", 1)
        if isinstance(values, Exception):
            raise values
        return values

    return Claim("broken", "1", "Broken.", stated, recompute)


@pytest.mark.parametrize(
    ("broken", "problem"),
    [
        (claim(Printed("", "1"), values=DefinitionError("it is broken")), "it is broken"),
        (claim(Printed("", "1"), values=KeyError("vgg")), "KeyError: 'vgg'"),
        (claim(Printed("", "1"), values=[]), "ValueError: zip() argument 2 is shorter than argument 1"),
        (claim(Printed("", "1"), values=["text"]), "ValueError: Invalid literal for Fraction: 'text'"),
        (claim(Trained("", "1%", "a study"), values=RecursionError()), "RecursionError"),
    ],
)
def test_what_cannot_be_recomputed_has_moved(
    broken: Claim, problem: str, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(CLAIMS, "broken", broken)
    (each,) = verify("broken")
    assert each.problem == problem
    assert each.changes == (f"cannot be recomputed: {problem}",)
    assert not each.stands
    assert each.outcomes[0].value is None
    assert each.outcomes[0].deviation is None
    assert each.steps[0].name == "first"
    code, out, err = run("verify", "broken", "-f", "json", "-v")
    assert code == 1
    assert f'"problem": "{problem}"' in out
    assert f"broken: cannot be recomputed: {problem}\n" in err
    assert f"broken cannot be recomputed: {problem}\n" in run("verify", "broken").out


def test_counting_what_is_unverified_once_is_enough() -> None:
    derivation = Derivation()
    derivation.size("vgg16")
    assert not derivation.unverified
    derivation.size("prelu_net_a")
    derivation.size("vgg16")
    assert derivation.unverified
    assert not Derivation().unverified


def test_closed_forms_mark_a_claim_too(monkeypatch: pytest.MonkeyPatch) -> None:
    derivation = Derivation()
    derivation.forms("inference_budget", "PReLU-net C, 10 crops", symbols="width")
    assert derivation.unverified
    with pytest.raises(DefinitionError, match=r"nxn: there is no 'nx'; did you mean nxn"):
        derivation.forms("nxn", "nx")
    with pytest.raises(DefinitionError, match=r"there is no 'nx'"):
        derivation.variant("nxn", "nx")
    assert not closed_form("vgg16", "width").unverified
