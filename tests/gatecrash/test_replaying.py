from gatecrash.replaying.replay import TIMES_MAXIMUM, TIMES_MINIMUM, Replay, times_for
from gatecrash.reports.oracles.findings import Finding
from gatecrash.reports.oracles.rules import OUTCOME_CHANGED


def finding(*counts):
    answers = [{"count": count} for count in counts]
    return Finding(OUTCOME_CHANGED, "", 1, 1, 0, "x", "allow", {}, {}, answers)


def test_what_was_seen_each_time_is_fired_a_few_times():
    assert times_for(finding(500)) == TIMES_MINIMUM


def test_what_was_seen_once_in_a_hundred_is_fired_often_enough_to_be_seen_again():
    times = times_for(finding(99, 1))
    assert 0.04 < 0.99**times < 0.06


def test_what_is_very_rare_is_fired_no_more_than_is_bearable():
    assert times_for(finding(10**6, 1)) == TIMES_MAXIMUM


def test_the_word_says_how_a_replay_went():
    assert Replay(0, 0, [], "nothing was answered").word == "CANNOT TEST: nothing was answered"
    assert Replay(20, 0, []).word == "FIXED"
    assert Replay(20, 20, []).word == "FAILED 20 of 20"
    assert Replay(20, 3, []).word == "FLAKY 3 of 20"
