"""What the terminal, the page and stats.json say of a fuzz run."""

import json
from dataclasses import replace

import pytest

from gatecrash.reports.files import as_json
from gatecrash.reports.html import report as as_html
from gatecrash.reports.oracles.rules import FAIL_OPEN
from gatecrash.reports.recording import codec
from gatecrash.reports.report import Report
from gatecrash.reports.run.summary import summarise
from tests.reports.fuzz_samples import (
    CAMPAIGN,
    CARRIERS,
    broken_fuzz_summary,
    clean_fuzz_summary,
    fuzz_findings,
    fuzz_run,
    fuzz_summary,
    hostile_fuzz_summary,
)
from tests.reports.samples import busy_summary
from tests.reports.test_as_html import page_of
from tests.reports.test_as_text import text_of

FOLDER = "runs/20250102T030405Z-fuzz"


def words_of(text):
    return " ".join(text.split())


@pytest.fixture(scope="module")
def text():
    return text_of(fuzz_summary(), folder=FOLDER)


@pytest.fixture(scope="module")
def page():
    return page_of(fuzz_summary(), FOLDER)


IN_BOTH = [
    "fail-open",
    "fail-closed",
    "inconsistent",
    "performance",
    "deterministic: 15 of 15 times, 79.6 % to 100 % with 95 % confidence",
    "flaky: 7 of 2,000 times, 0.17 % to 0.72 % with 95 % confidence",
    "only after another request: 5 of 5 times",
    "only after 201 invocations of one environment: 1,799 of 1,799 times",
    "only under load, when invocations overlap: 13 of 480 times",
    "cold start only, in the first invocation of an environment: 6 of 6 times",
    "only near a moment in time, such as an expiry: 3 of 40 times",
    "not seen again when the request was fired alone; in the run 1 of 3 times",
    "Name the algorithm none, and leave the signature out.",
    "RFC 8725 section 3.2",
    "found after 2,377 exchanges; phases sequential, steady",
    "1 change to a valid request; the smallest that was found",
    "3 changes to a valid request; not shrunk",
    "a valid request, unchanged",
    "4,810 ms, 1,203 times as long as a valid request",
    "until 2026-12-31 by the baseline",
    "Findings: 9, 1 of them accepted by the baseline",
    "Notes: 2",
    "gatecrash explain GC101",
    f"gatecrash replay {FOLDER} --finding 11",
    f"gatecrash export {FOLDER} --finding 11 --as pytest",
    "5 of 9 pairs covered",
    "1,090",
    "is made for other credentials than jwt",
    "http_header by mqtt_password: would change nothing here",
    "541 of 609",
    "A phase of fewer exchanges than planned",
    "valid credential by bearer_header",
    "allow 3,014, timed out 2",
    "not as expected",
    "4,886 requests more",
    FAIL_OPEN.remedy,
]


@pytest.mark.parametrize("wanted", IN_BOTH)
def test_the_terminal_says_it(text, wanted):
    assert wanted in words_of(text)


@pytest.mark.parametrize("wanted", [*IN_BOTH, FAIL_OPEN.danger, "6 further cases with the same cause"])
def test_the_page_says_it(page, wanted):
    assert words_of(wanted) in page.text.replace(" : ", ": ")


def test_the_terminal_tells_every_finding_in_the_same_order(text):
    first = text[text.index("\n2. GC101") : text.index("\n3. GC604")]
    labels = [line[3:12].strip() for line in first.splitlines()[2:] if line[3:12].strip()]
    assert labels == [
        *("shows", "meaning", "cause", "change", "source", "seen in", "case", "size", "first", "then", "answers"),
        *("remedy", "explain", "replay", "export"),
    ]
    assert first.index("1. valid/jwt by bearer_header") < first.index("2. jwt_claims/expired") < first.index("then")


def test_the_terminal_names_three_further_cases_and_the_page_all(text, page):
    assert "jwt_algorithm/none_2 and 3 more" in words_of(text)
    assert "jwt_algorithm/none_3" not in text
    assert all(f"jwt_algorithm/none_{number}" in page.text for number in range(6))


def test_notes_come_last_on_the_terminal(text):
    assert text.index("9. GC303") < text.index("Notes: 2") < text.index("10. GC104") < text.index("11. GC403")


def test_many_notes_are_cut_apart_from_findings():
    shown = text_of(fuzz_summary(), findings_shown=1)
    assert "and 8 more findings: see the report" in shown
    assert "and 1 more note: see the report" in shown


def test_the_page_has_findings_before_coverage_and_notes_after_them(page):
    wanted = ["numbers", "findings", "notes", "coverage", "phases", "controls", "outcomes", "configuration"]
    assert [name for name in page.ids if name in wanted] == wanted
    assert len(page.ids) == len(set(page.ids))


def test_the_page_keeps_its_rules_for_tables(page):
    assert page.tags.count("table") == page.tags.count("caption")
    scopes = [value for tag, name, value in page.attributes if (tag, name) == ("th", "scope")]
    assert len(scopes) == page.tags.count("th")


def test_the_setup_stands_in_order_before_the_request(page):
    steps = page.text.index("Fire first, in this order")
    assert steps < page.text.index("valid/jwt by bearer_header", steps) < page.text.index("jwt_claims/expired", steps)
    assert page.text.index("jwt_claims/expired", steps) < page.text.index("Then the request", steps)


def test_what_a_baseline_accepts_is_muted_on_the_page(page):
    classes = [value for tag, name, value in page.attributes if (tag, name) == ("article", "class")]
    assert [number for number, value in enumerate(classes, 1) if "tone-muted" in value] == [9]


@pytest.mark.parametrize("absent", ["planned rate", "dropped arrivals", "throttle rate", "achieved rate", "warm-up"])
def test_a_fuzz_run_has_no_numbers_of_a_load(text, absent):
    assert absent not in text


def test_a_run_of_another_kind_has_no_phases_and_controls():
    shown, page = text_of(busy_summary()), page_of(busy_summary())
    for name in ("Phases", "Controls"):
        assert name not in shown
        assert name.lower() not in page.ids


def test_carriers_that_do_not_fit_are_named_above_the_table():
    narrow = text_of(fuzz_summary(), width=40)
    assert words_of(", ".join(f"{letter} = {name}" for letter, name in zip("abc", CARRIERS, strict=True))) in words_of(
        narrow
    )


def test_nothing_found_is_said_without_a_bound_on_what_was_chosen():
    shown = words_of(text_of(clean_fuzz_summary()))
    assert "no wrong decision in 300, on 3 distinct requests." in shown
    assert "rule of three" not in shown
    assert "No finding. No wrong decision in 300, on 3 distinct requests." in page_of(clean_fuzz_summary()).text


def test_a_pass_by_a_baseline_does_not_say_that_nothing_was_wrong():
    accepted = [replace(finding, accepted_until="2026-12-31") for finding in fuzz_findings()[:1]]
    shown = text_of(summarise(fuzz_run(accepted)))
    assert shown.startswith("PASS  Nothing wrong was seen besides what the baseline accepts.")


def test_a_broken_run_says_why_once_and_claims_nothing():
    shown = text_of(broken_fuzz_summary())
    assert shown.startswith("INVALID  The run proves nothing, for the controls failed.")
    assert shown.count("every valid credential was turned away") == 1
    assert "no wrong decision" not in shown
    assert "no wrong decision" not in page_of(broken_fuzz_summary()).text.lower()


def test_hostile_text_anywhere_in_a_fuzz_run_stays_text():
    summary = hostile_fuzz_summary()
    shown, page = text_of(summary), page_of(summary)
    assert page.tags.count("script") == 3
    for content in (shown, page.without_plotly):
        assert "\x1b" not in content
        assert "\u202e" not in content
    # In the matrix of coverage, the phases and the controls too, where brackets would style what follows.
    assert all("[bold]" in line for line in shown.splitlines() if "<script>alert(1)</script> " in line)
    shown.encode("utf-8")


def test_stats_json_has_the_campaign_and_what_a_rule_says():
    value = json.loads(as_json.render(Report(fuzz_summary())))
    assert value["campaign"] == json.loads(json.dumps(codec.to_json(CAMPAIGN)))
    (first, *_) = value["findings"]
    assert {finding["severity"] for finding in value["findings"]} == {"danger", "error"}
    assert {note["severity"] for note in value["notes"]} == {"note"}
    assert [one["number"] for one in (*value["findings"], *value["notes"])] == list(
        range(1, len(value["findings"]) + len(value["notes"]) + 1)
    )
    assert (first["kind"], first["danger"], first["remedy"]) == ("fail_open", FAIL_OPEN.danger, FAIL_OPEN.remedy)
    assert first["sources"] == list(FAIL_OPEN.sources)
    assert first["confirmation"]["classification"] == "deterministic"
    assert first["fingerprint"] == "GC101 a token without an algorithm is believed"
    assert json.loads(as_json.render(Report(busy_summary())))["campaign"] is None


def test_a_fuzz_page_is_deterministic():
    assert as_html.render(Report(fuzz_summary()), FOLDER) == as_html.render(Report(fuzz_summary()), FOLDER)
