"""A document of HTML that is complete in itself: its style, its code and its data are in it."""

from base64 import b64encode
from functools import cache
from hashlib import sha256
from html import escape
from pathlib import Path
from string import Template

from costlab.messages import harmless
from costlab.report.html.text import escaped
from costlab.report.page import MARK

FOLDER = Path(__file__).with_name("page")
SCRIPTS = ("words", "model", "view", "columns", "icicle", "cells", "treegrid", "details", "page")
"""The files of the code, in the order in which they know each other."""
DOCTYPE = "<!doctype html>\n"
OURS = DOCTYPE + MARK.partition("{target}")[0]
"""The beginning of every document that costlab writes."""


def mark_of(target: str) -> str:
    """The comment that says of what command a document is; nothing in a target ends it."""
    words = " ".join(harmless(target).split())
    return _ascii(MARK.format(target=f" {escape(words)}" if words else ""))


def document(title: str, body: str, *, target: str = "", script: bool = False) -> str:
    """A document with the style of the house, and with ``script`` its code.

    What it may load and run stands at its head: nothing but the style and the code that are in it, by their
    digests, and pictures that are.
    """
    style, code = _read("page.css"), _code() if script else ""
    runs = _digest(code) if code else "'none'"
    policy = (
        f"default-src 'none'; style-src {_digest(style)}; script-src {runs}; "
        "img-src data:; base-uri 'none'; form-action 'none'"
    )
    text = Template(_read("page.html")).substitute(
        mark=mark_of(target),
        policy=policy,
        title=escaped(title),
        style=style,
        body=body,
        script=f'<script type="module">{code}</script>' if code else "",
    )
    return _ascii(text)


def _ascii(text: str) -> str:
    """A text of HTML that every stream can carry; the style and the code are so in themselves."""
    return text.encode("ascii", "xmlcharrefreplace").decode()


@cache
def _read(name: str) -> str:
    return (FOLDER / name).read_text("utf-8")


@cache
def _code() -> str:
    return "\n".join(_read(f"{name}.js") for name in SCRIPTS)


def _digest(text: str) -> str:
    return f"'sha256-{b64encode(sha256(text.encode()).digest()).decode()}'"
