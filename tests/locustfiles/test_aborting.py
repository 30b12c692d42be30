"""What ends a run early: a threshold that has failed, of a run under load alone."""

from dataclasses import replace

import pytest

from gatecrash.firing.aborting import failed_sentence
from gatecrash.reports.plan.plan import Phase, Plan
from tests.locustfiles.simulated import SEARCH
from tests.reports.samples import INFO, good_recording

SETTINGS = {"thresholds": {"abort_if": ["latency.p50 > 1us", "exchanges > 5"]}}
PLAN = Plan("runs/x", "corpus", {}, info=replace(INFO, settings=SETTINGS))


def test_a_run_under_load_ends_by_the_first_that_failed():
    assert failed_sentence(PLAN, good_recording(), 35.0).startswith("the threshold latency.p50 <= 0.001ms failed")


@pytest.mark.parametrize(
    "plan",
    [replace(PLAN, capacity=SEARCH), replace(PLAN, phases=(Phase("sustained", (0,), 1, 3.0),))],
    ids=["search", "phases"],
)
def test_nothing_ends_a_search_or_the_phases_of_a_fuzz_run(plan):
    assert failed_sentence(plan, good_recording(), 35.0) == ""


def test_what_has_too_few_exchanges_ends_nothing():
    wanted = {"thresholds": {"abort_if": ["error_rate < 50%", "latency.p99 > 1us"]}}
    plan = replace(PLAN, info=replace(INFO, settings=wanted))
    assert failed_sentence(plan, good_recording(40), 35.0) == ""
    assert failed_sentence(plan, good_recording(60), 35.0).startswith("the threshold error_rate >= 50% failed")
