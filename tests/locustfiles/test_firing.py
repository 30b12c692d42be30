import json
import time
from dataclasses import replace

import gevent

import pytest

from gatecrash.authorizers.contract import Answer, Outcome
from gatecrash.authorizers.targets.scripted import Script, ScriptedTarget
from gatecrash.firing.arrivals import Share
from gatecrash.firing.firing import Firing
from gatecrash.firing.pauses import let_fire
from gatecrash.generators.corpus_builder import CorpusPlan, build_corpus
from gatecrash.reports.capacity.objectives import Objectives
from gatecrash.reports.capacity.probes import Step, StepKind
from gatecrash.reports.plan.plan import CLOSED, OPEN, Phase, Plan
from gatecrash.reports.recording.clocks import ClockWatch
from gatecrash.reports.recording.records import LatencyKind
from tests.locustfiles.simulated import SEARCH


@pytest.fixture
def corpus(tmp_path):
    table = tmp_path / "devices.jsonl"
    rows = [{"username": f"u{n}", "password": f"pass-{n}", "client_id": f"c{n}"} for n in range(5)]
    table.write_text("\n".join(map(json.dumps, rows)))
    settings = {"kind": "password", "table": str(table)}
    built = build_corpus(CorpusPlan(settings, None, 1, 10, 1.0, 0), tmp_path / "cache", processes=1)
    yield built
    built.close()


def fire_all(firing, slots):
    """Run slots as Locust's users would, until all is fired."""

    def slot():
        while True:
            arrival = firing.source.next_arrival()
            if arrival is not None:
                firing.fire(arrival)

    greenlets = [gevent.spawn(slot) for _ in range(slots)]
    with gevent.Timeout(20):
        while not firing.finished:
            gevent.sleep(0.01)
    gevent.killall(greenlets)
    return firing.take_recording()


def started(plan, corpus, target, *, clocks=None):
    firing = Firing(plan, Share(0, 1), corpus, target, clocks=clocks)
    firing.start()
    return firing


def firing_of(corpus, script=None, *, clocks=None, **values):
    plan = Plan(run_folder="unused", corpus=str(corpus.folder), target={}, **values)
    return started(plan, corpus, ScriptedTarget(script, sleep=gevent.sleep), clocks=clocks)


def test_every_planned_arrival_is_fired_once_with_the_warm_up_apart(corpus):
    recording = fire_all(firing_of(corpus, rate=100, warm_up=0.5, duration=0.5), slots=5)
    assert recording.outcomes == {Outcome.ALLOW: 50}
    assert recording.warm_up_exchanges == 50
    assert sum(second.planned for _, second in recording.series) == 100
    assert {index for index, _ in recording.ledger} == set(range(10))


def test_a_stall_shows_in_the_response_time_and_hardly_in_the_service_time(corpus):
    script = Script(latency=0.001, stall_at=0.5, stall=0.5)
    recording = fire_all(firing_of(corpus, script, rate=100, warm_up=0, duration=2), slots=4)
    service = recording.latencies.total(LatencyKind.SERVICE_TIME)
    response = recording.latencies.total(LatencyKind.RESPONSE_TIME)
    assert service.count == response.count == 200
    assert service.percentile(95) < 50
    assert response.percentile(95) > 200


class Timed:
    """A target whose answers are taken up long after they came; ``early`` says how long, in seconds."""

    def __init__(self, early, outcome=Outcome.ALLOW):
        self.early = early
        self.outcome = outcome
        self.received = None

    def invoke_prepared(self, body, request):
        gevent.sleep(0.03)
        self.received = None if self.early is None else time.perf_counter() - self.early
        return Answer(self.outcome)

    def call_before_reading(self, callback):
        pass

    def close(self):
        pass


@pytest.mark.parametrize(
    ("early", "lowest", "highest", "timed_here"),
    [(None, 29.9, 200, 20), (0.02, 9.9, 29, 0), (10.0, 0, 0.01, 0)],
    ids=["seen", "by the kernel", "before it was sent"],
)
def test_an_answer_has_come_when_the_target_says_so(corpus, early, lowest, highest, timed_here):
    plan = Plan(run_folder="unused", corpus=str(corpus.folder), target={}, rate=100, warm_up=0, duration=0.2)
    recording = fire_all(started(plan, corpus, Timed(early)), slots=20)
    service = recording.latencies.total(LatencyKind.SERVICE_TIME)
    assert service.count == 20
    assert lowest <= service.percentile(50) <= highest
    assert recording.timed_here == timed_here
    assert recording.is_timed_by_kernel is (timed_here == 0)


@pytest.mark.parametrize(("outcome", "wrong"), [(Outcome.ALLOW, 0), (Outcome.DENY, 20), (Outcome.THROTTLED, 0)])
def test_decisions_that_a_case_does_not_expect_are_counted_as_wrong(corpus, outcome, wrong):
    plan = Plan(run_folder="unused", corpus=str(corpus.folder), target={}, rate=100, warm_up=0, duration=0.2)
    recording = fire_all(started(plan, corpus, Timed(None, outcome)), slots=20)
    assert sum(second.wrong for _, second in recording.series) == wrong


def test_arrivals_that_wait_beyond_their_patience_are_dropped_and_counted(corpus):
    script = Script(latency=0.3)
    recording = fire_all(firing_of(corpus, script, rate=50, warm_up=0, duration=1, patience=0.1), slots=1)
    dropped = sum(second.dropped for _, second in recording.series)
    assert dropped > 0
    assert dropped + recording.outcomes.total() == 50


def test_what_waits_when_a_run_is_stopped_counts_as_dropped(corpus):
    firing = firing_of(corpus, rate=100, warm_up=0, duration=10)
    gevent.sleep(0.2)
    firing.stop()
    recording = firing.take_recording()
    planned = sum(second.planned for _, second in recording.series)
    assert planned > 5
    assert sum(second.dropped for _, second in recording.series) == planned


def test_the_closed_model_fires_as_fast_as_its_users_do(corpus):
    firing = firing_of(corpus, Script(latency=0.05), model=CLOSED, warm_up=0, duration=1)
    recording = fire_all(firing, slots=4)
    assert 40 <= recording.outcomes.total() <= 84
    assert sum(second.planned for _, second in recording.series) == 0


def test_arrivals_that_find_no_slot_are_seen_to_wait_and_the_generator_is_not_late(corpus):
    firing = firing_of(corpus, Script(latency=0.05), rate=50, warm_up=0, duration=1)
    recording = fire_all(firing, slots=1)
    assert recording.delays.count == recording.outcomes.total() == 50
    assert recording.delays.percentile(50) > 100
    assert recording.lag.count > 100
    assert recording.lag.percentile(50) < 20


def test_a_halt_of_the_whole_process_is_seen_by_its_length(corpus):
    firing = firing_of(corpus, rate=20, warm_up=0, duration=1)
    gevent.spawn_later(0.3, time.sleep, 0.4)
    recording = fire_all(firing, slots=2)
    assert 0.3 < recording.lag.share_above(20) < 0.6


@pytest.mark.parametrize("model", [OPEN, CLOSED])
def test_a_step_of_the_clock_is_recorded_when_it_is_seen(corpus, model):
    ahead = 0.0
    clocks = ClockWatch(wall=lambda: time.monotonic() + ahead, boot=time.monotonic)
    firing = firing_of(corpus, Script(latency=0.05), clocks=clocks, model=model, rate=20, warm_up=0, duration=2)
    ahead = -12.3
    (jump,) = fire_all(firing, slots=2).clock_jumps
    assert (jump.kind, round(jump.seconds, 1)) == ("step", -12.3)
    assert 0 < jump.second < 2


def test_counting_goes_on_while_what_was_counted_is_taken(corpus):
    firing = firing_of(corpus, rate=200, warm_up=0, duration=1)
    taken = []

    def take_often():
        while not firing.finished:
            taken.append(firing.take_recording(let_fire))
            gevent.sleep(0.01)

    taker = gevent.spawn(take_often)
    last = fire_all(firing, slots=5)
    taker.join()
    assert sum(one.outcomes.total() for one in (*taken, last)) == 200


def test_taking_a_recording_leaves_nothing_to_take_twice(corpus):
    firing = firing_of(corpus, rate=50, warm_up=0, duration=0.5)
    assert fire_all(firing, slots=2).outcomes.total() == 25
    assert firing.take_recording().outcomes.total() == 0


def test_slots_that_wait_for_a_step_of_a_search_are_sent_away_when_it_is_stopped(corpus):
    firing = firing_of(corpus, rate=100, warm_up=0, duration=60, capacity=SEARCH)
    firing.source.begin_step(Step(0, StepKind.REST, rate=1.0, warm_up=0.0, seconds=50.0), frozenset(), 30.0)
    waiting = [gevent.spawn(firing.source.next_arrival) for _ in range(3)]
    gevent.sleep(0.01)
    assert not any(greenlet.ready() for greenlet in waiting)
    firing.stop()
    gevent.joinall(waiting, timeout=5)
    assert [greenlet.value for greenlet in waiting] == [None, None, None]
    assert all(greenlet.successful() for greenlet in waiting)


def test_a_step_that_is_over_has_told_all_of_its_arrivals_however_many_slots_hang(corpus):
    firing = firing_of(
        corpus,
        Script(latency=30),
        rate=100,
        duration=60,
        patience=5,
        capacity=replace(SEARCH, objectives=Objectives(latency=0.1)),
    )
    firing.source.begin_step(Step(0, StepKind.DOUBLE, rate=100.0, warm_up=0.0, seconds=0.5), frozenset(), 0.0)
    hanging = [gevent.spawn(lambda: firing.fire(firing.source.next_arrival())) for _ in range(2)]
    with gevent.Timeout(20):
        while not firing.source.report().closed:
            gevent.sleep(0.01)
    counts = firing.source.report().counts
    assert sum(one.due for one in counts.bins.values()) == 50
    assert sum(one.dropped for one in counts.bins.values()) == 48
    assert counts.waited >= 48
    firing.stop()
    gevent.killall(hanging)


def test_a_step_that_is_ended_early_is_over_soon(corpus):
    firing = firing_of(
        corpus, Script(latency=30), rate=100, duration=60, capacity=replace(SEARCH, objectives=Objectives(latency=0.1))
    )
    firing.source.begin_step(Step(0, StepKind.DOUBLE, rate=100.0, warm_up=0.0, seconds=50.0), frozenset(), 0.0)
    hanging = gevent.spawn(lambda: firing.fire(firing.source.next_arrival()))
    gevent.sleep(0.05)
    assert not firing.source.report().closed
    firing.source.end_step()
    with gevent.Timeout(20):
        while not firing.source.report().closed:
            gevent.sleep(0.01)
    firing.stop()
    hanging.kill()


def test_phases_are_fired_one_after_the_other_by_as_many_as_each_allows(corpus):
    phases = (Phase("one", (1, 2, 3), 1, 10.0), Phase("many", (4, 5, 6, 7) * 5, 4, 10.0, rate=200.0))
    firing = firing_of(corpus, Script(latency=0.02), phases=phases)
    recording = fire_all(firing, slots=8)
    assert recording.outcomes == {Outcome.ALLOW: 23}
    assert recording.warm_up_exchanges == 0
    assert sum(second.planned for _, second in recording.series) == 23
    assert firing.elapsed > 3 * 0.02 + 5 * 0.02
