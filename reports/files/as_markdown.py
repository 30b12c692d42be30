"""``summary.md``: the verdict and what it rests on, for a CI job's summary or a pull request (GitHub's Markdown)."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from pathlib import PurePath
from typing import Final

from gatecrash.reports.comparison.comparison import Comparison
from gatecrash.reports.report import Report
from gatecrash.reports.run.summary import Summary
from gatecrash.reports.trend.trend import Trend
from gatecrash.reports.words import capacity as capacity_words
from gatecrash.reports.words import comparison as comparison_words
from gatecrash.reports.words import findings as finding_words
from gatecrash.reports.words import summary as words
from gatecrash.reports.words import trend as trend_words
from gatecrash.reports.words.findings import numbered
from gatecrash.reports.words.spelling import KIND_LABELS, visible

_FINDINGS_SHOWN: Final = 10
_SPECIAL: Final = re.compile(
    r"(?P<mention>[@#](?=\w))|[\\`*_{}\[\]|~<>&@]|:(?=//)|(?<=www)\.|^[-+#=]|^(?P<number>[0-9]+)(?=[.)])", re.IGNORECASE
)
# Nothing is seen of it. GitHub looks for people and issues in what was rendered, where a backslash is gone.
_APART: Final = "&#8203;"


def render(report: Report, run_folder: str | PurePath) -> bytes:
    """Return the file's content; ``run_folder`` is named in the commands that replay a finding."""
    return _content(_report(report, run_folder))


def render_comparison(comparison: Comparison) -> bytes:
    """Return the content of a file of a comparison alone."""
    return _content(_comparison_alone(comparison))


def render_trend(trend: Trend) -> bytes:
    """Return the content of a file of a trend."""
    return _content(_trend(trend))


def _content(lines: Iterable[str]) -> bytes:
    return ("\n".join(lines).rstrip() + "\n").encode("utf-8", "backslashreplace")


def escaped(text: object) -> str:
    """Return a text in which nothing is Markdown, HTML, a link, a person or an issue, on one line."""
    return _SPECIAL.sub(_harmless, visible(text))


def _harmless(found: re.Match[str]) -> str:
    if found["mention"]:
        return f"\\{found['mention']}{_APART}"
    # A number at the start would begin a list: its point is what is escaped.
    return f"{found['number']}\\" if found["number"] else f"\\{found[0]}"


def code(text: object) -> str:
    """Return a text as code, on one line."""
    shown = visible(text)
    marks = "`" * (1 + max((len(run) for run in re.findall("`+", shown)), default=0))
    pad = " " if shown[:1] in {"`", " "} or shown[-1:] in {"`", " "} else ""
    return f"{marks}{pad}{shown}{pad}{marks}"


def _items(sentences: Iterable[str]) -> Iterator[str]:
    yield from (f"- {escaped(sentence)}" for sentence in sentences)
    yield ""


def _table(head: Sequence[str], rows: Iterable[Sequence[object]]) -> Iterator[str]:
    """Yield the lines of a table, and an empty one."""
    yield "| " + " | ".join(head) + " |"
    yield "|" + "---|" * len(head)
    yield from ("| " + " | ".join(map(escaped, row)) + " |" for row in rows)
    yield ""


def _report(report: Report, run_folder: str | PurePath) -> Iterator[str]:
    summary, verdict = report.summary, report.summary.verdict
    yield from (f"## gatecrash: {verdict.word}", "")
    yield f"**{escaped(report.headline)}** Exit code {verdict.exit_code.value}, run {code(summary.info.name)} "
    yield f"at {code(words.target_words(summary.info))}, started {escaped(summary.info.started_at)}."
    yield ""
    answer = [capacity_words.answer(summary.capacity)] if summary.capacity is not None else []
    yield from _items([*answer, *words.verdict_sentences(summary)])
    yield from (f"Measurement {escaped(words.validity_sentence(summary))}.", "")
    yield from _items(words.validity_reasons(summary))
    yield from _thresholds(summary)
    if report.comparison is not None:
        yield from _comparison(report.comparison)
    yield from ("### Key numbers", "")
    yield from _table(("number", "value"), words.key_numbers(summary))
    yield from _latencies(summary)
    yield from _findings(summary, run_folder)


def _thresholds(summary: Summary) -> Iterator[str]:
    if summary.thresholds:
        yield from ("### Thresholds", "")
    if asked := words.thresholds_asked(summary):
        yield from ("| threshold | measured | |", "|---|---|---|")
        for one in asked:
            result = words.STANDING_MARKS[one.standing] + (f": {escaped(one.reason)}" if one.reason else "")
            yield f"| {code(one.threshold)} | {escaped(one.measured)} | {result} |"
        yield ""
    for sentence in words.thresholds_not_asked(summary):
        yield from (escaped(sentence), "")


def _comparison(comparison: Comparison) -> Iterator[str]:
    yield from (f"### Compared with an earlier run: {comparison_words.verdict_word(comparison)}", "")
    yield f"{escaped(comparison_words.headline(comparison))} The earlier one is {code(comparison.earlier.place)}."
    yield ""
    yield from _doubts_and_aspects(comparison)


def _doubts_and_aspects(comparison: Comparison) -> Iterator[str]:
    yield from _items((*comparison.refused, *comparison_words.doubts(comparison)))
    if not comparison.refused:
        yield from _table(comparison_words.ASPECT_COLUMNS, comparison_words.aspect_rows(comparison))


def _comparison_alone(comparison: Comparison) -> Iterator[str]:
    yield from (f"## gatecrash comparison: {comparison_words.verdict_word(comparison)}", "")
    yield from (f"**{escaped(comparison_words.headline(comparison))}**", "")
    for label, side in (("earlier", comparison.earlier), ("later", comparison.later)):
        yield f"- {label}: {escaped(comparison_words.side_words(side))}"
    if not comparison.refused:
        yield from (f"- {escaped(sentence)}" for sentence in comparison_words.changed_sentences(comparison))
    yield from _doubts_and_aspects(comparison)


def _latencies(summary: Summary) -> Iterator[str]:
    rows = [row for row in summary.latencies if row.outcome is None and row.count]
    if rows and summary.campaign is None:
        yield from ("### Latency of the answered exchanges, in ms", "")
        cells = ([KIND_LABELS[row.kind], *words.latency_cells(row)] for row in rows)
        yield from _table(("", *words.LATENCY_COLUMNS), cells)


def _findings(summary: Summary, run_folder: str | PurePath) -> Iterator[str]:
    findings = numbered(summary, notes=False)
    yield from (f"### {finding_words.heading(summary, notes=False)}", "")
    for number, finding in findings[:_FINDINGS_SHOWN]:
        accepted = finding_words.accepted_sentence(finding)
        yield (
            f"{number}. **{finding.rule.code}** {escaped(finding.rule.title)}: {code(finding.case_name)}, "
            f"{escaped(finding_words.seen_sentence(finding))}{f' ({escaped(accepted)})' if accepted else ''}  "
        )
        yield f"   {code(finding_words.replay_command(run_folder, number))}"
    if len(findings) > _FINDINGS_SHOWN:
        yield from ("", f"{len(findings) - _FINDINGS_SHOWN:,} more are in the report.")


def _trend(trend: Trend) -> Iterator[str]:
    yield from (f"## gatecrash trend: {trend_words.verdict_word(trend)}", "")
    yield from (f"**{escaped(trend_words.headline(trend))}** {escaped(trend_words.runs_words(trend))}.", "")
    yield from _items([*trend_words.alarm_sentences(trend), *trend_words.left_out(trend)])
    for names, changed in trend_words.alongside(trend):
        yield from (f"What else changed from {code(names)}:", "")
        yield from _items(changed)
    if trend.metrics:
        yield from ("### Levels", "")
        yield from _table(trend_words.LEVEL_COLUMNS, trend_words.level_rows(trend))
    if trend.findings:
        yield from ("### Findings", "")
        yield from _table(trend_words.FINDING_COLUMNS, trend_words.finding_rows(trend))
