"""docs/architecture.md tells of the house as it is."""

import re

from tests.architecture.house import ROOT, modules, relative, room

PAGE = (ROOT / "docs" / "architecture.md").read_text()


def test_the_page_lists_every_room_and_no_other():
    (rooms,) = re.findall(r"## The rooms\n\n```\n(.*?)```", PAGE, flags=re.DOTALL)
    listed = [re.fullmatch(r"(\S+)/ +\S.*", line)[1] for line in rooms.splitlines()]
    assert len(listed) == len(set(listed))
    assert set(listed) == {room(name) for name in modules()}


def test_every_module_that_the_page_names_is_there():
    named = set(re.findall(r"`((?:[a-z_]+/)*[a-z_]+\.py)`", PAGE))
    files = {relative(path) for path in modules().values()}
    gone = {name for name in named if not any(f"/{path}".endswith(f"/{name}") for path in files)}
    assert {name for name in gone if not (ROOT / name).exists()} == set()
