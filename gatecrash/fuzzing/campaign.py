"""``gatecrash fuzz``: controls, phases, judgement, proof and report, in this order."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Final

from rich.console import Console

from gatecrash.fuzzing.by_locust import fire_with_locust
from gatecrash.fuzzing.controls import AFTER, BEFORE, control_rows, fire_controls
from gatecrash.fuzzing.coverage import coverage
from gatecrash.fuzzing.fuzz_run import FuzzRun, open_run
from gatecrash.fuzzing.in_process import fire_in_process
from gatecrash.fuzzing.proofs import prove
from gatecrash.judging.judge import judge_and_render
from gatecrash.reports.oracles.checks import in_order, judge
from gatecrash.reports.report import Report
from gatecrash.reports.run.campaign import Campaign
from gatecrash.running.run import SignalledError, signals_raise
from gatecrash.settings.settings import Settings

# Each has its part of the run, or none of it: some need a Python handler, others a gateway.
_PHASES: Final[tuple[Callable[[FuzzRun], None], ...]] = (
    partial(fire_controls, moment=BEFORE),
    fire_in_process,
    fire_with_locust,
    partial(fire_controls, moment=AFTER),
)


def fuzz(settings: Settings, console: Console) -> tuple[Report, Path]:
    """Carry a fuzz run out and return its report and folder.

    Raises UsageError before anything is fired when the settings can't work.
    """
    with open_run(settings, console) as run:
        _carry_out(run)
    return judge_and_render(run.folder), run.folder.path


def _carry_out(run: FuzzRun) -> None:
    """Fire, prove and write; a signal ends the firing or the proving, and what there is by then is written."""
    findings = None
    try:
        with signals_raise():
            run.begin()
            for fire_phase in _PHASES:
                if run.broken is None:
                    fire_phase(run)
            run.checkpoint()
            if run.state.stopped_by is None:
                findings = prove(run)
    except SignalledError as signalled:
        run.say(f"Stopping on {signalled.name}: the report follows")
        run.state = replace(run.state, complete=False, stopped_by=signalled.name)
    if findings is None:
        findings = in_order([*judge(run.ledger, run.shots.facts), *run.timed])
    run.state = replace(run.state, elapsed=round(run.observer.elapsed, 3))
    run.checkpoint()
    run.folder.write_findings(findings)
    run.folder.write_campaign(
        Campaign(
            credential=run.shots.maker.profile.kind,
            phases=tuple(run.phases),
            controls=tuple(control_rows(run.ledger, run.book)),
            coverage=tuple(coverage(run.ledger, run.shots, run.bench, broken=run.broken is not None)),
            broken=run.broken,
            confirmations=run.bench.requests,
        )
    )
