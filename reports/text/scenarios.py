"""What the terminal's summary says of one scenario alone: of a spike, a soak, a search for capacity, or a fuzz run."""

from __future__ import annotations

from string import ascii_lowercase
from typing import Final

from rich.console import Console

from gatecrash.reports.capacity.answer import Capacity
from gatecrash.reports.run.campaign import Campaign
from gatecrash.reports.run.summary import Summary
from gatecrash.reports.text.parts import heading, line, table_of, write_facts, write_items, write_table
from gatecrash.reports.words import campaign as campaign_words
from gatecrash.reports.words import capacity as capacity_words
from gatecrash.reports.words import course as course_words
from gatecrash.reports.words.campaign import Matrix
from gatecrash.reports.words.spelling import visible

# What a terminal of 80 columns has no room for; the report shows all.
_WHERE_WIDE: Final = frozenset({"seconds", "p50", "p99", "errors", "growth"})
_WIDTH_OF_ALL: Final = 112
_INDENT: Final = 2
_GAP: Final = 2


def write_course(summary: Summary, console: Console) -> None:
    """Print what a run has of a spike, of drift, and of memory."""
    if summary.spike is not None:
        heading(console, "Spike")
        write_facts(console, course_words.spike_facts(summary.spike))
    if summary.drift is not None:
        heading(console, "Drift, service times in ms")
        write_items(console, course_words.drift_sentences(summary.drift))
        table = table_of(*course_words.DRIFT_COLUMNS, words=0)
        write_table(console, table, course_words.drift_rows(summary.drift))
    if summary.memory and summary.drift is not None:
        heading(console, "Private memory of the processes on this machine")
        table = table_of(*course_words.MEMORY_COLUMNS)
        # What process it is may take two lines; its numbers may not be cut off.
        table.columns[0].no_wrap = False
        write_table(console, table, course_words.memory_rows(summary.memory))


def write_capacity(capacity: Capacity, console: Console) -> None:
    """Print what a search found: the answer, what goes with it, and each rate."""
    heading(console, "Capacity")
    line(console, ("  ", ""), (capacity_words.answer(capacity), "bold"))
    write_facts(console, capacity_words.facts(capacity))
    if not capacity.probes:
        return
    heading(console, "Rates that were fired")
    line(console, (capacity_words.LEGEND, "dim"), indent=_INDENT)
    columns = (*capacity_words.COLUMNS, "")
    shown = [place for place, name in enumerate(columns) if console.width >= _WIDTH_OF_ALL or name not in _WHERE_WIDE]
    table = table_of(*(columns[place] for place in shown))
    verdict = table.columns[-1]
    verdict.justify, verdict.no_wrap = "left", False
    write_table(console, table, ([row[place] for place in shown] for row in capacity_words.rows(capacity)))


def write_campaign(campaign: Campaign, console: Console) -> None:
    """Print what a fuzz run covered, its phases and its controls."""
    if campaign.coverage:
        heading(console, "Coverage")
        line(console, (campaign_words.coverage_sentence(campaign), "dim"), indent=_INDENT)
        _write_matrix(campaign_words.matrix(campaign), console)
    if campaign.phases:
        heading(console, "Phases")
        table = table_of("phase", "where", "exchanges", "seconds", words=2)
        write_table(console, table, map(campaign_words.phase_row, campaign.phases))
        if campaign_words.cut_short(campaign):
            line(console, (campaign_words.CUT_SHORT, "dim"), indent=_INDENT)
    if campaign.controls:
        _write_controls(campaign, console)


def _write_matrix(matrix: Matrix, console: Console) -> None:
    heads = matrix.carriers
    widths = [max(len(family) for family, _ in matrix.rows), *(max(len(head), 5) for head in heads)]
    if _INDENT + sum(width + _GAP for width in widths) > console.width:
        heads = [_letters(number) for number in range(len(matrix.carriers))]
        named = (f"{head} = {carrier}" for head, carrier in zip(heads, matrix.carriers, strict=True))
        line(console, (", ".join(named), "dim"), indent=_INDENT)
    write_table(console, table_of("attack family", *heads), ([family, *cells] for family, cells in matrix.rows))
    mark = f"  {campaign_words.NOT_COVERED}"
    write_items(console, (f"{concerned}: {reason}" for concerned, reason in matrix.reasons), mark=mark)


def _letters(number: int) -> str:
    letters = ascii_lowercase[number % len(ascii_lowercase)]
    return letters if number < len(ascii_lowercase) else _letters(number // len(ascii_lowercase) - 1) + letters


def _write_controls(campaign: Campaign, console: Console) -> None:
    heading(console, "Controls")
    rows = []
    for control in campaign.controls:
        outcomes = campaign_words.control_outcomes(control)
        if not campaign_words.as_expected(control):
            outcomes += f" ({campaign_words.NOT_AS_EXPECTED})"
        rows.append((visible(control.name), visible(control.moment), visible(control.expected), outcomes))
    write_table(console, table_of("control", "moment", "expected", "outcomes", words=4), rows)
