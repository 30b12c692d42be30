"""junit.xml, read by junitparser and held against a schema of the form."""

import subprocess
from dataclasses import replace
from functools import cache
from pathlib import Path

import pytest
from junitparser import Error, Failure, JUnitXml, Skipped

from gatecrash.reports.files import as_junit
from gatecrash.reports.oracles.rules import Oracle
from gatecrash.reports.report import report_of
from gatecrash.reports.run.summary import summarise
from tests.reports.capacity_samples import KINDS, capacity_summary
from tests.reports.comparison_samples import compared, part, recording_of
from tests.reports.fuzz_samples import broken_fuzz_summary, clean_fuzz_summary, fuzz_summary, hostile_fuzz_summary
from tests.reports.samples import (
    HOSTILE,
    busy_run,
    distributed_summary,
    empty_summary,
    good_recording,
    good_summary,
    in_report,
    run_of,
)

SCHEMA = Path(__file__).with_name("data") / "junit.xsd"
HOLD = ["exchanges > 1", "exchanges < 1", "latency.p99 < 1s", "fail_open == 0"]


def with_thresholds(run, **thresholds):
    return summarise(replace(run, info=replace(run.info, settings={"thresholds": thresholds})))


def failed_thresholds():
    return with_thresholds(run_of(good_recording()), hold=HOLD)


def skipped_threshold():
    return with_thresholds(run_of(good_recording()), hold=HOLD, too_few="skip")


def invalid():
    return with_thresholds(run_of(good_recording(), complete=False), hold=HOLD)


def findings():
    return with_thresholds(busy_run(), hold=HOLD)


def stopped():
    return summarise(run_of(good_recording(), complete=False, stopped_by="SIGTERM"))


def hostile():
    return replace(hostile_fuzz_summary(), info=replace(hostile_fuzz_summary().info, name=HOSTILE))


@cache
def compared_report():
    earlier, later = part(recording_of(1)), part(recording_of(2, scale=2.0, throttled=0.1))
    return report_of(later.summary, compared(earlier, later))


def less_than_asked():
    return capacity_summary(at_least=10_000.0)


SUMMARIES = [
    *(good_summary, failed_thresholds, skipped_threshold, invalid, findings, stopped, hostile, compared_report),
    *(empty_summary, distributed_summary, fuzz_summary, clean_fuzz_summary, broken_fuzz_summary, less_than_asked),
    *(pytest.param(lambda kind=kind: capacity_summary(kind), id=f"capacity {kind}") for kind in KINDS),
]


def read(made):
    """Return the cases by suite and name, each with the results that a parser sees, and the file's own counts."""
    file = JUnitXml.fromstring(as_junit.render(in_report(made)))
    return {(suite.name, case.name): list(case.result) for suite in file for case in suite}, file


@pytest.mark.xmllint
@pytest.mark.parametrize("make", SUMMARIES)
def test_it_meets_the_schema(make, tmp_path):
    done = validated(as_junit.render(in_report(make())), tmp_path)
    assert done.returncode == 0, done.stderr


@pytest.mark.xmllint
@pytest.mark.parametrize(
    ("old", "new"),
    [
        (b' type="failure"', b""),
        (b"testcase", b"test"),
        (b' errors="0"', b' errors="none"'),
        (b' name="policy"', b""),
    ],
)
def test_the_schema_refuses_what_is_no_such_file(old, new, tmp_path):
    content = as_junit.render(in_report(findings()))
    assert old in content
    assert validated(content.replace(old, new), tmp_path).returncode == 3


def validated(content, folder):
    (folder / "junit.xml").write_bytes(content)
    command = ["xmllint", "--noout", "--nonet", "--schema", SCHEMA, folder / "junit.xml"]
    return subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)


@pytest.mark.parametrize("make", SUMMARIES)
def test_a_parser_counts_what_the_file_says(make):
    cases, file = read(make())
    for suite in file:
        results = [result for (name, _), found in cases.items() if name == suite.name for result in found]
        counted = [sum(isinstance(one, kind) for one in results) for kind in (Failure, Error, Skipped)]
        assert [suite.failures, suite.errors, suite.skipped] == counted
        assert suite.tests == sum(name == suite.name for name, _ in cases)
    assert (file.tests, file.failures, file.errors) == (
        len(cases),
        sum(suite.failures for suite in file),
        sum(suite.errors for suite in file),
    )


@pytest.mark.parametrize("make", SUMMARIES)
def test_every_family_of_oracles_and_every_threshold_has_its_case(make):
    report = in_report(make())
    cases, _ = read(report)
    assert {name for suite, name in cases if suite == "gatecrash.oracles"} == {oracle.value for oracle in Oracle}
    assert ("gatecrash.measurement", "validity") in cases
    named = {name for suite, name in cases if suite == "gatecrash.thresholds" and "at_least" not in name}
    assert named == {str(one.threshold) for one in report.summary.thresholds}


def test_a_run_that_passed_has_neither_failure_nor_error_nor_skipped_case():
    cases, _ = read(good_summary())
    assert not [result for found in cases.values() for result in found]


def test_what_failed_says_why():
    cases, _ = read(failed_thresholds())
    (failure,) = cases["gatecrash.thresholds", "exchanges < 1"]
    assert isinstance(failure, Failure)
    assert failure.message.startswith("the threshold exchanges < 1 failed")
    (unjudged,) = cases["gatecrash.thresholds", "latency.p99 < 1000ms"]
    assert isinstance(unjudged, Failure)
    (unjudged,) = read(skipped_threshold())[0]["gatecrash.thresholds", "latency.p99 < 1000ms"]
    assert isinstance(unjudged, Skipped)
    (wrong,) = read(findings())[0]["gatecrash.oracles", "expectation"]
    assert "GC101" in wrong.message
    assert "family/alg_none" in wrong.text
    (asked,) = read(less_than_asked())[0]["gatecrash.thresholds", "capacity.at_least = 10000/s"]
    assert isinstance(asked, Failure)
    worse = [
        name for (suite, name), found in read(compared_report())[0].items() if suite == "gatecrash.comparison" and found
    ]
    assert worse == ["latency", "throttle rate"]


def test_an_invalid_measurement_is_an_error_and_what_would_have_passed_is_skipped():
    cases, _ = read(invalid())
    (error,) = cases["gatecrash.measurement", "validity"]
    assert isinstance(error, Error)
    assert "cut off" in error.text
    (skipped,) = cases["gatecrash.oracles", "policy"]
    assert isinstance(skipped, Skipped)
