"""What the terminal says of a comparison: what changed first, then the numbers, then the changed cases."""

from __future__ import annotations

from typing import Final

from rich.console import Console
from rich.text import Text

from gatecrash.reports.comparison.comparison import Change, Comparison
from gatecrash.reports.comparison.decisions import Flip
from gatecrash.reports.statistics.directions import Direction
from gatecrash.reports.text.parts import heading, line, table_of, write_items, write_table
from gatecrash.reports.words import comparison as comparison_words
from gatecrash.reports.words import spelling

FLIPS_SHOWN: Final = 10
_REQUEST_LENGTH: Final = 600
_STYLES: Final = {
    Direction.BETTER: "bold green",
    Direction.SAME: "bold green",
    Direction.WORSE: "bold red",
    Direction.MIXED: "bold red",
    Direction.UNJUDGED: "bold yellow",
}


def write(comparison: Comparison, console: Console) -> None:
    """Print a comparison."""
    style = "bold yellow" if comparison.refused else _STYLES[comparison.direction]
    line(console, (comparison_words.verdict_word(comparison), style), "  ", comparison_words.headline(comparison))
    if comparison.refused:
        write_items(console, map(spelling.visible, comparison.refused))
    else:
        write_items(console, comparison_words.changed_sentences(comparison))
    line(console, "Earlier  ", comparison_words.side_words(comparison.earlier))
    line(console, "Later    ", comparison_words.side_words(comparison.later))
    if comparison.refused:
        return
    write_items(console, comparison_words.doubts(comparison))
    _write_aspects(comparison, console)
    _write_numbers(comparison, console)
    _write_flips(comparison, console)
    if comparison.differences:
        heading(console, "What else is not the same")
        write_items(console, map(spelling.visible, comparison.differences))


def _write_aspects(comparison: Comparison, console: Console) -> None:
    heading(console, "By aspect")
    table = table_of(*comparison_words.ASPECT_COLUMNS, words=3)
    write_table(console, table, comparison_words.aspect_rows(comparison))


def _write_numbers(comparison: Comparison, console: Console) -> None:
    for table in comparison.latencies:
        if table.outcome is not None:
            continue
        heading(console, comparison_words.table_title(table, comparison))
        _write_changes(comparison_words.LATENCY_COLUMNS, table.changes, console)
    if comparison.rates:
        heading(console, comparison_words.rates_title(comparison))
        _write_changes(comparison_words.RATE_COLUMNS, comparison.rates, console)


def _write_changes(columns: tuple[str, ...], changes: tuple[Change, ...], console: Console) -> None:
    write_table(console, table_of(*columns), comparison_words.change_rows(changes))


def _write_flips(comparison: Comparison, console: Console) -> None:
    diff = comparison.decisions
    if not diff.compared:
        return
    heading(console, f"Decisions: {comparison_words.decision_sentence(diff)}")
    write_items(console, comparison_words.decision_notes(diff))
    for flip in diff.flips[:FLIPS_SHOWN]:
        _write_flip(flip, comparison, console)
    if len(diff.flips) > FLIPS_SHOWN:
        line(console, f"  and {len(diff.flips) - FLIPS_SHOWN} more that are listed in the report")


def _write_flip(flip: Flip, comparison: Comparison, console: Console) -> None:
    line(console, comparison_words.flip_title(flip), indent=2)
    if flip.request:
        line(console, ("request  ", "dim"), spelling.json_text(flip.request)[:_REQUEST_LENGTH], indent=4)
    line(console, ("before   ", "dim"), comparison_words.answers_words(flip.before), indent=4)
    line(console, ("now      ", "dim"), comparison_words.answers_words(flip.after), indent=4)
    if comparison.replayable:
        # Neither wrapped nor cropped: it is there to be copied.
        command = comparison_words.replay_command(comparison.later.place, flip)
        console.print(Text.assemble(("    replay   ", "dim"), command), soft_wrap=True)
