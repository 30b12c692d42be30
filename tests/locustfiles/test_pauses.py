import time

import gevent
from gevent.event import Event

from gatecrash.firing.pauses import LetFire


def test_others_run_while_somebody_works_in_pieces_and_not_before_a_piece_is_done():
    pause, ended, seen = LetFire(), Event(), []

    def other():
        while not ended.is_set():
            seen.append(time.perf_counter())
            gevent.sleep(0)

    def work():
        for _ in range(20):
            ends = time.perf_counter() + 0.002
            while time.perf_counter() < ends:
                pass
            pause()
        ended.set()

    # A timer counts from when the loop last looked at the clock, which may be long ago when a test begins.
    gevent.get_hub().loop.update_now()
    began = time.perf_counter()
    greenlets = [gevent.spawn(other), gevent.spawn(work)]
    gevent.joinall(greenlets, timeout=20, raise_error=True)
    assert len(seen) > 20
    # The same moves the ends of the pauses themselves.
    assert time.perf_counter() - began >= 20 * 0.0021


def test_pieces_that_take_no_time_are_done_together():
    pause, turns = LetFire(), []
    greenlet = gevent.spawn(lambda: turns.append(1))
    pause._since = time.perf_counter() + 3600.0
    for _ in range(1000):
        pause()
    assert turns == []
    greenlet.join()
    assert turns == [1]
