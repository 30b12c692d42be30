from dataclasses import replace
from datetime import date, timedelta

from hypothesis import given
from hypothesis import strategies as st

from gatecrash.reports.oracles.baseline import Baseline, Entry, accepted, name_of
from gatecrash.reports.oracles.findings import Classification
from tests.reports.fuzz_samples import found

TODAY = date(2026, 11, 23)
CAUSES = st.sampled_from(["", "a", "b", "c", "\ud800"])
DATES = st.dates(TODAY - timedelta(days=3), TODAY + timedelta(days=3))
PLAIN = found(Classification.DETERMINISTIC, 5, 5)


def of(cause):
    return replace(PLAIN, cause=cause)


FINDINGS = st.lists(CAUSES.map(of), max_size=4, unique_by=lambda finding: finding.cause)
ENTRIES = st.lists(st.builds(Entry, CAUSES.map(of).map(name_of), DATES), max_size=6)


def test_a_finding_is_accepted_up_to_and_including_its_day():
    baseline = Baseline((Entry("GC101 a", TODAY),))
    assert accepted([of("a")], baseline, TODAY).findings[0].accepted_until == "2026-11-23"
    seen = accepted([of("a")], baseline, TODAY + timedelta(days=1))
    assert seen.findings[0].accepted_until is None
    assert (seen.lapsed, seen.unused) == (baseline.entries, ())


def test_an_entry_without_a_finding_is_told():
    baseline = Baseline((Entry("GC101 a", TODAY),))
    assert accepted([of("b")], baseline, TODAY).unused == baseline.entries


def test_the_entry_that_holds_longest_counts_and_the_others_are_no_news():
    baseline = Baseline(
        (Entry("GC101 a", date(2026, 1, 1)), Entry("GC101 a", TODAY), Entry("GC101 a", date(2026, 2, 1)))
    )
    seen = accepted([of("a")], baseline, TODAY)
    assert seen.findings[0].accepted_until == "2026-11-23"
    assert (seen.lapsed, seen.unused) == ((), ())


def test_what_was_accepted_by_another_baseline_counts_again():
    assert accepted([replace(of("a"), accepted_until="2027-01-01")], Baseline(), TODAY).findings == [of("a")]


def test_the_name_of_a_finding_can_stand_in_any_file():
    assert name_of(of("\ud800 é")) == "GC101 \\ud800 é"


@given(FINDINGS, ENTRIES, DATES)
def test_what_holds_accepts_and_everything_else_is_told_once(findings, entries, today):
    seen = accepted(findings, Baseline(tuple(entries)), today)
    assert [replace(one, accepted_until=None) for one in seen.findings] == findings
    holding = {entry.finding for entry in entries if entry.until >= today}
    for finding in seen.findings:
        assert (finding.accepted_until is not None) == (name_of(finding) in holding)
    used = {name_of(finding) for finding in seen.findings if finding.accepted_until}
    told = [entry.finding for entry in (*seen.lapsed, *seen.unused)]
    assert sorted([*used, *told]) == sorted({entry.finding for entry in entries})
    assert accepted(seen.findings, Baseline(tuple(entries)), today) == seen
