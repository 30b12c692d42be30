import io

from rich.console import Console

from gatecrash.reports.plan.plan import Plan
from gatecrash.running.live_view import LiveView

PLAN = Plan(run_folder="unused", corpus="unused", target={}, rate=10, warm_up=5, duration=30)
NOTHING = {"p50": 0.0, "p95": 0.0, "p99": 0.0}


def progress(elapsed, outcomes, **latencies):
    return {
        "elapsed": elapsed,
        "dropped": 2,
        "outcomes": outcomes,
        "latency": {kind: latencies.get(kind, NOTHING) for kind in ("service_time", "response_time")},
    }


def shown(*steps, terminal=False):
    text = io.StringIO()
    with LiveView(Console(file=text, force_terminal=terminal, width=100, legacy_windows=False), PLAN) as view:
        for step in steps:
            view.show(step)
    return text.getvalue()


MEASURED = {"service_time": {"p50": 1, "p95": 2.04, "p99": 3}, "response_time": {"p50": 4, "p95": 5.06, "p99": 6}}


def test_a_line_says_nothing_of_latencies_before_any_is_measured():
    assert shown(progress(0.5, {})) == "   0.5 s  warm-up: nothing yet; dropped 2\n"


def test_a_line_tells_what_was_counted_and_measured():
    assert shown(progress(6.0, {"deny": 7, "allow": 40}, **MEASURED)) == (
        "   6.0 s  measuring: allow 40, deny 7; dropped 2; p95 2.0 ms service time, 5.1 ms response time\n"
    )


def test_a_line_comes_every_five_seconds():
    lines = shown(*(progress(second / 2, {}) for second in range(41)))
    assert [float(line.split()[0]) for line in lines.splitlines()] == [0.0, 5.0, 10.0, 15.0, 20.0]


def test_the_table_has_dashes_where_nothing_is_measured():
    before = shown(progress(0.5, {"allow": 3}), terminal=True)
    assert "warm-up" in before
    assert "0.0" not in before
    after = shown(progress(6.0, {"allow": 3}, **MEASURED), terminal=True)
    assert "service time" in after
    assert "2.0" in after
    assert "5.1" in after
