"""Markdown as GitHub renders it: CommonMark and tables, by a library of its own."""

from collections import defaultdict
from dataclasses import dataclass, field

from markdown_it import MarkdownIt

PARSER = MarkdownIt("commonmark").enable(["table", "strikethrough"])
# What may stand in a line that is nothing but words.
PLAIN = frozenset({"text", "softbreak", "hardbreak", "strong_open", "strong_close", "em_open", "em_close"})


@dataclass
class Rendered:
    """A page's parts in their order: headings with their level, rows of cells by table, list items, code, HTML, links.

    ``words`` is all text that isn't code.
    """

    headings: list = field(default_factory=list)
    tables: list = field(default_factory=list)
    items: list = field(default_factory=list)
    code: list = field(default_factory=list)
    html: list = field(default_factory=list)
    links: list = field(default_factory=list)
    words: list = field(default_factory=list)
    kinds: dict = field(default_factory=lambda: defaultdict(int))

    def texts(self):
        return [text for _, text in self.headings]


def text_of(inline):
    """Return what a reader sees of a line, code among it."""
    return "".join(
        " " if token.type in {"softbreak", "hardbreak"} else token.content
        for token in inline.children
        if token.type != "html_inline"
    )


def rendered(content):
    """Parse a page; the content of a link's target and of HTML is kept apart from the words."""
    page, around = Rendered(), []
    for token in PARSER.parse(content.decode() if isinstance(content, bytes) else content):
        page.kinds[token.type] += 1
        if token.type == "table_open":
            page.tables.append([])
        elif token.type == "tr_open":
            page.tables[-1].append([])
        elif token.type in {"fence", "code_block"}:
            page.code.append(token.content)
        elif token.type == "html_block":
            page.html.append(token.content)
        elif token.type == "inline":
            _inline(page, token, around)
        if token.nesting:
            around = [*around, token] if token.nesting > 0 else around[:-1]
    return page


def _inline(page, token, around):
    parents = [parent.type for parent in around]
    if parents[-1] == "heading_open":
        page.headings.append((int(around[-1].tag[1]), text_of(token)))
    elif parents[-1] in {"td_open", "th_open"}:
        page.tables[-1][-1].append(text_of(token))
    elif "list_item_open" in parents:
        page.items.append(text_of(token))
    for child in token.children:
        page.kinds[child.type] += 1
        if child.type == "text":
            page.words.append(child.content)
        elif child.type == "code_inline":
            page.code.append(child.content)
        elif child.type == "html_inline":
            page.html.append(child.content)
        elif child.type in {"link_open", "image"}:
            page.links.append(child.attrGet("href") or child.attrGet("src"))
