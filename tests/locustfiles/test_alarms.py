import time

import gevent

import pytest

from gatecrash.firing.alarms import Alarms


@pytest.fixture
def alarms():
    made = Alarms()
    yield made
    made.close()


def test_sleepers_wake_in_the_order_of_their_moments_and_never_early(alarms):
    woken = []

    def sleep(seconds):
        due = time.perf_counter() + seconds
        alarms.sleep(seconds)
        woken.append((seconds, time.perf_counter() - due))

    gevent.joinall([gevent.spawn(sleep, seconds) for seconds in (0.05, 0.01, 0.03, 0.01, 0.02)], raise_error=True)
    assert [seconds for seconds, _ in woken] == [0.01, 0.01, 0.02, 0.03, 0.05]
    assert min(late for _, late in woken) >= 0


def test_whoever_is_killed_in_sleep_keeps_nobody_else_from_waking(alarms):
    killed, other = gevent.spawn(alarms.sleep, 0.02), gevent.spawn(alarms.sleep, 0.03)
    gevent.sleep(0.01)
    killed.kill()
    other.join(timeout=5)
    assert other.successful()


def test_a_moment_that_is_over_wakes_at_once(alarms):
    gevent.spawn(alarms.sleep, -1.0).join(timeout=5)
    greenlet = gevent.spawn(alarms.sleep, 0.0)
    greenlet.join(timeout=5)
    assert greenlet.successful()


def test_who_wakes_may_sleep_again(alarms):
    def sleep_often():
        for _ in range(20):
            alarms.sleep(0.001)

    greenlets = [gevent.spawn(sleep_often) for _ in range(20)]
    gevent.joinall(greenlets, timeout=20)
    assert all(greenlet.successful() for greenlet in greenlets)


def test_without_a_kernel_timer_gevents_own_is_used(alarms, monkeypatch):
    monkeypatch.setattr("gatecrash.firing.alarms._open_timer", lambda _: None)
    plain = Alarms()
    started = time.perf_counter()
    plain.sleep(0.02)
    assert time.perf_counter() - started >= 0.019
    plain.close()
