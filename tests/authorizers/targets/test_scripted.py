"""The scripted target does what its script says, seeded, with a clock of the test's own."""

from collections import Counter

import pytest

from gatecrash.authorizers.contract import Answer, AuthorizerRequest, Decision, MqttContext, Outcome
from gatecrash.authorizers.targets.scripted import Limits, Script, ScriptedTarget, allow_all

REQUEST = AuthorizerRequest(mqtt_context=MqttContext(client_id="device-1"))


class Time:
    """Time that passes only by sleeping."""

    def __init__(self):
        self.now = 1000.0
        self.slept = []

    def sleep(self, seconds):
        self.slept.append(seconds)
        self.now += seconds

    def clock(self):
        return self.now


def scripted(script, decide=allow_all):
    time = Time()
    return ScriptedTarget(script, decide, sleep=time.sleep, clock=time.clock), time


def outcomes(script, count=4000, decide=allow_all):
    target, _ = scripted(script, decide)
    return [target.invoke(REQUEST).outcome for _ in range(count)]


def test_without_a_script_everything_is_allowed():
    answer = ScriptedTarget(sleep=lambda _: None).invoke(REQUEST)
    assert answer.outcome is Outcome.ALLOW
    assert answer.decision.is_authenticated


def test_each_request_waits_for_the_latency():
    target, time = scripted(Script(latency=0.25))
    for _ in range(3):
        target.invoke(REQUEST)
    assert time.slept == [0.25, 0.25, 0.25]


def test_jitter_adds_between_nothing_and_all_of_itself():
    target, time = scripted(Script(latency=0.1, jitter=0.05))
    for _ in range(500):
        target.invoke(REQUEST)
    assert 0.1 <= min(time.slept) < 0.105
    assert 0.145 < max(time.slept) <= 0.15


def test_a_stall_holds_every_request_until_its_end():
    target, time = scripted(Script(latency=0.0, stall_at=1.0, stall=2.0))
    waits = []
    for elapsed in (0.0, 0.5, 1.0, 1.5, 2.999, 3.0, 10.0):
        time.now = 1000.0 + elapsed
        target.invoke(REQUEST)
        waits.append(time.slept[-1])
    assert waits == pytest.approx([0.0, 0.0, 2.0, 1.5, 0.001, 0.0, 0.0])


def test_a_stall_counts_from_the_first_request():
    target, time = scripted(Script(latency=0.0, stall_at=0.0, stall=2.0))
    time.now = 5000.0
    target.invoke(REQUEST)
    assert time.slept == [2.0]


def test_shares_are_what_the_script_says():
    found = Counter(outcomes(Script(throttle_rate=0.2, error_rate=0.1, flip_rate=0.3)))
    shares = {outcome: count / 4000 for outcome, count in found.items()}
    assert shares == {
        Outcome.THROTTLED: pytest.approx(0.2, abs=0.03),
        Outcome.HANDLER_ERROR: pytest.approx(0.1, abs=0.03),
        Outcome.DENY: pytest.approx(0.3, abs=0.03),
        Outcome.ALLOW: pytest.approx(0.4, abs=0.03),
    }


@pytest.mark.parametrize(
    ("script", "outcome"),
    [
        (Script(throttle_rate=1.0), Outcome.THROTTLED),
        (Script(error_rate=1.0), Outcome.HANDLER_ERROR),
        (Script(flip_rate=1.0), Outcome.DENY),
        (Script(), Outcome.ALLOW),
    ],
)
def test_a_share_of_one_is_always_and_of_none_never(script, outcome):
    assert set(outcomes(script, 200)) == {outcome}


def test_the_same_seed_gives_the_same_answers_and_another_others():
    script = Script(throttle_rate=0.3, flip_rate=0.3, seed=7)
    assert outcomes(script, 200) == outcomes(script, 200)
    assert outcomes(script, 200) != outcomes(Script(throttle_rate=0.3, flip_rate=0.3, seed=8), 200)


def test_only_what_is_allowed_is_flipped():
    refused = Answer(Outcome.REFUSED_BY_POLICY, Decision(True, "x", (), 300, 300))
    assert set(outcomes(Script(flip_rate=1.0), 50, lambda _: refused)) == {Outcome.REFUSED_BY_POLICY}


def test_a_flipped_answer_is_a_denial_with_a_decision():
    target, _ = scripted(Script(flip_rate=1.0))
    assert target.invoke(REQUEST).decision == Decision(False, "scripted", (), 300, 86400)


def test_with_a_concurrency_requests_wait_for_their_turn():
    limits = Limits(Script(latency=0.1, concurrency=2))
    assert [round(limits.admit(0.0).seconds, 3) for _ in range(5)] == [0.1, 0.1, 0.2, 0.2, 0.3]
    assert limits.admit(0.15).seconds == pytest.approx(0.15)


def test_a_token_bucket_lets_through_what_was_saved_up_and_then_its_rate():
    limits = Limits(Script(bucket_rate=10, bucket_burst=3))
    assert [limits.admit(0.0) is not None for _ in range(4)] == [True, True, True, False]
    assert limits.admit(0.05) is None
    assert limits.admit(0.101) is not None
    let_through = sum(limits.admit(1 + number / 100) is not None for number in range(1000))
    assert let_through == pytest.approx(103, abs=2)


def test_a_throttle_is_an_answer_of_the_service():
    target, time = scripted(Script(bucket_rate=1, bucket_burst=1))
    assert [target.invoke(REQUEST).outcome for _ in range(2)] == [Outcome.ALLOW, Outcome.THROTTLED]
    assert len(time.slept) == 1


def test_above_a_rate_decisions_are_turned_round_and_below_it_none():
    script = Script(latency=0.0, wrong_above=100, wrong_share=0.5)
    for gap, wrong in ((1 / 90, 0.0), (1 / 110, 0.5)):
        target, time = scripted(script)
        seen = []
        for _ in range(2000):
            seen.append(target.invoke(REQUEST).outcome)
            time.now += gap
        # The rate is taken over two seconds.
        assert seen[400:].count(Outcome.DENY) / len(seen[400:]) == pytest.approx(wrong, abs=0.05)


def test_each_request_in_flight_slows_the_next():
    limits = Limits(Script(latency=0.1, slowdown=0.5))
    assert [limits.admit(0.0).seconds for _ in range(3)] == pytest.approx([0.1, 0.15, 0.2])
    # The first of them is answered.
    assert limits.admit(0.12).seconds == pytest.approx(0.2)
    assert limits.admit(1.0).seconds == pytest.approx(0.1)


def test_what_takes_longer_is_in_flight_longer():
    limits = Limits(Script(latency=0.1, slowdown=0.5))
    assert limits.admit(0.0, more=2.0).seconds == pytest.approx(2.1)
    assert limits.admit(2.0).seconds == pytest.approx(0.15)
    assert limits.admit(2.2).seconds == pytest.approx(0.1)


def test_who_wakes_late_is_not_in_flight_for_longer():
    target, time = scripted(Script(latency=0.1, slowdown=1.0))
    target.invoke(REQUEST)
    time.now += 0.5
    target.invoke(REQUEST)
    assert time.slept == pytest.approx([0.1, 0.1])
