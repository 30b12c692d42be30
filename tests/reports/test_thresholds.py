import io
import json
from dataclasses import replace
from xml.etree import ElementTree as ET

import jsonschema
import pytest
from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt
from rich.console import Console

from gatecrash.authorizers.contract import Outcome
from gatecrash.authorizers.errors import UsageError
from gatecrash.reports.files import as_json, as_junit, as_markdown
from gatecrash.reports.html import report as as_html
from gatecrash.reports.oracles.rules import Oracle
from gatecrash.reports.recording.recording import Recording
from gatecrash.reports.report import Report
from gatecrash.reports.run.campaign import Campaign
from gatecrash.reports.run.summary import summarise
from gatecrash.reports.run.verdict import ExitCode
from gatecrash.reports.text import summary as as_text
from gatecrash.reports.thresholds.judging import Evidence, Standing, judge_threshold
from gatecrash.reports.thresholds.parsing import check_asked, declared, parse
from gatecrash.reports.thresholds.threshold import COMPARISONS, METRICS, SELECTED, Job, LimitUnit, Threshold
from tests.reports import capacity_samples
from tests.reports.course_samples import series
from tests.reports.fuzz_samples import hostile_fuzz_summary
from tests.reports.samples import HOSTILE, busy_run, deny, exchange, fault, good_recording, run_of


@st.composite
def thresholds(draw):
    metric = draw(st.sampled_from(list(METRICS.values())))
    unit = draw(st.sampled_from(metric.units))
    limit = draw(st.integers(0, 1000)) / (
        1000 if unit is LimitUnit.SHARE else 8 if unit is LimitUnit.MILLISECONDS else 1
    )
    statistic = draw(st.sampled_from(["p50", "p99.9", "p7", "mean", "max"])) if metric.name == "latency" else ""
    window = draw(st.none() | st.integers(1, 86_400)) if metric.windowed else None
    keys = draw(st.sets(st.sampled_from(metric.selectors))) if metric.selectors else set()
    if metric.name == "outcome_rate":
        keys |= {"outcome"}
    if window:
        keys -= {"family"} | ({"outcome"} if metric.name == "latency" else set())
    names = st.sampled_from(["GC101", "valid", "jwt_claims"])
    chosen = tuple((key, draw(st.sampled_from(SELECTED[key]) if key in SELECTED else names)) for key in sorted(keys))
    return Threshold(metric.name, draw(st.sampled_from(list(COMPARISONS))), limit, unit, statistic, chosen, window)


@given(thresholds())
def test_what_is_written_is_read_as_the_same(threshold):
    assert parse(str(threshold), "here") == threshold


@given(st.text(max_size=60) | st.text("latency.p95{}=<>%ms over130,kind", max_size=40))
def test_a_mistake_is_a_sentence_with_its_place(text):
    try:
        parse(text, "--threshold")
    except UsageError as error:
        said = str(error)
    else:
        return
    assert said.startswith("--threshold: ")
    assert "\n" not in said
    place = int(said.rpartition(", at character ")[2].partition(":")[0])
    assert 1 <= place <= len(text) + 1


@pytest.mark.parametrize(
    ("text", "read"),
    [
        (
            "latency.p95{outcome=allow} < 250ms",
            Threshold("latency", "<", 250.0, LimitUnit.MILLISECONDS, "p95", (("outcome", "allow"),)),
        ),
        ("latency.med<=1.5s", Threshold("latency", "<=", 1500.0, LimitUnit.MILLISECONDS, "p50")),
        ("latency.p99.90 < 2s over 10s", Threshold("latency", "<", 2000.0, LimitUnit.MILLISECONDS, "p99.9", (), 10)),
        ("throttle_rate < 1% over 30s", Threshold("throttle_rate", "<", 0.01, LimitUnit.SHARE, window=30)),
        ("throttle_rate < 0.01", Threshold("throttle_rate", "<", 0.01, LimitUnit.SHARE)),
        ("fail_open == 0", Threshold("fail_open", "==", 0.0, LimitUnit.COUNT)),
        ("achieved_rate > 95%", Threshold("achieved_rate", ">", 0.95, LimitUnit.SHARE)),
        ("achieved_rate > 100", Threshold("achieved_rate", ">", 100.0, LimitUnit.PER_SECOND)),
        ("capacity >= 200/s", Threshold("capacity", ">=", 200.0, LimitUnit.PER_SECOND)),
    ],
)
def test_examples_are_read(text, read):
    assert parse(text, "here") == read


@pytest.mark.parametrize(
    ("text", "place", "words"),
    [
        ("", 1, "a metric must stand here"),
        ("latancy.p95 < 1s", 1, "did you mean latency?"),
        ("latency < 1s", 9, "such as latency.p95"),
        ("latency.p95 < 250", 18, "needs its unit"),
        ("latency.p95 =< 1s", 13, "a comparison must stand here"),
        ("latency.p0 < 1s", 10, "above 0"),
        ("latency.p95{outcome=alow} < 1s", 21, "did you mean allow?"),
        ("latency.p95{family=valid} < 1s", 13, "a selector of latency"),
        ("latency.p95{outcome=allow} < 1s over 5s", 1, "leave the outcome out"),
        ("throttle_rate < 5", 17, "write 5% for percent"),
        ("throttle_rate < 5% over 0s", 25, "whole seconds"),
        ("fail_open == 0 over 5s", 16, "whole run"),
        ("fail_open == 0%", 15, "is no share"),
        ("outcome_rate < 1%", 1, "needs an outcome"),
        ("fail_open == 0 please", 16, "goes on after its end"),
        ("throttle_rate.p95 < 1%", 14, "only latency has percentiles"),
    ],
)
def test_a_mistake_names_its_character_and_what_is_allowed(text, place, words):
    with pytest.raises(UsageError) as caught:
        parse(text, "--threshold")
    assert f"at character {place}: " in str(caught.value)
    assert words in str(caught.value)


def judged(text, run=None, **changes):
    run = run or run_of(good_recording())
    seconds = [(number, second) for number, second in run.recording.series if not second.warm_up]
    evidence = Evidence(run.recording, seconds, 30.0, 10.0, run.findings)
    return judge_threshold(parse(text, "here"), replace(evidence, **changes))


@pytest.mark.parametrize(
    ("text", "standing", "value"),
    [
        ("exchanges == 300", Standing.HELD, 300),
        ("exchanges{outcome=allow} < 100", Standing.FAILED, 100),
        ("outcome_rate{outcome=deny} > 50%", Standing.HELD, 2 / 3),
        ("exchanges{family=even} == 200", Standing.HELD, 200),
        ("achieved_rate > 95%", Standing.HELD, 1.0),
        ("achieved_rate >= 10/s over 5s", Standing.HELD, 10.0),
        ("drop_rate == 0%", Standing.HELD, 0.0),
        ("throttle_rate < 1% over 30s", Standing.HELD, 0.0),
        ("cold_starts < 1", Standing.HELD, 0.0),
        ("throttle_rate{family=even} < 1%", Standing.HELD, 0.0),
        ("error_rate{family=even} == 0%", Standing.HELD, 0.0),
    ],
)
def test_what_was_measured_is_compared(text, standing, value):
    one = judged(text, family_of=lambda index: "odd" if index % 2 else "even")
    assert (one.standing, one.value) == (standing, pytest.approx(value))


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("latency.p99 < 1s", "300 exchanges are too few: p99 needs 1,000"),
        ("throttle_rate < 1% over 31s", "shorter than 31 s"),
        ("throttle_rate < 0.5%", "300 exchanges are too few: throttle_rate < 0.5% needs 400"),
        ("outcome_rate{outcome=allow} > 99.5%", "300 exchanges are too few"),
        ("exchanges{family=other} == 0", "no case of the family other was fired; there are even"),
    ],
)
def test_what_cannot_be_judged_says_why(text, words):
    one = judged(text, family_of=lambda _: "even")
    assert (one.standing, one.value) == (Standing.NOT_JUDGED, None)
    assert words in one.reason


def test_the_worst_window_counts_and_is_named():
    recording = good_recording()
    recording.series = series(40, lambda n: 0.5 if 20 <= n < 23 else 0.01, throttled=lambda n: 0.5 * (20 <= n < 23))
    run = run_of(recording)
    assert judged("throttle_rate < 20%", run).standing is Standing.HELD
    throttled = judged("throttle_rate < 20% over 3s", run)
    assert (throttled.standing, throttled.value, throttled.second) == (Standing.FAILED, 0.5, 20)
    slow = judged("latency.p95 < 100ms over 2s", run)
    assert (slow.standing, slow.second) == (Standing.FAILED, 19)
    assert slow.value == pytest.approx(500, rel=0.05)


@pytest.mark.parametrize(
    ("latency", "standing"),
    [(lambda n: 0.01 * (1 + n / 300), Standing.FAILED), (lambda n: 0.01 + 0.01 * (n % 2), Standing.HELD)],
    ids=["rises", "goes up and down"],
)
def test_a_drift_fails_where_it_is_told_from_noise(latency, standing):
    recording = good_recording()
    recording.series = series(600, latency, warm_up=30)
    one = judged("latency_drift < 1ms", run_of(recording))
    assert one.standing is standing
    assert (one.value > 1) if standing is Standing.FAILED else (one.value == 0)


def test_a_short_run_has_no_drift_to_judge():
    one = judged("latency_drift < 1ms", run_of(good_recording(190)))
    assert one.standing is Standing.NOT_JUDGED
    assert "less than 20 measured seconds" in one.reason


@given(thresholds())
def test_of_a_statement_and_its_opposite_one_holds(threshold):
    one, other = judged(str(threshold)), judged(str(threshold.opposite))
    standings = {one.standing, other.standing}
    if threshold.window is None:
        assert standings in ({Standing.HELD, Standing.FAILED}, {Standing.NOT_JUDGED}, {Standing.NOT_ASKED})
    else:
        assert Standing.NOT_JUDGED in standings or Standing.FAILED in standings or one.value == other.value


def summary_with(run=None, **settings):
    run = run or run_of(good_recording())
    return summarise(replace(run, info=replace(run.info, settings={"thresholds": settings})))


def test_a_threshold_that_fails_or_cannot_be_judged_fails_the_run():
    assert summary_with(hold=["fail_open == 0"]).verdict.exit_code is ExitCode.PASS
    failed = summary_with(hold=["exchanges > 1000"])
    assert failed.verdict.exit_code is ExitCode.THRESHOLD_FAILED
    assert failed.verdict.reasons == ("the threshold exchanges > 1000 failed: it was 300",)
    assert summary_with(fail_if=["exchanges < 1000"]).verdict.exit_code is ExitCode.THRESHOLD_FAILED
    assert summary_with(hold=["latency.p99 < 1s"]).verdict.exit_code is ExitCode.THRESHOLD_FAILED
    assert summary_with(hold=["latency.p99 < 1s"], too_few="skip").verdict.exit_code is ExitCode.PASS


def test_what_is_known_only_at_the_end_ends_no_run():
    with pytest.raises(UsageError, match=r"abort_if: fail_open > 0 is known only when a run is over"):
        declared({"abort_if": ["fail_open > 0"]})
    assert str(declared({"abort_if": ["throttle_rate > 5%"]}).aborting[0]) == "throttle_rate <= 5%"


def shown(summary):
    out = io.StringIO()
    as_text.write(Report(summary), Console(file=out, width=100), run_folder="runs/x")
    return (
        out.getvalue(),
        as_html.render(Report(summary), "runs/x").decode(),
        as_markdown.render(Report(summary), "runs/x").decode(),
    )


def test_every_output_tells_of_each_threshold():
    summary = summary_with(hold=["exchanges > 1000", "latency.p99 < 1s", "fail_open == 0"])
    for text in shown(summary):
        assert all(word in text for word in ("✗ failed", "? not judged", "✓ held"))
    value = json.loads(as_json.render(Report(summary)))
    jsonschema.Draft202012Validator(as_json.schema()).validate(value)
    assert [one["standing"] for one in value["thresholds"]] == ["failed", "not judged", "held"]


TUTORIAL = {
    "hold": ["latency.p95 < 250ms", "achieved_rate > 95%"],
    "fail_if": ["throttle_rate > 1%"],
    "abort_if": ["error_rate > 20% over 5s"],
}
NO_LOAD = (
    "Not judged, for this is no run under load: latency.p95 < 250ms, achieved_rate > 95%, throttle_rate <= 1%, "
    "error_rate <= 20% over 5s."
)


def fuzz_run():
    """A fuzz run without findings, of attacks that the authorizer throttled and was slow at."""
    recording = Recording()
    for number in range(300):
        recording.add_exchange(exchange(fault(Outcome.THROTTLED) if number % 2 else deny(), service=2.0), tuple)
    return replace(run_of(recording), campaign=Campaign("jwt"))


def search():
    return replace(fuzz_run(), campaign=None, capacity=capacity_samples.found("queue"))


@pytest.mark.parametrize("make", [fuzz_run, search])
def test_what_is_about_a_load_fails_no_fuzz_run_and_no_search_and_is_told(make):
    summary = summary_with(make(), **{**TUTORIAL, "hold": [*TUTORIAL["hold"], "fail_open == 0"]})
    assert summary.verdict.exit_code is ExitCode.PASS
    standings = [one.standing for one in summary.thresholds]
    assert standings == [Standing.NOT_ASKED] * 2 + [Standing.HELD] + [Standing.NOT_ASKED] * 2
    terminal, page, markdown = shown(summary)
    assert NO_LOAD in " ".join(terminal.split())
    assert NO_LOAD.replace("<", "&lt;").replace(">", "&gt;") in page
    assert as_markdown.escaped(NO_LOAD) in markdown
    assert cases(junit(summary))["gatecrash.thresholds", "achieved_rate > 95%"] == ["skipped"]
    jsonschema.Draft202012Validator(as_json.schema()).validate(json.loads(as_json.render(Report(summary))))


def test_what_is_asked_of_every_job_is_judged_in_a_fuzz_run():
    summary = summary_with(fuzz_run(), **{**TUTORIAL, "fail_if": ["exchanges > 100"]})
    assert summary.verdict.exit_code is ExitCode.THRESHOLD_FAILED
    assert summary.verdict.reasons == ("the threshold exchanges <= 100 failed: it was 300",)


def test_only_what_is_not_asked_makes_no_table():
    summary = summary_with(fuzz_run(), **TUTORIAL)
    terminal, page, markdown = shown(summary)
    assert "Thresholds" in terminal
    assert "measured</th>" not in page
    assert "| threshold |" not in markdown


@given(thresholds(), st.sampled_from(Job))
def test_a_threshold_is_refused_from_whoever_asks_it_where_a_file_s_is_not_asked(threshold, job):
    misplaced = threshold.misplaced_in(job)
    if misplaced:
        with pytest.raises(UsageError) as caught:
            check_asked({"hold": [str(threshold)]}, job)
        assert all(part in str(caught.value) for part in (misplaced, str(threshold), f"gatecrash {job}"))
        assert len(str(caught.value).splitlines()) == 1
    else:
        check_asked({"hold": [str(threshold)]}, job)
    if threshold.window or threshold.metric in {"latency", "achieved_rate", "throttle_rate", "error_rate"}:
        assert bool(misplaced) == (job is not Job.RUN)


def test_nobody_asks_a_search_to_end_early_by_a_threshold():
    check_asked({"abort_if": ["exchanges > 5"]}, Job.RUN)
    check_asked({"abort_if": []}, Job.CAPACITY)
    with pytest.raises(UsageError, match=r"abort_if ends a run under load early, not `gatecrash capacity`"):
        check_asked({"abort_if": ["exchanges > 5"]}, Job.CAPACITY)


def junit(summary):
    return ET.fromstring(as_junit.render(Report(summary)))


def cases(root):
    return {(one.get("classname"), one.get("name")): [child.tag for child in one] for one in root.iter("testcase")}


def test_junit_has_a_case_for_each_threshold_and_each_family_of_oracles():
    root = junit(summary_with(busy_run(), hold=["exchanges > 1", "exchanges < 1"]))
    found = cases(root)
    assert found["gatecrash.thresholds", "exchanges > 1"] == []
    assert found["gatecrash.thresholds", "exchanges < 1"] == ["failure"]
    assert {name for group, name in found if group == "gatecrash.oracles"} == {oracle.value for oracle in Oracle}
    assert found["gatecrash.oracles", "expectation"] == ["failure"]
    for suite in root:
        results = [child.tag for one in suite.iter("testcase") for child in one]
        counted = {"failures": "failure", "errors": "error", "skipped": "skipped"}
        assert {name: int(suite.get(name)) for name in counted} == {n: results.count(t) for n, t in counted.items()}
        assert int(suite.get("tests")) == len(suite.findall("testcase"))
    assert int(root.get("failures")) == sum(int(suite.get("failures")) for suite in root)


def test_an_invalid_measurement_is_an_error_and_proves_nothing():
    found = cases(junit(summary_with(run_of(good_recording(), complete=False), hold=["exchanges > 1"])))
    assert found["gatecrash.measurement", "validity"] == ["error"]
    assert found["gatecrash.thresholds", "exchanges > 1"] == ["skipped"]
    assert found["gatecrash.oracles", "policy"] == ["skipped"]


@pytest.mark.parametrize("make", [hostile_fuzz_summary, lambda: summary_with(busy_run())])
def test_what_requests_and_answers_said_breaks_no_format(make):
    summary = make()
    summary = replace(summary, info=replace(summary.info, name=HOSTILE))
    assert junit(summary).tag == "testsuites"
    text = as_markdown.render(Report(summary), "runs/a b|`c`").decode()
    html = MarkdownIt("commonmark", {"html": True}).enable("table").render(text)
    page = ET.fromstring(f"<page>{html}</page>")
    allowed = {"page", "h2", "h3", "p", "strong", "code", "ul", "ol", "li", "br"}
    tables = {"table", "thead", "tbody", "tr", "th", "td"}
    assert {one.tag for one in page.iter()} <= allowed | tables
    for row in page.iter("tr"):
        assert len(row) in {2, 3, 8}


@given(st.text(max_size=40))
def test_an_escaped_text_is_only_text(text):
    inline = MarkdownIt("commonmark", {"html": True}).enable(["table", "strikethrough"])
    for written in (as_markdown.escaped(text), f"- {as_markdown.escaped(text)}", as_markdown.code(text or "x")):
        kinds = {token.type for token in inline.parse(written)}
        assert kinds <= {
            *("paragraph_open", "inline", "paragraph_close"),
            *("bullet_list_open", "bullet_list_close", "list_item_open", "list_item_close"),
        }
        children = {child.type for token in inline.parse(written) for child in token.children or ()}
        assert children <= {"text", "code_inline", "text_special"}


def test_the_exit_code_of_an_aborted_run_is_that_of_a_threshold():
    run = run_of(good_recording(), complete=False, aborted_by="the threshold x failed", elapsed=20.0)
    summary = summarise(run)
    assert summary.verdict.exit_code is ExitCode.THRESHOLD_FAILED
    assert "the threshold x failed" in summary.verdict.reasons
    assert any("abort_if" in reason for reason in summary.judgement.reasons)
    assert Outcome.ALLOW.value in summary.outcomes


@pytest.mark.parametrize(
    ("kind", "asked", "standing"),
    [
        ("queue", 100.0, Standing.HELD),
        ("queue", 400.0, Standing.FAILED),
        ("limited above", 200.0, Standing.HELD),
        ("limited above", 400.0, Standing.NOT_JUDGED),
        ("limited", 10.0, Standing.NOT_JUDGED),
    ],
)
def test_a_rate_that_the_search_could_not_try_is_no_rate_that_the_authorizer_missed(kind, asked, standing):
    capacity = capacity_samples.found(kind)
    evidence = Evidence(Recording(), (), (), None, 60.0, capacity=capacity, job=Job.CAPACITY)
    threshold = Threshold("capacity", ">=", asked, LimitUnit.PER_SECOND)
    assert judge_threshold(threshold, evidence).standing is standing
