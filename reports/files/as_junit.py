"""``junit.xml``: a test case for each threshold, for each family of oracles and for the measurement itself.

The form is the one that CI servers read (Jenkins' xUnit plugin publishes a schema of it). Where the measurement is
invalid it is an error, and what would have passed is skipped: it proves nothing.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final
from xml.etree import ElementTree as ET

from gatecrash.reports.capacity.judging import ProbeStanding
from gatecrash.reports.capacity.verdict import judge_at_least
from gatecrash.reports.comparison.comparison import Comparison
from gatecrash.reports.oracles.findings import Finding
from gatecrash.reports.oracles.rules import Oracle
from gatecrash.reports.report import Report
from gatecrash.reports.run.summary import Summary
from gatecrash.reports.run.verdict import Validity
from gatecrash.reports.statistics.directions import Direction
from gatecrash.reports.thresholds.judging import Standing
from gatecrash.reports.words import comparison as comparison_words
from gatecrash.reports.words import findings as finding_words
from gatecrash.reports.words.findings import numbered
from gatecrash.reports.words.spelling import visible

_NAME: Final = "gatecrash"
_WORSE: Final = frozenset(map(comparison_words.word, (Direction.WORSE, Direction.MIXED)))


@dataclass(frozen=True, slots=True)
class _Case:
    """A test case; ``result`` is empty where it passed, else the name of the element that says how it ended."""

    name: str
    result: str = ""
    message: str = ""
    text: str = ""


def render(report: Report) -> bytes:
    """Return the file's content."""
    summary = report.summary
    suites = [(title, list(cases)) for title, cases in _suites(report)]
    counts = _counts([case for _, cases in suites for case in cases], summary)
    # Of all suites together nobody counts the skipped cases; the schema of Jenkins' xUnit plugin has no word for it.
    counts.pop("skipped")
    root = ET.Element("testsuites", {"name": _NAME, **counts})
    for title, cases in suites:
        suite = ET.SubElement(root, "testsuite", {"name": f"{_NAME}.{title}", **_counts(cases, summary)})
        suite.set("timestamp", visible(summary.info.started_at)[:19])
        for case in cases:
            _write(suite, title, case)
    ET.indent(root)
    return b"<?xml version='1.0' encoding='utf-8'?>\n" + ET.tostring(root, encoding="unicode").encode() + b"\n"


def _write(suite: ET.Element, title: str, case: _Case) -> None:
    element = ET.SubElement(
        suite, "testcase", {"classname": f"{_NAME}.{title}", "name": visible(case.name), "time": "0"}
    )
    if case.result:
        said = ET.SubElement(element, case.result, {"message": visible(case.message)})
        said.text = visible(case.text, keep_newlines=True) or None
        if case.result != "skipped":
            said.set("type", case.result)


def _counts(cases: list[_Case], summary: Summary) -> dict[str, str]:
    results = [case.result for case in cases]
    return {
        "tests": str(len(cases)),
        "failures": str(results.count("failure")),
        "errors": str(results.count("error")),
        "skipped": str(results.count("skipped")),
        "time": f"{summary.state.elapsed:.3f}",
    }


def _suites(report: Report) -> Iterator[tuple[str, Iterator[_Case]]]:
    summary = report.summary
    yield "measurement", _measurement(summary)
    if summary.thresholds or (summary.capacity is not None and summary.capacity.at_least is not None):
        yield "thresholds", _thresholds(summary)
    yield "oracles", _oracles(summary)
    if report.comparison is not None:
        yield "comparison", _comparison(summary, report.comparison)


def _comparison(summary: Summary, comparison: Comparison) -> Iterator[_Case]:
    for reason in comparison.refused:
        yield _Case("comparable", "skipped", reason)
    for name, word, why in comparison_words.aspect_rows(comparison):
        if word in _WORSE:
            yield _Case(name, "failure", why)
        else:
            yield _passed(name, summary)


def _measurement(summary: Summary) -> Iterator[_Case]:
    reasons = "\n".join(summary.judgement.reasons)
    if summary.judgement.validity is Validity.INVALID:
        yield _Case("validity", "error", "the measurement can't be trusted", reasons)
    else:
        yield _Case("validity")


def _passed(name: str, summary: Summary) -> _Case:
    if summary.judgement.validity is Validity.INVALID:
        return _Case(name, "skipped", "the measurement is invalid: that nothing was seen proves nothing")
    return _Case(name)


def _thresholds(summary: Summary) -> Iterator[_Case]:
    for one in summary.thresholds:
        if one.standing is Standing.HELD:
            yield _passed(str(one.threshold), summary)
        elif one.standing is not Standing.FAILED and one.sentence not in summary.verdict.reasons:
            yield _Case(str(one.threshold), "skipped", one.reason)
        else:
            yield _Case(str(one.threshold), "failure", one.sentence)
    capacity = summary.capacity
    if capacity is not None and capacity.at_least is not None:
        name = f"capacity.at_least = {capacity.at_least:g}/s"
        standing = judge_at_least(capacity, capacity.at_least)
        if standing is ProbeStanding.HELD:
            yield _passed(name, summary)
        elif standing is ProbeStanding.UNCLEAR:
            yield _Case(name, "skipped", "; ".join(summary.judgement.reasons) or "it is not known whether it is held")
        else:
            yield _Case(name, "failure", "; ".join(summary.verdict.reasons) or "it was not found to hold so much")


def _oracles(summary: Summary) -> Iterator[_Case]:
    found = [(number, one) for number, one in numbered(summary, notes=False) if one.accepted_until is None]
    for oracle in Oracle:
        of_it = [(number, one) for number, one in found if one.rule.oracle is oracle]
        if not of_it:
            yield _passed(oracle.value, summary)
            continue
        message = "; ".join(finding.sentence for _, finding in of_it)
        yield _Case(oracle.value, "failure", message, "\n".join(_told(number, finding) for number, finding in of_it))


def _told(number: int, finding: Finding) -> str:
    seen = finding_words.seen_sentence(finding)
    return f"{number}. {finding.rule.code} {finding.rule.title}: {visible(finding.case_name)}, {seen}"
