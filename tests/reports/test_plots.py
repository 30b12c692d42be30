import json
from dataclasses import replace

import pytest

from reports import plots
from reports.summary import SecondRow
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
