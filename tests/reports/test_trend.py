import csv
import io
import json
from dataclasses import replace

import pytest
from rich.console import Console

from gatecrash.reports.files import as_csv, as_markdown
from gatecrash.reports.html import trend as trend_page
from gatecrash.reports.plan.facts import TargetFacts
from gatecrash.reports.statistics.change_points import values_needed
from gatecrash.reports.statistics.directions import Direction
from gatecrash.reports.text import trend as text_trend
from gatecrash.reports.trend.metrics import CAPACITY, FUZZ, TrendLimits, history_run
from gatecrash.reports.trend.trend import trend_of, trends_of
from gatecrash.reports.words import trend as trend_words
from tests.quality.noise import read
from tests.quality.synthetic_runs import Script
from tests.quality.trend import SCENARIOS, pool_of, right
from tests.reports.capacity_samples import capacity_summary
from tests.reports.fuzz_samples import fuzz_summary
from tests.reports.samples import HOSTILE, busy_summary, empty_summary
from tests.reports.trend_samples import FLIPS, eventful, night, nights

LIMITS = TrendLimits()


def changes_of(trend, name):
    return next((one.changes for one in trend.metrics if one.metric.name == name), ())


def test_a_run_is_kept_with_its_numbers_and_the_findings_that_failed_it():
    kept = history_run(busy_summary(), "runs/one", "abc")
    rows = {row.kind: row for row in busy_summary().latencies if row.outcome is None}
    assert kept.numbers["response_time.p95"] == rows["response_time"].p95
    assert kept.numbers["throttle_rate"] == busy_summary().throttle_rate
    assert {code for _, code, _ in kept.findings} == {"GC101", "GC301", "GC401"} & {
        code for _, code, _ in kept.findings
    }
    assert (kept.verdict, kept.exit_code) == ("FAIL", 3)
    assert history_run(empty_summary(), "runs/one", "").numbers == {}


def test_of_a_search_the_rate_that_is_held_is_kept_and_of_a_campaign_its_findings_alone():
    held = history_run(capacity_summary(), "runs/one", "")
    capacity = capacity_summary().capacity
    assert held.kind == CAPACITY
    assert list(held.numbers) == ["capacity"]
    assert capacity.low < held.numbers["capacity"] < capacity.high
    campaign = history_run(fuzz_summary(), "runs/one", "")
    assert (campaign.kind, campaign.numbers) == (FUZZ, {})
    assert campaign.findings


def test_what_got_worse_and_stayed_so_is_an_alarm_with_the_night_and_what_changed_with_it():
    trend = trend_of(nights(step=30), LIMITS)
    ((metric, change),) = trend.alarms
    assert metric.name == "response_time.p95"
    assert (change.place, change.previous) == (30, 29)
    assert change.shift == pytest.approx(0.2, abs=0.03)
    assert trend.since == trend.runs[30]
    assert change.alongside == ("revision: commit29 before, commit30 now",)


def test_what_got_better_or_is_told_only_is_no_alarm():
    assert trend_of(nights(factor=0.8), LIMITS).alarms == []
    slower = [
        replace(run, numbers={"service_time.p50": 10.0 + number / 1000 + (number >= 20) * 5})
        for number, run in enumerate(nights(count=40))
    ]
    trend = trend_of(slower, LIMITS)
    assert [change.direction for change in changes_of(trend, "service_time.p50")] == [Direction.WORSE]
    assert trend.alarms == []


def test_fewer_exchanges_and_less_capacity_are_worse():
    for name in ("achieved_rate", "capacity"):
        made = [night(number, **{name: (80.0 if number >= 20 else 100.0) + number / 100}) for number in range(40)]
        ((metric, change),) = trend_of(made, LIMITS).alarms
        assert metric.name == name
        assert change.shift == pytest.approx(-0.2, abs=0.01)


def test_a_change_that_was_undone_is_no_alarm():
    made = nights(step=20, count=60)
    made[40:] = nights(step=99, count=60, seed=2)[40:]
    trend = trend_of(made, LIMITS)
    worse, better = changes_of(trend, "response_time.p95")
    assert worse.undone
    assert better.direction is Direction.BETTER
    assert trend.alarms == []


def test_what_was_accepted_is_no_alarm_and_what_came_later_is_one():
    made = nights(step=20, count=30)
    made[25] = replace(made[25], accepted="a smaller machine")
    trend = trend_of(made, LIMITS)
    assert changes_of(trend, "response_time.p95")[0].accepted == "a smaller machine"
    assert trend.alarms == []
    assert "It is accepted: a smaller machine" in " ".join(trend_words.other_sentences(trend))
    assert len(eventful().alarms) == 1


def test_runs_that_cannot_be_compared_with_the_newest_are_left_out_and_counted():
    made = nights(count=30)
    made[:10] = [replace(run, info=replace(run.info, target=TargetFacts("iot"))) for run in made[:10]]
    trend = trend_of(made, LIMITS)
    assert len(trend.runs) == 20
    assert trend.left_out == (("the target kind is not the same: iot before, local now", 10),)
    assert trend_of(made, replace(LIMITS, runs=15)).left_out[1] == ("only the newest 15 runs are looked at", 5)


def test_invalid_runs_do_not_count():
    made = nights(step=99, count=40)
    broken = {"response_time.p95": 4000.0, "throttle_rate": 0.9, "achieved_rate": 1.0, "service_time.p50": 1.0}
    made[20:30] = [replace(run, validity="invalid", numbers=broken) for run in made[20:30]]
    trend = trend_of(made, LIMITS)
    assert trend.alarms == []
    assert trend.measured == 30
    assert "10 of them invalid" in trend_words.runs_words(trend)


def test_each_name_and_command_has_a_trend_of_its_own():
    other = [replace(run, info=replace(run.info, name="weekly")) for run in nights(count=3)]
    search = [replace(run, kind=CAPACITY, numbers={"capacity": 200.0}) for run in nights(count=4)]
    found = {(one.newest.info.name, one.newest.kind): len(one.runs) for one in trends_of([*other, *search], LIMITS)}
    assert found == {("weekly", "run"): 3, ("nightly", CAPACITY): 4}


def test_searches_with_other_objectives_are_not_set_beside_each_other():
    made = [replace(run, kind=CAPACITY, numbers={"capacity": 200.0}) for run in nights(count=4)]
    made[0] = replace(made[0], info=replace(made[0].info, settings={"capacity": {"latency": 9.0}}))
    made[1] = replace(made[1], info=replace(made[1].info, settings={"capacity": {"seconds": 9.0}}))
    assert [reason for reason, _ in trend_of(made, LIMITS).left_out] == [
        "the settings of the search for capacity are not the same"
    ]


def test_too_few_runs_are_not_called_steady_without_saying_so():
    needed = values_needed(LIMITS.significance)
    assert "Too few runs" in trend_words.headline(trend_of(nights(count=needed - 1, step=99), LIMITS))
    assert trend_words.headline(trend_of(nights(count=needed, step=99), LIMITS)).startswith("Nothing got worse")


@pytest.mark.parametrize(("count", "word", "colour"), [(60, "STEADY", "1;32"), (3, "NOT JUDGED", "1;33")])
def test_only_what_was_judged_to_be_steady_is_green_and_titled_so(count, word, colour):
    trend = trend_of(nights(count=count, factor=1.0), LIMITS)
    console = Console(width=80, force_terminal=True, color_system="standard", record=True, file=io.StringIO())
    text_trend.write(trend, console)
    assert f"\x1b[{colour}m{word}\x1b[0m" in console.export_text(styles=True)
    assert f"<title>{word}: trend (gatecrash)</title>" in trend_page.render([trend]).decode()


def test_a_page_of_several_trends_is_titled_by_the_worst_or_by_all():
    steady, short = (trend_of(nights(count=count, factor=1.0), LIMITS) for count in (60, 3))
    assert trend_words.title_word([steady, steady]) == "STEADY"
    assert trend_words.title_word([steady, short]) == "STEADY and NOT JUDGED"
    assert trend_words.title_word([short, steady, eventful()]) == "WORSE"


def test_a_slow_decline_is_told_as_one():
    made = [
        night(number, response_time__p95=40.0 * 1.01**number * (1.002 if number % 2 else 1)) for number in range(40)
    ]
    trend = trend_of(made, LIMITS)
    assert trend.alarms
    assert any("little by little (+1.0 % a run)" in one for one in trend_words.alarm_sentences(trend))


def test_findings_are_told_with_the_nights_on_which_they_were_seen():
    trend = eventful()
    assert {(row.fingerprint, row.seen, row.first, row.last) for row in trend.findings} == {
        ("f1", 2, 6, 58),
        ("f2", 2, 6, 58),
    }
    assert ("2 runs", "2026-09-08 02:00", "the newest run", "GC401 " + FLIPS[2]) in trend_words.finding_rows(trend)


def test_the_terminal_shows_everything_at_80_columns_and_nothing_hostile():
    console = Console(width=80, record=True, file=io.StringIO())
    text_trend.write(eventful(), console)
    text = console.export_text()
    for words in ("WORSE", "got worse and stayed so", "Other changes", "Levels", "Findings", "left out", "accepted"):
        assert words in text
    assert "\x1b" not in text
    assert "…" not in text
    assert max(map(len, text.splitlines())) <= 80


def test_markdown_and_page_let_no_text_become_code():
    assert b"<script>alert" not in as_markdown.render_trend(eventful())
    page = trend_page.render([eventful(), trend_of(nights(count=3), LIMITS)]).decode()
    assert "<script>alert(1)" not in page
    assert page.count('class="plot"') == page.count('-plot":') == 8
    assert "prefers-color-scheme" in page


def test_numbers_are_valid_json():
    value = json.loads(json.dumps(eventful().to_json(), allow_nan=False))
    assert value["alarms"][0]["metric"] == "response_time.p95"
    assert len(value["runs"]) == 59


def test_csv_has_a_row_for_each_run_that_counts_and_no_formula():
    made = nights(count=5)
    made[1] = replace(made[1], validity="invalid")
    made[2] = replace(made[2], revision="=cmd()")
    made[3] = replace(made[3], numbers={"throttle_rate": 0.5})
    rows = list(csv.DictReader(io.StringIO(as_csv.render_trend(trend_of(made, LIMITS)).decode())))
    assert [row["run"] for row in rows] == [made[place].place.split("/")[1] for place in (0, 2, 4)]
    assert rows[1]["revision"] == "'=cmd()"
    assert float(rows[0]["response_time_p95"]) == pytest.approx(made[0].numbers["response_time.p95"], rel=1e-5)
    assert HOSTILE not in as_csv.render_trend(eventful()).decode()


def test_nights_with_recorded_noise_are_judged_rightly():
    pool = pool_of(read(), Script())
    for scenario in SCENARIOS:
        if scenario.asked and not scenario.every_night:
            assert right(scenario, pool, seed=1, count=3) == 3, scenario.name
