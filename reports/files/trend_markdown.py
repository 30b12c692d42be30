"""A trend for a CI job's summary (GitHub's Markdown)."""

from __future__ import annotations

from collections.abc import Iterator

from gatecrash.reports.files.as_markdown import code, escaped, table
from gatecrash.reports.trend.trend import Trend
from gatecrash.reports.words import trend as trend_words


def render(trend: Trend) -> bytes:
    """Return the file's content."""
    return ("\n".join(_lines(trend)).rstrip() + "\n").encode("utf-8", "backslashreplace")


def _lines(trend: Trend) -> Iterator[str]:
    yield f"## gatecrash trend: {trend_words.verdict_word(trend)}"
    yield ""
    yield f"**{escaped(trend_words.headline(trend))}** {escaped(trend_words.runs_words(trend))}."
    yield ""
    yield from (f"- {escaped(sentence)}" for sentence in trend_words.alarm_sentences(trend))
    yield from (f"- {escaped(sentence)}" for sentence in trend_words.left_out(trend))
    yield ""
    for names, changed in trend_words.alongside(trend):
        yield f"What else changed from {code(names)}:"
        yield ""
        yield from (f"- {escaped(one)}" for one in changed)
        yield ""
    if trend.metrics:
        yield "### Levels"
        yield ""
        yield from table(trend_words.LEVEL_COLUMNS, trend_words.level_rows(trend))
    if trend.findings:
        yield "### Findings"
        yield ""
        yield from table(trend_words.FINDING_COLUMNS, trend_words.finding_rows(trend))
