"""summary.md and the trend's Markdown, rendered by a library of their own."""

import re
from dataclasses import replace

import pytest

from gatecrash.reports.files import as_markdown
from gatecrash.reports.report import Report
from gatecrash.reports.words import comparison as comparison_words
from gatecrash.reports.words import summary as words
from gatecrash.reports.words.findings import numbered
from tests.rendering import rendered
from tests.reports.capacity_samples import capacity_summary
from tests.reports.fuzz_samples import clean_fuzz_summary, fuzz_summary, hostile_fuzz_summary
from tests.reports.samples import HOSTILE, good_summary, in_report
from tests.reports.test_as_junit import compared_report, failed_thresholds, findings, invalid
from tests.reports.trend_samples import eventful

SUMMARIES = [
    *(good_summary, findings, failed_thresholds, invalid, compared_report, capacity_summary, fuzz_summary),
    *(clean_fuzz_summary, hostile_fuzz_summary),
]
ATTACK = "@octocat #1 https://evil.example www.evil.example <b>x</b> ![a](b) [a](b) |x| `c` **d** ~~e~~ 1. - # \n\n## x"


@pytest.mark.parametrize("make", SUMMARIES)
def test_its_parts_are_what_they_should_be(make):
    report = in_report(make())
    summary, page = report.summary, rendered(as_markdown.render(report, "runs/one"))
    assert page.headings[0] == (2, f"gatecrash: {summary.verdict.word}")
    assert {level for level, _ in page.headings[1:]} == {3}
    assert words.target_words(summary.info) in page.code
    assert "Key numbers" in page.texts()
    assert page.html == page.links == []
    heads = [table[0] for table in page.tables]
    assert ["number", "value"] in heads
    assert (["threshold", "measured", ""] in heads) == bool(summary.thresholds)
    assert all(len(row) == len(table[0]) for table in page.tables for row in table)
    shown = len(numbered(summary, notes=False)[:10])
    assert sum(code.startswith("gatecrash replay ") for code in page.code) == shown
    assert sum(item.startswith("GC") and "gatecrash replay " in item for item in page.items) == shown


def test_the_trend_is_headings_tables_and_lists():
    page = rendered(as_markdown.render_trend(eventful()))
    assert page.headings[0][1].startswith("gatecrash trend: ")
    assert {"Levels", "Findings"} <= set(page.texts())
    assert len(page.tables) == 2
    assert page.items
    assert page.html == page.links == []


def test_a_comparison_alone_says_what_changed_and_lets_no_text_become_markup():
    made = compared_report().comparison
    hostile = replace(made.later, name=ATTACK, place=ATTACK)
    page = rendered(as_markdown.render_comparison(replace(made, later=hostile, doubts=(ATTACK,))))
    assert page.headings == [(2, f"gatecrash comparison: {comparison_words.verdict_word(made)}")]
    ((head, *rows),) = page.tables
    assert head == list(comparison_words.ASPECT_COLUMNS)
    assert [row[0] for row in rows] == [row[0] for row in comparison_words.aspect_rows(made)]
    changed = comparison_words.changed_sentences(made)
    assert changed
    assert len(page.items) == 2 + len(changed) + 1
    assert page.html == page.links == []


def test_a_comparison_that_was_refused_says_why_and_has_no_table():
    made = replace(compared_report().comparison, refused=("the rate is not the same: 50 before, 40 now",))
    page = rendered(as_markdown.render_comparison(made))
    assert page.headings == [(2, "gatecrash comparison: NOT COMPARED")]
    assert page.items[-1] == "the rate is not the same: 50 before, 40 now"
    assert page.tables == []


@pytest.mark.parametrize(
    "text", [ATTACK, HOSTILE, "@a", "#1", "GH#1", "x@y.example", "HTTP://a WWW.a", "- [ ] x", "=== x"]
)
def test_no_text_becomes_markup_a_link_a_person_or_an_issue(text):
    written = as_markdown.escaped(text)
    page = rendered(written)
    assert page.html == page.links == page.code == page.items == page.headings == []
    assert set(page.kinds) <= {"paragraph_open", "inline", "paragraph_close", "text", "text_special"}
    # What GitHub's own additions look for: in what was rendered, and in the source.
    assert not re.search(r"[@#]\w", "".join(page.words))
    assert not re.search(r"(?<!\\)://|www\.", written, re.IGNORECASE)


def test_what_a_run_is_called_is_never_more_than_its_name():
    summary = replace(good_summary(), info=replace(good_summary().info, name=ATTACK, started_at=ATTACK))
    page, plain = (rendered(as_markdown.render(Report(one), "runs/one")) for one in (summary, good_summary()))
    assert page.texts() == plain.texts()
    assert page.html == page.links == []
    assert len(page.tables) == len(plain.tables)
