"""The content of the live page, made of runs as far as they got."""

import json
import re
from dataclasses import replace
from itertools import pairwise

import pytest

from gatecrash.authorizers.contract import Expectation, Outcome
from gatecrash.reports.live import charts as live_charts
from gatecrash.reports.live import page as as_live
from gatecrash.reports.live import words as live_words
from gatecrash.reports.live.live import EarlierTest, Live, figures_of, steps_of
from gatecrash.reports.live.standing import WebTestState
from gatecrash.reports.plan.facts import PlanFacts
from gatecrash.reports.recording.recording import Recording
from gatecrash.reports.report import Report
from gatecrash.reports.run.folder import STOPPED_IN_WEB_PAGE, STOPPED_WITH_LOCUST
from gatecrash.reports.run.summary import SecondRow, summarise
from tests.reports.capacity_samples import capacity_summary
from tests.reports.fuzz_samples import fuzz_summary, hostile_fuzz_summary
from tests.reports.samples import HOSTILE, INFO, THROTTLED, allow, busy_run, deny, exchange, good_recording, run_of

UNDER_WAY = (WebTestState.RUNNING, WebTestState.ENDING, WebTestState.JUDGING, WebTestState.UNREPORTED)


def kind_of(index):
    return ("valid", Expectation.ALLOW) if index % 2 else ("opaque_secret", Expectation.DENY)


def busy(**state):
    run = busy_run()
    return summarise(replace(run, state=replace(run.state, **state)), kind_of)


def live_of(summary, standing=WebTestState.RUNNING, **more):
    goes_on = standing is WebTestState.RUNNING
    return Live(standing, "runs/one", report=Report(summary), figures=figures_of(summary, goes_on=goes_on), **more)


def text_of(live):
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", as_live.render(live)))


def row(second, planned=10, throttled=0, warm_up=False, p95=2.0):
    outcomes = {"allow": planned - throttled} | ({"throttled": throttled} if throttled else {})
    return SecondRow(second, warm_up, planned, 0, outcomes, 1.0, p95, 1.0, p95)


def test_decisions_throttles_and_latencies_are_those_of_the_report():
    summary = busy()
    figures = figures_of(summary, goes_on=False)
    assert {one.outcome: one.count for one in figures.outcomes if one.count} == summary.outcomes
    assert sum(one.warm_up for one in figures.outcomes) == summary.warm_up_exchanges
    assert sum(one.share for one in figures.outcomes) == pytest.approx(1)
    assert figures.throttled == sum(one.outcomes.get("throttled", 0) for one in summary.seconds) > 0
    assert list(figures.latencies) == [one for one in summary.latencies if one.outcome is None]


def test_wrong_decisions_are_counted_by_family_and_faults_are_none_of_them():
    recording = Recording()
    for start, answer in enumerate((allow(), deny(), deny(), THROTTLED)):
        recording.add_exchange(exchange(answer, case=0, start=5.0 + start), tuple)
        recording.add_exchange(exchange(answer, case=1, start=5.0 + start), tuple)
    figures = figures_of(summarise(run_of(recording), kind_of), goes_on=False)
    assert [(one.family, one.expectation, one.wrong, one.decisions) for one in figures.wrong] == [
        ("valid", "allow", 2, 3),
        ("opaque_secret", "deny", 1, 3),
    ]
    assert figures.decisions == 6
    assert figures_of(summarise(run_of(recording)), goes_on=False).wrong is None


def test_a_second_that_is_not_over_is_not_shown_as_a_loss_of_rate():
    summary = busy(elapsed=20.4)
    assert figures_of(summary, goes_on=True).steps[-1].start == 19
    assert figures_of(summary, goes_on=True).offered_lately == 100.0
    assert figures_of(summary, goes_on=False).steps[-1].start > 19


def test_hours_become_as_many_steps_as_can_be_told_apart():
    steps = steps_of([row(second, throttled=second % 2) for second in range(7200)])
    assert len(steps) <= 121
    assert sum(step.offered * step.seconds for step in steps) == pytest.approx(72000)
    assert sum(step.throttled * step.seconds for step in steps) == pytest.approx(3600)
    assert all(one.start + one.seconds == other.start for one, other in pairwise(steps))


def test_seconds_in_which_nothing_was_due_are_shown_as_such():
    steps = steps_of([row(0), row(4)])
    assert [step.offered for step in steps] == [10, 0, 0, 0, 10]


def test_the_drawings_lie_within_their_frames():
    steps = steps_of([row(second, throttled=second, warm_up=second < 3, p95=10.0**second / 10) for second in range(6)])
    rates, latencies = live_charts.rates_chart(steps, has_schedule=True), live_charts.latency_chart(steps)
    for chart in (rates, latencies):
        assert chart.warm_up == 50
        for line in chart.lines:
            numbers = [float(number) for number in re.findall(r"[\d.]+", line.path)]
            assert numbers
            assert all(0 <= number <= 1000 for number in numbers)
        assert all(0 <= tick.place <= 100 for tick in (*chart.across, *chart.up))
        assert 2 <= len(chart.up) <= 6
    assert [line.look for line in rates.lines] == ["offered", "throttled"]
    # Half of ten arrivals are throttled in the last second: half as high as what was offered.
    (offered,), (throttled,) = (
        {float(y) for y in re.findall(r"(?<=[LM]) ?833\.3 ([\d.]+)", line.path)} for line in rates.lines
    )
    assert 100 - throttled == pytest.approx((100 - offered) / 2)


def test_nothing_is_drawn_of_nothing():
    assert live_charts.rates_chart((), has_schedule=True) is None
    assert live_charts.latency_chart(steps_of([row(0, p95=None)])) is None


@pytest.mark.parametrize("standing", UNDER_WAY)
def test_there_is_no_verdict_before_everything_is_in_and_judged(standing):
    summary = busy()
    shown = text_of(live_of(summary, standing, sentence="the disk is full"))
    assert summary.verdict.word not in shown
    assert live_words.word(live_of(summary, standing)) in shown
    assert "gatecrash replay" not in shown
    assert "Open the report" not in shown


def test_the_end_has_the_verdict_the_report_and_the_commands_that_replay():
    summary = busy()
    html = as_live.render(live_of(summary, WebTestState.ENDED, earlier=(EarlierTest("before", "PASS"),)))
    shown = text_of(live_of(summary, WebTestState.ENDED))
    assert f"{summary.verdict.word} The authorizer gave wrong" in shown
    assert summary.findings
    for number in range(1, len(summary.findings) + 1):
        assert f"gatecrash replay runs/one --finding {number} " in shown
    assert 'href="reports/one"' in html
    assert 'href="reports/before"' in html


@pytest.mark.parametrize(
    ("elapsed", "said"),
    [(2.0, "Warming up for 5 s"), (12.0, "Measuring for 30 s"), (35.5, "the last answers are awaited")],
)
def test_it_says_what_part_of_the_run_it_is_in(elapsed, said):
    assert said in text_of(live_of(busy(elapsed=elapsed, complete=False)))


def test_a_search_is_one_from_its_start_and_shows_each_rate_that_it_judged():
    run = run_of(good_recording())
    begun = summarise(replace(run, info=replace(INFO, plan=PlanFacts(scenario="capacity", duration=60.0))))
    assert "Searching for the rate that is held: 0 rates judged so far." in text_of(live_of(begun))
    summary = capacity_summary()
    shown = text_of(live_of(summary))
    assert f"{len(summary.capacity.probes)} rates judged so far" in shown
    for line in live_words.rates_judged(summary):
        assert re.sub(r"\s+", " ", line) in shown


def test_before_the_first_test_and_when_one_could_not_start_it_says_so():
    assert "No test was started yet" in text_of(Live(WebTestState.NONE))
    refused = text_of(Live(WebTestState.REFUSED, sentence="load.users is 1 for 2 workers"))
    assert "NOT STARTED Load.users is 1 for 2 workers." in refused


def test_a_fuzz_run_has_no_share_of_a_corpus_and_no_sample():
    run = run_of(good_recording())
    info = replace(INFO, plan=replace(INFO.plan, scenario="fuzz"))
    shown = text_of(live_of(summarise(replace(run, info=info), lambda _: ("valid", Expectation.OPEN))))
    assert "The phases are being fired." in shown
    assert "in the corpus" not in shown
    assert "on 3 distinct requests that were chosen, not drawn as a sample" in shown
    fixed = text_of(live_of(summarise(run, lambda _: ("valid", Expectation.OPEN))))
    assert "3 of 400 cases in the corpus" in fixed


def test_without_the_corpus_nobody_knows_what_was_wrong():
    assert "The corpus of this test is gone" in text_of(live_of(summarise(busy_run())))


@pytest.mark.parametrize("make", [fuzz_summary, hostile_fuzz_summary])
def test_what_authorizers_and_requests_say_never_becomes_markup(make):
    summary = make()
    html = as_live.render(live_of(summary, WebTestState.ENDED, sentence=HOSTILE))
    assert "<script" not in html
    assert "\x1b" not in html
    assert "\ud800" not in html
    html.encode()


def test_hostile_texts_are_escaped_wherever_they_stand():
    html = as_live.render(
        Live(WebTestState.UNREPORTED, HOSTILE, sentence=HOSTILE, earlier=(EarlierTest(HOSTILE, "PASS"),))
    )
    assert "<script" not in html
    assert html.count("&lt;script&gt;") >= 3


def test_the_frame_loads_nothing_and_runs_only_its_own_script():
    frame = as_live.render_frame()
    assert frame.count(as_live.PLACE) == 1
    assert len(re.findall("<script", frame)) == 1
    assert not re.search(r"""(?:src|href)=["'](?:https?:)?//""", frame)
    assert re.search(r"script-src &#39;sha256-[^&]+&#39;|script-src 'sha256-", frame)
    assert "default-src" in frame


@pytest.mark.parametrize("by", [STOPPED_IN_WEB_PAGE, STOPPED_WITH_LOCUST])
def test_a_test_that_somebody_stopped_is_no_invalid_one(by):
    summary = summarise(run_of(good_recording(), complete=False, stopped_by=by, elapsed=12.0))
    assert summary.verdict.word == "STOPPED"
    assert summary.verdict.reasons == (f"the run was stopped early by {by} after 12.0 s",)


def test_every_outcome_has_a_colour():
    style = as_live.render_frame()
    assert all(f"--{outcome.value.replace('_', '-')}:" in style for outcome in Outcome)


def test_what_the_page_shows_of_a_finding_holds_no_request():
    summary = busy()
    html = as_live.render(live_of(summary, WebTestState.ENDED))
    for finding in summary.findings:
        assert json.dumps(finding.request)[1:-1] not in html
