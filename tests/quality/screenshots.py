"""Pictures of every section of every kind of report, to look at, and what axe-core has against the pages.

    python -m tests.quality.screenshots FOLDER [--only passing,fuzz]

makes the runs, takes a picture of each section (desktop and phone, light and dark), prints each page to PDF and writes
a line for each. Needs ``chromium``; with poppler's ``pdftoppm`` the printed pages become pictures too. The exit code is
1 when axe-core found a violation.
"""

from __future__ import annotations

import argparse
import re
import shutil
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from playwright.sync_api import Page

from tests.quality.pages import made
from tests.reports.browsing import DESKTOP, PHONE, browsing, page_of, violations_of

LOOKS = tuple(
    (where, size, scheme) for where, size in (("desktop", DESKTOP), ("phone", PHONE)) for scheme in ("light", "dark")
)
_PAGE = re.compile(rb"/Type\s*/Page\b")
ROW = "{:<12} {:>8} {:>9} {:>8} {:>10} {:>11}"


def sections_of(page: Page, prefix: Path) -> int:
    """Take a picture of each section; return how many there are."""
    sections = page.locator("body > .page > header, main > section").all()
    for number, section in enumerate(sections):
        name = section.get_attribute("aria-labelledby") or "header"
        section.screenshot(path=f"{prefix}-{number:02}-{name}.png")
    return len(sections)


def printed(page: Page, path: Path) -> int:
    """Print a page to PDF, and turn that into pictures where there is ``pdftoppm``; return the number of its pages."""
    content = page.pdf(path=path, format="A4", outline=True, tagged=True)
    if shutil.which("pdftoppm"):
        subprocess.run(["pdftoppm", "-r", "60", "-png", str(path), str(path.with_suffix(""))], check=True)
    return len(_PAGE.findall(content))


def looked_at(browser: Any, name: str, path: Path, folder: Path) -> tuple[str, list[str]]:
    """Take all pictures of a page; return its line of the table and what axe-core has against it."""
    sections, pages, violations = 0, 0, []
    started = time.perf_counter()
    with page_of(browser, path):
        drawn = time.perf_counter() - started
    for where, size, scheme in LOOKS:
        with page_of(browser, path, size, scheme) as page:
            found = violations_of(page)
            violations += [f"{name}, {where}, {scheme}: {one}" for one in found]
            sections = sections_of(page, folder / f"{name}-{where}-{scheme}")
            if (where, scheme) == ("desktop", "light"):
                pages = printed(page, folder / f"{name}.pdf")
    size_in_megabytes = f"{path.stat().st_size / 1e6:.2f} MB"
    return ROW.format(name, size_in_megabytes, sections, pages, f"{drawn:.2f} s", len(violations)), violations


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--only", default="", help="names of pages, with commas")
    options = parser.parse_args()
    wanted = {name for name in options.only.split(",") if name}
    options.folder.mkdir(parents=True, exist_ok=True)
    folder = options.folder.resolve()
    print(ROW.format("page", "size", "sections", "printed", "drawn in", "violations"), flush=True)
    violations: list[str] = []
    with browsing() as browser:
        for name, path in made(folder):
            if wanted and name not in wanted:
                continue
            line, found = looked_at(browser, name, path, folder)
            violations += found
            print(line, flush=True)
    print(*violations, sep="\n")
    sys.exit(bool(violations))


if __name__ == "__main__":
    main()
