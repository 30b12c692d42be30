import pytest

from gatecrash.reports.run.campaign import Campaign, ControlRow, CoverageRow, PhaseRow
from gatecrash.reports.words import campaign as campaign_words
from tests.reports.fuzz_samples import CAMPAIGN


def test_the_matrix_has_a_row_for_each_family_and_a_column_for_each_carrier():
    matrix = campaign_words.matrix(CAMPAIGN)
    assert matrix.carriers == ["bearer_header", "mqtt_password", "token_in_query"]
    assert matrix.rows == [
        ("jwt_algorithm", ["1,090", "1,090", "1,090"]),
        ("opaque_secret", ["-", "-", "-"]),
        ("http_header", ["88", "-", "34"]),
    ]


def test_every_dash_has_its_reason_told_once():
    assert campaign_words.matrix(CAMPAIGN).reasons == [
        ("opaque_secret", "is made for other credentials than jwt"),
        ("http_header by mqtt_password", "would change nothing here"),
    ]


def test_families_with_the_same_reason_are_put_together():
    rows = [CoverageRow(family, carrier, 0, "no") for family in ("a", "b") for carrier in ("x", "y")]
    assert campaign_words.matrix(Campaign("jwt", coverage=tuple(rows))).reasons == [("a, b", "no")]
    part = (*rows, CoverageRow("c", "x", 1), CoverageRow("c", "y", 0, "no"))
    assert campaign_words.matrix(Campaign("jwt", coverage=part)).reasons == [("a; b; c by y", "no")]


def test_a_pair_that_nothing_is_known_of_is_a_dash():
    rows = (CoverageRow("a", "x", 1), CoverageRow("b", "y", 2))
    matrix = campaign_words.matrix(Campaign("jwt", coverage=rows))
    assert matrix.rows == [("a", ["1", "-"]), ("b", ["-", "2"])]


def test_a_phase_that_was_cut_short_says_of_how_many():
    assert campaign_words.phase_row(PhaseRow("a", "x", 541, 1609, 1.0)) == ("a", "x", "541 of 1,609", "1.0")
    assert campaign_words.phase_row(PhaseRow("a", "x", 12017, 12017, 1.0))[2] == "12,017"
    assert campaign_words.cut_short(CAMPAIGN)
    assert not campaign_words.cut_short(Campaign("jwt"))


@pytest.mark.parametrize(
    ("expected", "outcomes", "right"),
    [
        ("allow", {"allow": 3}, True),
        ("allow", {"allow": 3, "deny": 1}, False),
        ("allow", {"timed_out": 1}, False),
        ("deny", {"deny": 1, "refused_by_policy": 2, "rejected": 1}, True),
        ("deny", {"deny": 1, "allow": 1}, False),
        ("deny", {"unavailable": 1}, False),
        ("allow", {}, False),
        ("of another version", {"allow": 1}, False),
        ("allow", {"of another version": 1}, False),
    ],
)
def test_whether_a_control_was_answered_as_expected(expected, outcomes, right):
    assert campaign_words.as_expected(ControlRow("a", "before", expected, outcomes)) is right


def test_the_outcomes_of_a_control_are_counted():
    control = ControlRow("a", "before", "deny", {"refused_by_policy": 3014, "deny": 1})
    assert campaign_words.control_outcomes(control) == "refused by policy 3,014, deny 1"
    assert campaign_words.control_outcomes(ControlRow("a", "before", "deny", {})) == "none"
