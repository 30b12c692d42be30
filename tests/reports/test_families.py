from gatecrash.authorizers.contract import Expectation, Outcome
from gatecrash.reports.course.families import families_of
from gatecrash.reports.recording.ledger import Ledger
from gatecrash.reports.run.summary import summarise
from gatecrash.reports.words import families as family_words
from tests.reports.samples import HOSTILE, THROTTLED, allow, deny, exchange, fault, good_recording, run_of

KINDS = {0: ("valid", Expectation.ALLOW), 1: ("tls", Expectation.OPEN), 2: ("jwt_claims", Expectation.DENY)}


def ledger_of(*pairs):
    ledger = Ledger()
    for number, (case, answer) in enumerate(pairs):
        ledger.add_exchange(exchange(answer, case=case, start=float(number)), tuple)
    return ledger


def kind_of(case):
    return KINDS[case % 3]


def test_what_each_family_got_is_counted():
    ledger = ledger_of((0, allow()), (0, allow()), (3, deny()), (1, deny()), (2, deny()), (5, allow()), (5, THROTTLED))
    valid, claims, tls = families_of(ledger, kind_of)
    assert (valid.family, valid.expectation, valid.cases, valid.exchanges) == ("valid", "allow", 2, 3)
    assert valid.outcomes == {"allow": 2, "deny": 1}
    assert (claims.family, claims.cases, claims.outcomes) == ("jwt_claims", 2, {"deny": 1, "allow": 1, "throttled": 1})
    assert (tls.family, tls.unexpected) == ("tls", 0)
    assert (valid.unexpected, claims.unexpected) == (1, 1)


def test_a_cold_start_and_a_plain_answer_are_counted_alike():
    (row,) = families_of(ledger_of((0, allow()), (0, allow(cold=True)), (3, allow())), kind_of)
    assert (row.cases, row.outcomes) == (2, {"allow": 3})


def test_the_table_has_a_column_for_each_outcome_that_was_seen():
    recording = good_recording()
    recording.ledger.add_exchange(exchange(fault(Outcome.HANDLER_ERROR), case=0), tuple)
    summary = summarise(run_of(recording), lambda case: (HOSTILE, Expectation.DENY) if case else kind_of(case))
    columns, rows = family_words.columns(summary), family_words.rows(summary)
    assert columns == ["family", "expected", "cases", "exchanges", "allow", "deny", "handler error", "not as expected"]
    assert rows[0] == ["valid", "allow", "1", "101", "100", "-", "1", "1"]
    assert rows[1][1:] == ["deny", "2", "200", "-", "200", "-", "-"]
    assert "\u202e" not in rows[1][0]
    assert family_words.sentence(summary).startswith("3 distinct cases of 2 families were fired")


def test_without_a_corpus_there_are_none():
    assert summarise(run_of(good_recording())).families == ()
