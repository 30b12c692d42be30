"""From a recorded run folder to findings and rendered reports. Can be repeated at any time."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Final

from rich.console import Console

from authorizers.contract import Expectation
from authorizers.errors import UsageError
from authorizers.redact import redact_request
from generators.corpus import Corpus
from reports import as_html, as_json, as_text
from reports.checks import judge
from reports.records import CaseFacts
from reports.run_folder import RunFolder, RunInfo, StoredRun, write_atomically
from reports.summary import Summary, summarise

REPORT: Final = "report.html"
STATISTICS: Final = "stats.json"


def facts_of(corpus: Corpus, index: int) -> CaseFacts:
    """Return what a report may know of a case."""
    meta = corpus.meta(index)
    return CaseFacts(
        index=index,
        expectation=meta.expectation,
        family=meta.family,
        name=meta.name,
        request=redact_request(corpus.request(index)),
        reproducer={
            "corpus": corpus.manifest.digest,
            "seed": corpus.manifest.seed,
            "index": index,
            "recipe": dict(meta.recipe),
            "choices": meta.choices,
        },
    )


def judge_and_render(folder: RunFolder) -> Summary:
    """Judge a run by its recording, and write findings, stats.json and report.html.

    Without its corpus, which is kept in the cache and not in the run folder, the findings of an earlier judgement
    stand, or else only what needs no knowledge of the cases is judged.
    """
    run = folder.load()
    lookup = _lookup(run.info)
    if lookup is not None or not run.findings:
        findings = judge(run.recording.ledger, lookup or _unknown_case)
        folder.write_findings(findings)
        run = StoredRun(run.info, run.state, run.recording, findings)
    summary = summarise(run)
    write_atomically(folder.path / STATISTICS, as_json.render(summary))
    write_atomically(folder.path / REPORT, as_html.render(summary, folder.path))
    return summary


def _lookup(info: RunInfo) -> Callable[[int], CaseFacts] | None:
    try:
        corpus = Corpus(Path(info.corpus["folder"]))
    except (UsageError, KeyError):
        return None
    if corpus.manifest.content_digest != info.corpus.get("content_digest"):
        return None
    return lambda index: facts_of(corpus, index)


def _unknown_case(index: int) -> CaseFacts:
    return CaseFacts(index, Expectation.OPEN, "unknown", "the corpus is gone", {}, {"index": index})


def show(summary: Summary, folder: Path, console: Console) -> None:
    """Print the summary, and where the report is."""
    as_text.write(summary, console, run_folder=folder)
    console.print(f"Report  {folder / REPORT}", highlight=False, soft_wrap=True)
