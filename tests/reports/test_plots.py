import json
from dataclasses import replace

import pytest

from gatecrash.reports.html import layout as plot_layout
from gatecrash.reports.html import plots, plots_heat
from gatecrash.reports.run.summary import SecondRow
from tests.reports.samples import busy_summary, empty_summary, good_summary


def rows(count, **more):
    values = {"outcomes": {"allow": 10}, "service_p50": 1.0, "service_p95": 2.0, "response_p50": 1.0}
    return [
        SecondRow(number, number < 5, 12, 2, **{**values, "response_p95": float(number), **more})
        for number in range(count)
    ]


def test_the_stack_reaches_the_planned_arrivals():
    bars = plots.outcomes_figure(rows(10))["data"]
    assert [trace["name"] for trace in bars] == ["allow", "dropped arrivals", "planned arrivals"]
    allowed, dropped, planned = (trace["y"] for trace in bars)
    assert [sum(pair) for pair in zip(allowed, dropped, strict=True)] == planned[:-1]


def test_where_nothing_was_planned_there_is_no_line_of_it():
    unplanned = [replace(row, planned=0, dropped=0) for row in rows(5)]
    assert [trace["name"] for trace in plots.outcomes_figure(unplanned)["data"]] == ["allow"]


def test_the_warm_up_is_shaded():
    (shape,) = plots.outcomes_figure(rows(10))["layout"]["shapes"]
    assert (shape["x0"], shape["x1"]) == (0, 5)
    assert plots.outcomes_figure(rows(10)[5:])["layout"]["shapes"] == []
    assert plots.outcomes_figure(rows(4))["layout"]["shapes"][0]["x1"] == 4


def test_a_long_run_is_put_together_without_hiding_its_peaks():
    day = plots.binned(rows(86_400))
    width = plots.bin_width(rows(86_400))
    assert len(day) <= 601
    assert day[10].response_p95 == 11 * width - 1
    assert day[10].outcomes == {"allow": 10.0}
    assert plots.bin_width(rows(600)) == 1


def test_seconds_without_an_answer_are_gaps():
    nothing = {"service_p50": None, "service_p95": None, "response_p50": None, "response_p95": None}
    figure = plots.latency_figure(rows(3, outcomes={}, **nothing))
    assert all(trace["y"] == [None] * 3 and trace["connectgaps"] is False for trace in figure["data"])


def test_lines_and_bars_differ_by_more_than_colour():
    summary = busy_summary()
    lines = plots.latency_figure(summary.seconds)["data"]
    assert len({(line["line"]["dash"], line["marker"]["symbol"]) for line in lines}) == 4
    bars = [trace for trace in plots.outcomes_figure(summary.seconds)["data"] if trace["type"] == "bar"]
    looks = {bar["marker"]["pattern"]["shape"] for bar in bars if bar["name"] in {"allow", "deny", "throttled"}}
    assert len(looks) == 3


@pytest.mark.parametrize("make", [busy_summary, good_summary, empty_summary])
def test_figures_are_json(make):
    summary = make()
    figures = [plots.outcomes_figure(summary.seconds), plots.latency_figure(summary.seconds)]
    json.dumps([*figures, plots.percentile_figure(summary)], allow_nan=False)


def test_the_maximum_stands_beyond_the_last_nine():
    figure = plots.percentile_figure(busy_summary())
    for trace in figure["data"]:
        assert trace["x"][-1] == 2882
        assert trace["x"] == sorted(trace["x"])


@pytest.mark.parametrize(
    "values", [[2.7, 3.9], [2.7, 2.8], [1.0, 9.0], [0.5, 400.0], [0.001, 5000.0], [3.0], [0.02, 0.021]]
)
def test_an_axis_of_latencies_has_a_few_ticks_in_any_range(values):
    axis = plot_layout.log_axis(values)
    low, high = (10.0**end for end in axis["range"])
    assert low < min(values) <= max(values) < high
    seen = [tick for tick in axis["tickvals"] if low <= tick <= high]
    assert 2 <= len(seen) <= 10


def throttling(*pairs):
    return [
        SecondRow(number, False, rate, 0, {"allow": rate - count, "throttled": count}, 1.0, 1.0, 1.0, 1.0)
        for number, (rate, count) in enumerate(pairs)
    ]


def test_throttles_stand_against_the_offered_rate_and_seconds_that_are_alike_are_one_larger_dot():
    (trace,) = plots_heat.throttles_figure(throttling(*[(50, 0)] * 9, (100, 10), (200, 80)))["data"]
    assert list(zip(trace["x"], trace["y"], trace["customdata"], strict=True)) == [
        (50, 0, 9),
        (100, 0.1, 1),
        (200, 0.4, 1),
    ]
    sizes = trace["marker"]["size"]
    assert sizes[0] > sizes[1] == sizes[2]


def test_where_the_offered_rate_was_the_same_or_nothing_was_throttled_there_is_no_plot_of_it():
    assert plots_heat.throttles_figure(throttling(*[(100, 10)] * 20)) is None
    assert plots_heat.throttles_figure(throttling((50, 0), (100, 0), (200, 0))) is None
