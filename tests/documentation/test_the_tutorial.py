"""The tutorial, followed literally in an empty folder."""

from tests.documentation.running import TUTORIAL, go_through


def test_the_tutorial_works_as_it_stands_in_an_empty_folder(tmp_path):
    go_through(TUTORIAL, tmp_path)
