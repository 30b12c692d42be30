"""From a recorded run folder to findings and rendered reports. Can be repeated at any time."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import lru_cache, partial
from pathlib import Path
from typing import Any, Final

from rich.console import Console

from authorizers.contract import Demand
from authorizers.errors import UsageError
from authorizers.redact import redact_request
from gatecrash.baselines import remarks, with_baseline
from generators.attacks import Attack, known_attacks, leading_attack
from generators.cases import GENERATION, Case
from generators.corpus import CaseMeta, Corpus
from reports import as_html, as_json, as_junit, as_markdown, as_text
from reports.checks import judge
from reports.decay import judge_by_rate
from reports.findings import Finding
from reports.records import CaseFacts
from reports.run_folder import RunFolder, RunInfo, StoredRun, write_atomically
from reports.summary import Summary, summarise

REPORT: Final = "report.html"
STATISTICS: Final = "stats.json"
JUNIT: Final = "junit.xml"
MARKDOWN: Final = "summary.md"


def facts_of(corpus: Corpus, index: int) -> CaseFacts:
    """Return what a report may know of a case of a corpus."""
    meta = corpus.meta(index)
    manifest = corpus.manifest
    reproducer = {"corpus": manifest.digest, "seed": manifest.seed, "index": index, "generation": manifest.generation}
    return _facts(meta, meta.recipe, redact_request(corpus.request(index)), _reproducer(meta, meta.recipe, reproducer))


def facts_of_case(case: Case) -> CaseFacts:
    """Return what a report may know of a case that was just made."""
    recipe, reproducer = case.recipe.to_json(), {"index": case.index, "generation": GENERATION}
    return _facts(case, recipe, redact_request(case.request), _reproducer(case, recipe, reproducer))


def facts_to_judge_by(corpus: Corpus, index: int) -> CaseFacts:
    """Return the facts of a case without request and reproducer, which take most of the time and are shown of few."""
    meta = corpus.meta(index)
    return _facts(meta, meta.recipe, {}, {})


def _reproducer(case: Case | CaseMeta, recipe: Mapping[str, Any], place: dict[str, Any]) -> dict[str, Any]:
    return {**place, "recipe": dict(recipe), "choices": case.choices} | ({"view": case.view} if case.view else {})


def _facts(
    case: Case | CaseMeta, recipe: Mapping[str, Any], request: dict[str, Any], reproducer: dict[str, Any]
) -> CaseFacts:
    attacks = tuple(str(key) for key, _ in recipe["mutations"])
    leading, open_rights = _leading(attacks)
    return CaseFacts(
        index=case.index,
        demand=case.demand,
        family=case.family,
        name=case.name,
        request=request,
        reproducer=reproducer,
        identity=recipe["identity"],
        carrier=recipe["carrier"],
        attacks=attacks,
        weakness=leading.weakness if leading else "",
        description=leading.description if leading else "",
        source=leading.source if leading else "",
        open_rights=open_rights,
    )


@lru_cache(maxsize=4096)
def _leading(attacks: tuple[str, ...]) -> tuple[Attack | None, bool]:
    return leading_attack(attacks), any(attack.open_rights for attack in known_attacks(attacks))


def judge_and_render(folder: RunFolder) -> Summary:
    """Judge a run by its recording, and write findings, stats.json, report.html, junit.xml and summary.md.

    Without its corpus, which is kept in the cache and not in the run folder, the findings of an earlier judgement
    stand, or else only what needs no knowledge of the cases is judged. The findings of a fuzz run always stand:
    each was confirmed by firing it again. What the run's baseline accepts is marked.
    """
    run = folder.load()
    corpus = _corpus_of(run.info) if run.campaign is None else None
    try:
        findings = with_baseline(_findings(run, corpus), run.findings, run.info)
        if run.campaign is None or findings != run.findings:
            folder.write_findings(findings)
        summary = summarise(replace(run, findings=findings), _families(corpus) if corpus is not None else None)
    finally:
        if corpus is not None:
            corpus.close()
    write_atomically(folder.path / STATISTICS, as_json.render(summary))
    write_atomically(folder.path / REPORT, as_html.render(summary, folder.path))
    write_atomically(folder.path / JUNIT, as_junit.render(summary))
    write_atomically(folder.path / MARKDOWN, as_markdown.render(summary, folder.path))
    return summary


def _findings(run: StoredRun, corpus: Corpus | None) -> list[Finding]:
    if corpus is not None:
        return _judged(run, partial(facts_to_judge_by, corpus), partial(facts_of, corpus))
    return run.findings if run.campaign is not None or run.findings else _judged(run, _unknown_case)


def _judged(
    run: StoredRun, facts: Callable[[int], CaseFacts], in_full: Callable[[int], CaseFacts] | None = None
) -> list[Finding]:
    if run.capacity is None:
        return judge(run.recording.ledger, facts, in_full)
    # Where no rate was held, the lowest that was fired shows the authorizer at its best.
    lowest = min((probe.rate for probe in run.capacity.probes), default=0.0)
    return judge_by_rate(run.recording.ledger, facts, run.capacity.low or lowest, in_full)


def _families(corpus: Corpus) -> Callable[[int], str]:
    return lambda index: corpus.family_and_expectation(index)[0]


def _corpus_of(info: RunInfo) -> Corpus | None:
    try:
        corpus = Corpus(Path(info.corpus["folder"]))
    except (UsageError, KeyError):
        return None
    if corpus.manifest.content_digest != info.corpus.get("content_digest"):
        return None
    return corpus


def _unknown_case(index: int) -> CaseFacts:
    return CaseFacts(index, Demand.ANY, "unknown", "the corpus is gone", {}, {"index": index})


def show(summary: Summary, folder: Path, console: Console) -> None:
    """Print the summary, where the report is, and which entries of the baseline accept nothing."""
    as_text.write(summary, console, run_folder=folder)
    console.print(f"Report  {folder / REPORT}", highlight=False, soft_wrap=True)
    for remark in remarks(summary.findings, summary.info):
        console.print(f"Baseline  {remark}", highlight=False, markup=False, soft_wrap=True)
