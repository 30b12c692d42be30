"""What the terminal says of a trend: what got worse and stayed so, then the levels, then the findings."""

from __future__ import annotations

from typing import Final

from rich.console import Console

from gatecrash.reports.text.parts import heading, line, table_of, write_items, write_table
from gatecrash.reports.trend.trend import Trend
from gatecrash.reports.words import trend as trend_words

_STYLES: Final = {"pass": "bold green", "fail": "bold red", "muted": "bold yellow"}


def write(trend: Trend, console: Console) -> None:
    """Print a trend."""
    line(
        console, (trend_words.verdict_word(trend), _STYLES[trend_words.tone(trend)]), "  ", trend_words.headline(trend)
    )
    write_items(console, trend_words.alarm_sentences(trend))
    line(console, "Runs  ", trend_words.runs_words(trend))
    write_items(console, trend_words.left_out(trend))
    for names, changed in trend_words.alongside(trend):
        heading(console, f"What else changed from {names}")
        write_items(console, changed)
    if others := trend_words.other_sentences(trend):
        heading(console, "Other changes")
        write_items(console, others)
    if trend.metrics:
        heading(console, "Levels")
        write_table(console, table_of(*trend_words.LEVEL_COLUMNS), trend_words.level_rows(trend))
    if trend.findings:
        heading(console, "Findings")
        columns = trend_words.FINDING_COLUMNS
        write_table(console, table_of(*columns, words=len(columns)), trend_words.finding_rows(trend))
