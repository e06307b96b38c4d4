"""Text in HTML: names come from users, and are shown as they are, whatever signs are in them."""

from html import escape
from json import dumps
from typing import Any

from costlab.messages import harmless


def escaped(text: object) -> str:
    """A text as HTML, for content and for attributes in quotation marks."""
    return escape(harmless(str(text)))


def isolated(text: object) -> str:
    """A text whose direction does not turn what stands around it."""
    return f"<bdi>{escaped(text)}</bdi>"


def json_block(name: str, data: Any) -> str:
    """Data as a block of JSON that no script runs; ``name`` is its ``id``.

    It is ASCII and holds no ``<``: so nothing in it ends the block, or begins a comment.
    """
    text = dumps(data, separators=(",", ":")).replace("<", r"\u003c")
    return f'<script type="application/json" id="{escaped(name)}">{text}</script>'
