"""A made-up fuzz run with one finding of each classification."""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from typing import Any

from gatecrash.authorizers.contract import Expectation
from gatecrash.reports.oracles import rules
from gatecrash.reports.oracles.findings import Classification, Confirmation, Finding
from gatecrash.reports.plan.facts import PlanFacts
from gatecrash.reports.recording.recording import Recording
from gatecrash.reports.run.campaign import Campaign, ControlRow, CoverageRow, PhaseRow
from gatecrash.reports.run.folder import StoredRun
from gatecrash.reports.run.summary import Summary, summarise
from tests.reports.samples import HOSTILE, INFO, allow, deny, exchange, good_recording, judged, run_of

# What findings had not before there were fuzz runs.
NEW_MEMBERS = (
    *("description", "source", "also", "phases", "first_exchange", "confirmation", "shrunk", "size"),
    *("accepted_until", "measured"),
)
POLICY = '{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"*","Resource":"*"}]}'
CARRIERS = ("bearer_header", "mqtt_password", "token_in_query")
OTHER = "is made for other credentials than jwt"
CAMPAIGN = Campaign(
    credential="jwt",
    phases=(
        PhaseRow("alone", "in process", 541, 609, 2.252),
        PhaseRow("sequential", "in process", 12017, 12017, 0.884),
        PhaseRow("steady", "gateway", 300, 300, 6.02),
    ),
    controls=(
        ControlRow("valid credential by bearer_header", "before", "allow", {"allow": 1}),
        ControlRow("valid credential by bearer_header", "during", "allow", {"allow": 3014, "timed_out": 2}),
        ControlRow("invalid credential by bearer_header", "after", "deny", {"deny": 1, "refused_by_policy": 1}),
    ),
    coverage=(
        *(CoverageRow("jwt_algorithm", carrier, 1090) for carrier in CARRIERS),
        *(CoverageRow("opaque_secret", carrier, 0, OTHER) for carrier in CARRIERS),
        CoverageRow("http_header", "bearer_header", 88),
        CoverageRow("http_header", "mqtt_password", 0, "would change nothing here"),
        CoverageRow("http_header", "token_in_query", 34),
    ),
    confirmations=4886,
)


def found(classification: Classification, violations: int, times: int, after: int = 0, **more: Any) -> Finding:
    """Return a finding with a confirmation, and with every other member of a fuzz run's finding."""
    plain, *_ = judged(Expectation.DENY, allow(POLICY))
    members: dict[str, Any] = {
        "rule": rules.FAIL_OPEN,
        "cause": "a token without an algorithm is believed",
        "case_name": "jwt_algorithm/none_lower",
        "description": "Name the algorithm none, and leave the signature out.",
        "source": "RFC 8725 section 3.2",
        "phases": ("sequential", "steady"),
        "first_exchange": 2377,
        "size": 1,
        "shrunk": True,
        "exchanges": 12,
        "cases": 3,
    }
    return replace(plain, **{**members, **more}, confirmation=Confirmation.of(classification, violations, times, after))


SETUP = [
    {"name": "valid/jwt by bearer_header", "recipe": {"identity": 0, "carrier": "bearer_header", "mutations": []}},
    {"name": "jwt_claims/expired", "recipe": {"identity": 1, "carrier": "bearer_header", "mutations": [["x", 1]]}},
]


def fuzz_findings() -> list[Finding]:
    """Return one finding of each classification, an accepted one, and two notes."""
    also = tuple(f"jwt_algorithm/none_{number}" for number in range(6))
    reproducer = {"index": 4, "recipe": {"identity": 0}, "setup": SETUP}
    changed = {"rule": rules.OUTCOME_CHANGED, "cause": "allow or deny", "size": 0, "shrunk": False}
    return [
        found(Classification.DETERMINISTIC, 15, 15, also=also),
        found(
            Classification.AFTER_ANOTHER,
            5,
            5,
            reproducer=reproducer,
            cause="an earlier request in the same environment changes the answer",
        ),
        found(Classification.NOT_SEEN_AGAIN, 1, 3, rule=rules.INJECTED_POLICY, size=3, shrunk=False),
        found(Classification.FLAKY, 7, 2000, **changed),
        found(Classification.AFTER_MANY, 1799, 1799, 201, **changed),
        found(Classification.COLD_START, 6, 6, rule=rules.HANDLER_ERROR, cause="KeyError"),
        found(Classification.UNDER_LOAD, 13, 480, rule=rules.POLICY_CHANGED, cause=""),
        found(Classification.TIME_BOUNDARY, 3, 40, rule=rules.WRONG_DENIAL, cause="denied a second too early"),
        found(
            Classification.DETERMINISTIC,
            9,
            9,
            rule=rules.SLOW_REQUEST,
            cause="a long name is matched with backtracking",
            measured="4,810 ms, 1,203 times as long as a valid request",
            accepted_until="2026-12-31",
        ),
        found(Classification.DETERMINISTIC, 15, 15, rule=rules.BETTER_DENIED, cause="padding is accepted"),
        found(Classification.FLAKY, 3, 9, rule=rules.PRINCIPAL_CHANGED, cause="", also=also * 4),
    ]


def fuzz_run(findings: list[Finding], campaign: Campaign = CAMPAIGN, recording: Recording | None = None) -> StoredRun:
    """Return a fuzz run with these findings."""
    run = run_of(recording or good_recording())
    info = replace(INFO, name="fuzz", plan=PlanFacts(1, "fuzz"))
    return replace(run, info=info, findings=findings, campaign=campaign)


@cache
def fuzz_summary() -> Summary:
    """Return the summary of a run with one finding of each classification."""
    return summarise(fuzz_run(fuzz_findings()))


@cache
def clean_fuzz_summary() -> Summary:
    """Return the summary of a fuzz run that found nothing."""
    return summarise(fuzz_run([]))


@cache
def broken_fuzz_summary() -> Summary:
    """Return the summary of a fuzz run against an authorizer that lets nobody in."""
    recording = Recording()
    recording.add_exchange(exchange(deny()), tuple)
    reason = "every valid credential was turned away before the first attack (deny)"
    return summarise(fuzz_run([], Campaign("jwt", broken=reason), recording))


def hostile_fuzz_summary() -> Summary:
    """Return the summary of a fuzz run in which every text is hostile."""
    step = {"name": HOSTILE, "recipe": {HOSTILE: HOSTILE}}
    finding = found(
        Classification.AFTER_ANOTHER,
        5,
        5,
        cause=HOSTILE,
        case_name=HOSTILE,
        description=HOSTILE,
        source=HOSTILE,
        also=(HOSTILE,) * 5,
        phases=(HOSTILE,),
        accepted_until=HOSTILE,
        measured=HOSTILE,
        reproducer={"setup": [step]},
        request={HOSTILE: HOSTILE},
    )
    campaign = Campaign(
        HOSTILE,
        (PhaseRow(HOSTILE, HOSTILE, 1, 2, 0.5),),
        (ControlRow(HOSTILE, HOSTILE, HOSTILE, {HOSTILE: 1}),),
        (CoverageRow(HOSTILE, HOSTILE, 0, HOSTILE), CoverageRow(HOSTILE, "other", 1)),
        HOSTILE,
    )
    return summarise(fuzz_run([finding], campaign))
