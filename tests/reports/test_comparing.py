import io
import json
from dataclasses import replace

import jsonschema
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rich.console import Console

from gatecrash.authorizers.contract import Expectation
from gatecrash.reports.comparison import comparison
from gatecrash.reports.comparison.comparability import same_corpus
from gatecrash.reports.comparison.comparison import Comparison
from gatecrash.reports.files import as_markdown
from gatecrash.reports.html import report as as_html
from gatecrash.reports.plan.facts import CorpusFacts
from gatecrash.reports.report import report_of
from gatecrash.reports.run.verdict import ExitCode
from gatecrash.reports.statistics.directions import Direction
from gatecrash.reports.text import comparison as text_comparison
from tests.reports.capacity_samples import capacity_summary
from tests.reports.comparison_samples import RUN_INFO, compared, part, recording_of
from tests.reports.fuzz_samples import clean_fuzz_summary
from tests.reports.samples import HOSTILE, allow, deny, judged, policy, statement
from tests.reports.test_as_html import Page

PLOTS = {f"comparison-{what}-{kind}-time-plot" for what in ("curves", "time") for kind in ("response", "service")}


@pytest.fixture(scope="module")
def good():
    return part(recording_of(1), place="runs/before")


@pytest.fixture(scope="module")
def bad():
    """A run that is slower, throttled, answers two cases otherwise, and has a new finding with a hostile cause."""
    answers = {3: allow(policy(statement(HOSTILE))), 4: deny()}
    found = [replace(one, cause=HOSTILE) for one in judged(Expectation.DENY, allow())]
    run = recording_of(2, scale=1.3, throttled=0.03, answers=answers)
    info = replace(RUN_INFO, name=HOSTILE, started_at="2025-02-02T03:04:05Z", versions={"gatecrash": "0.2.0"})
    return part(run, info=info, findings=found, place="runs/now")


@pytest.fixture(scope="module")
def worse(good, bad):
    return compared(good, bad)


def directions(comparison):
    return {aspect.name: aspect.direction.value for aspect in comparison.aspects}


def text_of(comparison):
    console = Console(width=100, force_terminal=False, record=True, file=io.StringIO())
    text_comparison.write(comparison, console)
    return console.export_text()


def test_a_run_is_the_same_as_itself(good):
    found = compared(good, good)
    assert found.direction is Direction.SAME
    assert set(directions(found).values()) == {"same"}
    assert not found.is_worse


def test_every_aspect_has_its_direction(worse):
    assert worse.direction is Direction.WORSE
    assert directions(worse) == {
        "latency": "worse",
        "throttle_rate": "worse",
        "error_rate": "same",
        "achieved_rate": "same",
        "findings": "worse",
        "decisions": "worse",
    }


@settings(max_examples=8, deadline=None)
@given(st.integers(0, 50), st.sampled_from([0.8, 1.0, 1.3]), st.sampled_from([0.0, 0.05]))
def test_when_both_change_places_better_is_worse(seed, scale, throttled):
    one = part(recording_of(seed))
    two = part(recording_of(seed + 99, scale=scale, throttled=throttled))
    forth, back = compared(one, two), compared(two, one)
    assert back.direction is forth.direction.turned
    assert directions(back) == {name: Direction(word).turned.value for name, word in directions(forth).items()}


def test_what_got_worse_is_said_with_numbers_and_how_surely(worse):
    text = " ".join(text_of(worse).split())
    assert "the p95 of the response time from the intended start rose by" in text
    assert "with 99 % confidence), from 2" in text
    assert "the throttle rate rose by" in text
    assert "new finding: GC101" in text
    assert "2 of 500 cases are answered otherwise: 1 now allowed, 1 now denied" in text
    assert "gatecrash replay runs/now --case 3" in text
    assert "version of gatecrash: 0.1.0 before, 0.2.0 now" in text


def test_nothing_hostile_reaches_the_terminal(worse):
    text = text_of(worse)
    assert "\x1b" not in text
    assert "\u202e" not in text
    assert text.encode("utf-8")


def test_the_page_is_whole_and_hostile_text_stays_text(worse):
    page = Page(as_html.render_comparison(worse))
    assert page.open == []
    assert len(page.ids) == len(set(page.ids))
    assert "alert(1)" not in "".join(page.scripts)
    assert "WORSE" in page.text
    assert "gatecrash replay runs/now --case 3" in page.text
    (figures,) = [json.loads(script) for script in page.scripts if script.startswith("{")]
    assert set(figures) == PLOTS <= set(page.ids)
    for figure in figures.values():
        looks = {
            (trace["name"], trace["line"]["dash"], trace["marker"]["symbol"], trace["line"]["color"])
            for trace in figure["data"]
        }
        assert looks == {
            ("earlier run", "dash", "diamond-open", "var(--earlier)"),
            ("later run", "solid", "circle", "var(--later)"),
        }
        named = [one["text"] for one in figure["layout"]["annotations"]]
        assert named.count("earlier") == named.count("later") == len(figure["data"]) / 2


def test_the_report_of_a_run_has_the_section(good, worse):
    page = Page(as_html.render(report_of(good.summary, worse), "runs/now"))
    assert page.open == []
    assert {"comparison", *PLOTS} <= set(page.ids)


def test_what_got_worse_fails_a_run_that_passed(good, worse):
    report = report_of(good.summary, worse)
    summary = report.summary
    assert summary.verdict.exit_code is ExitCode.THRESHOLD_FAILED
    assert summary.verdict.word == "FAIL"
    assert any("p95" in reason for reason in summary.verdict.reasons)
    assert report.comparison is worse


def test_what_is_worse_in_the_verdict_keeps_the_worst_exit_code(bad, worse):
    assert report_of(bad.summary, worse).summary.verdict.exit_code is ExitCode.WRONG_DECISIONS


def test_the_same_changes_no_verdict(good):
    assert report_of(good.summary, compared(good, good)).summary.verdict == good.summary.verdict


def test_numbers_meet_the_published_schema_and_round_trip(good, worse):
    validator = jsonschema.Draft202012Validator(comparison.schema())
    refused = compared(good, replace(good, summary=clean_fuzz_summary()))
    for one in (worse, compared(good, good), refused):
        value = json.loads(json.dumps(one.to_json(), allow_nan=False))
        validator.validate(value)
        assert json.loads(json.dumps(Comparison.from_json(value).to_json())) == value
    assert not validator.is_valid({**value, "more": 1})


def test_a_finding_that_the_baseline_accepts_is_not_worse(good):
    accepted = [replace(one, accepted_until="2030-01-01") for one in judged(Expectation.DENY, allow())]
    later = part(recording_of(1), findings=accepted)
    found = compared(good, later)
    assert directions(found)["findings"] == "same"
    assert [row.fingerprint for row in found.findings.accepted] == [accepted[0].fingerprint]


def test_findings_that_are_gone_are_better(good):
    earlier = part(recording_of(1), findings=judged(Expectation.DENY, allow()))
    assert directions(compared(earlier, good))["findings"] == "better"


def altered(**members):
    return part(recording_of(1), info=replace(RUN_INFO, **members))


@pytest.mark.parametrize(
    ("members", "sentence"),
    [
        ({"target": replace(RUN_INFO.target, kind="iot")}, "the target kind is not the same: local before, iot now"),
        ({"plan": replace(RUN_INFO.plan, rate=50.0)}, "the rate is not the same: 100 before, 50 now"),
        ({"plan": replace(RUN_INFO.plan, model="closed")}, "the load model is not the same: open before, closed now"),
        ({"plan": replace(RUN_INFO.plan, scenario="soak")}, "the scenario is not the same: steady before, soak now"),
        ({"corpus": CorpusFacts("d2", cases=7)}, "the corpora are not the same: digest d1 before, d2 now"),
    ],
)
def test_other_loads_targets_and_corpora_are_refused(good, members, sentence):
    found = compared(good, altered(**members))
    assert found.refused
    assert found.refused[0].startswith(sentence)
    assert found.aspects == ()
    assert not found.is_worse
    assert "NOT COMPARED" in text_of(found)


OTHER_CASES = {"corpus": replace(RUN_INFO.corpus, digest="d2", content_digest="c2")}


def test_equal_bytes_are_the_same_cases_however_their_files_are_written():
    earlier, later = (
        replace(RUN_INFO, corpus=replace(RUN_INFO.corpus, digest=name, content_digest="c")) for name in ("d1", "d2")
    )
    assert same_corpus(earlier, later)
    assert not same_corpus(earlier, replace(later, corpus=replace(later.corpus, content_digest="c2")))


@pytest.mark.parametrize(
    ("members", "said"),
    [
        ({"seed": 77}, f"the seed is not the same, {RUN_INFO.seed} before and 77 now; give both the same --seed"),
        ({}, "the credentials changed, which are their table, file, keys and settings; give both the same"),
        (
            {"versions": {**RUN_INFO.versions, "hypothesis": "7"}},
            "settings, or the version of hypothesis made others; give both the same",
        ),
    ],
)
def test_other_cases_leave_the_decisions_out_and_the_true_reason_is_seen_everywhere(good, members, said):
    found = compared(good, altered(**OTHER_CASES, **members))
    assert not found.refused
    assert directions(found)["decisions"] == "not_judged"
    assert directions(found)["latency"] == "same"
    (doubt,) = found.doubts
    assert doubt.startswith("decisions were not compared: the runs fired other cases")
    assert doubt.endswith(said)
    assert found.aspects[-1].reason in doubt
    shown = as_markdown.render(report_of(good.summary, found), "runs/x").decode()
    for text in (text_of(found), as_html.render_comparison(found).decode(), shown.replace("\\", "")):
        assert "beware: decisions were not compared: the runs fired other cases" in " ".join(text.split())


def test_the_same_cases_raise_no_doubt(good):
    assert compared(good, altered(seed=77)).doubts == ()


def test_what_measured_nothing_or_is_invalid_is_refused(good):
    empty = compared(good, part(recording_of(1, warm_up=100)))
    assert empty.refused == ("the later run measured nothing: its 2,000 exchanges are all warm-up",)
    lost = compared(part(recording_of(1), workers=2, workers_lost=1), good)
    assert lost.refused[0].startswith("the earlier run's measurement is invalid: 1 of 2 workers were lost")


def test_a_degraded_measurement_is_compared_with_a_doubt(good):
    found = compared(good, part(recording_of(1), incidents=("something odd",)))
    assert found.doubts == ("the later run's measurement is degraded: something odd",)


def test_runs_of_other_commands_are_refused(good):
    fuzz = replace(good, summary=clean_fuzz_summary())
    assert compared(good, fuzz).refused == (
        "the earlier run is a run under load, the later one a fuzz run: compare runs of the same command",
    )
    search = replace(good, summary=capacity_summary())
    assert compared(search, search).refused[0].startswith("both are searches for capacity")


def test_two_fuzz_runs_are_compared_by_their_findings():
    fuzz = part(recording_of(1))
    fuzz = replace(fuzz, summary=clean_fuzz_summary())
    found = compared(fuzz, fuzz)
    assert directions(found) == {"findings": "same", "decisions": "not_judged"}
