"""Reports on paper, by keyboard, without JavaScript, and in the colours that the system forces on pages."""

import re

import pytest
from playwright.sync_api import Page

from gatecrash.reports.html import report as as_html
from gatecrash.reports.report import report_of
from tests.reports.browsing import DESKTOP, PHONE, browsing, page_of, violations_of
from tests.reports.capacity_samples import capacity_summary
from tests.reports.comparison_samples import compared, part, recording_of
from tests.reports.fuzz_samples import fuzz_summary
from tests.reports.samples import busy_summary, in_report

pytestmark = pytest.mark.browser

_DRAWN = """
    [...document.querySelectorAll('.plot')].map(plot => {
        const [outer, inner] = [plot, plot.querySelector('.main-svg')].map(one => one.getBoundingClientRect());
        return { plot: plot.id, wide: inner.width - outer.width, high: inner.height - outer.height };
    })
"""


def compared_report():
    """A run that is slower than the one that it is compared with."""
    earlier = part(recording_of(1), place="runs/before")
    later = part(recording_of(2, scale=1.3, throttled=0.03), place="runs/now")
    return report_of(later.summary, compared(earlier, later))


@pytest.fixture(scope="module")
def browser():
    with browsing() as opened:
        yield opened


@pytest.fixture(
    scope="module",
    params=(busy_summary, fuzz_summary, capacity_summary, compared_report),
    ids=lambda make: make.__name__,
)
def report(request, tmp_path_factory):
    path = tmp_path_factory.mktemp("page") / "report.html"
    path.write_bytes(as_html.render(in_report(request.param()), "runs/one"))
    return path


# Opening a page takes longer than looking at it. Tests that leave it as it was, or come last, share it.
@pytest.fixture(scope="module")
def light(browser, report):
    with page_of(browser, report) as page:
        yield page


@pytest.fixture(scope="module")
def dark(browser, report):
    with page_of(browser, report, scheme="dark") as page:
        yield page


def test_two_runs_are_overlaid_in_a_page_that_everybody_can_use(browser, tmp_path):
    path = tmp_path / "report.html"
    path.write_bytes(as_html.render(compared_report(), "runs/one"))
    for size, scheme in ((DESKTOP, "dark"), (PHONE, "light")):
        with page_of(browser, path, size, scheme) as page:
            assert violations_of(page) == []
            assert page.evaluate("document.documentElement.scrollWidth") <= size[0]
            plots = page.locator(".pairs .plot").all()
            assert len(plots) == 4
            for plot in plots:
                named = plot.locator(".annotation").all_text_contents()
                panels = plot.locator(".subplot").count()
                assert named.count("earlier") == named.count("later") == panels > 0


def test_the_skip_link_comes_first_and_the_links_after_it_lead_to_the_sections(light):
    light.keyboard.press("Tab")
    assert light.evaluate("document.activeElement.textContent") == "Skip to the verdict"
    box = light.locator(".skip").bounding_box()
    assert box["y"] >= 0
    light.keyboard.press("Enter")
    assert light.evaluate("document.activeElement.id") == "content"
    light.keyboard.press("Tab")
    first = light.locator("nav a").first
    assert first.evaluate("one => one === document.activeElement")
    last = light.locator("nav a").last
    last.focus()
    light.keyboard.press("Enter")
    assert light.evaluate("location.hash") == last.get_attribute("href") == "#configuration"


def test_a_printed_report_has_every_section_and_what_was_folded_up(light):
    headings = [one.inner_text() for one in light.locator("h2").all()]
    content = light.pdf(format="A4", outline=True, tagged=True)
    printed = [title.decode("latin-1") for title in re.findall(rb"/Title\s*\(([^)]*)\)", content)]
    assert len(headings) >= 7
    assert set(headings) <= set(printed)
    assert light.locator("html[data-printing]").count() == 0


def test_before_printing_everything_but_long_tables_is_opened_and_closed_again_after(dark):
    ink = dark.evaluate("getComputedStyle(document.documentElement).getPropertyValue('--ink')")
    closed = dark.locator("details:not([open])").count()
    dark.evaluate("window.dispatchEvent(new Event('beforeprint'))")
    assert dark.locator("details:not([open]):not([data-print=closed])").count() == 0
    # Plots are drawn before the browser turns to the colours of print.
    assert dark.evaluate("getComputedStyle(document.documentElement).getPropertyValue('--ink')") != ink
    dark.evaluate("window.dispatchEvent(new Event('afterprint'))")
    assert dark.locator("details:not([open])").count() == closed
    assert dark.evaluate("getComputedStyle(document.documentElement).getPropertyValue('--ink')") == ink


def test_what_is_printed_is_dark_on_light_and_fits_the_paper(dark):
    dark.set_viewport_size({"width": 703, "height": 1000})
    dark.emulate_media(media="print", color_scheme="dark")
    assert _brightness(dark, "backgroundColor") > 200 > 100 > _brightness(dark, "color")
    assert dark.evaluate("document.documentElement.scrollWidth") <= 703
    for one in dark.evaluate(_DRAWN):
        assert one["wide"] <= 0, one
        assert one["high"] == 0, one


def _brightness(page: Page, name: str) -> float:
    colour = page.evaluate(f"getComputedStyle(document.body).{name}")
    return sum(float(part) for part in colour.strip("rgba()").split(",")[:3]) / 3


def test_without_javascript_all_tables_are_there_and_each_plot_says_where_its_numbers_are(browser, report, light):
    tables = light.locator("table").count()
    plots = light.locator(".plot").count()
    words = {cell.strip() for cell in light.locator("td, dd").all_text_contents()}
    with page_of(browser, report, java_script_enabled=False) as page:
        assert page.locator("table").count() == tables > 0
        assert {cell.strip() for cell in page.locator("td, dd").all_text_contents()} == words
        # What the browser itself shows: it takes the content of this element for text where there is JavaScript.
        shown = page.locator("body").inner_text()
        assert shown.count("The plot needs JavaScript; the tables hold its numbers.") == plots > 0


def test_a_browser_that_cannot_unpack_the_plots_says_so(browser, report):
    context = browser.new_context()
    page = context.new_page()
    page.add_init_script("delete window.DecompressionStream")
    page.goto(report.as_uri())
    page.wait_for_selector(".plot.undrawn")
    assert page.locator(".plot.undrawn").count() == page.locator(".plot").count()
    assert "can't draw the plot" in page.locator(".plot").first.inner_text()
    context.close()


def test_in_forced_colours_plots_keep_their_ground_and_outcomes_their_patterns(browser, report):
    with page_of(browser, report, scheme="dark", forced_colors="active") as page:
        assert violations_of(page) == []
        grounds = page.evaluate(
            "[...document.querySelectorAll('.plot')].map(one => getComputedStyle(one).backgroundColor)"
        )
        assert set(grounds) == {"rgb(28, 34, 39)"}
        for swatch in page.locator(".swatch:not(.look-allow)").all():
            assert "gradient" in swatch.evaluate("one => getComputedStyle(one).backgroundImage")


def test_the_policy_lets_the_unpacked_plots_run_and_nothing_else(browser, report, tmp_path):
    # Not past its own policy, as the other tests, which put the checker into the page.
    page = browser.new_page()
    said = []
    page.on("console", lambda message: said.append(message.text))
    page.goto(report.as_uri())
    page.wait_for_selector(".js-plotly-plot")
    assert said == []
    changed = tmp_path / "changed.html"
    text = report.read_text("utf-8")
    changed.write_text(text.replace("script.textContent = await", "script.textContent = '1;' + await"), "utf-8")
    page.goto(changed.as_uri())
    page.wait_for_timeout(500)
    assert page.locator(".js-plotly-plot").count() == 0
    assert any("Content Security Policy" in text for text in said)
    page.close()
