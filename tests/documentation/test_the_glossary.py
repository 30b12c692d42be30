"""The glossary: its types exist, its words are sorted, and stand there once."""

import ast
import re

import pytest

from tests.documentation.pages import ROOT

PAGE = ROOT / "docs" / "glossary.md"
HOUSE = ("authorizers", "firing", "gatecrash", "generators", "locustfiles", "reports")


def tables():
    """The rows of each table, below its two lines of head."""
    for table in re.findall(r"(?:^\|.*\n)+", PAGE.read_text(encoding="utf-8"), re.MULTILINE):
        yield [[cell.strip() for cell in line.strip().strip("|").split("|")] for line in table.splitlines()[2:]]


def types():
    """The name of every class of the house, wherever it lies."""
    paths = {path.resolve() for folder in HOUSE for path in (ROOT / folder).rglob("*.py")}
    trees = [ast.parse(path.read_text(encoding="utf-8")) for path in paths]
    return {node.name for tree in trees for node in ast.walk(tree) if isinstance(node, ast.ClassDef)}


def test_every_type_exists():
    named = {name for table in tables() for row in table for name in re.findall(r"`(\w+)`", row[-1])}
    assert len(named) > 40
    assert named <= types()


@pytest.mark.parametrize("number", [0, 1])
def test_the_words_are_sorted(number):
    words = [row[0].casefold() for row in list(tables())[number]]
    assert words == sorted(words)


def test_no_word_is_explained_twice():
    words = [row[0].casefold() for table in tables() for row in table]
    assert len(words) == len(set(words))
