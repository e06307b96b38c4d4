"""References and projects of budgets as somebody else may have written them."""

import json
from functools import cache
from random import Random
from typing import Any

from costlab.counting.count import count
from costlab.report.tables.count import count_table
from tests.hostile.case import EITHER, MISTAKE, SIGNS, Case, mutated
from tests.hostile.records import BYTES, changed, content

WORDS = ("budget", "inception_a", "--against", "reference.json", "--max-increase", "1%")
UNFIT = (
    *(
        "",
        "-1",
        "1.5",
        "nan",
        "-inf",
        "true",
        "[]",
        "{}",
        "{a = 1}",
        "[[1]]",
        "1979-05-27",
        "1e999999",
        "'\x00'",
    ),
    *("''", "' '", "'6e'", "'-3'", "'1e999'", f"'{'9' * 5000}'", f"0x{'f' * 9000}", "9" * 5000, "[" * 9000),
    *(f"'a{sign}b'" for sign in SIGNS if sign.isprintable()),
)
"""What no key of a budget takes as its value."""
KEYS = ("max-parameters", "max-multiply-adds", "max-cost", "max-increase", "batch", "inference", "strict")
ODD_KEYS = (
    "max_parameters",
    "max-parameter",
    "MAX-WEIGHTS",
    "depth",
    "''",
    "'a b'",
    '"\\u001b[31m"',
    "a.b",
    "__class__",
)
ODD_TABLES = (
    "[tool.costlab.budget]",
    "[[tool.costlab.budget]]\ntarget = 'inception_a'",
    "[tool.costlab]\nbudget = 3",
    "[tool]\ncostlab = []",
    "tool = 'x'",
    "[tool.costlab.budget]\ntarget = 'inception_a'",
    "[tool.costlab.budget.'']",
    '[tool.costlab.budget."\\u001b[31m"]',
    "[tool.costlab.budget.a]\ntarget = 3",
    "[tool.costlab.budget.a]\nmax-weights = 3",
    "[tool.costlab.budget.a]\ntarget = 'inception_a'\ntarget = 'inception_a'",
    "[tool.costlab.budget.a]\ntarget = 'inception_a'\n[tool.costlab.budget.a]",
    "[tool.costlab.budget.a]\ntarget = 'inception_a'\nmax-increase = '1%'\nmax-weights = 3",
)


@cache
def good() -> Any:
    """A reference that is read."""
    return json.loads(count_table(count("inception_a"), 2).to_json())


def draw(random: Random) -> Case:
    """A reference, or the table of a project, that is none or no longer."""
    return (_reference if random.random() < 0.5 else _project)(random)


def _reference(random: Random) -> Case:
    if random.random() < 0.5:
        about, made = changed(random, good())
        what = json.dumps(made).encode()
        codes = EITHER | {1}  # not all that stands there is read
    else:
        about, what = content(random, random.choice(({"version": 1}, {**good(), "version": 2})))
        codes = MISTAKE
        if about not in BYTES:
            about = f"of another kind, {about}"
    return Case(f"a reference: {about}", WORDS, {"reference.json": what}, codes=codes)


def _project(random: Random) -> Case:
    text = "[tool.costlab.budget.a]\ntarget = 'inception_a'\nmax-weights = 3\nagainst = 'inception_a'\n"
    kind = random.choice(("value", "value", "key", "table", "text"))
    if kind == "table":
        text = random.choice(ODD_TABLES)
    elif kind == "text":
        text = f"{mutated(random, '[tool.costlab.budget.a]')} = \n"
    elif kind == "key":
        text += f"{random.choice(ODD_KEYS)} = 3\n"
    else:
        text += f"{random.choice(KEYS)} = {random.choice(UNFIT)}\n"
    content = text.encode("utf-8", "surrogatepass")
    return Case(
        f"a project: {text[:200]!r}", ("budget",), {"pyproject.toml": content}, names="pyproject.toml"
    )
