"""The course of long runs and of spikes: drift, memory, recovery."""

import io
import json
from dataclasses import replace

import jsonschema
import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console

from gatecrash.reports.course.drift import PARTS, drift_of, trend_of
from gatecrash.reports.course.memory import MemorySample, memory_rows
from gatecrash.reports.course.spike import spike_of
from gatecrash.reports.files import as_json
from gatecrash.reports.html import report as as_html
from gatecrash.reports.plan.facts import Fleet, PlanFacts
from gatecrash.reports.recording import codec
from gatecrash.reports.report import Report
from gatecrash.reports.text import scenarios as text_scenarios
from gatecrash.reports.text import summary as as_text
from gatecrash.reports.words import course as course_words
from tests.reports.course_samples import SAMPLES, SPIKE_PLAN, series, soak_summary, spiked, summary_of

HOURS = [number / 10 for number in range(PARTS)]


@given(st.floats(-50, 50), st.floats(1, 100))
def test_a_straight_line_is_found_and_certain(slope, start):
    found = trend_of(HOURS, [start + slope * hour for hour in HOURS])
    assert found.per_hour == pytest.approx(slope, abs=1e-6)
    assert found.low <= found.per_hour <= found.high


def test_ups_and_downs_are_no_drift():
    noise = trend_of(HOURS, [10.0, 12.0] * (PARTS // 2))
    assert noise.low <= 0 <= noise.high
    assert trend_of(HOURS, [10.0 + hour for hour in HOURS]).low > 0


def test_latency_that_rises_over_the_run_is_told_and_a_steady_one_is_not():
    rising, steady = drift_of(series(600, lambda n: 0.01 * (1 + n / 300))), drift_of(series(600, lambda _: 0.01))
    assert rising.p95.low > 0
    assert rising.parts[-1].p95 > 2 * rising.parts[0].p95
    assert steady.p95.per_hour == 0
    assert steady.p95.low <= 0 <= steady.p95.high


def test_the_parts_hold_every_measured_exchange_and_their_shares():
    drift = drift_of(series(330, lambda _: 0.01, warm_up=30, throttled=lambda n: 0.5 if n >= 300 else 0.0))
    assert sum(part.exchanges for part in drift.parts) == 300 * 100
    assert [part.start for part in drift.parts] == list(range(30, 330, 30))
    assert [part.throttled for part in drift.parts] == [*[0.0] * 9, 0.5]
    assert {part.allowed for part in drift.parts} == {1.0}


def test_wrong_decisions_that_cancel_out_in_the_share_of_allowed_show_by_tenths():
    recorded = series(100, lambda _: 0.01, deny=lambda _: 0.5)
    assert {part.wrong for part in drift_of(recorded).parts} == {None}
    for number, second in recorded:
        # As many wrong denials as devices that are wrongly let in.
        second.add_wrong(2 if number >= 90 else 0)
    drift = drift_of(recorded)
    assert {part.allowed for part in drift.parts} == {0.5}
    assert [part.wrong for part in drift.parts] == [*[0] * 9, 20]
    assert [row[-1] for row in course_words.drift_rows(drift)] == [*["0"] * 9, "20"]


def test_a_short_run_has_no_drift():
    assert drift_of(series(19, lambda _: 0.01)) is None


def test_each_process_that_lived_long_enough_has_a_row():
    rows = {row.process_id: row for row in memory_rows(SAMPLES)}
    assert set(rows) == {10, 11}
    assert (rows[10].first, rows[10].last, rows[10].highest, rows[10].seconds) == (100, 200, 300, 20.0)


def test_samples_survive_their_file():
    assert codec.from_json(json.loads(json.dumps(codec.to_json(SAMPLES))), list[MemorySample]) == SAMPLES
    assert memory_rows([]) == []


def test_recovery_is_when_everything_is_as_before_for_good():
    assert spike_of(PlanFacts(**SPIKE_PLAN), spiked(9)).recovery == 0.0
    assert spike_of(PlanFacts(**SPIKE_PLAN), spiked(12)).recovery == 3.0
    assert spike_of(PlanFacts(**SPIKE_PLAN), spiked(17)).recovery is None


def test_a_spike_tells_how_the_fleet_came_through():
    spike = spike_of(PlanFacts(**SPIKE_PLAN), spiked(9, throttled=0.25))
    assert (spike.fleet, spike.decided, spike.turned_away, spike.dropped) == (200, 150, 50, 0)
    assert spike.p95_during == pytest.approx(1000, rel=0.05)
    assert spike.p95_before == pytest.approx(10, rel=0.05)
    assert spike.watched == 8.0


def test_a_run_that_ended_in_the_spike_tells_of_none():
    assert spike_of(PlanFacts(**SPIKE_PLAN), series(8, lambda _: 0.01, warm_up=2)) is None
    assert spike_of(PlanFacts(warm_up=2.0), spiked(9)) is None


@pytest.mark.parametrize(
    ("plan", "recorded", "words"),
    [
        (
            {**SPIKE_PLAN, "fleet": Fleet(150, 180, 40)},
            spiked(12),
            ("200 connections of 150 devices within 2 s", "180 distinct ones; 40 connections with an attack"),
        ),
        (SPIKE_PLAN, spiked(12), ("as before 3 s after the spike", "200 connections within 2 s")),
        ({"scenario": "soak"}, series(600, lambda _: 0.01), ("no drift can be told", "gateway")),
    ],
    ids=["spike that tells its fleet", "spike", "soak"],
)
def test_terminal_page_and_statistics_tell_of_it(plan, recorded, words):
    summary = summary_of(plan, recorded)
    out = io.StringIO()
    as_text.write(Report(summary), Console(file=out, width=140), run_folder="runs/x")
    page = as_html.render(Report(summary), "runs/x").decode()
    for word in words:
        assert word in out.getvalue()
        assert word in page
    jsonschema.Draft202012Validator(as_json.schema()).validate(json.loads(as_json.render(Report(summary))))


def test_on_a_narrow_screen_no_number_of_the_memory_is_cut_off():
    summary = soak_summary()
    rows = [replace(row, process_id=4_194_304, role="environment of an authorizer") for row in summary.memory]
    with (console := Console(width=80, file=io.StringIO())).capture() as captured:
        text_scenarios.write_course(replace(summary, memory=rows), console)
    text = captured.get()
    assert text.count("4194304") == len(rows)
    assert "\u2026" not in text
