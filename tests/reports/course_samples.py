"""Long runs and spikes that the tests of the reports share."""

from dataclasses import replace

from gatecrash.authorizers.contract import Outcome
from gatecrash.reports.course.memory import MemorySample
from gatecrash.reports.plan.facts import Stage
from gatecrash.reports.recording.recording import Recording
from gatecrash.reports.recording.series import Series, bucket_of
from gatecrash.reports.run.summary import Summary, summarise
from tests.reports.samples import allow, exchange, run_of

STAGES = (Stage("before", 10.0, 5.0), Stage("spike", 100.0, 2.0), Stage("after", 10.0, 8.0))
SPIKE_PLAN = {"warm_up": 2.0, "stages": STAGES}
SAMPLES = [
    MemorySample(0.0, "gateway", 10, 100),
    MemorySample(0.0, "worker", 11, 50),
    MemorySample(10.0, "gateway", 10, 300),
    MemorySample(10.0, "execution environment", 12, 20),
    MemorySample(20.0, "gateway", 10, 200),
    MemorySample(20.0, "worker", 11, 60),
    MemorySample(20.0, "execution environment", 13, 20),
]


def series(seconds, latency, *, warm_up=0, **shares):
    """Seconds of 100 arrivals each; ``latency`` and each share of an outcome are functions of the second."""
    made = Series()
    for number in range(seconds):
        second = made.second(number)
        second.planned, second.warm_up = 100, number < warm_up
        left = 100
        for name, share in shares.items():
            second.outcomes[name] = round(100 * share(number))
            left -= second.outcomes[name]
        second.outcomes[Outcome.ALLOW.value] = left
        second.service_times[bucket_of(latency(number))] = second.response_times[bucket_of(latency(number))] = 100
    return made


def spiked(slow_until, *, throttled=0.0):
    def latency(second):
        return 1.0 if 7 <= second < slow_until else 0.01

    return series(17, latency, warm_up=2, throttled=lambda n: throttled if 7 <= n < 9 else 0.0)


def summary_of(plan, recorded):
    recording = Recording()
    recording.add_exchange(exchange(allow()), tuple)
    recording.series = recorded
    run = run_of(recording)
    info = replace(run.info, plan=replace(run.info.plan, **plan))
    return summarise(replace(run, info=info, memory=tuple(SAMPLES)))


def spike_summary() -> Summary:
    return summary_of(SPIKE_PLAN, spiked(12, throttled=0.25))


def soak_summary() -> Summary:
    return summary_of({"scenario": "soak"}, series(600, lambda second: 0.01 * (1 + second / 300)))
