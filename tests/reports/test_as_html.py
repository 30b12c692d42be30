import base64
import gzip
import hashlib
import json
import re
from dataclasses import replace
from html.parser import HTMLParser

import pytest
from plotly.offline import get_plotlyjs

from gatecrash.authorizers.contract import Expectation
from gatecrash.reports.html import report as as_html
from gatecrash.reports.plan.facts import TargetFacts
from gatecrash.reports.report import Report
from gatecrash.reports.run.summary import summarise
from tests.reports.capacity_samples import capacity_summary
from tests.reports.fuzz_samples import fuzz_summary
from tests.reports.samples import HOSTILE, busy_summary, empty_summary, good_recording, good_summary, run_of

FOLDER = "runs/20250102T030405Z-steady"
VOID = {"meta", "link", "br", "hr", "img", "input"}


class Page(HTMLParser):
    """Collects what the tests ask of a page, and checks that its elements nest."""

    def __init__(self, content):
        super().__init__()
        self.open, self.tags, self.attributes, self.scripts, self.words, self.ids = [], [], [], [], [], []
        self.whole = content.decode("utf-8")
        # The parser of the standard library is slow with megabytes of script.
        self.packed = re.search(r'(?<=<script type="application/gzip" id="plotly">)[^<]*', self.whole).group()
        self.without_plotly = self.whole.replace(self.packed, "PLOTLY") if self.packed else self.whole
        self.feed(self.without_plotly)
        self.close()

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        self.attributes += [(tag, *attribute) for attribute in attrs]
        self.ids += [value for name, value in attrs if name == "id"]
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        (self.scripts if self.open and self.open[-1] == "script" else self.words).append(data)

    @property
    def text(self):
        return " ".join(" ".join(self.words).split())


def page_of(summary, folder=FOLDER):
    page = Page(as_html.render(Report(summary), folder))
    assert page.open == []
    return page


@pytest.fixture(scope="module")
def busy():
    return page_of(busy_summary())


@pytest.fixture(scope="module")
def empty():
    return page_of(empty_summary())


def test_nothing_is_fetched_from_anywhere(busy):
    for _, name, value in busy.attributes:
        if name in {"src", "href", "srcset", "action", "data", "poster", "background"}:
            assert value == "data:," or value.startswith("#")
    assert not re.search(r"https?://|@import|url\(", busy.without_plotly)
    assert "<script src" not in busy.whole
    assert gzip.decompress(base64.b64decode(busy.packed)).decode() == get_plotlyjs()


def test_a_page_is_small_and_one_without_plots_smaller(busy, empty):
    assert len(busy.whole) < 2_200_000
    assert len(empty.whole) < 60_000


def test_the_content_security_policy_allows_the_pages_own_scripts_and_nothing_else(busy):
    (policy,) = [value for _, name, value in busy.attributes if name == "content" and "default-src" in (value or "")]
    figures, plotly, own = busy.scripts
    digests = [base64.b64encode(hashlib.sha256(script.encode()).digest()).decode() for script in (get_plotlyjs(), own)]
    assert plotly == "PLOTLY"
    assert re.findall(r"'sha256-([^']+)'", policy) == digests
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy.partition("style-src")[0]
    assert json.loads(figures)


def test_the_order_is_verdict_validity_numbers_and_so_on(busy):
    wanted = ["verdict", "validity", "numbers", "outcomes", "latency", "throttling", "findings", "configuration"]
    assert [name for name in busy.ids if name in wanted] == wanted
    assert len(busy.ids) == len(set(busy.ids))
    assert busy.tags.count("h1") == 1
    assert {"main", "header", "footer"} <= set(busy.tags)


def test_every_table_has_a_caption_and_every_header_a_scope(busy):
    assert busy.tags.count("table") == busy.tags.count("caption") > 5
    scopes = [value for tag, name, value in busy.attributes if (tag, name) == ("th", "scope")]
    assert len(scopes) == busy.tags.count("th")


@pytest.mark.parametrize(
    "wanted",
    [
        "FAIL The authorizer gave wrong",
        "Degraded : read the numbers with care",
        "Service time , in milliseconds",
        "Response time from the intended start , in milliseconds",
        "3 of 35, the warm-up included",
        "allowed what must be denied",
        f"gatecrash replay {FOLDER} --finding 2",
        "target sample-authorizer (local: /samples/jwt_authorizer.py:handler), by the wire client",
        "target.environments",
    ],
)
def test_what_a_person_looks_for_is_there(busy, wanted):
    assert wanted in busy.text


def test_the_plots_say_which_latency_they_show(busy):
    figures = json.loads(busy.scripts[0])
    for name in ("latency-plot", "percentile-plot"):
        names = {trace["name"].partition(",")[0] for trace in figures[name]["data"]}
        assert names == {"service time", "response time"}
    assert set(figures) <= set(busy.ids)


def test_every_colour_of_a_plot_is_in_the_style_sheet(busy):
    used = set(re.findall(r"var\((--[a-z-]+)\)", busy.scripts[0]))
    assert "--allow" in used
    for colour in used:
        assert f"{colour}:" in busy.without_plotly


def test_every_link_leads_to_a_section_and_every_section_has_one(busy):
    targets = [value[1:] for tag, name, value in busy.attributes if (tag, name) == ("a", "href")]
    assert targets[0] == "content"
    headings = [value for tag, name, value in busy.attributes if (tag, name) == ("section", "aria-labelledby")]
    assert targets[1:] == headings[1:]
    assert set(targets) <= set(busy.ids)


def test_an_outcome_looks_alike_in_the_table_and_in_the_plot(busy):
    looks = [value for tag, name, value in busy.attributes if (tag, name) == ("span", "class") and "look-" in value]
    shown = {look.rpartition("look-")[2] for look in looks}
    assert {"allow", "deny", "throttled"} <= shown
    for name in shown - {"allow"}:
        assert f".look-{name}" in busy.without_plotly


def test_what_the_corpus_covered_is_in_the_page():
    def kind_of(case):
        return ("valid", Expectation.ALLOW) if case == 0 else ("jwt_claims", Expectation.DENY)

    page = page_of(summarise(run_of(good_recording()), kind_of))
    assert "3 distinct cases of 2 families were fired" in page.text
    assert "valid allow 1 100 100 - -" in page.text
    assert "jwt_claims deny 2 200 - 200 -" in page.text


def test_without_its_corpus_a_run_says_so(busy):
    assert "The corpus is gone from the cache" in busy.text


def test_hostile_text_stays_text(busy):
    assert busy.tags.count("script") == 3
    assert "&lt;script&gt;alert(1)&lt;/script&gt; [bold]" in busy.whole
    assert "\x1b" not in busy.without_plotly
    assert "\u202e" not in busy.without_plotly


def test_hostile_text_anywhere_in_a_run_stays_text():
    summary = busy_summary()
    texts = {HOSTILE: HOSTILE, "more": {HOSTILE: [HOSTILE]}}
    target = TargetFacts(HOSTILE, handler=[HOSTILE], region=HOSTILE, script=texts)
    info = replace(summary.info, name=HOSTILE, started_at=HOSTILE, target=target, settings=texts, versions=texts)
    (finding, *_) = summary.findings
    answers = [{**finding.answers[0], "environments": [HOSTILE], "sample": texts}]
    hostile = replace(
        summary,
        info=info,
        verdict=replace(summary.verdict, reasons=(HOSTILE,)),
        judgement=replace(summary.judgement, reasons=(HOSTILE, HOSTILE + "2")),
        findings=[
            replace(finding, cause=HOSTILE, case_name=HOSTILE, request=texts, answers=answers, expectation=HOSTILE)
        ],
    )
    page = page_of(hostile, folder=HOSTILE)
    assert page.tags.count("script") == 3
    assert "\u202e" not in page.without_plotly
    assert "\x1b" not in page.without_plotly


def test_an_empty_run_has_a_page_without_plots(empty):
    assert json.loads(empty.scripts[0]) == {}
    assert "INVALID" in empty.text
    assert "No exchange was measured." in empty.text
    assert "plot" not in {value for _, name, value in empty.attributes if name == "class"}


def test_nothing_wrong_is_said_with_its_bound():
    page = page_of(good_summary())
    assert "No finding. No wrong decision in 300: with 95 % confidence fewer than 1.00 % are wrong" in page.text
    assert "No exchange was throttled." in page.text


@pytest.mark.parametrize("make", [busy_summary, fuzz_summary, capacity_summary], ids=lambda make: make.__name__)
def test_no_line_bar_or_dot_of_a_plot_is_told_from_another_by_colour_alone(make):
    figures = json.loads(page_of(make()).scripts[0])
    assert figures
    for name, figure in figures.items():
        looks = [
            (
                trace["type"],
                trace.get("line", {}).get("dash"),
                str(trace.get("marker", {}).get("symbol")),
                str(trace.get("marker", {}).get("pattern")),
            )
            for trace in figure["data"]
        ]
        assert len(set(looks)) == len(looks), name
