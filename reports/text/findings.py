"""What the terminal's summary says of findings: the notes last, and commands to go on with after each."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import PurePath
from typing import Final

from rich.console import Console
from rich.table import Table
from rich.text import Text

from gatecrash.reports.oracles.findings import Finding
from gatecrash.reports.oracles.rules import Severity
from gatecrash.reports.run.summary import Summary
from gatecrash.reports.text.parts import heading, line
from gatecrash.reports.words import findings as finding_words
from gatecrash.reports.words import spelling
from gatecrash.reports.words import summary as words

_ANSWERS_SHOWN: Final = 6
_DETAIL_LENGTH: Final = 400
_REQUEST_LENGTH: Final = 1500
_LABEL_WIDTH: Final = 9
_SEVERITY_STYLES: Final = {Severity.DANGER: "bold red", Severity.ERROR: "red", Severity.NOTE: "cyan"}


def write(summary: Summary, console: Console, run_folder: str | PurePath, shown: int) -> None:
    """Print up to ``shown`` findings and up to as many notes."""
    heading(console, finding_words.heading(summary, notes=False))
    bound = words.bound_sentence(summary)
    if bound is not None and summary.verdict.reasons:
        # Without reasons the verdict says it already.
        line(console, bound, indent=2)
    _write_some(summary, console, run_folder, shown, notes=False)
    if finding_words.numbered(summary, notes=True):
        heading(console, finding_words.heading(summary, notes=True))
        _write_some(summary, console, run_folder, shown, notes=True)


def _write_some(summary: Summary, console: Console, run_folder: str | PurePath, shown: int, *, notes: bool) -> None:
    found = finding_words.numbered(summary, notes=notes)
    for number, finding in found[:shown]:
        _write_finding(console, number, finding, run_folder)
    if len(found) > shown:
        console.print()
        line(
            console,
            f"  and {spelling.plural(len(found) - shown, 'more note' if notes else 'more finding')}: see the report",
        )


def _write_finding(console: Console, number: int, finding: Finding, run_folder: str | PurePath) -> None:
    rule = finding.rule
    console.print()
    line(
        console,
        f"{number}. ",
        (rule.code, "bold"),
        f" {rule.title} ",
        (f"[{rule.severity.label}]", _SEVERITY_STYLES[rule.severity]),
        f" [{finding_words.kind_label(rule.kind)}]",
    )
    grid = Table.grid(padding=(0, 1, 0, 0))
    grid.add_column(no_wrap=True)
    grid.add_column(overflow="fold")
    for label, value in _rows(finding):
        grid.add_row(Text(_label(label), "dim"), Text(value))
    console.print(grid)
    for label, command in (
        ("explain", finding_words.explain_command(finding)),
        ("replay", finding_words.replay_command(run_folder, number)),
        ("export", finding_words.export_command(run_folder, number)),
    ):
        # Neither wrapped nor cropped: it is there to be copied.
        console.print(Text.assemble((_label(label), "dim"), " ", command), soft_wrap=True)


def _label(label: str) -> str:
    return f"   {label:<{_LABEL_WIDTH}}"


def _rows(finding: Finding) -> Iterable[tuple[str, str]]:
    if finding.accepted_until is not None:
        yield "accepted", f"until {spelling.visible(finding.accepted_until)} by the baseline"
    confirmation = finding.confirmation
    facts = (
        ("shows", finding_words.confirmation_sentence(confirmation) if confirmation is not None else ""),
        ("measured", spelling.visible(finding.measured)),
        ("meaning", finding.rule.meaning),
        ("cause", spelling.visible(finding.cause)),
        ("change", spelling.visible(finding.description)),
        ("source", spelling.visible(finding.source)),
        ("seen in", finding_words.seen_sentence(finding)),
        ("case", spelling.visible(f"{finding.case_name} (expected: {finding.expectation})")),
        ("also", finding_words.also_sentence(finding)),
        ("size", finding_words.size_sentence(finding)),
    )
    yield from (fact for fact in facts if fact[1])
    setup = finding_words.setup_names(finding)
    for position, name in enumerate(setup, 1):
        yield "" if position > 1 else "first", f"{position}. {name}"
    yield "then" if setup else "request", _cut(spelling.json_text(finding.request), _REQUEST_LENGTH)
    yield from _answer_rows(finding)
    yield "remedy", finding.rule.remedy


def _answer_rows(finding: Finding) -> Iterable[tuple[str, str]]:
    for position, answer in enumerate(finding.answers[:_ANSWERS_SHOWN]):
        outcome = spelling.visible(spelling.outcome_label(answer["outcome"]))
        detail = _cut(words.answer_detail(answer), _DETAIL_LENGTH)
        yield "" if position else "answers", f"{answer['count']:,} x {outcome}" + (f": {detail}" if detail else "")
    if (rest := len(finding.answers) - _ANSWERS_SHOWN) > 0:
        yield "", f"and {spelling.plural(rest, 'more distinct answer')}"


def _cut(text: str, limit: int) -> str:
    return text if len(text) <= limit else f"{text[:limit]}..."
