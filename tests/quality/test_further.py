"""The further authorizers are what they say: each change fits, and each set line has what the yardstick needs."""

import pytest

from tests.quality.further import PLANTED, write_set
from tests.quality.yardstick import SETS, entries


@pytest.mark.parametrize("planted", PLANTED, ids=lambda planted: planted.name)
def test_every_change_fits_and_gives_code(planted):
    correct = (SETS / "first" / "handlers" / f"correct_{planted.profile}.py").read_text()
    assert planted.text() != correct
    compile(planted.text(), planted.name, "exec")


def test_the_set_lies_on_disk_like_the_first(tmp_path):
    write_set(tmp_path / "further")
    written, first = entries(tmp_path / "further"), entries(SETS / "first")
    assert {key for entry in written for key in entry} == {key for entry in first for key in entry}
    assert {entry["kind"] for entry in written} == {entry["kind"] for entry in first}
    assert not {entry["id"] for entry in written} & {entry["id"] for entry in first}
    assert all((tmp_path / "further" / entry["file"]).is_file() for entry in written)
