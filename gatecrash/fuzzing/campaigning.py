"""``gatecrash fuzz``: controls, phases, judgement, proof and report, in this order."""

from __future__ import annotations

import time
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from rich.console import Console

from gatecrash.bench.bench import Bench, LaboratoryBench
from gatecrash.bench.expiring import ExpiryWatch
from gatecrash.bench.preparing import opened_bench, sweep_corpus, with_fuzz_defaults
from gatecrash.bench.shots import Shots
from gatecrash.fuzzing.controls import AFTER, BEFORE, broken_by, control_rows, fire_controls
from gatecrash.fuzzing.covering import coverage
from gatecrash.fuzzing.firing import fire_with_locust, locust_phases
from gatecrash.fuzzing.observing import Observer
from gatecrash.fuzzing.proving import Prover
from gatecrash.fuzzing.schedules import CaseBook, case_book
from gatecrash.fuzzing.slowness import ageing_findings, slow_findings
from gatecrash.fuzzing.sweeping import Sweep
from gatecrash.fuzzing.telling import Teller
from gatecrash.generators.cases import CaseMaker
from gatecrash.generators.credentials import open_profile
from gatecrash.generators.mix import Mix
from gatecrash.judging.judging import judge_and_render
from gatecrash.planning.preparing import run_facts
from gatecrash.reports.oracles.checks import Group, Judge, in_order
from gatecrash.reports.oracles.checks import judge as judge_ledger
from gatecrash.reports.oracles.findings import Finding
from gatecrash.reports.oracles.rules import Oracle
from gatecrash.reports.run.campaign import Campaign, PhaseRow
from gatecrash.reports.run.folder import RunFolder, RunInfo, RunState
from gatecrash.reports.run.plan import Phase
from gatecrash.reports.run.summary import Summary
from gatecrash.running.running import SignalledError, signals_raise
from gatecrash.settings.settings import Settings, credential_settings

_BROKEN_ORACLES: Final = frozenset({Oracle.ROBUSTNESS, Oracle.CONTRACT})


@dataclass(slots=True)
class _Campaign:
    """What one fuzz run works with."""

    settings: Settings
    shots: Shots
    bench: Bench
    book: CaseBook
    observer: Observer
    folder: RunFolder
    teller: Teller
    phases: list[PhaseRow] = field(default_factory=list)
    timed: list[Finding] = field(default_factory=list)
    confirmed_seconds: float = 0.0
    state: RunState = field(default_factory=lambda: RunState(complete=True))


def fuzz(settings: Settings, console: Console) -> tuple[Summary, Path]:
    """Carry a fuzz run out and return its summary and folder.

    Raises UsageError before anything is fired when the settings can't work.
    """
    settings = with_fuzz_defaults(settings)
    teller = Teller(console)
    with teller.bar("Building the cases") as advance:
        corpus = sweep_corpus(settings, advance)
    try:
        profile = open_profile(credential_settings(settings), settings.authorizer.token_key_name)
        manifest, mix = corpus.manifest, Mix(settings.corpus.valid_share)
        shots = Shots(corpus, CaseMaker(profile, mix, manifest.seed, manifest.minted_at, manifest.words))
        with opened_bench(settings) as bench:
            metas = [shots.meta(index) for index in range(len(corpus))]
            book = case_book(metas, lambda meta: bench.can(meta.view))
            folder = RunFolder.create(Path(settings.output.runs), settings.output.name, datetime.now(UTC))
            _carry_out(_Campaign(settings, shots, bench, book, Observer(corpus), folder, teller))
        return judge_and_render(folder), folder.path
    finally:
        corpus.close()


def _carry_out(campaign: _Campaign) -> None:
    """Fire, prove and write; a signal ends the firing or the proving, and what there is by then is written."""
    observer, folder, shots = campaign.observer, campaign.folder, campaign.shots
    broken, findings = None, None
    try:
        with signals_raise():
            _open(campaign)
            broken = _fire(campaign)
            folder.checkpoint(observer.recording, campaign.state)
            judge = Judge(observer.recording.ledger, shots.facts)
            if campaign.state.stopped_by is None:
                findings = _prove(campaign, judge, broken)
    except SignalledError as signalled:
        campaign.teller.line(f"Stopping on {signalled.name}: the report follows")
        campaign.state = replace(campaign.state, complete=False, stopped_by=signalled.name)
    if findings is None:
        findings = in_order([*judge_ledger(observer.recording.ledger, shots.facts), *campaign.timed])
    rows = coverage(observer.recording.ledger, shots, campaign.bench, shots.maker.profile, broken=broken is not None)
    folder.checkpoint(observer.recording, replace(campaign.state, elapsed=round(observer.elapsed, 3)))
    folder.write_findings(findings)
    folder.write_campaign(
        Campaign(
            credential=shots.maker.profile.kind,
            phases=tuple(campaign.phases),
            controls=tuple(control_rows(observer.recording.ledger, campaign.book)),
            coverage=tuple(rows),
            broken=broken,
            confirmations=campaign.bench.requests,
        )
    )


def _open(campaign: _Campaign) -> None:
    facts = run_facts(campaign.settings, campaign.shots.corpus, scenario="fuzz")
    started = datetime.now(UTC).isoformat(timespec="seconds")
    campaign.folder.write_info(RunInfo(**{**facts, "started_at": started}))
    campaign.teller.opening(campaign.settings, campaign.book)


def _fire(campaign: _Campaign) -> str | None:
    """Fire controls and phases; return why the run proves nothing, if so."""
    bench, shots, book, observer = campaign.bench, campaign.shots, campaign.book, campaign.observer
    broken = broken_by(fire_controls(bench, shots, book, observer, BEFORE), BEFORE)
    if broken is not None:
        return broken
    if isinstance(bench, LaboratoryBench):
        sweep = _sweep(campaign, bench)
        book = book.without(sweep.is_slow)
    if campaign.settings.target.kind != "handler" and (phases := locust_phases(campaign.settings, book)):
        _fire_with_locust(campaign, phases)
    return broken_by(fire_controls(bench, shots, book, observer, AFTER), AFTER)


def _fire_with_locust(campaign: _Campaign, phases: tuple[Phase, ...]) -> None:
    campaign.teller.phase(", ".join(phase.name for phase in phases) + " (Locust)")
    recording, state, rows = fire_with_locust(
        campaign.settings, campaign.shots.corpus, phases, campaign.folder, campaign.teller.console
    )
    campaign.observer.recording.add(recording)
    campaign.state = state
    campaign.phases += rows


def _sweep(campaign: _Campaign, bench: LaboratoryBench) -> Sweep:
    settings, shots, book, observer = campaign.settings, campaign.shots, campaign.book, campaign.observer
    sweep = Sweep(bench, shots, book, observer, seed=settings.corpus.seed, seconds=settings.fuzz.seconds)
    watch = ExpiryWatch(bench, shots.maker.profile)
    try:
        watch.begin([shots.recipe(index) for index in book.representatives])
        sweep.run(campaign.teller.phase)
        campaign.phases += sweep.phases
        campaign.teller.phase("expiry")
        campaign.timed += watch.end()
    finally:
        watch.close()
    campaign.teller.phase("timing")
    started = time.monotonic()
    deadline = started + settings.fuzz.confirm_seconds / 2
    campaign.timed += slow_findings(bench, shots, sweep.slow, book.valid, deadline=deadline)
    mixed = [*book.representatives[:1], *book.denied_representatives, *book.valid[1:]]
    campaign.timed += ageing_findings(bench, shots, mixed, sweep.usual_seconds, time.monotonic)
    campaign.confirmed_seconds = time.monotonic() - started
    return sweep


def _prove(campaign: _Campaign, judge: Judge, broken: str | None) -> list[Finding]:
    groups: list[Group] = judge.groups()
    if broken is not None:
        # What a broken target answers to attacks tells nothing: only how it breaks.
        groups = [group for group in groups if group.rule.oracle in _BROKEN_ORACLES]
    fuzz = campaign.settings.fuzz
    prover = Prover(
        campaign.bench,
        campaign.shots,
        judge,
        campaign.observer.recording.ledger,
        campaign.observer,
        campaign.book.valid,
        seconds=max(fuzz.confirm_seconds / 2, fuzz.confirm_seconds - campaign.confirmed_seconds),
        shrink_requests=fuzz.shrink_requests,
    )
    return in_order([*prover.prove(groups, campaign.teller.proving), *campaign.timed])
