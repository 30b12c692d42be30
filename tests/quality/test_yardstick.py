"""The whole yardstick, without the phases that need a gateway, which are the same for all authorizers."""

import pytest

from tests.quality.yardstick import SETS, entries, run

FAST = ("--gateway-seconds=0", "--drawn=100", "--seconds=6")
FIRST = {entry["id"]: entry for entry in entries(SETS / "first")}


@pytest.mark.parametrize("name", FIRST)
def test_a_planted_defect_is_found_and_a_correct_authorizer_left_alone(name, tmp_path):
    row = run(SETS / "first", FIRST[name], 1, list(FAST), tmp_path)
    assert row.right, row.output
