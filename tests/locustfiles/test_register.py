"""A master's book of its workers, with a clock of the test's own."""

import pytest

from gatecrash.authorizers.contract import Answer, Decision, Outcome
from gatecrash.firing.messages import LOST_SECONDS
from gatecrash.firing.worker_register import WorkerRegister
from gatecrash.reports.plan.plan import CLOSED, Plan, Stage
from gatecrash.reports.recording.recording import Recording
from gatecrash.reports.recording.tally import Tally

DENY = Answer(Outcome.DENY, Decision(False, "p", (), 300, 3600), None)


class Clock:
    def __init__(self):
        self.now = 100.0

    def __call__(self):
        return self.now


def plan_of(**values):
    return Plan(run_folder="unused", corpus="unused", target={}, rate=100.0, warm_up=0.0, duration=20.0, **values)


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def register(clock):
    made = WorkerRegister(clock)
    for client_id, process_id in (("b", 2), ("a", 1)):
        made.greet(client_id, "host", process_id)
    made.begin(["b", "a"], plan_of())
    return made


def encoded(count):
    tally = Tally(worker=0, warm_up=0.0, offered_rate=1.0, secrets_of=lambda _: ())
    for number in range(count):
        tally.add(number, 1.0, 1.0, 1.1, DENY, "")
    return tally.take().encode()


def report(*reports, last=None, finished=False, cpu=0.1):
    return {
        "reports": [[number, elapsed, encoded(count)] for number, elapsed, count in reports],
        "last": last,
        "finished": finished,
        "cpu": cpu,
    }


def facts(register, process_id):
    return next(one for one in register.facts() if one.process_id == process_id)


def test_each_worker_has_a_share_of_its_own(register):
    assert register.shares == {"a": [0, 2], "b": [1, 2]}
    assert register.has_share("a")
    assert not register.has_share("c")


def test_a_report_that_comes_twice_counts_once(register):
    total = Recording()
    assert register.add("a", report((1, 3.0, 5)), total) == 1
    assert register.add("a", report((1, 3.0, 5)), total) == 1
    assert register.add("a", report((1, 3.0, 5), (2, 6.0, 7)), total) == 2
    assert total.outcomes.total() == facts(register, 1).exchanges == 12
    assert facts(register, 1).reported == 6.0


def test_a_report_after_a_gap_is_not_taken_for_the_one_that_is_missing(register):
    total = Recording()
    assert register.add("a", report((2, 6.0, 5)), total) == 0
    assert not total.outcomes


def test_a_worker_is_settled_when_its_last_records_are_here(register):
    total = Recording()
    register.add("a", report((1, 3.0, 1), last=1, finished=True), total)
    assert not register.settled
    register.add("b", report((1, 3.0, 1), last=2, finished=True), total)
    assert not register.settled
    register.add("b", report((2, 6.0, 1), last=2, finished=True), total)
    assert register.settled
    assert register.any_finished
    assert register.lost == 0


def test_a_silent_worker_is_lost_and_found_again(register, clock):
    register.add("a", report((1, 5.0, 3), last=1, finished=True), Recording())
    clock.now += LOST_SECONDS + 1
    register.look()
    assert register.lost == 1
    assert register.settled
    lost = facts(register, 2)
    assert (lost.lost, lost.silence, lost.missing) == (True, LOST_SECONDS + 1, 1000)
    register.hear("b")
    assert register.lost == 0
    assert not register.settled
    found = facts(register, 2)
    assert (found.lost, found.silence, found.missing) == (False, LOST_SECONDS + 1, 0)


def test_what_is_missing_is_what_was_planned_after_the_last_report(register):
    register.add("b", report((1, 12.0, 3)), Recording())
    register.leave("b")
    assert facts(register, 2).missing == 400


def test_a_worker_that_leaves_before_its_share_is_fired_is_lost_with_all_its_records_here(register):
    register.add("a", report((1, 20.0, 3), last=1, finished=True), Recording())
    register.add("b", report((1, 5.0, 3), last=1), Recording())
    register.leave("a")
    assert [one.lost for one in register.facts()] == [False, True]
    assert facts(register, 2).missing == 750
    assert register.settled


def test_a_worker_that_was_asked_to_stop_is_not_lost(register):
    register.stopping = True
    for client_id in "ab":
        register.add(client_id, report((1, 5.0, 3), last=1), Recording())
    register.write_off()
    assert register.settled
    assert register.lost == 0
    assert not register.any_finished


def test_what_was_written_off_stays_lost(register):
    register.stopping = True
    register.write_off()
    register.add("a", report((1, 5.0, 3), last=1), Recording())
    assert register.lost == 2


def test_silence_after_the_last_records_is_none(register, clock):
    register.add("a", report((1, 5.0, 3), last=1, finished=True), Recording())
    clock.now += 60
    register.hear("a")
    register.look()
    assert facts(register, 1).silence == 0.0


def test_a_worker_that_is_lost_before_a_spike_lacks_its_share_of_the_fleet(clock):
    register = WorkerRegister(clock)
    for client_id, process_id in (("a", 1), ("b", 2)):
        register.greet(client_id, "host", process_id)
    stages = (Stage("before", 100.0, 5.0), Stage("spike", 1000.0, 2.0), Stage("after", 100.0, 13.0))
    register.begin(["a", "b"], plan_of(stages=stages))
    register.add("a", report((1, 4.0, 3)), Recording())
    register.add("b", report((1, 6.0, 3)), Recording())
    register.write_off()
    assert facts(register, 1).missing == (100 + 2000 + 1300) / 2
    assert facts(register, 2).missing == (1000 + 1300) / 2


def test_nobody_knows_what_users_of_the_closed_model_would_have_sent(clock):
    register = WorkerRegister(clock)
    register.greet("a", "host", 1)
    register.begin(["a"], plan_of(model=CLOSED))
    register.write_off()
    assert (facts(register, 1).lost, facts(register, 1).missing) == (True, 0)


def test_the_highest_cpu_stays(register):
    for cpu in (0.2, 0.95, 0.3):
        register.add("a", report(cpu=cpu), Recording())
    assert facts(register, 1).cpu == 0.95
