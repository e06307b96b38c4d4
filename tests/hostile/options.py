"""Options of every command with values that they do not take, alone and together."""

from collections.abc import Mapping
from random import Random

import click

from costlab.cli.main import COMMANDS
from costlab.explore.budgets.limits import LIMITED
from costlab.train.recipe import parameters
from tests.hostile.case import EITHER, FINE, LONG, MISTAKE, ODD_TEXTS, SIGNS, Case, mutated, words

PNG = "picture.png"
BASE: Mapping[str, tuple[str, ...]] = {
    "count": ("inception_a",),
    "compare": ("inception_a", "inception_a:pool=32"),
    "explore": ("inception_a", "--vary", "pool=32:64:16"),
    "budget": ("inception_a", "--max-parameters", "1M", "--against", "inception_a", "--max-increase", "1%"),
    "scale": ("inception_a", "--to", "1e8"),
    "reconcile": ("inception_a",),
    "verify": (),
    "train": ("large_5x5", "-o", "run"),
    "report": ("inception_a", "-o", "pages"),
    "list": ("inception_a",),
}
"""A command that is well-formed, and quick, or slow and not run as it is."""
SLOW = frozenset({"train", "report"})
"""Commands that are run with a mistake only."""
SIZES = (
    *words("""
        0x3x8x8 3x0x0 0 3x-1x8 -3x8x8 3xx8 x 3x8x8x 3*8*8 3x999999999999x99999999999
        99999999999x9999999999 9999999999x9999999999x9999999999:float32 1x3x8x8:int3 3y8y8 tokens: : ::
        a:b:c 1x3x8x8:float32: scalar: scalar x:1x3:int64 1e3x3x3 3.5x2x2 nan 2147483648x1x1
        3x2147483648x1 nosuch.py:it os:getcwd nosuch:it mine.py mine.py: inception_v3 3x299
        9999999999x1x1x1
    """),
    *("3 x 8 x 8", "٣x٨x٨", "1x" * 499 + "1x1", "1" * 4000, "3x8x8\n", "\n3x8x8", "3x8x8\x00"),
)
NUMBERS = (
    *words("""
        0 -1 -0 1e3 nan inf 1.5 0x10 10**9 99999999999999999999999 1_0 one 2147483648
        9223372036854775808 -9223372036854775809 + ++1 true None
    """),
    *("٣", "½", "9" * 5000, "1 2", "\t1"),
)
NAMES = (
    *words("""
        nosuch Flops fvcore,thop ../fvcore fvcore.toml /etc/passwd __init__ README
    """),
    *("flops ",),
)
PATHS = (
    *words("""
        / . .. x/ nosuch/x a/b/c/d /dev/full/x /proc/x /proc/1/x x.exe x.png.exe ~nosuch/x x.JSON/
        ../../../precious/x
    """),
    *("", "\x00", "a\x00b", LONG, "\x00.json", "x\x00.png"),
)
SOURCES = (
    *words("""
        nosuch synthetic: synthetic:x digits:3 folder folder: folder:nosuch cifar10 cifar10:
        cifar10:nosuch cifar100:/dev/null folder:/dev/zero FOLDER:. folder:~nosuch folder:. folder:..
        http://x/y folder:/proc/1/root Synthetic
    """),
    *("", " ", "folder:\x00", f"folder:{LONG}", "synthetic ", "folder:\n", "cifar10:\x1b[31m"),
)
DEVICES = (
    *words("""
        gpu cpu:3 cpu:0:0 cuda:99 cuda:-1 cuda:x CPU meta mps xla tpu cuda:
    """),
    *("", " ", "\x00"),
)
URLS = (
    *words("""
        nosuch sqlite:///x.db sqlite:// postgresql:// postgresql://nosuch.invalid/x mysql://x http://x
        :// sqlite:////precious postgresql://user:secret@127.0.0.1:1/x postgresql://[::1
    """),
    *("", "\x00", "a" * 3000),
)
AMOUNTS = (
    *words("-1 -6e9 1.5 6e 6e-1 nan inf 1__0 0x10 10**9 1e999 6,00 one True None +-1 6%"),
    *("", "٣", "½", "9" * 5000, "1 2", "\x1b[31m6"),
)
PERCENTS = (
    *words("1 0.01 -1% 1%% % %1 1e2% nan% 1,5% .5% inf% one% ٣%"),
    *("", "9" * 5000 + "%", "1%\x00"),
)
REFERENCES = (
    *words(
        ". .. / nosuch nosuch.json /dev/zero /dev/null /dev/full /proc/self/mem precious nosuch.py:it stem"
    ),
    *("", "\x00.json", f"{LONG}.json", LONG, "os:getcwd", "inception_a:x=3"),
)
VARIED = (
    *words(
        "pool= pool =1 pool=1:0 pool=1:2:0 pool=0 pool=-1 pool=nan pool=1,1 pool=1: pool=:: nosuch=1 pool==1"
    ),
    *words("pool=1:999999999999 pool=1e3 pool=1,,2 pool=(1,2) input=0 input=1.5 large large=3 POOL=1 *=*"),
    *("", " ", "pool=" + "9" * 5000, "pool=\x1b[31m", "pool=1\x00", f"{LONG}=1", "pool=" + "1," * 3000),
)
CONDITIONS = (
    *words("nosuch<5 pool pool<0 pool<<3 f(pool)<3 pool.real<3 [pool]<3 lambda:pool<3 pool=3 1<2<x"),
    *("", " ", "pool <", "__import__('os').system('touch pwned') < 1", "(" * 2000 + "pool", "pool < \x00"),
    *("open('pwned', 'w') < 1", "pool < 3; import os", "pool ** 9999999999 < 3", "pool < 1 // 0", LONG),
)
EXPRESSIONS = (
    *words("nosuch f(pool) parameters*activations parameters<3 pool**pool parameters**2 parameters/0"),
    *("", " ", "parameters +", "__import__('os')", "(" * 2000 + "pool", "parameters\x00", LONG, "'a'"),
)
SPACES = (
    *words("nosuch.toml . / /dev/zero /dev/null /proc/self/mem precious mine.py x/ nosuch/x.toml"),
    *("", "\x00", f"{LONG}.toml"),
)
SYMBOLS = (
    *words("""
        nosuch width,width C,H,W,D , 9 C-H C;H __class__ lambda
    """),
    *(" , ", "C" * 3000, "\x00", "C\nH"),
)
"""Values by what an option takes, all of them wrong there, but for those that are told apart in `TAKEN`."""
TAKEN: Mapping[str, frozenset[str]] = {
    "--depth": frozenset(
        {"0", "-0", "1_0", "99999999999999999999999", "2147483648", "9223372036854775808", "٣", "\t1"}
    ),
    "--batch": frozenset({"1_0", "٣", "\t1"}),
    "--images": frozenset({"1_0", "٣"}),
    "--width": frozenset({"1e3", "1_0", "٣", "1.5", "\t1"}),
    "--workers": frozenset(
        {"1_0", "٣", "\t1", "99999999999999999999999", "2147483648", "9223372036854775808"}
    ),
    **dict.fromkeys(("--top", "--sample", "--histogram"), frozenset({"1_0", "٣", "\t1"})),
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
    "--max-increase": PERCENTS,
    "--against": REFERENCES,
    "--to": (*AMOUNTS, "0"),
    "--of": ("", "nosuch", "flops", "multiply_adds,parameters", "__class__", "cost ", LONG, "\x1b[31m"),
    "--axis": (*words("nosuch branch_5x5 width,pool __init__ depth Width"), "", LONG, "\x1b[31m", "\0"),
    "--alpha": AMOUNTS,
    "--beta": AMOUNTS,
    "--gamma": AMOUNTS,
    "--seeds": NUMBERS,
    "--preset": ("", "tiny", "SMOKE ", "smoke,quick", "0"),
    "--data": SOURCES,
    "--images": NUMBERS,
    "--workers": NUMBERS,
    "--width": (*NUMBERS, "1e-400", "-0.5", "1e400"),
    "--set": _settings(),
    "--device": DEVICES,
    "--study": URLS,
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
    fine = kind == "value" and value in TAKEN.get(name, ())
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
    if not sure and (command in SLOW or name in ("--output", "--plot")):
        name = written = (
            "--format" if command not in SLOW else "--batch" if command == "report" else "--preset"
        )
        value = "0\x1b[31m"
    base = [*BASE[command]]
    if name == "--to":
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
