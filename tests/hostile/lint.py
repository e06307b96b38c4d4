"""What a project says of lint, as somebody else may have written it."""

from random import Random

from tests.hostile.budgets import UNFIT
from tests.hostile.case import Case, mutated

KEYS = ("select", "ignore", "per-module-ignores", "expensive-share", "per-module-ignores.stem")
WRONG = (
    "['pich']",
    "[3]",
    "[['pinch']]",
    "'pinch'",
    "true",
    "20",
    "'0.2'",
    "-0.1",
    "['ALL', '']",
    "['pinch\\u0000']",
)
"""Values that no key takes, beside those of `UNFIT`."""
TAKEN = {
    "select": ("[]",),
    "ignore": ("[]",),
    "per-module-ignores": ("{}",),
    "per-module-ignores.stem": ("[]",),
}
"""Those of `UNFIT` that a key takes after all: they say nothing."""
ODD_KEYS = (
    "per_module_ignores",
    "Select",
    "extend-select",
    "''",
    "'a b'",
    '"\\u001b[31m"',
    "a.b",
    "__class__",
)
ODD_TABLES = (
    "[[tool.costlab.lint]]",
    "[tool.costlab]\nlint = 3",
    "[tool.costlab]\nlint = ['pinch']",
    "[tool]\ncostlab = []",
    "tool = 'x'",
    "[tool.costlab.lint.pinch]",
    "[tool.costlab.lint.per-module-ignores.stem]\npinch = true",
    "[tool.costlab.lint]\nignore = []\nignore = []",
    "[tool.costlab.lint]\n[tool.costlab.lint]",
)


def draw(random: Random) -> Case:
    """The table of a project that is none."""
    kind = random.choice(("value", "value", "value", "key", "table", "text"))
    text = "[tool.costlab.lint]\n"
    if kind == "table":
        text = random.choice(ODD_TABLES)
    elif kind == "text":
        text = f"{mutated(random, '[tool.costlab.lint]')} = \n"
    elif kind == "key":
        text += f"{random.choice(ODD_KEYS)} = ['pinch']\n"
    else:
        key = random.choice(KEYS)
        wrong = [value for value in (*UNFIT, *WRONG) if value not in TAKEN.get(key, ())]
        text += f"{key} = {random.choice(wrong)}\n"
    content = text.encode("utf-8", "surrogatepass")
    return Case(
        f"a project: {text[:200]!r}",
        ("lint", "inception_a"),
        {"pyproject.toml": content},
        names="pyproject.toml",
    )
