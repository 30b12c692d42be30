"""``summary.md``: the verdict and what it rests on, for a CI job's summary or a pull request (GitHub's Markdown)."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from pathlib import PurePath
from typing import Final

from gatecrash.reports.comparison.comparison import Comparison
from gatecrash.reports.recording.records import LatencyKind
from gatecrash.reports.run.summary import Summary
from gatecrash.reports.thresholds.judging import Standing, ThresholdJudgement
from gatecrash.reports.words import capacity as capacity_words
from gatecrash.reports.words import comparison as comparison_words
from gatecrash.reports.words import findings as finding_words
from gatecrash.reports.words import summary as words
from gatecrash.reports.words.findings import numbered
from gatecrash.reports.words.thresholds import asked, not_asked

_FINDINGS_SHOWN: Final = 10
_SPECIAL: Final = re.compile(
    r"(?P<mention>[@#](?=\w))|[\\`*_{}\[\]|~<>&@]|:(?=//)|(?<=www)\.|^[-+#=]|^(?P<number>[0-9]+)(?=[.)])", re.IGNORECASE
)
# Nothing is seen of it. GitHub looks for people and issues in what was rendered, where a backslash is gone.
_APART: Final = "&#8203;"
_STANDINGS: Final = {Standing.HELD: "✓ held", Standing.FAILED: "✗ failed", Standing.NOT_JUDGED: "? not judged"}


def render(summary: Summary, run_folder: str | PurePath) -> bytes:
    """Return the file's content; ``run_folder`` is named in the commands that replay a finding."""
    return ("\n".join(_lines(summary, run_folder)).rstrip() + "\n").encode("utf-8", "backslashreplace")


def render_comparison(comparison: Comparison) -> bytes:
    """Return the content of a file of a comparison alone."""
    lines = "\n".join(_comparison_alone(comparison))
    return (lines.rstrip() + "\n").encode("utf-8", "backslashreplace")


def escaped(text: object) -> str:
    """Return a text in which nothing is Markdown, HTML, a link, a person or an issue, on one line."""
    return _SPECIAL.sub(_harmless, words.visible(text))


def _harmless(found: re.Match[str]) -> str:
    if found["mention"]:
        return f"\\{found['mention']}{_APART}"
    # A number at the start would begin a list: its point is what is escaped.
    return f"{found['number']}\\" if found["number"] else f"\\{found[0]}"


def code(text: object) -> str:
    """Return a text as code, on one line."""
    shown = words.visible(text)
    marks = "`" * (1 + max((len(run) for run in re.findall("`+", shown)), default=0))
    pad = " " if shown[:1] in {"`", " "} or shown[-1:] in {"`", " "} else ""
    return f"{marks}{pad}{shown}{pad}{marks}"


def _lines(summary: Summary, run_folder: str | PurePath) -> Iterator[str]:
    verdict = summary.verdict
    yield f"## gatecrash: {verdict.word}"
    yield ""
    yield f"**{escaped(words.headline(summary))}** Exit code {verdict.exit_code.value}, run {code(summary.info.name)} "
    yield f"at {code(words.target_words(summary.info))}, started {escaped(summary.info.started_at)}."
    yield ""
    if summary.capacity is not None:
        yield f"- {escaped(capacity_words.answer(summary.capacity))}"
    yield from (f"- {escaped(sentence)}" for sentence in words.verdict_sentences(summary))
    yield ""
    yield f"Measurement {escaped(words.validity_sentence(summary))}."
    yield ""
    yield from (f"- {escaped(reason)}" for reason in words.validity_reasons(summary))
    yield ""
    yield from _thresholds(summary.thresholds)
    yield from _comparison(summary.comparison)
    yield "### Key numbers"
    yield ""
    yield from table(("number", "value"), words.key_numbers(summary))
    yield from _latencies(summary)
    yield from _findings(summary, run_folder)


def table(head: Sequence[str], rows: Sequence[Sequence[object]]) -> Iterator[str]:
    """Yield the lines of a table, and an empty one."""
    yield "| " + " | ".join(head) + " |"
    yield "|" + "---|" * len(head)
    yield from ("| " + " | ".join(escaped(cell) for cell in row) + " |" for row in rows)
    yield ""


def _thresholds(judged: Sequence[ThresholdJudgement]) -> Iterator[str]:
    if not judged:
        return
    yield "### Thresholds"
    yield ""
    if rows := asked(judged):
        yield "| threshold | measured | |"
        yield "|---|---|---|"
    for one in rows:
        said = f"{_STANDINGS[one.standing]}" + (f": {escaped(one.reason)}" if one.reason else "")
        yield f"| {code(one.threshold)} | {escaped(one.measured)} | {said} |"
    if rows:
        yield ""
    for sentence in not_asked(judged):
        yield escaped(sentence)
        yield ""


def _comparison(comparison: Comparison | None) -> Iterator[str]:
    if comparison is None:
        return
    yield f"### Compared with an earlier run: {comparison_words.verdict_word(comparison)}"
    yield ""
    yield f"{escaped(comparison_words.headline(comparison))} The earlier one is {code(comparison.earlier.place)}."
    yield ""
    yield from _compared(comparison)


def _compared(comparison: Comparison) -> Iterator[str]:
    yield from (f"- {escaped(reason)}" for reason in (*comparison.refused, *comparison_words.doubts(comparison)))
    yield ""
    if not comparison.refused:
        yield from table(comparison_words.ASPECT_COLUMNS, comparison_words.aspect_rows(comparison))


def _comparison_alone(comparison: Comparison) -> Iterator[str]:
    yield f"## gatecrash comparison: {comparison_words.verdict_word(comparison)}"
    yield ""
    yield f"**{escaped(comparison_words.headline(comparison))}**"
    yield ""
    for label, side in (("earlier", comparison.earlier), ("later", comparison.later)):
        yield f"- {label}: {escaped(comparison_words.side_words(side))}"
    if not comparison.refused:
        yield from (f"- {escaped(sentence)}" for sentence in comparison_words.changed_sentences(comparison))
    yield from _compared(comparison)


def _latencies(summary: Summary) -> Iterator[str]:
    rows = [row for row in summary.latencies if row.outcome is None and row.count]
    if not rows or summary.campaign is not None:
        return
    yield "### Latency of the answered exchanges, in ms"
    yield ""
    cells = [
        (
            words.KIND_LABELS[LatencyKind(row.kind).value],
            f"{row.count:,}",
            *words.percentiles(row),
            words.milliseconds(row.maximum),
        )
        for row in rows
    ]
    yield from table(("", "exchanges", "p50", "p90", "p95", "p99", "p99.9", "max"), cells)


def _findings(summary: Summary, run_folder: str | PurePath) -> Iterator[str]:
    found = numbered(summary, notes=False)
    yield f"### {finding_words.heading(summary, notes=False)}"
    yield ""
    for number, finding in found[:_FINDINGS_SHOWN]:
        accepted = finding_words.accepted_sentence(finding)
        yield (
            f"{number}. **{finding.rule.code}** {escaped(finding.rule.title)}: {code(finding.case_name)}, "
            f"{escaped(finding_words.seen_sentence(finding))}{f' ({escaped(accepted)})' if accepted else ''}  "
        )
        yield f"   {code(finding_words.replay_command(run_folder, number))}"
    if len(found) > _FINDINGS_SHOWN:
        yield ""
        yield f"{len(found) - _FINDINGS_SHOWN:,} more are in the report."
