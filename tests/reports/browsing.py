"""Looking at a report with a real browser."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.resources import files
from typing import Any

from playwright.sync_api import Page, sync_playwright

_OWN = ("file:", "data:", "blob:")
_ALL_DRAWN = "document.querySelectorAll('.plot').length == document.querySelectorAll('.js-plotly-plot').length"
DESKTOP, PHONE = (1280, 900), (390, 844)


@contextmanager
def browsing() -> Iterator[Any]:
    """Open Debian's Chromium, which cannot start its own sandbox where one is root."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])
        yield browser
        browser.close()


@contextmanager
def page_of(
    browser: Any, path: Any, size: tuple[int, int] = DESKTOP, scheme: str = "light", **more: Any
) -> Iterator[Page]:
    """Open a file; raises AssertionError at the end when it complained of anything, or asked the network for it.

    ``more`` are further options of the browser's context.
    """
    width, height = size
    # The checker is put into the page past its own policy.
    context = browser.new_context(
        viewport={"width": width, "height": height},
        color_scheme=scheme,
        bypass_csp=True,
        reduced_motion="reduce",
        **more,
    )
    page = context.new_page()
    troubles: list[str] = []
    page.on("console", lambda message: troubles.append(message.text))
    page.on("pageerror", lambda error: troubles.append(str(error)))
    page.on("request", lambda request: troubles.extend([request.url][: not request.url.startswith(_OWN)]))
    page.goto(path.as_uri())
    if more.get("java_script_enabled", True):
        page.wait_for_function(_ALL_DRAWN)
    yield page
    assert not troubles
    context.close()


def violations_of(page: Page) -> list[str]:
    """Return what axe-core has against a page, a line for each rule with the first place."""
    page.evaluate(files("axe_playwright_python").joinpath("axe.min.js").read_text("utf-8"))
    # Without every node that keeps a rule, which takes longer than the checks themselves.
    found = page.evaluate("axe.run({ resultTypes: ['violations'] })")
    assert len(found["passes"]) > 20
    return [f"{one['id']}: {one['help']}: {one['nodes'][0]['html'][:200]}" for one in found["violations"]]
