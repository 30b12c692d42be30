import pytest

from gatecrash.reports.html import report as as_html
from gatecrash.reports.report import Report
from tests.reports.browsing import DESKTOP, PHONE, browsing, page_of, violations_of
from tests.reports.capacity_samples import capacity_summary
from tests.reports.course_samples import soak_summary
from tests.reports.fuzz_samples import fuzz_summary, hostile_fuzz_summary
from tests.reports.samples import busy_summary, distributed_summary, empty_summary

pytestmark = pytest.mark.browser

SUMMARIES = (busy_summary, hostile_fuzz_summary, distributed_summary, capacity_summary, soak_summary)


@pytest.fixture(scope="module")
def browser():
    with browsing() as opened:
        yield opened


@pytest.fixture(scope="module")
def pages(tmp_path_factory):
    folder = tmp_path_factory.mktemp("pages")

    def page(make):
        path = folder / f"{make.__name__}.html"
        if not path.exists():
            path.write_bytes(as_html.render(Report(make()), "runs/one"))
        return path

    return page


@pytest.fixture(params=(fuzz_summary, capacity_summary), ids=lambda make: make.__name__)
def report(request, pages):
    return pages(request.param)


@pytest.mark.parametrize("make", SUMMARIES, ids=lambda make: make.__name__)
def test_the_page_can_be_used_by_everybody(browser, pages, make):
    with page_of(browser, pages(make), DESKTOP, "light") as page:
        assert violations_of(page) == []


def test_it_can_be_used_on_a_phone_in_the_dark(browser, report):
    with page_of(browser, report, PHONE, "dark") as page:
        assert violations_of(page) == []
        assert page.evaluate("document.documentElement.scrollWidth") <= PHONE[0]


def test_every_plot_is_drawn_and_every_section_can_be_seen(browser, report):
    with page_of(browser, report) as page:
        for plot in page.locator(".plot").all():
            # A plot without any mark would be an empty frame.
            assert plot.locator(".trace, .hm image, .points path").count() > 0
            assert len(plot.screenshot()) > 3000
        sections = page.locator("main > section").all()
        assert len(sections) >= 5
        for section in sections:
            heading = section.locator("h1, h2").first
            assert heading.inner_text().strip()
            assert len(section.screenshot()) > 1000


def test_everything_that_scrolls_or_opens_is_reached_by_the_keyboard(browser, report):
    with page_of(browser, report, PHONE) as page:
        expected = page.evaluate(
            "[...document.querySelectorAll('summary, [tabindex=\"0\"], a[href]')]"
            ".filter(one => one.checkVisibility({ contentVisibilityAuto: true })).length"
        )
        reached = set()
        for _ in range(expected):
            page.keyboard.press("Tab")
            place = page.evaluate(
                "[...document.querySelectorAll('*')].indexOf(document.activeElement) + '|' +"
                " getComputedStyle(document.activeElement).outlineStyle"
            )
            number, outline = place.split("|")
            # Whoever uses the keyboard must see where he is.
            assert outline != "none"
            reached.add(number)
        assert len(reached) == expected
        for summary in page.locator("summary").all()[:1]:
            summary.focus()
            page.keyboard.press("Enter")
            assert summary.evaluate("one => one.parentElement.open")


def test_what_an_authorizer_said_does_not_become_code(browser, tmp_path):
    path = tmp_path / "report.html"
    path.write_bytes(as_html.render(Report(busy_summary()), "runs/one"))
    with page_of(browser, path) as page:
        assert "alert(1)</script> [bold]" not in page.content()


def test_a_script_that_is_not_the_pages_own_does_not_run(browser, tmp_path):
    path = tmp_path / "report.html"
    intruder = b"<script>document.title = 'taken' + ' over'</script></body>"
    path.write_bytes(as_html.render(Report(empty_summary()), "runs/one").replace(b"</body>", intruder))
    page = browser.new_page()
    said = []
    page.on("console", lambda message: said.append(message.text))
    page.goto(path.as_uri())
    assert page.title() != "taken over"
    assert any("Content Security Policy" in text for text in said)
    page.close()
