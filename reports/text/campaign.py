"""What the terminal's summary says of a fuzz run: coverage, phases, controls."""

from __future__ import annotations

from string import ascii_lowercase
from typing import Final

from rich.console import Console

from gatecrash.reports.run.campaign import Campaign
from gatecrash.reports.text.parts import heading, line, table_of, write_items, write_table
from gatecrash.reports.words import campaign as campaign_words
from gatecrash.reports.words.campaign import Matrix
from gatecrash.reports.words.summary import visible

_INDENT: Final = 2
_GAP: Final = 2


def write(campaign: Campaign, console: Console) -> None:
    """Print what a fuzz run covered, and how."""
    if campaign.coverage:
        heading(console, "Coverage")
        line(console, (campaign_words.coverage_sentence(campaign), "dim"), indent=_INDENT)
        _write_matrix(campaign_words.matrix(campaign), console)
    if campaign.phases:
        _write_phases(campaign, console)
    if campaign.controls:
        _write_controls(campaign, console)


def _write_matrix(matrix: Matrix, console: Console) -> None:
    heads = matrix.carriers
    widths = [max(len(family) for family, _ in matrix.rows), *(max(len(head), 5) for head in heads)]
    if _INDENT + sum(width + _GAP for width in widths) > console.width:
        heads = [_letters(number) for number in range(len(matrix.carriers))]
        named = (f"{head} = {carrier}" for head, carrier in zip(heads, matrix.carriers, strict=True))
        line(console, (", ".join(named), "dim"), indent=_INDENT)
    table = table_of("attack family", *heads)
    for family, cells in matrix.rows:
        table.add_row(family, *cells)
    write_table(console, table)
    mark = f"  {campaign_words.NOT_COVERED}"
    write_items(console, (f"{concerned}: {reason}" for concerned, reason in matrix.reasons), mark=mark)


def _letters(number: int) -> str:
    letters = ascii_lowercase[number % len(ascii_lowercase)]
    return letters if number < len(ascii_lowercase) else _letters(number // len(ascii_lowercase) - 1) + letters


def _write_phases(campaign: Campaign, console: Console) -> None:
    heading(console, "Phases")
    table = table_of("phase", "where", "exchanges", "seconds", words=2)
    for phase in campaign.phases:
        exchanges = campaign_words.exchanges_sentence(phase)
        table.add_row(visible(phase.name), visible(phase.where), exchanges, f"{phase.seconds:,.1f}")
    write_table(console, table)
    if campaign_words.cut_short(campaign):
        line(console, (campaign_words.CUT_SHORT, "dim"), indent=_INDENT)


def _write_controls(campaign: Campaign, console: Console) -> None:
    heading(console, "Controls")
    table = table_of("control", "moment", "expected", "outcomes", words=4)
    for control in campaign.controls:
        outcomes = campaign_words.control_outcomes(control)
        if not campaign_words.as_expected(control):
            outcomes += f" ({campaign_words.NOT_AS_EXPECTED})"
        table.add_row(visible(control.name), visible(control.moment), visible(control.expected), outcomes)
    write_table(console, table)
