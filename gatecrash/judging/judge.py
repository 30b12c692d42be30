"""From a recorded run folder to findings and rendered reports. Can be repeated at any time."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Final

from rich.console import Console

from gatecrash.authorizers.contract import Demand
from gatecrash.generators.corpus import Corpus
from gatecrash.judging.baselines import remarks, with_baseline
from gatecrash.judging.comparisons import against_of, comparison_of
from gatecrash.planning.corpora import corpus_of, facts_of, facts_to_judge_by
from gatecrash.reports.files import as_csv, as_json, as_junit, as_markdown
from gatecrash.reports.html import report as as_html
from gatecrash.reports.oracles.checks import judge
from gatecrash.reports.oracles.decay import judge_by_rate
from gatecrash.reports.oracles.findings import Finding
from gatecrash.reports.recording.records import CaseFacts
from gatecrash.reports.report import Report, report_of
from gatecrash.reports.run.folder import REPORT, STATISTICS, RunFolder, StoredRun, write_atomically
from gatecrash.reports.run.summary import Summary, summarise
from gatecrash.reports.text import summary as as_text
from gatecrash.reports.words.spelling import visible
from gatecrash.terminal import say

JUNIT: Final = "junit.xml"
MARKDOWN: Final = "summary.md"
SECONDS: Final = "seconds.csv"
LATENCIES: Final = "latencies.csv"


def judge_and_render(folder: RunFolder) -> Report:
    """Judge a run by its recording, and write findings, stats.json, report.html, junit.xml, summary.md and CSV files.

    Without its corpus, which is kept in the cache and not in the run folder, the findings of an earlier judgement
    stand, or else only what needs no knowledge of the cases is judged. The findings of a fuzz run always stand:
    each was confirmed by firing it again. What the run's baseline accepts is marked.
    """
    run = folder.load()
    summary = judge_stored(run)
    if run.campaign is None or summary.findings != run.findings:
        folder.write_findings(summary.findings)
    report = report_of(summary, comparison_of(folder.path, replace(run, findings=summary.findings), summary))
    write_atomically(folder.path / STATISTICS, as_json.render(report))
    write_atomically(folder.path / REPORT, as_html.render(report, folder.path))
    write_atomically(folder.path / JUNIT, as_junit.render(report))
    write_atomically(folder.path / MARKDOWN, as_markdown.render(report, folder.path))
    write_atomically(folder.path / SECONDS, as_csv.render_seconds(summary))
    write_atomically(folder.path / LATENCIES, as_csv.render_latencies(summary))
    return report


def judge_stored(run: StoredRun) -> Summary:
    """Judge what was read from a run folder, and write nothing."""
    corpus = corpus_of(run.info) if run.campaign is None else None
    try:
        findings = with_baseline(_findings(run, corpus), run.findings, run.info)
        kind_of = corpus.family_and_expectation if corpus is not None else None
        return summarise(replace(run, findings=findings), kind_of)
    finally:
        if corpus is not None:
            corpus.close()


def _findings(run: StoredRun, corpus: Corpus | None) -> list[Finding]:
    if corpus is not None:
        return _judge_recording(run, partial(facts_to_judge_by, corpus), partial(facts_of, corpus))
    return run.findings if run.campaign is not None or run.findings else _judge_recording(run, _unknown_case)


def _judge_recording(
    run: StoredRun, facts: Callable[[int], CaseFacts], in_full: Callable[[int], CaseFacts] | None = None
) -> list[Finding]:
    if run.capacity is None:
        return judge(run.recording.ledger, facts, in_full)
    # Where no rate was held, the lowest that was fired shows the authorizer at its best.
    lowest = min((probe.rate for probe in run.capacity.probes), default=0.0)
    return judge_by_rate(run.recording.ledger, facts, run.capacity.low or lowest, in_full)


def _unknown_case(index: int) -> CaseFacts:
    return CaseFacts(index, Demand.ANY, "unknown", "the corpus is gone", {}, {"index": index})


def show(report: Report, folder: Path, console: Console) -> None:
    """Print the report, where its page is, and which entries of the baseline accept nothing."""
    summary = report.summary
    as_text.write(report, console, run_folder=folder)
    say(console, f"Report  {folder / REPORT}")
    if report.comparison is None and (against := against_of(summary.info)):
        sentence = f"with none: there is no earlier run named {summary.info.name} that {against} could stand for"
        say(console, f"Compared  {visible(sentence)}")
    for remark in remarks(summary.findings, summary.info):
        say(console, f"Baseline  {remark}")
