"""Controls: requests whose right answer is beyond doubt, before, during and after everything else."""

from __future__ import annotations

from collections import Counter
from typing import Final

from gatecrash.authorizers.contract import Expectation, Outcome
from gatecrash.fuzzing.fuzz_run import FuzzRun
from gatecrash.fuzzing.schedules import CaseBook
from gatecrash.reports.recording.ledger import Ledger
from gatecrash.reports.run.campaign import ControlRow

BEFORE: Final = "before"
AFTER: Final = "after"
DURING: Final = "during"
_DENIALS: Final = frozenset({Outcome.DENY, Outcome.REFUSED_BY_POLICY, Outcome.REJECTED})


def _control_cases(book: CaseBook) -> tuple[list[int], list[int]]:
    """Return the cases of the good and the bad controls."""
    return book.representatives, book.denied_representatives


def fire_controls(run: FuzzRun, moment: str) -> None:
    """Fire all controls, each twice in a fresh environment where there are such; the good ones may show a broken run.

    Twice, because an authorizer that only denies in a cold start is not broken but inconsistent.
    """
    good, bad = _control_cases(run.quick_book)
    outcomes = []
    for index in (*good, *bad):
        for answer in run.bench.fire([run.shots.of(index)] * 2):
            run.observer.record(index, answer, moment)
            if index in good:
                outcomes.append(answer.outcome)
    run.broken = why_broken(outcomes, moment)


def why_broken(outcomes: list[Outcome], moment: str) -> str | None:
    """Say why a run proves nothing, from the outcomes of the good controls; None when at least one was let in.

    Answers that break AWS's format are no reason: they are a finding.
    """
    kinds = set(outcomes)
    when = "before the first attack" if moment == BEFORE else "after the last attack"
    names = ", ".join(sorted(outcome.value.replace("_", " ") for outcome in kinds))
    if not outcomes:
        return "there is no valid request: the credentials make none"
    if kinds <= _DENIALS:
        return (
            f"every valid credential was turned away {when} ({names}): the credentials that were given don't fit this "
            "authorizer, or it is broken; check credentials.* in the settings"
        )
    if not any(outcome.tells_latency for outcome in kinds):
        return f"the target could not be reached {when} ({names})"
    if kinds <= {Outcome.HANDLER_ERROR, Outcome.TIMED_OUT}:
        return f"the authorizer fails for every valid credential {when} ({names}): it is broken, or lacks its setup"
    return None


def control_rows(ledger: Ledger, book: CaseBook) -> list[ControlRow]:
    """Return what the controls were answered before, during and after."""
    good, bad = _control_cases(book)
    rows = []
    for indices, expected, name in (
        (good, Expectation.ALLOW, "valid credential by {}"),
        (bad, Expectation.DENY, "invalid credential by {}"),
    ):
        for carrier in dict.fromkeys(book.carriers[index] for index in indices):
            counts: dict[str, Counter[str]] = {BEFORE: Counter(), DURING: Counter(), AFTER: Counter()}
            for index in indices:
                if book.carriers[index] == carrier:
                    for sighting in ledger.entry(index).sightings:
                        for phase, count in sighting.phases.items():
                            moment = phase if phase in {BEFORE, AFTER} else DURING
                            counts[moment][sighting.outcome.value] += count
            rows += [
                ControlRow(name.format(carrier), moment, expected.value, dict(outcomes))
                for moment, outcomes in counts.items()
                if outcomes
            ]
    return rows
