import pytest

from gatecrash.authorizers.contract import Outcome
from gatecrash.reports.recording.recording import Recording
from gatecrash.reports.run.summary import summarise
from tests.reports.samples import (
    THROTTLED,
    allow,
    busy_summary,
    deny,
    empty_summary,
    exchange,
    fault,
    good_recording,
    good_summary,
    run_of,
)


def row(summary, outcome, kind):
    (found,) = [row for row in summary.latencies if (row.outcome, row.kind) == (outcome, kind)]
    return found


def test_the_numbers_of_a_busy_run():
    summary = busy_summary()
    assert (summary.planned, summary.dropped, summary.exchanges, summary.warm_up_exchanges) == (3000, 4, 2996, 500)
    assert (summary.planned_rate, summary.measured_seconds) == (100.0, 30.0)
    assert summary.achieved_rate == pytest.approx(2996 / 30.0)
    assert sum(summary.outcomes.values()) == summary.exchanges
    assert summary.throttle_rate == summary.outcomes["throttled"] / summary.exchanges
    assert summary.cases_seen == 400
    assert summary.wrong_bound is None


def test_a_stall_shows_in_the_response_time_and_not_in_the_service_time():
    summary = busy_summary()
    assert row(summary, None, "service_time").maximum < 100
    assert row(summary, None, "response_time").maximum == pytest.approx(1000, rel=0.05)
    stalled = next(second for second in summary.seconds if second.second == 17)
    assert stalled.response_p95 > 10 * stalled.service_p95


def test_all_answered_leaves_out_what_the_authorizer_did_not_answer():
    recording = Recording()
    for answer in (allow(), deny(), THROTTLED, fault(Outcome.TRANSPORT_ERROR), fault(Outcome.UNAVAILABLE)):
        recording.add_exchange(exchange(answer), tuple)
    summary = summarise(run_of(recording))
    assert row(summary, None, "service_time").count == row(summary, None, "response_time").count == 2
    assert row(summary, "throttled", "service_time").count == 1


def test_the_warm_up_is_in_no_number_but_its_own():
    recording = Recording()
    recording.add_arrival(0.5, 0.0, warm_up=True)
    recording.add_exchange(exchange(start=0.5, warm_up=True, service=9.0), tuple)
    recording.add_arrival(1.5, 0.0, warm_up=False)
    recording.add_exchange(exchange(start=1.5), tuple)
    summary = summarise(run_of(recording))
    assert (summary.planned, summary.exchanges, summary.warm_up_exchanges) == (1, 1, 1)
    assert row(summary, None, "service_time").maximum < 11
    assert [second.warm_up for second in summary.seconds] == [True, False]


def test_the_rule_of_three_when_nothing_wrong_was_seen():
    assert good_summary().wrong_bound == pytest.approx(3 / 300)
    assert empty_summary().wrong_bound is None
    assert summarise(run_of(good_recording(2))).wrong_bound == 1.0


def test_a_stopped_run_is_measured_as_far_as_it_got():
    summary = summarise(run_of(good_recording(), complete=False, stopped_by="SIGTERM", elapsed=15.0))
    assert summary.measured_seconds == 10.0
    assert summary.verdict.word == "STOPPED"
