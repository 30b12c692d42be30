"""The terminal's summary: the verdict first, then what it rests on. Reads well without colours, 80 wide."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import PurePath
from typing import Final

from rich import box
from rich.console import Console
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from reports import words
from reports.findings import Finding, Severity
from reports.records import LatencyKind
from reports.summary import Summary

FINDINGS_SHOWN: Final = 20
_ANSWERS_SHOWN: Final = 6
_DETAIL_LENGTH: Final = 400
_REQUEST_LENGTH: Final = 1500
_VERDICT_STYLES: Final = {"PASS": "bold green", "FAIL": "bold red", "INVALID": "bold magenta", "STOPPED": "bold yellow"}
_SEVERITY_STYLES: Final = {Severity.DANGER: "bold red", Severity.ERROR: "red", Severity.NOTE: "cyan"}


def write(
    summary: Summary, console: Console, run_folder: str | PurePath, *, findings_shown: int = FINDINGS_SHOWN
) -> None:
    """Print the summary of a run; ``run_folder`` is named in the commands that replay a finding.

    Nothing is read as markup, and every character is one that can be seen: requests and answers are hostile.
    """
    _write_verdict(summary, console)
    _write_numbers(summary, console)
    _write_outcomes(summary, console)
    _write_latencies(summary, console)
    _write_findings(summary, console, run_folder, findings_shown)


def _line(console: Console, *parts: str | tuple[str, str], indent: int = 0) -> None:
    text = Text.assemble(*parts)
    console.print(Padding(text, (0, 0, 0, indent), expand=False) if indent else text, highlight=False)


def _heading(console: Console, title: str) -> None:
    console.print()
    _line(console, (title, "bold"))


def _write_verdict(summary: Summary, console: Console) -> None:
    verdict = summary.verdict
    style = _VERDICT_STYLES.get(verdict.word, "bold")
    code = f" (exit code {verdict.exit_code.value})"
    _line(console, (verdict.word, style), "  ", words.headline(summary), (code, "dim"))
    _write_items(console, words.verdict_sentences(summary))
    _line(console, "Measurement ", words.validity_sentence(summary))
    _write_items(console, words.validity_reasons(summary))


def _write_items(console: Console, sentences: Iterable[str]) -> None:
    for sentence in sentences:
        grid = Table.grid(padding=(0, 1, 0, 0))
        grid.add_row(Text("  -"), Text(sentence))
        console.print(grid)


def _write_numbers(summary: Summary, console: Console) -> None:
    _heading(console, words.visible(f"Run {summary.info.name}, started {summary.info.started_at}"))
    grid = Table.grid(padding=(0, 2, 0, 0))
    for label, value in words.key_numbers(summary):
        grid.add_row(Text(f"  {label}", "dim"), Text(value))
    console.print(grid)


def _table(*columns: str) -> Table:
    table = Table(box=box.SIMPLE_HEAD, padding=(0, 1), pad_edge=False, show_edge=False)
    for number, column in enumerate(columns):
        table.add_column(Text(column), justify="right" if number else "left", no_wrap=True)
    return table


def _write_outcomes(summary: Summary, console: Console) -> None:
    _heading(console, "Outcomes, without the warm-up")
    if not summary.outcomes:
        _line(console, "  No exchange was measured.")
        return
    table = _table("outcome", "exchanges", "share")
    for outcome, count in summary.outcomes.items():
        table.add_row(words.outcome_label(outcome), f"{count:,}", words.percent(count / summary.exchanges))
    console.print(Padding(table, (0, 0, 0, 2), expand=False))


def _write_latencies(summary: Summary, console: Console) -> None:
    for kind in LatencyKind:
        rows = [row for row in summary.latencies if row.kind == kind and row.count]
        if not rows:
            continue
        _heading(console, f"Latency: {words.KIND_LABELS[kind.value]}, in ms")
        _line(console, (words.KIND_MEANINGS[kind.value], "dim"), indent=2)
        table = _table("outcome", "exchanges", "p50", "p90", "p95", "p99", "p99.9", "max")
        for row in rows:
            numbers = (row.p50, row.p90, row.p95, row.p99, row.p99_9, row.maximum)
            table.add_row(words.outcome_label(row.outcome), f"{row.count:,}", *map(words.milliseconds, numbers))
        console.print(Padding(table, (0, 0, 0, 2), expand=False))


def _write_findings(summary: Summary, console: Console, run_folder: str | PurePath, findings_shown: int) -> None:
    found = summary.findings
    _heading(console, f"Findings: {len(found):,}" if found else "Findings: none")
    bound = words.bound_sentence(summary)
    if not found and bound is not None and summary.verdict.reasons:
        # Without reasons the verdict says it already.
        _line(console, bound, indent=2)
    for number, finding in enumerate(found[:findings_shown], 1):
        _write_finding(console, number, finding, run_folder)
    if len(found) > findings_shown:
        console.print()
        _line(console, f"  and {words.plural(len(found) - findings_shown, 'more finding')}: see the report")


def _write_finding(console: Console, number: int, finding: Finding, run_folder: str | PurePath) -> None:
    rule = finding.rule
    console.print()
    _line(
        console,
        f"{number}. ",
        (rule.code, "bold"),
        f" {rule.title} ",
        (f"[{rule.severity.label}]", _SEVERITY_STYLES[rule.severity]),
    )
    grid = Table.grid(padding=(0, 2, 0, 0))
    grid.add_column(no_wrap=True)
    grid.add_column(overflow="fold")
    for label, value in _finding_rows(finding):
        grid.add_row(Text(f"   {label}", "dim"), Text(value))
    console.print(grid)
    # Neither wrapped nor cropped: it is there to be copied.
    console.print(Text.assemble(("   replay    ", "dim"), words.replay_command(run_folder, number)), soft_wrap=True)


def _finding_rows(finding: Finding) -> Iterable[tuple[str, str]]:
    yield "meaning", finding.rule.meaning
    if finding.cause:
        yield "cause", words.visible(finding.cause)
    yield "seen in", f"{words.plural(finding.exchanges, 'exchange')}, {words.plural(finding.cases, 'distinct request')}"
    yield "case", words.visible(f"{finding.case_name} (expected: {finding.expectation})")
    yield "request", _cut(words.json_text(finding.request), _REQUEST_LENGTH)
    for position, answer in enumerate(finding.answers[:_ANSWERS_SHOWN]):
        outcome = words.visible(words.outcome_label(answer["outcome"]))
        detail = _cut(words.answer_detail(answer), _DETAIL_LENGTH)
        yield "" if position else "answers", f"{answer['count']:,} x {outcome}" + (f": {detail}" if detail else "")
    if (rest := len(finding.answers) - _ANSWERS_SHOWN) > 0:
        yield "", f"and {words.plural(rest, 'more distinct answer')}"


def _cut(text: str, limit: int) -> str:
    return text if len(text) <= limit else f"{text[:limit]}..."
