"""Folders of runs as somebody else may have made them: records and plans that cannot be such."""

import json
import os
import pickle
from collections.abc import Callable, Iterator
from copy import deepcopy
from dataclasses import asdict
from functools import cache
from pathlib import Path
from random import Random
from typing import Any

from costlab.train import plan, record
from costlab.train.prepare import RunRequest, make_plan
from tests.hostile.case import EITHER, MISTAKE, SIGNS, Case, Made
from tests.train.records import sample
from tests.train.space_records import of_spaces

Keys = tuple[str | int, ...]
MAY_BE_NOTHING = {"timing", "memory", "search"}
HAVE_DEFAULTS = {"timing", "failure", "processes", "side", "spaces", "search", "fixed"}
PATHS = (
    *(
        "../../../pwned",
        "/pwned",
        "..",
        ".",
        "",
        "a/b",
        "a\\b",
        "~root",
        "C:\\x",
        "a\0b",
        "a\nb",
        " a",
        "-a",
        "a" * 300,
    ),
    *("con:", "$(touch pwned)", "`touch pwned`", "a;b", "%2e%2e", "\u202ea", "\udcff", "a.", ".."),
)
UNFIT: dict[str, Any] = {
    "a list": [],
    "a list of itself": [[[]]],
    "an object": {},
    "an object with odd names": {"\x1b[31m": None, "__class__": "x"},
    "a list of many": [0] * 10**4,
}
"""What is no text and no number."""
NUMBERS: dict[str, Any] = {
    "a text": "3",
    "true": True,
    "below all": -1,
    "far below all": -(10**30),
    "beyond all": 10**400,
    "many digits": 10**4000,
    "an infinity": float("inf"),
    "no number": float("nan"),
}
"""What is none of the numbers of a record."""
TEXTS: dict[str, Any] = {
    "a number": 3,
    "a switch": False,
    "endless": "a" * 2**20,
    **{f"text with {sign!r}": f"a{sign}b" for sign in SIGNS},
}
"""What is none of the texts."""
BYTES: dict[str, bytes] = {
    "emptied": b"",
    "blank": b" \n",
    "zeros": bytes(4096),
    "null": b"null",
    "a list": b"[]",
    "a number": b"1e999",
    "a text": b'"' + b"a" * 2**20 + b'"',
    "nested lists": b"[" * 10**6,
    "nested objects": b'{"a":' * 10**5,
    "many digits": b'{"version": ' + b"9" * 10**5 + b"}",
    "no text": b"\x00\xff\xfe{}",
    "two values": b"{}{}",
    "another language": b"version: 1\n",
    "a pickle": pickle.dumps({"version": 1}),
}
"""Contents that are no JSON, or none of ours."""


class Touches:
    """Unpickled, it leaves a file behind."""

    def __reduce__(self) -> tuple[Any, ...]:
        return os.system, ("touch pwned",)


@cache
def good_record() -> Any:
    """A record that is read."""
    return json.loads(json.dumps({"version": record.VERSION, **asdict(sample())}))


@cache
def record_of_spaces() -> Any:
    """A record of members of spaces that is read."""
    made = asdict(of_spaces((0.72, 0.73), (0.74, 0.75)))
    return json.loads(json.dumps({"version": record.VERSION, **made}))


@cache
def good_plan() -> Any:
    """A plan that can be resumed."""
    made, _ = make_plan(
        RunRequest("large_5x5", "smoke", "synthetic", 1, ("batch_size=16",), images=48), lambda _: None
    )
    return json.loads(json.dumps(asdict(made)))


def paths(value: Any, above: Keys = ()) -> Iterator[Keys]:
    """The way to every value in a value of JSON."""
    inside: Any = (
        value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    )
    for key, each in inside:
        yield (*above, key)
        yield from paths(each, (*above, key))


def put(value: Any, path: Keys, new: Any) -> Any:
    """A copy with another value at the end of a path."""
    copied = deepcopy(value)
    at(copied, path[:-1])[path[-1]] = new
    return copied


def taken_out(value: Any, path: Keys) -> Any:
    """A copy without what is at the end of a path."""
    copied = deepcopy(value)
    del at(copied, path[:-1])[path[-1]]
    return copied


def at(value: Any, path: Keys) -> Any:
    """What is at the end of a path."""
    for key in path:
        value = value[key]
    return value


def changed(random: Random, good: Any) -> tuple[str, Any]:
    """A record with one field that cannot be so, and what was done."""
    path = random.choice([*paths(good)])
    name, old = path[-1], at(good, path)
    where = ".".join(map(str, path))
    ways: dict[str, Any] = {} if name in MAY_BE_NOTHING else {"nothing": None}
    if isinstance(old, str):
        ways |= UNFIT | TEXTS
        ways |= {f"the path {text!r:.20}": text for text in PATHS} if path == ("name",) else {}
    elif isinstance(old, bool):
        ways |= UNFIT | {"a number": 1, "a text": "true"}
    elif isinstance(old, int | float):
        ways |= UNFIT | NUMBERS
    elif isinstance(old, dict):
        ways |= {"a list": [], "a text": "x", "a number": 3, "more": {**old, "nosuch\x1b[31m": 1}}
        ways |= {"less": dict(list(old.items())[1:])} if path[-1] != "recipe" or path == ("recipe",) else {}
    else:
        ways |= {"an object": {}, "a text": "x", "a number": 3, "lists": [[]], "nothings": [None]}
        ways |= {"twice": old * 2} if old and name in ("arms", "trials", "epochs") else {}
    way = random.choice([*ways, "left out"])
    if (
        way == "left out"
        and name not in HAVE_DEFAULTS
        and not (isinstance(name, int) or "recipe" in path[1:])
    ):
        return f"{where}: left out", taken_out(good, path)
    if way == "left out":
        way = random.choice([*ways])
    if way == "less" and name == "timing":
        way = "a text"
    return f"{where}: {way}", put(good, path, ways[way])


def content(random: Random, good: Any) -> tuple[str, bytes]:
    """The content of a file that is none of ours, or no longer."""
    kind = random.random()
    if kind < 0.15:
        about = random.choice(list(BYTES))
        return about, BYTES[about]
    whole = json.dumps(good).encode()
    if kind < 0.25:
        cut = random.randrange(len(whole))
        return f"cut off after {cut}", whole[:cut]
    if kind < 0.35:
        place = random.randrange(len(whole))
        return f"a byte of zero at {place}", whole[:place] + b"\0" + whole[place:]
    about, made = changed(random, good)
    return about, json.dumps(made).encode()


def draw(random: Random) -> Case:
    """The folder of a run that cannot be one."""
    kind = random.choice(("record", "record", "plan", "plan", "beside", "place", "spaces"))
    if kind == "spaces":
        return _spaces(random)
    if kind == "beside":
        return _beside(random)
    if kind == "place":
        return _place(random)
    if kind == "record":
        about, made = content(random, good_record())
        files: dict[str, Made] = {f"run/{record.FILE}": made}
        words: tuple[str, ...] = random.choice(
            (
                ("report", "run"),
                ("report", "run", "--check"),
                ("report", "run", "-o", "elsewhere"),
                ("report", "./run/"),
            )
        )
    else:
        about, made = content(random, good_plan())
        files = {
            f"run/{plan.FILE}": made,
            "run/data/images-48.pt": b"somebody's",
            "run/trials/0/checkpoint.pt": b"x",
        }
        words = random.choice(
            (
                ("train", "--resume", "run"),
                ("report", "run"),
                ("train", "large_5x5", "--resume", "run", "--seeds", "3"),
            )
        )
    return Case(f"{kind}: {about}", words, files)


def _database(file: Path) -> None:
    """A database of somebody else's, which is none of a study."""
    import sqlite3

    with sqlite3.connect(file) as base:
        base.execute("create table mine (note text)")
    base.close()


LINK: Callable[[str], Callable[[Path], None]] = lambda to: lambda file: file.symlink_to(to)  # noqa: E731  # one word
BESIDE: dict[str, dict[str, Made]] = {
    "a study of text": {"study.db": b"no database"},
    "a study of zeros": {"study.db": bytes(8192)},
    "a study that is a folder": {"study.db": Path.mkdir},
    "a study that is a pipe": {"study.db": os.mkfifo},
    "a study that is cut off": {"study.db": b"SQLite format 3\0" + bytes(50)},
    "a study that leads out": {"study.db": LINK("../../../../precious")},
    "data that lead out": {"data": LINK("../../..")},
    "trials that lead out": {"trials": LINK("/tmp")},
    "a lock that leads out": {".lock": LINK("../../precious")},
    "a lock that is a folder": {".lock": Path.mkdir},
    "a page that leads out": {"large_5x5.md": LINK("../../../precious")},
    "data that are a file": {"data": b"no folder"},
}
"""What lies beside the plan of a run, and must not be there."""


def _beside(random: Random) -> Case:
    about = random.choice(list(BESIDE))
    files = {f"run/{name}": made for name, made in BESIDE[about].items()}
    return Case(
        f"beside: {about}",
        ("train", "--resume", "run"),
        {f"run/{plan.FILE}": json.dumps(good_plan()).encode(), **files},
    )


PLACES: dict[str, Made] = {
    "a folder": Path.mkdir,
    "a pipe": os.mkfifo,
    "a link to itself": LINK("results.json"),
    "a link to nothing": LINK("nothing"),
    "a link out": LINK("../../../precious"),
    "a device": LINK("/dev/zero"),
}


def _spaces(random: Random) -> Case:
    """The record of spaces that may be others: what is not as counting says, the page names."""
    good = record_of_spaces()
    path = random.choice([each for each in paths(good) if each[0] == "spaces" and len(each) > 1])
    values = {**UNFIT, **NUMBERS, **TEXTS, "nothing": None, "one": 1, "names": ["os:system", "x.py:f"]}
    about = random.choice([*values])
    made = json.dumps(put(good, path, values[about])).encode()
    said = f"spaces: {'.'.join(map(str, path))}: {about}"
    return Case(said, ("report", "run", "--check"), {f"run/{record.FILE}": made}, codes=EITHER | {1})


def _place(random: Random) -> Case:
    """A record or a plan that is no file."""
    about, name = random.choice(list(PLACES)), random.choice((record.FILE, plan.FILE))
    words = random.choice((("report", "run"), ("train", "--resume", "run")))
    return Case(f"{name} is {about}", words, {f"run/{name}": PLACES[about]}, codes=MISTAKE)
