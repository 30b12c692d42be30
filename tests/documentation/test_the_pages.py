"""The commands of README.md and of the pages directly below docs, in their order, a folder for each page."""

import pytest

from tests.documentation.pages import page_names
from tests.documentation.running import TUTORIAL, all_gone_through

PAGES = [page for page in page_names() if not page.startswith("docs/how-to/") and page != TUTORIAL]


@pytest.fixture(scope="module")
def ended(request, tmp_path_factory):
    with all_gone_through(request, tmp_path_factory) as pages:
        yield pages


@pytest.mark.parametrize("page", PAGES)
def test_every_command_of_the_page_works_and_says_what_is_shown(ended, page):
    ended[page].result()
