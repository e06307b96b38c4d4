"""What others say, in a message of costlab: an error in one sentence, a value by what it is."""

import re
from numbers import Number

LONGEST = 160
"""The most characters of another's sentence."""
SHORT = 60
"""The most characters of a value."""
ADDRESS = re.compile(r",? at 0x[0-9a-fA-F]+|\b0x[0-9a-fA-F]{8,}\b")
DUMP = re.compile(r"(?:Parameter containing:\s*)?\b(?:[Tt]ensor|array)\((?=[\[.\d\s-])")
NUMBERS = re.compile(r"\[[\[\s]*-?[\d.][\d.eE+\-,\s\[\]]{40,}")
END = re.compile(r"(?<!\be\.g)(?<!\bi\.e)(?<=[^\s.])[.!?](?=\s+[^\sa-z]|$)|(?<=[)\]>])\.(?=[A-Z])")
"""The end of a sentence; one that begins with a small letter is none."""
FACT = re.compile(r"[\w ]+: \([\dx ]+\)")
PLACE = re.compile(r"^\[enforce fail at [^\]]*\][^.]*\. ")
"""Where in its own code torch says something."""
GIVEN = re.compile(r"Expected|Got|Tried to allocate")
ESCAPES = re.compile(r"\x1b(?:[\]PX^_].*?(?:\x07|\x1b\\|$)|\[[0-?]*[ -/]*[@-~]?|.)?", re.DOTALL)
"""What steers a terminal: its colors, its title."""
UNSEEN = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]")
"""Signs that are not seen, or turn the order of those around."""


def first_sentence(error: object, longest: int = LONGEST, *, of_line: bool = False) -> str:
    """The first sentence of an error's message, or of a text, without addresses and the values of tensors.

    With ``of_line`` it is looked for in the first line, where others follow that are of no use. An error of
    the operating system is one sentence, whatever the name of the file.
    """
    text, *_ = harmless(message_of(error)).split("\nException raised from")  # frames of C++ follow
    text = NUMBERS.sub("[...]", _without_tensors(ADDRESS.sub("", PLACE.sub("", text)))).strip()
    if of_line:
        text, _, more = text.partition("\n")
        text += "..." if more and any(text.count(a) > text.count(b) for a, b in ("()", "[]", "{}")) else ""
    text = " ".join(text.split())
    return shortened(text if isinstance(error, OSError) else _first_sentence(text), longest)


def _first_sentence(text: str) -> str:
    """The first sentence, with the facts that torch states before it complains, and the numbers after it."""
    first, *others = (part.strip() for part in END.split(text))
    if not any(others):
        return text
    for part in others:
        if not (FACT.fullmatch(first.rpartition(", ")[2]) or GIVEN.match(part)):
            break
        first = f"{first}, {part[:1].lower()}{part[1:]}"
    return first


def harmless(text: str) -> str:
    """A text without what steers a terminal; other signs that are not seen, or are no text, as escapes."""
    seen = UNSEEN.sub("", ESCAPES.sub("", text))
    if seen.isprintable():
        return seen
    return "".join(
        sign if sign.isprintable() or sign.isspace() else sign.encode("unicode_escape").decode()
        for sign in seen
    )


def shortened(text: str, longest: int = SHORT) -> str:
    """A text of at most ``longest`` characters, with three dots where it is cut."""
    return text if len(text) <= longest else f"{text[: longest - 3].rstrip()}..."


def named(value: object, deep: int = 3) -> str:
    """A value in a few words: what is short as it is, and else its type, for its content may be anything.

    Of lists in lists so many levels are shown.
    """
    if value is None or isinstance(value, Number | str):
        if isinstance(value, int) and abs(value) > 10**SHORT:
            return f"about {'-' if value < 0 else ''}2**{value.bit_length() - 1}"
        return repr(value[: SHORT - 3] + "..." if isinstance(value, str) and len(value) > SHORT else value)
    if isinstance(value, tuple | list) and type(value) in (tuple, list) and deep:
        inside = ", ".join(named(each, deep - 1) for each in value[:SHORT])
        one = "," if len(value) == 1 else ""
        shown = f"[{inside}]" if isinstance(value, list) else f"({inside}{one})"
        return shown if len(shown) <= SHORT else f"{a(type(value).__name__)} of {len(value)}"
    if hasattr(value, "free_symbols") or type(value).__module__.startswith("costlab."):
        return shortened(str(value))
    if getattr(value, "ndim", None) == 0 and len(shown := repr(value)) <= SHORT:
        return shown  # a single number
    name = getattr(value, "__qualname__", None) or getattr(value, "__name__", None)
    return str(name) if callable(value) and isinstance(name, str) else a(type(value).__name__)


def a(noun: str) -> str:
    """A noun with its article; a class may have a name of any length."""
    return f"{'an' if noun[:1].lower() in 'aeiou' else 'a'} {shortened(noun)}"


def message_of(error: object) -> str:
    """The message of an error; empty where it cannot be read."""
    try:
        return str(error)
    except KeyboardInterrupt:
        raise
    except BaseException:  # it shows values, and there are none; code of others may even exit here
        return ""


def _without_tensors(text: str) -> str:
    """The text with what a tensor is in the place of its values."""
    while found := DUMP.search(text):
        depth, end = 1, found.end()
        while depth and end < len(text):
            depth += {"(": 1, ")": -1}.get(text[end], 0)
            end += 1
        what = "an array" if "array" in found[0] else "a tensor"
        text = f"{text[: found.start()]}{what}{text[end:]}"
    return text
