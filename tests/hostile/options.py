"""Options of every command with values that they do not take, alone and together."""

from collections.abc import Mapping
from random import Random

import click

from costlab.cli.main import COMMANDS
from costlab.explore.budgets.limits import LIMITED
from costlab.train.recipe import parameters
from tests.hostile.case import EITHER, FINE, LONG, MISTAKE, ODD_TEXTS, SIGNS, Case, mutated, words
from tests.hostile.values import (
    AMOUNTS,
    CALIBRATIONS,
    CONDITIONS,
    DEVICE_FILES,
    DEVICES,
    EXPRESSIONS,
    NAMES,
    NUMBERS,
    PARTS,
    PATHS,
    PATTERNS,
    PERCENTS,
    RATES,
    REFERENCES,
    RULES,
    SHARES,
    SIZES,
    SOURCES,
    SPACES,
    SYMBOLS,
    URLS,
    VARIED,
    WEIGHTS,
)

PNG = "picture.png"
BASE: Mapping[str, tuple[str, ...]] = {
    "count": ("inception_a",),
    "compare": ("inception_a", "inception_a:pool=32"),
    "compression": ("torch.nn:Linear:in_features=3,out_features=4", "-i", "2x3"),
    "explore": ("inception_a", "--vary", "pool=32:64:16"),
    "budget": ("inception_a", "--max-parameters", "1M", "--against", "inception_a", "--max-increase", "1%"),
    "scale": ("inception_a", "--to", "1e8"),
    "reconcile": ("inception_a",),
    "verify": (),
    "train": ("large_5x5", "-o", "run"),
    "report": ("inception_a", "-o", "pages"),
    "list": ("inception_a",),
    "factorize": ("inception_a",),
    "training-cost": ("inception_a",),
    "memory": ("inception_a", "--train"),
    "measure": ("bottleneck",),
    "roofline": ("inception_a", "--device", "k40"),
    "lint": ("inception_a",),
}
"""A command that is well-formed, and quick, or slow and not run as it is."""
SLOW = frozenset({"train", "report"})
"""Commands that are run with a mistake only."""
TAKEN: Mapping[str, frozenset[str]] = {
    "--depth": frozenset(
        {"0", "-0", "1_0", "99999999999999999999999", "2147483648", "9223372036854775808", "٣", "\t1"}
    ),
    "--batch": frozenset({"1_0", "٣", "\t1"}),
    "--images": frozenset({"1_0", "٣"}),
    "training-cost --images": frozenset({"1_0", "٣", "\t1", "2147483648"}),
    **dict.fromkeys(("--epochs", "--replicas", "--threads", "--rounds"), frozenset({"1_0", "٣", "\t1"})),
    "--width": frozenset({"1e3", "1_0", "٣", "1.5", "\t1"}),
    "--workers": frozenset(
        {"1_0", "٣", "\t1", "99999999999999999999999", "2147483648", "9223372036854775808"}
    ),
    **dict.fromkeys(("--top", "--sample", "--histogram", "--rank"), frozenset({"1_0", "٣", "\t1"})),
    "--seeds": frozenset({"1_0", "٣", "\t1"}),
    "--symbolic": frozenset({" , ", ",", "width,width"}),
}
"""What an option takes after all: Python reads a number so; depths may be any."""


def _settings() -> tuple[str, ...]:
    """Settings of a recipe that are none."""
    odd = ("", "nan", "inf", "-1", "1e400", "abc", "0x1", "None", "[1]", "9" * 5000, "1_0_", "true")
    named = tuple(f"{each.name}={value}" for each in parameters() for value in odd)
    return (
        *named,
        "nosuch=1",
        "=",
        "=1",
        "epochs",
        "epochs==3",
        "epochs=0",
        "batch_size=1",
        "momentum=1",
        "shift=0.6",
        "\0=1",
    )


NO_FOLDERS = ("", "\0", "a\0b", LONG, "/proc/x", "/proc/1/x", "/dev/full/x", "/dev/null")
"""Where no folder can be made."""
WRONG: Mapping[str, tuple[str, ...]] = {
    "--vary": VARIED,
    "--space": SPACES,
    "--where": CONDITIONS,
    "--top": NUMBERS,
    "--pareto": (*EXPRESSIONS, "parameters", "parameters,", ",", "parameters,nosuch"),
    "--sample": NUMBERS,
    "--within": (*AMOUNTS, "1%%", "nan%", "-1%", "%"),
    "--seed": NUMBERS,
    "--histogram": NUMBERS,
    "--input": SIZES,
    "--batch": NUMBERS,
    "--depth": NUMBERS,
    "--by": ("", "modules", "MODULE", "kind,module", "\n"),
    "--sort": ("", "size", "multiply_adds", "-name", "name,parameters"),
    "--symbolic": SYMBOLS,
    "--convention": NAMES,
    "--explain": NAMES,
    "--format": ("", "yaml", "JSON ", "table,csv", "xml", "tex", "\x1b[31m"),
    "--output": PATHS,
    "--html": (*PATHS, "x.md", "x.html.txt", "nosuch/x.html", "-x"),
    "--beside": (*words("nosuch stem inception_a:x=3 os:getcwd nosuch.py:it"), "", LONG, "\x1b[31m", "\0"),
    "--plot": (*PATHS, "x.jpg", "x.svg", "x"),
    "--columns": (
        "",
        ",",
        "nosuch",
        "module,module",
        "module;output",
        "*",
        "\n",
        "1",
        "module,",
        LONG,
        "\x1b[31m",
    ),
    "--caption": ("", "a table", "}", "\\input{/etc/passwd}", "\n\n", LONG),
    "--label": ("", "tab:it", "a b", "a}b", "\\x", "%", "\n", LONG),
    "--ablation": (
        "",
        "nosuch",
        "inception_e",
        "inception_a:x=3",
        "factorization:x=3",
        "os:getcwd",
        "mine.py",
        "nosuch.py:it",
        LONG,
    ),
    **dict.fromkeys((f"--max-{quantity.replace('_', '-')}" for quantity in LIMITED), AMOUNTS),
    "--max-peak-memory": (*AMOUNTS, *words("16G 16Gi GiB 16GiBs 1.5B 0.1KiB -1GiB 16g 1e99GB")),
    "--max-increase": PERCENTS,
    "--against": REFERENCES,
    "--to": (*AMOUNTS, "0"),
    "--of": ("", "nosuch", "flops", "multiply_adds,parameters", "__class__", "cost ", LONG, "\x1b[31m"),
    "--saving": PARTS,
    "--rank": NUMBERS,
    "--only": PATTERNS,
    "--weights": WEIGHTS,
    "--save": (*PATHS, "x.pt", "x.safetensors.bak", "x"),
    "--rewrite": (*PATHS, "x.txt", "x.pyc", "x"),
    "--axis": (*words("nosuch branch_5x5 width,pool __init__ depth Width"), "", LONG, "\x1b[31m", "\0"),
    "--alpha": AMOUNTS,
    "--beta": AMOUNTS,
    "--gamma": AMOUNTS,
    "--seeds": NUMBERS,
    "--search": ("", "nosuch", "NSGA2", "nsga2 ", "nsga2,tpe", "random", "\0", "\x1b[31m", LONG),
    "--preset": ("", "tiny", "SMOKE ", "smoke,quick", "0"),
    "--data": SOURCES,
    "--images": NUMBERS,
    "--epochs": NUMBERS,
    "--replicas": NUMBERS,
    "--dtype": ("", "fp32", "half", "FLOAT32", "float32 ", "float31", "float32,tf32", "\0", "\x1b[31m", LONG),
    "--optimizer": ("", "nosuch", "SGD", "sgd,adam", "adam ", "\0", "\x1b[31m", LONG),
    "--utilization": SHARES,
    "--images-per-second": RATES,
    "--power": (*RATES, "235"),
    "--workers": NUMBERS,
    "--width": (*NUMBERS, "1e-400", "-0.5", "1e400"),
    "--set": _settings(),
    "--device": DEVICES,
    "--on": DEVICES,
    "--threads": NUMBERS,
    "--rounds": NUMBERS,
    "--calibrate": PATHS,
    "--calibration": CALIBRATIONS,
    "--devices-from": DEVICE_FILES,
    "--select": RULES,
    "--ignore": RULES,
    "--config": SPACES,
    "--study": URLS,
    "--about": ("a\nb", "\0", "\x1b[31m", "a" * 100_000),
    "--known": ("", "nosuch", ".", "/", "\0", LONG, "precious", "/dev/null", "a/b/c", "nosuch\n"),
    "--resume": ("", "nosuch", ".", "/", "\0", LONG, "precious", "/dev/null", "a/b/c", "nosuch\n"),
}
"""Values that an option does not take, by its long name; a caption and a label go with LaTeX alone."""


def options_of(command: str) -> list[click.Option]:
    """The options of a command."""
    return [each for each in COMMANDS[command].params if isinstance(each, click.Option)]


def long_name(option: click.Option) -> str:
    """The name of an option that is written out."""
    return max((name for name in option.opts if name.startswith("--")), key=len)


def draw(random: Random) -> Case:
    """A command with an option that is wrong, repeated, unknown, or does not go with another."""
    command = random.choice(list(BASE))
    valued = [each for each in options_of(command) if not each.is_flag]
    kind = random.choice(
        ("value", "value", "value", "value", "odd", "mutated", "none", "unknown", "words", "flags")
    )
    if kind == "flags" and command not in SLOW:
        return _flags(random, command)
    if kind == "unknown":
        name = random.choice(
            ("--nosuch", "-z", "--in put", f"--{LONG}", "--format-", "---", "-\x1b[31m", "--\n", "--=", "-f-")
        )
        return Case("an unknown option", (command, *BASE[command], name))
    if kind == "words" or not valued:
        return _words(random, command)
    option = random.choice(valued)
    name = long_name(option)
    written = random.choice(option.opts)
    if kind == "none":
        return Case(
            "an option without its value",
            (command, *BASE[command], written),
            codes=EITHER if name == "--symbolic" else MISTAKE,
        )
    wrong = NO_FOLDERS if name == "--output" and command in SLOW else WRONG[name]
    value = random.choice(wrong)
    taken = TAKEN.get(f"{command} {name}") or TAKEN.get(name, frozenset())
    fine = kind == "value" and value in taken
    if kind == "odd":
        value = random.choice((*ODD_TEXTS, *(f"1{sign}" for sign in SIGNS)))
    elif kind == "mutated":
        value = mutated(
            random, random.choice(("3x8x8", "1", "json", "flops", "folder:x", "large_5x5", "epochs=3", "cpu"))
        )
    return _valued(random, command, (written, name, value), sure=kind == "value" and not fine)


def _valued(random: Random, command: str, option: tuple[str, str, str], *, sure: bool) -> Case:
    """The command with that option; one that is not ``sure`` to be wrong gets a mistake where it is slow."""
    written, name, value = option
    if not sure and (command in SLOW or name in ("--output", "--plot", "--save", "--rewrite")):
        name = written = (
            "--format" if command not in SLOW else "--batch" if command == "report" else "--preset"
        )
        value = "0\x1b[31m"
    base = [*BASE[command]]
    if name == "--to" or (name == "--device" and command == "roofline"):
        base = base[:1]  # the last of two is taken
    if name == "--ablation":
        base = base[2 if command == "compare" else 1 :]
    if name in ("--output", "--resume") and command in SLOW:
        base = [] if name == "--resume" else base[:1]
    twice = [value] if name == "--explain" else []
    joined = written.startswith("--") and random.random() < 0.5 and name != "--explain"
    words = [f"{written}={value}"] if joined else [written, value, *twice]
    place = len(base) if command == "budget" else random.choice((0, len(base)))  # what is last holds
    fine = EITHER | {1} if command == "budget" else EITHER
    return Case(f"{name}", (command, *base[:place], *words, *base[place:]), codes=MISTAKE if sure else fine)


def _words(random: Random, command: str) -> Case:
    """Words that are too many, or an odd command."""
    odd = random.choice(ODD_TEXTS)
    if random.random() < 0.5:
        return Case("an odd command", (odd, *BASE[command]), codes=EITHER if odd in COMMANDS else MISTAKE)
    more = (f"nosuch{random.choice(SIGNS)}", f"nosuch{odd}")
    base = BASE[command] if command != "verify" else ("nosuch",)
    return Case("too many words", (command, *base, *more))


def _flags(random: Random, command: str) -> Case:
    """All kinds of flags together: some do not go together, others do; what is said is one line."""
    flags = [
        long_name(each)
        for each in options_of(command)
        if each.is_flag and not {"--check", "--run"} & {*each.opts}
    ]
    chosen = random.sample(flags, random.randint(1, len(flags))) if flags else []
    form = random.choice(("json", "csv", "markdown", "latex", "table"))
    return Case(
        "flags", (command, *BASE[command], *chosen, "-f", form), codes=EITHER | {1} if chosen else FINE
    )
