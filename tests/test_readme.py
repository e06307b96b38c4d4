"""The README shows what commands print and documents every option; the reports are as they should be."""

import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import click
import pytest
import sympy
import torch
from torch import Tensor, nn

import costlab
from costlab.algebra import Shape
from costlab.cli.main import cli
from costlab.report.cell import human
from costlab.targets.resolve import resolve
from costlab.tracing.rules.registry import MODULES
from costlab.train import plan

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text("utf-8")
PYTHON = re.findall(r"```python\n((?:.*\n)*?)```", README)
RULE, SET, EXPERIMENT, NETWORK, USE, SYMBOLS = PYTHON


def test_the_reports_and_the_outputs_shown_here_are_as_they_would_be_written() -> None:
    done = subprocess.run(
        [sys.executable, "-P", "-m", "costlab", "report", "--check"],
        cwd=ROOT,
        capture_output=True,
        check=False,
        encoding="utf-8",
    )
    assert (done.returncode, done.stdout) == (
        0,
        "reports: all is as it would be written, 7 pages with pictures\n",
    ), done.stderr
    assert done.stderr.count("done: README.md: costlab ") == README.count("\n$ costlab ") > 10


def test_every_picture_that_is_shown_is_there_with_the_words_of_its_page() -> None:
    shown = re.findall(r"!\[([^\]]+)\]\((reports/\w+\.png)\)", README)
    assert len(shown) == README.count("![") > 3
    pages = "".join(page.read_text("utf-8") for page in (ROOT / "reports").glob("*.md"))
    for words, file in shown:
        assert (ROOT / file).is_file()
        assert f"![{words}]({Path(file).name})" in pages


def test_the_network_of_the_readme_counts_and_runs(tmp_path: Path) -> None:
    file = tmp_path / "nets.py"
    file.write_text(NETWORK)
    plain, factorized = (costlab.count(f"{file}:residual:factorized={on}") for on in ("false", "true"))
    assert plain.multiply_adds == 9 * 64 * 64 * 56 * 56
    assert factorized.multiply_adds == 6 * 64 * 64 * 56 * 56
    assert resolve(f"{file}:residual").input == Shape(64, 56, 56)


def test_the_rule_of_the_readme_replaces_what_runs_inside() -> None:
    class MyAttention(nn.Module):
        def forward(self, x: Tensor) -> Tensor:
            return x @ x.mT @ x

    x = torch.zeros(2, 5, 3)
    try:
        exec(RULE, {"MyAttention": MyAttention})
        (row,) = costlab.count(MyAttention(), x).rows
        assert (row.work.kind, row.work.multiply_adds) == ("my_attention", 2 * 2 * 5 * 5 * 3)
    finally:
        MODULES.clear()
    assert costlab.count(MyAttention(), x).multiply_adds == 2 * 2 * 5 * 5 * 3


def test_the_set_of_the_readme_compares(tmp_path: Path) -> None:
    file = tmp_path / "sets.py"
    file.write_text(SET)
    compared = costlab.compare(ablation=f"{file}:widths")
    assert [count.label for count in compared.counts] == ["full", "half", "half, 3x3 for 5x5"]
    assert compared.counts[1].multiply_adds == 1_433_611_440


def test_the_experiment_of_the_readme_can_be_trained(tmp_path: Path) -> None:
    file = tmp_path / "experiments.py"
    file.write_text(EXPERIMENT)
    strides = plan.find_experiment(f"{file}:strides", 1.0)
    assert [plan.count_arm(label, arm, 10).side for label, arm in strides.arms.items()] == [48, 48]


def test_the_python_of_the_readme_runs() -> None:
    names: dict[str, Any] = {}
    exec(USE, names)
    assert names["t"].multiply_adds == 1_433_611_440
    assert all(finding.agreed for finding in names["findings"])
    assert repr(eval("c.ratio(c.counts[1]), c.saving(c.counts[1], 'activations')", names)) in USE.replace(
        "# ", "("
    ).replace("(-1, 1)\n", "(-1, 1))\n")
    assert f"# {names['f'].multiply_adds}\n" in USE
    assert f"# {names['t'].under('thop').total.cost}, what thop" in USE
    assert f"# {names['f'].at(width=0.5)['multiply_adds']}," in USE
    polynomial, sweep = SYMBOLS.split("\n\n")[1:3]
    for part in (SYMBOLS.split("\n\n")[0], polynomial, sweep):
        *setup, last = [line for line in part.splitlines() if not line.startswith("#")]
        exec("\n".join(setup), names)
        if "costlab.count" in last:
            shown = part.splitlines()[-1].removeprefix("# ")
            assert str(sympy.sympify(eval(last, names))) == shown or repr(eval(last, names)) == shown
        else:
            exec(last, names)


def test_the_numbers_in_words_are_recomputed() -> None:
    auxiliary = costlab.count("inception_v3", aux=True)
    assert (
        f"`aux=true`, it has {auxiliary.multiply_adds:,} multiply-adds and {auxiliary.parameters:,} param"
        in README
    )


def test_the_networks_that_are_named_are_there() -> None:
    section = README.partition("\n## Networks\n")[2].partition("\n## ")[0]
    names = re.findall(r"`(\w+)(?::[^`]*)?`", section.replace("`lineage`", ""))
    assert len(names) > 8
    assert set(names) <= set(costlab.catalog())


def test_the_prices_of_a_point_are_recomputed() -> None:
    budgets = costlab.compare(ablation="inference_budget")
    prices = [budgets.per_point(f"Inception-v3, {crops} crops", "top_1_error") for crops in (12, 144)]
    amounts = [human(round(price)) for price in prices if price]
    assert f"spends {amounts[0]}\n" in README
    assert f"with 144 crops {amounts[1]} on each" in README


def test_every_command_and_option_is_documented() -> None:
    for name in cli.commands:
        assert re.search(rf"\bcostlab {name}\b", README), name
    for command in [cli, *cli.commands.values()]:
        for parameter in command.params:
            if isinstance(parameter, click.Option):
                for flag in parameter.opts:
                    assert re.search(rf"(?<![\w-]){flag}(?![\w-])", README), flag


@pytest.mark.parametrize("name", ["count", "compare", "reconcile", "verify", "train", "report"])
def test_every_option_stands_in_the_section_of_its_command(name: str) -> None:
    section = README.partition(f"\n## {name.title()}\n")[2].partition("\n## ")[0]
    table = "".join(re.findall(r"^\|.*\|\n", section, re.MULTILINE))
    for parameter in cli.commands[name].params:
        if isinstance(parameter, click.Option):
            assert any(f"`{flag}" in table or f" {flag} " in table for flag in parameter.opts), parameter.opts


def test_the_commands_of_the_readme_can_be_made() -> None:
    makefile = (ROOT / "Makefile").read_text("utf-8")
    for target in set(re.findall(r"\bmake ([a-z]+)", README)):
        assert re.search(rf"^{target}:", makefile, re.MULTILINE), target
