"""The pages of the documentation, cut into blocks, and their console blocks into commands."""

import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from markdown_it import MarkdownIt
from markdown_it.token import Token

ROOT = Path(__file__).resolve().parents[2]
# Markers of a command: who types it, if it isn't the reader of the page, then "$ ".
_PROMPT = re.compile(r"^(?P<who>[a-z][a-z ]*)?\$ (?P<command>.*)$")
# The last code span of the paragraph before a block, when the paragraph ends in a colon: `authorizer.py`:
_FILE_NAME = re.compile(r"`([\w./-]+\.\w+)`[^`]*:$")
ELLIPSIS = "…"


@dataclass(frozen=True)
class Block:
    """A fenced block: its page, line, language, text, and the file that the page says it is."""

    page: str
    line: int
    language: str
    text: str
    file: str | None

    def __str__(self) -> str:
        return f"{self.page}:{self.line}"


@dataclass(frozen=True)
class Command:
    """A command of a console block, who types it, and what the page shows below it."""

    block: Block
    who: str
    text: str
    shown: str

    @property
    def page(self) -> str:
        return self.block.page

    def __str__(self) -> str:
        return f"{self.block}: {self.text}"


def page_names() -> list[str]:
    """Return every page, by its path below the repository."""
    pages = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").rglob("*.md"))]
    return [page.relative_to(ROOT).as_posix() for page in pages]


@cache
def tokens_of(page: str) -> list[Token]:
    return MarkdownIt("commonmark").enable("table").parse((ROOT / page).read_text(encoding="utf-8"))


@cache
def blocks_of(page: str) -> list[Block]:
    """Return the fenced blocks of a page in their order."""
    found, before = [], ""
    for token in tokens_of(page):
        if token.type == "fence":
            name = _FILE_NAME.search(before) if token.info != "console" else None
            line = token.map[0] + 1 if token.map else 0
            found.append(Block(page, line, token.info, token.content, name and name[1]))
            before = ""
        elif token.type == "inline":
            before = token.content
    return found


@cache
def commands_of(block: Block) -> list[Command]:
    """Return the commands of a console block; a line that ends in a backslash goes on in the next one."""
    commands: list[tuple[str, list[str], list[str]]] = []
    for line in block.text.splitlines():
        prompt = _PROMPT.match(line)
        if commands and commands[-1][1][-1].endswith("\\"):
            commands[-1][1][-1] = commands[-1][1][-1][:-1].rstrip()
            commands[-1][1].append(line.strip())
        elif prompt:
            commands.append((prompt["who"] or "", [prompt["command"]], []))
        elif commands:
            commands[-1][2].append(line)
    return [Command(block, who, " ".join(lines), "\n".join(shown)) for who, lines, shown in commands]


def all_commands() -> list[Command]:
    return [
        command
        for page in page_names()
        for block in blocks_of(page)
        if block.language == "console"
        for command in commands_of(block)
    ]
