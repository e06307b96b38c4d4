"""Documents that show what commands print: renewed in place, and nothing else in them touched."""

import subprocess
import time
from pathlib import Path

import pytest

import costlab
from costlab.errors import OutputError
from costlab.report import documents
from costlab.report.documents import KEPT, commands_in, is_kept, kept_beside, outdated, outputs_of, renew

BLOCK = "```console\n$ {command}\n{shown}```\n"
STEM = "costlab count conv_nxn:bn=false -d 0"


def document(folder: Path, *blocks: tuple[str, str]) -> Path:
    file = folder / "README.md"
    shown = "\nWords.\n".join(BLOCK.format(command=command, shown=shown) for command, shown in blocks)
    file.write_text(f"# Title\n{KEPT}\n{shown}\nThe end.\n")
    return file


def run(file: Path) -> dict[str, str]:
    return outputs_of([file], file.parent, lambda _: None, lambda _: None)


def renewed(file: Path) -> str:
    renew(file, run(file))
    return file.read_text()


def test_outputs_are_renewed_and_all_else_stays(tmp_path: Path) -> None:
    head = f"{STEM} -f csv | head -1"
    file = document(tmp_path, (STEM, "old\n"), ("ls", "theirs\n"), (head, ""))
    assert commands_in(file) == (STEM, head)
    outputs = run(file)
    assert outputs[head].startswith("module,operation,output,")
    assert outdated(file, outputs) == (STEM, head)
    assert renew(file, outputs)
    text = file.read_text()
    assert "$ ls\ntheirs\n" in text
    assert "conv_nxn:bn=false, input 64x35x35, batch 1\n" in text
    assert f"$ {head}\nmodule,operation,output," in text
    assert text.startswith(f"# Title\n{KEPT}\n```console\n$ {STEM}\n")
    assert text.endswith("```\n\nThe end.\n")
    assert outdated(file, outputs) == ()
    assert not renew(file, outputs)


def test_an_edited_number_is_told(tmp_path: Path) -> None:
    file = document(tmp_path, (STEM, ""))
    right = renewed(file)
    file.write_text(right.replace("45,158,400", "45,158,401"))
    assert outdated(file, run(file)) == (STEM,)
    assert renewed(file) == right


def test_what_is_written_into_a_document_meanwhile_stays(tmp_path: Path) -> None:
    file = document(tmp_path, (STEM, "old\n"))
    outputs = run(file)
    added = BLOCK.format(command="costlab list", shown="by hand\n")
    file.write_text(file.read_text() + "More words.\n" + added)
    assert renew(file, outputs)
    assert file.read_text().endswith(f"The end.\nMore words.\n{added}")
    assert "45,158,400" in file.read_text()


def test_the_ends_of_lines_stay_as_they_are(tmp_path: Path) -> None:
    file = document(tmp_path, (STEM, "old\n"))
    unix = renewed(file)
    file.write_bytes(document(tmp_path, (STEM, "old\n")).read_bytes().replace(b"\n", b"\r\n"))
    assert commands_in(file) == (STEM,)
    assert renew(file, run(file))
    assert file.read_bytes() == unix.encode().replace(b"\n", b"\r\n")
    assert outdated(file, run(file)) == ()


def test_every_command_of_a_block_is_renewed(tmp_path: Path) -> None:
    block = (
        "```console \n$ costlab list -f csv | head -1\nold\n$ ls\ntheirs\n"
        "$ costlab-x\nnot ours\n$ costlab --version\n```\n"
    )
    file = tmp_path / "README.md"
    file.write_text(block)
    assert commands_in(file) == ("costlab list -f csv | head -1", "costlab --version")
    head = "name,unverified,figure,input,summary,parameters"
    version = f"costlab, version {costlab.__version__}"
    wanted = block.replace("old\n", f"{head}\n").replace("--version\n", f"--version\n{version}\n")
    assert renewed(file) == wanted


@pytest.mark.parametrize(
    "text",
    [
        f"```console\n$ {STEM}\nold\n\nWords that follow.\n",
        f"```console\n$ {STEM}\nold\n\nWords.\n```sh\nmake\n```\n",
        f"```text\n$ {STEM}\nold\n```\n",
    ],
)
def test_blocks_that_are_not_closed_or_of_another_kind_stay(tmp_path: Path, text: str) -> None:
    file = tmp_path / "README.md"
    file.write_text(text)
    assert commands_in(file) == ()
    assert not renew(file, {STEM: "new\n"})
    assert file.read_text() == text


def test_outputs_do_not_depend_on_the_terminal(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = document(tmp_path, ("costlab list ensemble", ""), (STEM, ""))
    renew(file, run(file))
    monkeypatch.setenv("COLUMNS", "41")
    monkeypatch.setenv("PYTHONIOENCODING", "utf-16")
    assert outdated(file, run(file)) == ()


def test_the_help_of_a_report_can_be_shown(tmp_path: Path) -> None:
    file = document(tmp_path, ("costlab report --help | head -1", ""))
    assert "Usage: costlab report [OPTIONS] [DIR | TARGET | RUN]\n" in renewed(file)


def test_a_command_that_is_shown_twice_runs_once(tmp_path: Path) -> None:
    file = document(tmp_path, (STEM, "old\n"), (STEM, "older\n"))
    assert commands_in(file) == (STEM,)
    text = renewed(file)
    assert "old" not in text
    assert text.count("conv_nxn:bn=false, input 64x35x35, batch 1\n") == 2


def test_a_document_in_another_encoding_is_told(tmp_path: Path) -> None:
    file = document(tmp_path, (STEM, "old\n"))
    file.write_bytes(file.read_bytes() + "é".encode("latin-1"))
    assert is_kept(file)
    with pytest.raises(OutputError, match=r"README\.md cannot be read: it is not in UTF-8"):
        run(file)


def test_errors_are_shown_where_nothing_else_is_printed(tmp_path: Path) -> None:
    file = document(tmp_path, ("costlab count inception_v3 -i 3x64x64", ""))
    assert "costlab: error: mixed_7a.b3x3.1.conv: kernel=3x3 does not fit" in renewed(file)


def test_commands_run_in_the_folder_above_the_reports(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "nets.py").write_text("from costlab.algebra import Linear\nnet = Linear(3, bias=False)\n")
    file = document(tmp_path, ("costlab count nets.py:net -i 5 -f csv | tail -1", ""))
    monkeypatch.chdir(tmp_path)
    assert ",15,15," in renewed(file)
    (tmp_path / "docs").mkdir()
    page = tmp_path / "docs" / "page.md"
    page.write_text(file.read_text().replace(",15,15,", ""))
    outputs = outputs_of([page], tmp_path, lambda _: None, lambda _: None)
    assert renew(page, outputs)
    assert page.read_text() == file.read_text()


@pytest.mark.parametrize(
    "command",
    [
        "count theirs.py:net -i 5",
        "count theirs:net -i 5",
        "compare --ablation=theirs.py:net",
        "compare -atheirs:net",
        "count mini -i theirs.py:net",
        "budget",
        "--debug budget -f csv",
        "budget mini --max-weights 3 --against theirs.py:net --max-increase 1%",
        "train large_5x5",
        "train --resume runs/theirs",
        "--debug train theirs.py:net",
    ],
)
def test_documents_elsewhere_run_no_code_and_train_nothing(command: str, tmp_path: Path) -> None:
    (tmp_path / "theirs.py").write_text("open('ran', 'w').close()")
    (tmp_path / "pyproject.toml").write_text(
        "[tool.costlab.budget.a]\ntarget = 'theirs.py:net'\nmax-weights = 3"
    )
    file = document(tmp_path, (STEM, ""), (f"costlab {command}", ""))
    with pytest.raises(OutputError, match=r"may run code, .*: if you trust it|cannot be shown by itself"):
        run(file)
    assert sorted(each.name for each in tmp_path.iterdir()) == ["README.md", "pyproject.toml", "theirs.py"]


def test_a_command_that_several_documents_show_runs_once(tmp_path: Path) -> None:
    (tmp_path / "docs").mkdir()
    other = document(tmp_path / "docs", (STEM, "old\n"), ("costlab --version", "old\n"))
    file = document(tmp_path, (STEM, "older\n"))
    done: list[str] = []
    outputs = outputs_of([file, other], tmp_path, lambda _: None, done.append)
    assert done == [f"README.md: {STEM}", "docs/README.md: costlab --version"]
    for each in (file, other):
        assert outdated(each, outputs) == commands_in(each)
        assert renew(each, outputs)
        assert "conv_nxn:bn=false, input 64x35x35, batch 1\n" in each.read_text()


def test_the_documents_beside_the_reports(tmp_path: Path) -> None:
    (tmp_path / "docs" / "deeper").mkdir(parents=True)
    for name in ("README.md", "CHANGES.md", "docs/b.md", "docs/a.md", "docs/c.txt", "docs/deeper/d.md"):
        (tmp_path / name).write_text(f"{KEPT}\n")
    (tmp_path / "docs" / "plain.md").write_text("Words.\n")
    found = kept_beside(tmp_path / "reports")
    assert [each.relative_to(tmp_path).as_posix() for each in found] == [
        "README.md",
        "docs/a.md",
        "docs/b.md",
    ]
    (tmp_path / "README.md").unlink()
    assert [each.name for each in kept_beside(tmp_path / "reports")] == ["a.md", "b.md"]


def test_after_a_command_that_breaks_down_no_other_begins(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun: list[str] = []

    def breaks(words: list[str], *_: object) -> subprocess.CompletedProcess[str]:
        begun.append(words[-1])
        time.sleep(0.01)
        return subprocess.CompletedProcess([], 70, stdout="", stderr="a bug in costlab\n")

    monkeypatch.setattr(documents, "_execute", breaks)
    monkeypatch.setattr("os.cpu_count", lambda: 1)
    file = document(tmp_path, *((f"costlab count net_{i}", "") for i in range(100)))
    with pytest.raises(OutputError, match="costlab count net_0 broke down"):
        run(file)
    assert len(begun) < 100


@pytest.mark.parametrize(
    ("command", "message"),
    [
        ("costlab count stem | sort", "only | head -N or | tail -N can follow a command"),
        ("costlab count stem | head", "only | head -N or | tail -N can follow a command"),
        ("costlab count stem | sort -3", "only | head -N or | tail -N can follow a command"),
        ("costlab count stem > out.txt", "only | head -N or | tail -N can follow a command"),
        ("costlab count stem; touch pwned", "only | head -N or | tail -N can follow a command"),
        ("costlab count stem && touch pwned", "only | head -N or | tail -N can follow a command"),
        ("costlab count 'stem", "No closing quotation"),
        ("costlab report", "a report cannot be shown by itself"),
        ("costlab report --check | head -3", "a report cannot be shown by itself"),
        ("costlab --debug report", "a report cannot be shown by itself"),
        ("costlab count stem -o out.csv", "a command that is shown may not write files"),
        ("costlab count stem -oout.csv", "a command that is shown may not write files"),
        ("costlab count stem --output=out.csv", "a command that is shown may not write files"),
        ("costlab compare stem stem --plot x.png --force", "a command that is shown may not write files"),
        ("costlab count stem | tail -0", "only | head -N or | tail -N can follow a command"),
    ],
)
def test_what_is_no_single_command_is_refused(tmp_path: Path, command: str, message: str) -> None:
    file = document(tmp_path, (command, "old\n"))
    with pytest.raises(OutputError) as error:
        renewed(file)
    assert str(error.value) == f"{file}: {command}: {message}"
    assert [each.name for each in tmp_path.iterdir()] == ["README.md"]


@pytest.mark.parametrize("code", [70, 130, -9])
def test_a_command_that_breaks_down_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, code: int
) -> None:
    file = document(tmp_path, (STEM, "old\n"))
    done = subprocess.CompletedProcess([], code, stdout="half", stderr="costlab: error: a bug in costlab\n")
    monkeypatch.setattr(documents, "_execute", lambda *_: done)
    with pytest.raises(OutputError, match=r"README\.md: .* broke down: costlab: error: a bug in costlab$"):
        run(file)


def test_shell_words_are_only_words(tmp_path: Path) -> None:
    file = document(
        tmp_path, ("costlab count $(touch pwned) `touch pwned`", ""), ("costlab count '$HOME'", "")
    )
    with pytest.raises(OutputError):
        renewed(file)
    assert not (tmp_path / "pwned").exists()
    file = document(tmp_path, ("costlab count '$HOME'", ""))
    assert "'$HOME' names nothing" in renewed(file)


def test_only_documents_that_ask_for_it_are_kept(tmp_path: Path) -> None:
    file = tmp_path / "README.md"
    assert not is_kept(file)
    file.write_text("# Title\n```console\n$ costlab list\n```\n")
    assert not is_kept(file)
    file.write_text(f"A line `{KEPT}` asks for it.\n")
    assert not is_kept(file)
    assert is_kept(document(tmp_path))
    file.write_bytes(f"# Title\r\n{KEPT}\r\n".encode())
    assert is_kept(file)
