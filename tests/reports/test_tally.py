"""Counting while firing gives the recording that folding each exchange by itself gives."""

from collections import Counter
from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from gatecrash.authorizers.contract import Answer, Expectation, Outcome
from gatecrash.reports.recording.latency import cut_nanoseconds
from gatecrash.reports.recording.recording import Recording
from gatecrash.reports.recording.tally import Tally
from tests.reports.samples import THROTTLED, allow, deny, exchange
from tests.reports.test_ledger import comparable

WARM_UP = 2.5
# The same objects come again and again, as a target's cache gives them, and equal ones that are no such objects.
SHARED = [replace(allow(), invocation=None), replace(deny(), invocation=None), THROTTLED]
ANSWERS = st.sampled_from([*SHARED, allow(), allow(cold=True)]) | st.sampled_from(SHARED).map(lambda one: replace(one))
EXCHANGES = st.lists(
    st.builds(
        exchange,
        ANSWERS,
        case=st.integers(0, 3),
        start=st.floats(0, 6),
        service=st.floats(0, 3),
        wait=st.floats(0, 3),
    ),
    max_size=40,
)


def marked(one, phase):
    return one._replace(warm_up=one.intended_start < WARM_UP, phase=phase)


def counted(exchanges):
    tally = Tally(worker=0, warm_up=WARM_UP, offered_rate=100.0, secrets_of=lambda _: ())
    for one in exchanges:
        tally.add_timed_here()
        tally.add(one.case_index, one.intended_start, one.sent, one.received, one.answer, one.phase)
    return tally.take()


@given(EXCHANGES, st.sampled_from(["", "steady"]))
def test_a_tally_is_what_a_recording_would_be(exchanges, phase):
    exchanges = [marked(one, phase) for one in exchanges]
    whole, tallied = Recording(), counted(exchanges)
    for one in exchanges:
        whole.add_exchange(one, tuple)
    assert tallied.counts() == whole.counts()
    assert comparable(tallied.ledger) == comparable(whole.ledger)
    assert tallied.ledger.samples == whole.ledger.samples
    assert tallied.latencies.to_json() == whole.latencies.to_json()
    for (number, mine), (other_number, theirs) in zip(tallied.series, whole.series, strict=True):
        assert (number, mine.outcomes, mine.warm_up) == (other_number, theirs.outcomes, theirs.warm_up)
        for buckets, other_buckets in (
            (mine.service_times, theirs.service_times),
            (mine.response_times, theirs.response_times),
        ):
            # A latency that was cut may fall into the bucket below.
            pairs = zip(sorted(buckets.elements()), sorted(other_buckets.elements()), strict=True)
            assert all(other - 1 <= bucket <= other for bucket, other in pairs)


@given(EXCHANGES, st.integers(0, 40))
def test_what_was_taken_is_not_taken_again(exchanges, place):
    exchanges = [marked(one, "") for one in exchanges]
    tally = Tally(worker=0, warm_up=WARM_UP, offered_rate=100.0, secrets_of=lambda _: ())
    total = Recording()
    for part in (exchanges[:place], exchanges[place:]):
        for one in part:
            tally.add_timed_here()
            tally.add(one.case_index, one.intended_start, one.sent, one.received, one.answer, one.phase)
        total.add(tally.take())
    assert tally.take().counts() == Recording().counts()
    assert total.counts() == counted(exchanges).counts()
    assert comparable(total.ledger) == comparable(counted(exchanges).ledger)
    assert total.latencies.to_json() == counted(exchanges).latencies.to_json()


WANTED = [Expectation.ALLOW, Expectation.DENY, Expectation.OPEN, Expectation.DENY]


@given(EXCHANGES, st.integers(0, 40))
def test_wrong_decisions_are_counted_by_the_second_however_the_counts_are_taken_and_sent(exchanges, place):
    exchanges = [marked(one, "") for one in exchanges]
    tally = Tally(
        worker=0, warm_up=WARM_UP, offered_rate=1.0, secrets_of=lambda _: (), expectation_of=WANTED.__getitem__
    )
    total = Recording()
    for part in (exchanges[:place], exchanges[place:]):
        for one in part:
            tally.add(one.case_index, one.intended_start, one.sent, one.received, one.answer, "")
        total.add(Recording.decode(tally.take().encode()))
    wrong = Counter()
    for one in exchanges:
        outcome = one.answer.outcome
        is_wrong = outcome.is_decision and WANTED[one.case_index].is_met_by(outcome) is False
        wrong[int(one.intended_start)] += is_wrong
    assert {number: second.wrong for number, second in total.series} == dict(wrong)


def test_an_answer_that_the_service_refuses_is_no_wrong_decision():
    tally = Tally(
        worker=0, warm_up=0.0, offered_rate=1.0, secrets_of=lambda _: (), expectation_of=lambda _: Expectation.ALLOW
    )
    for outcome in Outcome:
        tally.add(0, 0.0, 0.0, 0.1, Answer(outcome), "")
    assert tally.take().series.second(0).wrong == sum(
        outcome.is_decision for outcome in Outcome if outcome is not Outcome.ALLOW
    )


def test_arrivals_drops_and_lags_are_counted_by_the_second():
    tally = Tally(worker=0, warm_up=WARM_UP, offered_rate=1.0, secrets_of=lambda _: ())
    tally.add_arrival(0.5, 9.0)
    tally.add_arrival(3.5, 0.25)
    tally.add_planned(3.6)
    tally.add_drop(3.6)
    tally.add_lag(1.0, 9.0)
    tally.add_lag(3.0, 0.125)
    recording = tally.take()
    assert [(number, second.planned, second.dropped, second.warm_up) for number, second in recording.series] == [
        (0, 1, 0, True),
        (3, 2, 1, False),
    ]
    assert (recording.delays.count, round(recording.delays.maximum)) == (1, 250)
    assert (recording.lag.count, round(recording.lag.maximum)) == (1, 125)


def test_secrets_are_asked_of_the_case_whose_answer_is_kept():
    asked = []
    tally = Tally(worker=0, warm_up=0.0, offered_rate=1.0, secrets_of=lambda case: asked.append(case) or ("hidden",))
    for _ in range(3):
        tally.add(7, 0.0, 0.0, 0.1, replace(THROTTLED, fault=replace(THROTTLED.fault, message="is hidden here")), "")
    (sample,) = tally.take().ledger.samples.values()
    assert asked == [7]
    assert sample["fault"]["message"] == "is *** here"


@given(st.floats(0, 4000))
def test_a_cut_latency_is_within_a_tenth_of_a_percent(seconds):
    cut = cut_nanoseconds(seconds) / 1e9
    assert 0 <= seconds - cut <= max(2e-9, seconds / 1000)


def test_a_response_time_comes_back_for_whoever_shows_it():
    tally = Tally(worker=0, warm_up=0.0, offered_rate=1.0, secrets_of=lambda _: ())
    assert tally.add(0, 1.0, 1.25, 1.5, SHARED[0], "") == cut_nanoseconds(0.5)
    assert tally.take().outcomes == {Outcome.ALLOW.value: 1}
