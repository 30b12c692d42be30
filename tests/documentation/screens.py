"""What a page shows, held against what a command said."""

import re

from tests.documentation.pages import ELLIPSIS

RUN_NAME = re.compile(r"\d{8}T\d{6}Z-[\w-]*\w")
# What changes from run to run, the longest first: names of runs, dates, digests, numbers with their digit groups.
_CHANGING = (
    (RUN_NAME, "<run>"),
    (re.compile(r"\d{4}-\d\d-\d\d(?:[T ]\d\d:\d\d(?::\d\d)?(?:\+00:00)?)?"), "<time>"),
    (re.compile(r"\b(?=[0-9a-f]*\d)[0-9a-f]{12,64}\b"), "<digest>"),
    (re.compile(r"~?\d+(?:,\d{3})*(?:\.\d+)?"), "<number>"),
)
# Lines of tables are drawn as wide as the screen, and paths depend on the folder.
_DRAWN = re.compile(r"[─━]+")
_FOLDER = re.compile(r"(?<![\w.])/(?:[\w.-]+/)+")
_CODE = re.compile(r"\(exit code (\d+)\)")


def general(text: str) -> str:
    """Return a text with what changes from run to run in general words, and white space as single spaces."""
    text = _FOLDER.sub("", _DRAWN.sub("-", text))
    for pattern, word in _CHANGING:
        text = pattern.sub(word, text)
    return " ".join(text.split())


def missing(shown: str, said: str) -> str | None:
    """Return the first piece of what a page shows that a command didn't say in this order, or None.

    Pieces are what stands between ellipses; in them only white space, numbers, times, digests and names of runs may
    differ.
    """
    rest = general(said)
    for piece in filter(None, map(general, shown.split(ELLIPSIS))):
        _, found, rest = rest.partition(piece)
        if not found:
            return piece
    return None


def expected_code(shown: str) -> int:
    """Return the exit code that a page's screen tells: the one it names, that of a failure it shows, else 0."""
    if named := _CODE.findall(shown):
        return int(named[-1])
    if re.search(r"^FAILED ", shown, re.MULTILINE):
        return 3
    if re.search(r"^(?:WORSE |=+ .*\d failed|\d+ failed)", shown, re.MULTILINE):
        return 1
    return 0
