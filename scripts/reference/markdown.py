"""The few forms of GitHub's Markdown that the reference is made of."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from inspect import cleandoc
from typing import Final

NOTE: Final = "<!-- Written by `python -m scripts.reference` from the code: change it there. -->"
_CODE: Final = re.compile(r"(`[^`]+`)")
_SPECIAL: Final = re.compile(r"([\\*\[\]<>])")
# click's mark of a paragraph that is shown as it stands.
_AS_IT_STANDS: Final = "\b\n"


def prose(text: str) -> str:
    """Return a sentence of the code's own, on one line; what it has between backticks stays code."""
    parts = _CODE.split(" ".join(text.split()))
    return "".join(part if part.startswith("`") else _SPECIAL.sub(r"\\\1", part) for part in parts)


def code(text: object) -> str:
    """Return a text without backticks as code."""
    return f"`{text}`"


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> Iterator[str]:
    """Yield the lines of a table and an empty one; a bar in a cell is no border of it, not even within code."""
    yield "| " + " | ".join(head) + " |"
    yield "|" + "---|" * len(head)
    yield from ("| " + " | ".join(cell.replace("|", "\\|") for cell in row) + " |" for row in rows)
    yield ""


def paragraphs(text: str) -> Iterator[str]:
    """Yield the paragraphs of a command's help or of a docstring, each with an empty line after it."""
    for paragraph in cleandoc(text).split("\n\n"):
        if paragraph.startswith(_AS_IT_STANDS):
            yield from ("```", *paragraph.removeprefix(_AS_IT_STANDS).splitlines(), "```", "")
        else:
            yield from (prose(paragraph), "")


def page(title: str, lines: Iterator[str]) -> bytes:
    """Return a page's content."""
    return ("\n".join((NOTE, "", f"# {title}", "", *lines)).rstrip() + "\n").encode()
