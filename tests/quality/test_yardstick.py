"""A part of the yardstick, one authorizer of each kind; CI runs the whole (see .ci/run)."""

import pytest

from tests.quality.yardstick import SETS, entries, run

FAST = ("--gateway-seconds=0", "--drawn=100", "--seconds=6")
IDS = (
    "correct_password_shuffled_policy",
    "password_remembered",
    "password_flips",
    "password_not_utf8",
    "signed_slow_pattern",
    "apikey_wide_policy",
    "apikey_refresh_zero",
)
FIRST = {entry["id"]: entry for entry in entries(SETS / "first")}


@pytest.mark.parametrize("name", IDS)
def test_a_planted_defect_is_found_and_a_correct_authorizer_left_alone(name, tmp_path):
    row = run(SETS / "first", FIRST[name], 1, list(FAST), tmp_path)
    assert row.right, row.output


def test_the_part_has_every_kind_of_defect():
    assert {FIRST[name]["kind"] for name in IDS} == {entry["kind"] for entry in FIRST.values()}
