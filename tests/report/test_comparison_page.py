"""The page of a set of networks."""

from pathlib import Path

import pytest

from costlab import count
from costlab.cli.main import main

SET = """
from costlab import Ablation, variant
chosen = Ablation("chosen", "two widths", {"whole": variant("mini"), "half": variant("mini", width=0.5)})
"""


def run(*args: str) -> int | str | None:
    with pytest.raises(SystemExit) as ended:
        main(["report", *args])
    return ended.value.code


def test_the_page_of_a_set_has_its_sizes_and_a_picture(tmp_path: Path) -> None:
    file = tmp_path / "mine.py"
    file.write_text(SET)
    assert run(f"{file}:chosen", "-o", str(tmp_path / "pages")) == 0
    (page,) = (tmp_path / "pages").glob("*.md")
    text = page.read_text()
    for target in ("mini", "mini:width=0.5"):
        assert f"{count(target).multiply_adds:,}" in text
    assert len(list((tmp_path / "pages").glob("*.png"))) == 1
    assert run(f"{file}:chosen", "-o", str(tmp_path / "pages"), "--check") == 0
    page.write_text(text.replace("half", "third"))
    assert run(f"{file}:chosen", "-o", str(tmp_path / "pages"), "--check") == 1


def test_a_set_of_the_catalog_has_a_page(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("large_5x5", "-o", str(tmp_path / "pages")) == 0
    assert "large_5x5.md" in capsys.readouterr().out


def test_depth_is_for_one_network(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("large_5x5", "-o", str(tmp_path / "pages"), "-d", "2") == 2
    assert "--depth is for the page of one network" in capsys.readouterr().err
