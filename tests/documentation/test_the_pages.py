"""The commands of README.md and of the pages directly below docs, in their order, a folder for each page."""

import pytest

from tests.documentation.pages import page_names
from tests.documentation.running import TUTORIAL, PageRun

PAGES = [page for page in page_names() if not page.startswith("docs/how-to/") and page != TUTORIAL]


@pytest.mark.parametrize("page", PAGES)
def test_every_command_of_the_page_works_and_says_what_is_shown(page, tmp_path):
    with PageRun(page, tmp_path) as run:
        run.run()
