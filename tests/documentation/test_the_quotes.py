"""What the how-to guides quote under "When it fails" is what gatecrash says."""

import re
from functools import cache

import pytest

from tests.documentation.pages import ROOT, page_names

PAGES = [page for page in page_names() if page.startswith("docs/how-to/")]
PACKAGES = ("authorizers", "firing", "gatecrash", "generators", "locustfiles", "reports")
# Python says it.
FOREIGN = {"no module named gatecrash"}


def plain(text):
    """Numbers and what is filled in are the same mark, and a sentence over several lines is one."""
    joined = re.sub(r'"\s*\n\s*f?"', "", text)
    return " ".join(re.sub(r"\{[^{}]*\}|\d[\d,.]*", "#", joined).split()).lower()


@cache
def said():
    return plain(
        "\n".join(path.read_text("utf-8") for name in PACKAGES for path in sorted((ROOT / name).rglob("*.py")))
    )


def quotes(page):
    """Yield the parts in italics of the section, cut where something is left out."""
    section = re.search(r"\n## When it fails\n(.*?)(?=\n## |\Z)", (ROOT / page).read_text("utf-8"), re.DOTALL)
    assert section is not None, f"{page} doesn't say what to do when it fails"
    for quote in re.findall(r"(?<!\*)\*([^*]+)\*(?!\*)", section[1]):
        yield from filter(None, (plain(part).strip() for part in quote.split("…")))


@pytest.mark.parametrize("page", PAGES)
def test_a_guide_quotes_what_is_said(page):
    assert [quote for quote in quotes(page) if quote not in said() and quote not in FOREIGN] == []


def test_the_guides_quote_something():
    assert sum(len(list(quotes(page))) for page in PAGES) > 8
