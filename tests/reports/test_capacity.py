import io
import json
from dataclasses import replace
from xml.etree import ElementTree as ET

import jsonschema
import pytest
from rich.console import Console

from gatecrash.authorizers.contract import Answer, Decision, Expectation, Outcome
from gatecrash.reports.capacity.answer import Capacity
from gatecrash.reports.capacity.judging import ProbeStanding
from gatecrash.reports.capacity.verdict import judge_at_least
from gatecrash.reports.files import as_json, as_junit
from gatecrash.reports.html import report as as_html
from gatecrash.reports.oracles.decay import judge_by_rate
from gatecrash.reports.recording import codec
from gatecrash.reports.recording.ledger import Ledger
from gatecrash.reports.report import Report
from gatecrash.reports.run.folder import CAPACITY, RunFolder
from gatecrash.reports.run.verdict import ExitCode, Validity
from gatecrash.reports.text import summary as as_text
from gatecrash.reports.words import capacity as capacity_words
from tests.reports.capacity_samples import KINDS, capacity_summary, found
from tests.reports.samples import allow, deny, exchange, facts, fault


def text_of(summary):
    out = io.StringIO()
    as_text.write(Report(summary), Console(file=out, width=120), run_folder="runs/x")
    return out.getvalue()


@pytest.mark.parametrize("kind", KINDS)
def test_what_was_found_survives_its_file(tmp_path, kind):
    capacity = found(kind)
    assert codec.from_json(json.loads(json.dumps(codec.to_json(capacity))), Capacity) == capacity
    folder = RunFolder(tmp_path)
    folder.write_capacity(capacity)
    assert folder._read_part(CAPACITY, Capacity) == capacity


@pytest.mark.parametrize("kind", KINDS)
def test_every_search_meets_the_published_schema(kind):
    jsonschema.Draft202012Validator(as_json.schema()).validate(
        json.loads(as_json.render(Report(capacity_summary(kind))))
    )


@pytest.mark.parametrize("kind", KINDS)
def test_terminal_and_page_give_the_same_answer(kind):
    summary = capacity_summary(kind)
    answer = capacity_words.answer(found(kind))
    assert answer in " ".join(text_of(summary).split())
    page = as_html.render(Report(summary), "runs/x").decode()
    assert answer in page
    assert ("capacity-latency-plot" in page) == bool(found(kind).curve())


@pytest.mark.parametrize(
    ("kind", "word", "code", "validity"),
    [
        ("queue", "Holds between 1", ExitCode.PASS, Validity.VALID),
        ("bucket", "Holds between 1", ExitCode.PASS, Validity.VALID),
        ("at least", "Holds at least 100", ExitCode.PASS, Validity.VALID),
        ("nothing", "not kept even at", ExitCode.THRESHOLD_FAILED, Validity.VALID),
        ("limited above", "Holds at least 2", ExitCode.PASS, Validity.VALID),
        ("limited", "load generator was the limit", ExitCode.INVALID_MEASUREMENT, Validity.INVALID),
        ("cut short", "Holds between", ExitCode.PASS, Validity.DEGRADED),
    ],
)
def test_the_verdict_follows_from_what_was_found(kind, word, code, validity):
    summary = capacity_summary(kind)
    assert word in capacity_words.answer(found(kind))
    assert summary.verdict.exit_code is code
    assert summary.judgement.validity is validity


def test_a_rate_that_was_asked_for_and_is_not_held_fails_the_run():
    assert capacity_summary(at_least=150.0).verdict.exit_code is ExitCode.PASS
    failed = capacity_summary(at_least=400.0)
    assert failed.verdict.exit_code is ExitCode.THRESHOLD_FAILED
    assert "400" in failed.verdict.reasons[0]


@pytest.mark.parametrize(
    ("kind", "asked", "standing"),
    [
        # Found: between 192 and 208, the first rate that broke being 320.
        ("queue", 190.0, ProbeStanding.HELD),
        ("queue", 200.0, ProbeStanding.BROKEN),
        ("queue", 400.0, ProbeStanding.BROKEN),
        # Nothing above the highest rate that was to be tried is known, nor where the generator was the limit.
        ("at least", 100.0, ProbeStanding.HELD),
        ("at least", 101.0, ProbeStanding.UNCLEAR),
        ("limited above", 200.0, ProbeStanding.HELD),
        ("limited above", 400.0, ProbeStanding.UNCLEAR),
        ("limited", 10.0, ProbeStanding.UNCLEAR),
        ("nothing", 10.0, ProbeStanding.BROKEN),
    ],
)
def test_a_rate_that_is_asked_for_is_broken_only_where_the_authorizer_is_the_bound(kind, asked, standing):
    capacity = replace(found(kind), at_least=asked)
    assert judge_at_least(capacity, asked) is standing
    code = {
        ProbeStanding.HELD: ExitCode.PASS,
        ProbeStanding.BROKEN: ExitCode.THRESHOLD_FAILED,
        ProbeStanding.UNCLEAR: ExitCode.INVALID_MEASUREMENT,
    }[standing]
    summary = capacity_summary(kind, at_least=asked)
    assert summary.verdict.exit_code is code
    junit = ET.fromstring(as_junit.render(Report(summary)))
    (case,) = junit.iterfind(f".//testcase[@name='capacity.at_least = {asked:g}/s']")
    expected = {ProbeStanding.HELD: [], ProbeStanding.BROKEN: ["failure"], ProbeStanding.UNCLEAR: ["skipped"]}
    assert [child.tag for child in case] == expected[standing]


@pytest.mark.parametrize(
    ("kind", "asked", "advice"),
    [("at least", 150.0, "--max-rate"), ("limited above", 400.0, "--processes"), ("limited", 10.0, "--master")],
)
def test_what_is_not_known_says_what_to_do(kind, asked, advice):
    summary = capacity_summary(kind, at_least=asked)
    assert advice in summary.verdict.reasons[0]
    assert not any("not the" in reason for reason in summary.verdict.reasons)


@pytest.mark.parametrize(
    ("ended_by", "asked", "standing", "advice"),
    [
        ("the time limit of 60 s", 180.0, ProbeStanding.UNCLEAR, "--seconds"),
        ("the limit of 900 requests", 180.0, ProbeStanding.UNCLEAR, "--cost"),
        ("the loss of a worker", 180.0, ProbeStanding.UNCLEAR, "the loss of a worker:"),
        ("the time limit of 60 s", 320.0, ProbeStanding.BROKEN, "not the 320"),
    ],
)
def test_a_limit_of_the_search_leaves_open_what_the_authorizer_did_not_break(ended_by, asked, standing, advice):
    high = found("queue").curve()[-1]
    low = replace(high, step=replace(high.step, rate=160.0), standing=ProbeStanding.HELD, assessments=())
    seen = {"probes": (low, high), "low": 160.0, "high": 320.0, "sure": False, "ended_by": ended_by}
    summary = capacity_summary(at_least=asked, **seen)
    assert judge_at_least(summary.capacity, asked) is standing
    assert advice in summary.verdict.reasons[0]


def test_the_facts_name_bucket_recovery_and_cold_starts():
    assert (
        "150.0 a second and at least 199 saved up"
        in dict(capacity_words.facts(found("bucket")))["throttling lets through"]
    )
    facts_of_queue = dict(capacity_words.facts(found("queue")))
    assert "after 320 arrivals/s had gone down to 80" in facts_of_queue["recovery"]
    assert facts_of_queue["cold starts"].startswith("12, not counted as late")
    short = found("cut short")
    rest = [dict(capacity_words.facts(replace(short, apart=count)))["wrong at rest"] for count in (1, 3)]
    assert rest == [
        "1 case was wrong at rest and is not counted again",
        "3 cases were wrong at rest and are not counted again",
    ]


def rated(answer, rate, case=0, start=0.0):
    return exchange(answer, case=case, start=start)._replace(offered_rate=rate)


def ledger_of(*rated_answers):
    ledger = Ledger()
    for number, (answer, rate) in enumerate(rated_answers):
        ledger.add_exchange(rated(answer, rate, start=float(number)), tuple)
    return ledger


def codes(ledger, expectation=Expectation.ALLOW, held=100.0):
    return [finding.rule.code for finding in judge_by_rate(ledger, lambda _: facts(expectation), held)]


TIMED_OUT = fault(Outcome.TIMED_OUT)
OTHER_POLICY = Answer(Outcome.ALLOW, Decision(True, "sensor1", ('{"Version":"2012-10-17","Statement":[]}',), 300, 3600))


@pytest.mark.parametrize(
    ("answers", "expected"),
    [
        ([(allow(), 50), (allow(), 200)], []),
        ([(allow(), 50), (TIMED_OUT, 200)], []),
        ([(allow(), 50), (TIMED_OUT, 80)], ["GC302"]),
        ([(allow(), 50), (deny(), 200)], ["GC404"]),
        ([(allow(), 50), (OTHER_POLICY, 200)], ["GC404"]),
        ([(allow(), 50), (deny(), 80)], ["GC401"]),
        ([(allow(), 200), (deny(), 200)], []),
    ],
)
def test_what_goes_wrong_above_the_held_rate_is_told_from_what_always_does(answers, expected):
    assert codes(ledger_of(*answers)) == expected


def test_a_request_that_is_let_in_only_under_load_is_found():
    ledger = ledger_of((deny(), 50), (allow(), 200))
    (finding,) = judge_by_rate(ledger, lambda _: facts(Expectation.DENY), 100.0)
    assert finding.rule.code == "GC404"
    assert finding.cause == "allow in place of deny"


def test_a_denial_under_load_of_what_must_be_denied_is_no_decay():
    assert codes(ledger_of((allow(), 50), (deny(), 200)), Expectation.DENY) == ["GC101"]


def test_the_latest_probe_of_a_rate_is_on_the_curve():
    capacity = found("queue")
    rates = [probe.rate for probe in capacity.curve()]
    assert rates == sorted(set(rates))
    confirmed = {probe.rate: probe for probe in capacity.probes if probe.step.kind == "confirm"}
    assert all(probe == confirmed.get(probe.rate, probe) for probe in capacity.curve())
    assert replace(capacity, probes=()).curve() == []


@pytest.mark.parametrize("width", [80, 120])
def test_the_table_of_rates_fits_a_terminal(width):
    out = io.StringIO()
    as_text.write(Report(capacity_summary()), Console(file=out, width=width), run_folder="runs/x")
    table = out.getvalue().split("Rates that were fired")[1].split("\nRun")[0]
    assert "…" not in table
    assert ("p99" in table) is (width == 120)
    assert max(map(len, table.splitlines())) <= width
