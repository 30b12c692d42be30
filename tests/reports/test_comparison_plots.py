import json

import pytest

from gatecrash.reports.comparison.comparison import Comparison
from gatecrash.reports.html import plots_comparison
from tests.reports.comparison_samples import compared, part, recording_of


def test_both_runs_are_overlaid_over_time_without_their_warm_up():
    earlier = part(recording_of(1, warm_up=4))
    later = part(recording_of(2, scale=2.0), place="runs/now")
    found = compared(earlier, later)
    for before, after in found.over_time.values():
        assert [second for second, _, _ in before] == list(range(4, 20))
        assert len(after) == 20
        assert all(0 < median <= p95 for _, median, p95 in (*before, *after))
        medians = [sorted(median for _, median, _ in moments)[len(moments) // 2] for moments in (before, after)]
        assert medians[1] / medians[0] == pytest.approx(2.0, rel=0.1)
    figure = plots_comparison.figures(found)["comparison-time-response-time-plot"]
    assert {trace["x"][0] for trace in figure["data"]} == {0}


def test_a_long_run_is_overlaid_by_a_few_hundred_moments():
    found = compared(
        part(recording_of(1, seconds=700, rate=10)),
        part(recording_of(2, seconds=20, rate=10), place="b"),
    )
    before, after = found.over_time["service_time"]
    assert 200 < len(before) <= 301
    assert before[1][0] - before[0][0] == after[1][0] - after[0][0] == 3


def test_what_was_compared_before_there_was_an_overlay_over_time_is_read():
    worse = compared(part(recording_of(1)), part(recording_of(2, scale=1.3)))
    value = json.loads(json.dumps(worse.to_json()))
    assert Comparison.from_json(value) == worse
    value.pop("over_time")
    assert Comparison.from_json(value).over_time == {}
    names = [name for name, *_ in plots_comparison.places(Comparison.from_json(value))]
    assert names == ["comparison-curves-response-time-plot", "comparison-curves-service-time-plot"]


def test_lines_that_are_the_same_are_both_named():
    found = compared(part(recording_of(1)), part(recording_of(1), place="again"))
    for figure in plots_comparison.figures(found).values():
        named = [one for one in figure["layout"]["annotations"] if one["text"] in {"earlier", "later"}]
        assert {one["yanchor"] for one in named if one["text"] == "earlier"} == {"bottom"}
        assert {one["yanchor"] for one in named if one["text"] == "later"} == {"top"}


def test_nothing_is_drawn_of_what_was_not_compared():
    assert plots_comparison.figures(None) == {}
    found = compared(part(recording_of(1)), part(recording_of(2, throttled=2.0)))
    assert found.refused
    assert plots_comparison.figures(found) == {}
