"""Clocks are handed in: no test moves one of the machine's."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gatecrash.authorizers import wire
from gatecrash.reports.recording.clocks import SLEEP, STEP, ClockJump, ClockWatch, jump_sentences
from gatecrash.reports.recording.recording import Recording


class Machine:
    """Three clocks that can be moved."""

    def __init__(self):
        self.wall, self.monotonic, self.boot = 1_700_000_000.0, 100.0, 100.0
        self.watch = ClockWatch(wall=lambda: self.wall, monotonic=lambda: self.monotonic, boot=lambda: self.boot)

    def run(self, seconds):
        self.wall, self.monotonic, self.boot = self.wall + seconds, self.monotonic + seconds, self.boot + seconds

    def sleep(self, seconds):
        self.wall, self.boot = self.wall + seconds, self.boot + seconds


@pytest.mark.parametrize("step", [-12.3, 0.2, 3600.0])
def test_a_step_of_the_wall_clock_is_seen_once(step):
    machine = Machine()
    machine.run(45.0)
    assert machine.watch.look(45.0) == []
    machine.wall += step
    (seen,) = machine.watch.look(45.5)
    assert (seen.kind, seen.second, seen.seconds) == (STEP, 45.5, pytest.approx(step))
    machine.run(1.0)
    assert machine.watch.look(46.5) == []


def test_a_sleep_of_the_machine_is_no_step():
    machine = Machine()
    machine.sleep(30.0)
    (seen,) = machine.watch.look(10.0)
    assert (seen.kind, seen.seconds) == (SLEEP, pytest.approx(30.0))


def test_a_sleep_and_a_step_at_once_are_told_apart():
    machine = Machine()
    machine.sleep(30.0)
    machine.wall -= 5.0
    assert [(one.kind, round(one.seconds, 6)) for one in machine.watch.look(1.0)] == [(SLEEP, 30.0), (STEP, -5.0)]


@given(st.lists(st.floats(0.01, 100.0), max_size=30), st.floats(-0.0005, 0.0005))
def test_a_clock_that_is_slewed_and_looked_at_often_is_not_told(waits, slew):
    machine = Machine()
    for wait in waits:
        machine.run(wait)
        machine.wall += slew * wait
        assert machine.watch.look(0.0) == []


def test_a_process_that_has_to_wait_between_two_clocks_sees_no_step():
    moments = iter([0.0, 0.0, 1.0, 6.0, 6.0])
    walls = iter([100.0, 105.0, 106.0])
    monotonic = lambda: next(moments)  # noqa: E731
    watch = ClockWatch(wall=lambda: next(walls), monotonic=monotonic, boot=iter([0.0, 1.0, 6.0]).__next__)
    assert watch.look(1.0) == []


def test_what_several_workers_saw_of_one_machine_is_told_once():
    seen = [ClockJump(STEP, 45.2, -12.3), ClockJump(STEP, 45.6, -12.32), ClockJump(STEP, 50.0, -12.3)]
    sentences = jump_sentences([*seen, ClockJump(SLEEP, 45.3, 8.0)])
    assert [sentence.partition(":")[0] for sentence in sentences] == [
        "the clock was set back by 12.3 s at second 45",
        "the machine slept for 8.0 s at second 45",
        "the clock was set back by 12.3 s at second 50",
    ]


def test_the_real_clocks_of_this_machine_run_on():
    assert ClockWatch().look(0.0) == []


def test_a_worker_sends_what_its_clocks_did_and_the_run_folder_keeps_it():
    worker, whole = Recording(clock_jumps=[ClockJump(STEP, 2.0, 1.5)]), Recording()
    whole.add(Recording.decode(worker.encode()))
    assert Recording.from_json(wire.decode(b"".join(whole.pieces()))).clock_jumps == worker.clock_jumps
