"""Recordings reach the master once each, over any network that loses, repeats and delays."""

from hypothesis import given
from hypothesis import strategies as st

from gatecrash.authorizers.contract import Answer, Decision, Outcome
from gatecrash.firing.cpu import CpuMeter
from gatecrash.firing.recording_delivery import Delivery
from gatecrash.firing.worker_register import WorkerRegister
from gatecrash.reports.plan.plan import Plan
from gatecrash.reports.recording.recording import Recording
from gatecrash.reports.recording.tally import Tally

DENY = Answer(Outcome.DENY, Decision(False, "p", (), 300, 3600), None)


class Counting:
    """What a delivery needs of a firing: something that counts."""

    def __init__(self):
        self._tally = Tally(worker=0, warm_up=0.0, offered_rate=1.0, secrets_of=lambda _: ())
        self.counted = 0
        self.elapsed = 0.0
        self.finished = False

    def count(self, times):
        for _ in range(times):
            self._tally.add(self.counted % 7, self.elapsed, self.elapsed, self.elapsed + 0.1, DENY, "")
            self.counted += 1
        self.elapsed += 3.0

    def take_recording(self, pause):
        return self._tally.take(pause)


@given(st.lists(st.tuples(st.integers(0, 5), st.booleans(), st.booleans(), st.booleans()), max_size=20))
def test_each_recording_is_added_once(steps):
    firing, total = Counting(), Recording()
    delivery = Delivery(firing, "run")
    register = WorkerRegister()
    register.greet("a", "host", 1)
    register.begin(["a"], Plan(run_folder="unused", corpus="unused", target={}))
    late = []
    for count, arrives, is_acknowledged, is_delayed in steps:
        firing.count(count)
        report = delivery.report()
        assert len(report["reports"]) <= 1
        if is_delayed:
            late.append(report)
        elif arrives:
            number = register.add("a", report, total)
            if is_acknowledged:
                delivery.taken(number)
    firing.finished = True
    for _ in range(3):
        if not delivery.done:
            delivery.taken(register.add("a", delivery.report(last=True), total))
    for report in late:
        register.add("a", report, total)
    assert delivery.done
    assert register.settled
    assert total.outcomes.total() == firing.counted == sum(count for count, *_ in steps)
    assert register.facts()[0].exchanges == firing.counted


def test_while_nothing_is_acknowledged_the_same_bytes_are_sent_again():
    firing = Counting()
    delivery = Delivery(firing, "run")
    first = delivery.report()
    firing.count(5)
    assert delivery.report()["reports"] == first["reports"]
    last = delivery.report(last=True)
    assert [number for number, *_ in last["reports"]] == [1, 2]
    delivery.taken(2)
    assert delivery.done


def test_the_cpu_is_that_of_the_busiest_window():
    now = used = 0.0
    meter = CpuMeter(lambda: now, lambda: used)
    assert meter.highest == 0.0
    now, used = 2.0, 1.0
    assert meter.highest == 0.5
    for share in (0.1, 0.9, 0.2):
        now, used = now + 10.0, used + share * 10.0
        meter.tick()
    assert meter.highest == 0.9
