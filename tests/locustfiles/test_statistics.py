"""Locust's own table, filled in batches, says what single events would have said."""

from locust.env import Environment
from locust.stats import StatsEntry

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gatecrash.authorizers.contract import Expectation, Outcome
from gatecrash.locustfiles._statistics import BatchedStatistics, failure_of, is_listened_to, rounded

OUTCOMES = st.sampled_from([Outcome.ALLOW, Outcome.DENY, Outcome.THROTTLED, Outcome.TIMED_OUT])
ROWS = st.lists(
    st.tuples(
        OUTCOMES, st.sampled_from(["valid", "attack"]), st.sampled_from(list(Expectation)), st.integers(0, 40_000)
    ),
    min_size=1,
    max_size=50,
)


@pytest.fixture(scope="module")
def environment():
    made = Environment()
    made.create_local_runner()
    yield made
    made.runner.quit()


@given(ROWS)
def test_a_batch_says_what_single_events_say(environment, rows):
    single, statistics = Environment(), BatchedStatistics()
    environment.stats.clear_all()
    for outcome, family, expectation, milliseconds in rows:
        statistics.log(outcome, family, expectation, milliseconds * 1_000_000)
        single.stats.log_request(outcome.value, family, milliseconds, 0)
        if (failure := failure_of(outcome, expectation)) is not None:
            single.stats.log_error(outcome.value, family, failure)
    statistics.flush(environment)
    for batched, alone in [
        (environment.stats.total, single.stats.total),
        *((environment.stats.entries[key], entry) for key, entry in single.stats.entries.items()),
    ]:
        for name in ("num_requests", "num_failures", "min_response_time", "max_response_time", "response_times"):
            assert getattr(batched, name) == getattr(alone, name), name
        assert batched.total_response_time == pytest.approx(alone.total_response_time)
    assert {key: error.occurrences for key, error in environment.stats.errors.items()} == {
        key: error.occurrences for key, error in single.stats.errors.items()
    }
    statistics.flush(environment)
    assert environment.stats.total.num_requests == len(rows)


@given(st.integers(0, 10**6))
def test_times_are_rounded_as_locust_rounds_them(milliseconds):
    entry = StatsEntry(Environment().stats, "name", "method")
    entry.log(milliseconds, 0)
    assert list(entry.response_times) == [rounded(milliseconds)]


def test_a_throttle_is_no_failure_and_a_wrong_decision_is_one():
    assert failure_of(Outcome.THROTTLED, Expectation.DENY) is None
    assert failure_of(Outcome.DENY, Expectation.DENY) is None
    assert "allow where deny was expected" in str(failure_of(Outcome.ALLOW, Expectation.DENY))
    assert str(failure_of(Outcome.TIMED_OUT, Expectation.OPEN)) == "timed_out"


def test_events_are_fired_when_somebody_else_listens(environment):
    assert not is_listened_to(environment)
    listener = environment.events.request.add_listener(lambda **_: None)
    assert is_listened_to(environment)
    environment.events.request.remove_listener(listener)
