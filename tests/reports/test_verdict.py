from dataclasses import replace

import pytest

from gatecrash.authorizers.contract import Expectation
from gatecrash.reports.recording.clocks import ClockJump
from gatecrash.reports.recording.latency import LatencyHistogram
from gatecrash.reports.recording.workers import WorkerFacts
from gatecrash.reports.run.folder import RunState
from gatecrash.reports.run.verdict import ExitCode, Measurement, Validity, ValidityJudgement, decide, judge_validity
from tests.reports.capacity_samples import found
from tests.reports.samples import allow, judged

WRONG = judged(Expectation.DENY, allow())
NOTE = judged(Expectation.OPEN, allow(principal="a"), allow(principal="b"))
SILENT = WorkerFacts("host-a", 11, 0, cpu=0.5, exchanges=60, reported=30.0, heard=30.0, silence=5.2)
LOST = WorkerFacts("host-b", 12, 1, exchanges=60, reported=6.5, heard=7.0, silence=23.0, missing=120, lost=True)
COMPLETE = RunState(elapsed=30.0, complete=True)
VALID = ValidityJudgement(Validity.VALID, ())
DEGRADED = ValidityJudgement(Validity.DEGRADED, ("a little late",))
INVALID = ValidityJudgement(Validity.INVALID, ("far too late",))


@pytest.mark.parametrize(
    ("found", "judgement", "stopped_by", "code", "word"),
    [
        ([], VALID, None, 0, "PASS"),
        (NOTE, VALID, None, 0, "PASS"),
        ([], DEGRADED, None, 0, "PASS"),
        (WRONG, VALID, None, 3, "FAIL"),
        ([*NOTE, *WRONG], DEGRADED, None, 3, "FAIL"),
        ([], INVALID, None, 4, "INVALID"),
        (WRONG, INVALID, None, 4, "INVALID"),
        ([], VALID, "SIGINT", 130, "STOPPED"),
        (WRONG, INVALID, "SIGINT", 130, "STOPPED"),
        (WRONG, INVALID, "SIGTERM", 143, "STOPPED"),
    ],
)
def test_the_exit_code_and_its_order(found, judgement, stopped_by, code, word):
    verdict = decide(found, judgement, RunState(complete=stopped_by is None, stopped_by=stopped_by))
    assert (verdict.exit_code, verdict.word) == (code, word)


def test_every_exit_code_is_the_documented_one():
    assert {code.name: code.value for code in ExitCode} == {
        "PASS": 0,
        "THRESHOLD_FAILED": 1,
        "USAGE": 2,
        "WRONG_DECISIONS": 3,
        "INVALID_MEASUREMENT": 4,
        "INTERRUPTED": 130,
        "TERMINATED": 143,
    }


def test_an_invalid_measurement_still_tells_of_wrong_decisions():
    reasons = decide(WRONG, INVALID, COMPLETE).reasons
    assert reasons == ("far too late", "GC101 allowed what must be denied (family/some_name)")


def measured(state=COMPLETE, *, planned=10_000, dropped=0, answered=10_000, outcomes=None, lag=0.0005, **more):
    histogram = LatencyHistogram()
    histogram.record(lag)
    outcomes = {"deny": 1} | (outcomes or {})
    return judge_validity(Measurement(state, planned, dropped, answered, outcomes, histogram, **more))


@pytest.mark.parametrize(
    ("judgement", "validity", "reason"),
    [
        (measured(), Validity.VALID, None),
        (measured(dropped=10), Validity.VALID, None),
        (measured(dropped=11), Validity.DEGRADED, "11 of 10000 planned arrivals were dropped"),
        (measured(dropped=501), Validity.INVALID, "501 of 10000 planned arrivals were dropped"),
        (measured(lag=0.099), Validity.VALID, None),
        (measured(lag=0.101), Validity.INVALID, "in 50 % of the time by 101 ms or more"),
        (measured(unaccounted=1), Validity.DEGRADED, "1 of 10000 planned arrivals were neither dropped nor recorded"),
        (measured(unaccounted=501), Validity.INVALID, "501 of 10000 planned arrivals were neither"),
        (
            measured(clock_jumps=(ClockJump("step", 45.2, -12.3),)),
            Validity.DEGRADED,
            "the clock was set back by 12.3 s at second 45",
        ),
        (measured(RunState(complete=True, cpu=0.91)), Validity.DEGRADED, "91% of a core"),
        (measured(RunState(complete=True, incidents=("the clock was set",))), Validity.DEGRADED, "the clock was set"),
        (
            measured(RunState(stopped_by="SIGINT", elapsed=3.0)),
            Validity.DEGRADED,
            "stopped early by SIGINT after 3.0 s",
        ),
        (measured(RunState(stopped_by="a full disk", elapsed=3.0)), Validity.INVALID, "after 3.0 s by a full disk"),
        (measured(RunState()), Validity.INVALID, "the run was cut off"),
        (measured(RunState(complete=True, workers=4, workers_lost=1)), Validity.INVALID, "1 of 4 workers were lost"),
        (measured(RunState(complete=True, master_cpu=0.91)), Validity.DEGRADED, "the master used 91% of a core"),
        (
            measured(RunState(complete=True, workers=2, worker_facts=(SILENT,))),
            Validity.DEGRADED,
            "worker 1 (host-a, process 11) was silent for 5.2 s; nothing that it recorded is missing",
        ),
        (
            measured(RunState(complete=True, workers=2, worker_facts=(replace(SILENT, silence=2.9),))),
            Validity.VALID,
            None,
        ),
        (
            measured(RunState(complete=True, workers=2, workers_lost=1, worker_facts=(LOST,))),
            Validity.INVALID,
            "lost, last heard in second 7.0, its records reach to second 6.5: about 120 planned arrivals are missing",
        ),
        (measured(planned=0, answered=0), Validity.INVALID, "no exchange was measured"),
        (measured(outcomes={"transport_error": 500}), Validity.VALID, None),
        (measured(outcomes={"transport_error": 300, "unavailable": 201}), Validity.INVALID, "501 of 10000 exchanges"),
        (measured(outcomes={"throttled": 9000, "handler_error": 1000}), Validity.VALID, None),
    ],
)
def test_validity_and_its_reason(judgement, validity, reason):
    assert judgement.validity is validity
    if reason is None:
        assert judgement.reasons == ()
    else:
        assert any(reason in given for given in judgement.reasons)


def test_what_degrades_a_run_of_several_workers_degrades_a_search_too():
    assert measured(capacity=found("queue")).validity is Validity.VALID
    # How busy a worker was is judged with each rate: most are fired to find out that they are too high.
    assert measured(RunState(complete=True, cpu=1.0), capacity=found("queue")).validity is Validity.VALID
    state = RunState(complete=True, workers=2, worker_facts=(SILENT,), master_cpu=0.95)
    judgement = measured(state, capacity=found("queue"))
    assert judgement.validity is Validity.DEGRADED
    master, silent = judgement.reasons
    assert master.startswith("the master used 95% of a core")
    assert silent.startswith("worker 1 (host-a, process 11) was silent for 5.2 s")


def test_throttles_alone_measure_nothing():
    histogram = LatencyHistogram()
    judgement = judge_validity(Measurement(COMPLETE, 10, 0, 10, {"throttled": 10}, histogram))
    assert judgement.validity is Validity.INVALID
    assert "all were throttled" in judgement.reasons[0]


def test_an_invalid_measurement_names_what_degrades_it_too():
    judgement = measured(RunState(complete=True, cpu=1.0), dropped=5000)
    assert len(judgement.reasons) == 2
