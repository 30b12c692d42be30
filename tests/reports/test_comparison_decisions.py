import pytest
from hypothesis import given
from hypothesis import strategies as st

from gatecrash.authorizers.contract import Expectation, Outcome
from gatecrash.reports.comparison.decisions import LISTED_MAXIMUM, FlipKind, compare_decisions
from gatecrash.reports.recording.ledger import Ledger
from gatecrash.reports.statistics.directions import Direction, by_sign
from tests.reports.samples import THROTTLED, allow, deny, exchange, facts, fault, policy, statement

OTHER = allow(policy(statement("client/other")))
FAILED = fault(Outcome.HANDLER_ERROR, kind="KeyError")
ANSWERS = st.sampled_from([allow(), deny(), OTHER, FAILED, THROTTLED])
LEDGERS = st.dictionaries(st.integers(0, 5), st.lists(ANSWERS, min_size=1, max_size=3))


def ledger(answers):
    """Return a ledger of lists of answers by case."""
    made = Ledger()
    for case, several in answers.items():
        for number, answer in enumerate(several):
            made.add_exchange(exchange(answer, case=case, start=float(number)), tuple)
    return made


def diff(before, after, expectation=None, **options):
    known = None if expectation is None else lambda index: facts(expectation, index=index)
    return compare_decisions(ledger({0: before}), ledger({0: after}), 0.99, known, **options)


@pytest.mark.parametrize(
    ("before", "after", "expectation", "kind", "direction"),
    [
        (deny(), allow(), Expectation.DENY, FlipKind.NOW_ALLOWED, Direction.WORSE),
        (deny(), allow(), Expectation.ALLOW, FlipKind.NOW_ALLOWED, Direction.BETTER),
        (deny(), allow(), Expectation.OPEN, FlipKind.NOW_ALLOWED, Direction.WORSE),
        (deny(), allow(), None, FlipKind.NOW_ALLOWED, Direction.WORSE),
        (allow(), deny(), Expectation.ALLOW, FlipKind.NOW_DENIED, Direction.WORSE),
        (allow(), deny(), Expectation.DENY, FlipKind.NOW_DENIED, Direction.BETTER),
        (allow(), deny(), None, FlipKind.NOW_DENIED, Direction.WORSE),
        (allow(), FAILED, Expectation.DENY, FlipKind.NOW_FAULTY, Direction.WORSE),
        (FAILED, allow(), Expectation.ALLOW, FlipKind.NOW_ANSWERED, Direction.BETTER),
        (FAILED, allow(), Expectation.DENY, FlipKind.NOW_ANSWERED, Direction.WORSE),
        (allow(), OTHER, Expectation.ALLOW, FlipKind.POLICY_CHANGED, Direction.WORSE),
    ],
)
def test_one_case_that_is_answered_otherwise_decides(before, after, expectation, kind, direction):
    found = diff([before] * 3, [after] * 2, expectation)
    assert found.kinds == {kind.value: 1}
    assert found.direction is direction
    (flip,) = found.flips
    assert (flip.kind, flip.direction, flip.case) == (kind, direction, 0)
    assert [answer["count"] for answer in flip.before + flip.after] == [3, 2]


def test_a_policy_that_changed_can_be_told_without_being_judged():
    found = diff([allow()], [OTHER], policies=False)
    assert found.kinds == {"policy_changed": 1}
    assert found.direction is Direction.SAME


def test_a_case_that_was_inconsistent_before_is_told_apart_from_one_that_flipped():
    found = diff([allow(), deny()], [deny(), allow()])
    assert (found.changed, found.inconsistent, found.direction) == (0, 1, Direction.SAME)
    assert diff([allow(), allow()], [deny(), allow()]).kinds == {"now_inconsistent": 1}
    assert diff([allow(), deny()], [allow(), allow()]).direction is Direction.BETTER


def test_throttles_and_time_outs_say_nothing_of_a_decision():
    timed_out = fault(Outcome.TIMED_OUT)
    assert diff([allow(), THROTTLED], [allow(), timed_out]).changed == 0
    found = diff([allow()], [THROTTLED])
    assert (found.compared, found.elsewhere, found.direction) == (0, 1, Direction.UNJUDGED)


def test_another_spelling_of_a_policy_is_the_same():
    assert diff([allow(policy(statement(Sid="a")))], [allow(policy(statement(Sid="b"), indent=3))]).changed == 0


def test_other_principals_are_told_and_not_judged():
    found = diff([allow(principal="one")], [allow(principal="two")])
    assert (found.principals, found.direction) == (1, Direction.SAME)


def test_one_flip_among_five_thousand_is_worse():
    before = {case: [allow() if case % 2 else deny()] for case in range(5000)}
    found = compare_decisions(ledger(before), ledger({**before, 77: [deny()]}), 0.99)
    assert (found.compared, found.kinds, found.direction) == (5000, {"now_denied": 1}, Direction.WORSE)


def test_the_list_is_bounded_and_the_counts_are_full():
    before = {case: [allow()] for case in range(300)}
    found = compare_decisions(ledger(before), ledger({case: [deny()] for case in range(300)}), 0.99)
    assert found.kinds == {"now_denied": 300}
    assert len(found.flips) == LISTED_MAXIMUM


def test_the_worst_are_listed_first():
    before = {case: [deny()] for case in range(200)}
    after = {case: [allow()] for case in range(200)}

    def known(index):
        return facts(Expectation.DENY if index == 150 else Expectation.ALLOW, index=index)

    found = compare_decisions(ledger(before), ledger(after), 0.99, known)
    assert found.flips[0].case == 150
    assert found.direction is Direction.MIXED


def test_as_many_that_begin_to_be_inconsistent_as_end_to_be_are_chance():
    flaky, calm = [allow(), deny()], [allow(), allow()]
    before = {case: flaky if case < 10 else calm for case in range(100)}
    after = {case: flaky if 10 <= case < 22 else calm for case in range(100)}
    assert compare_decisions(ledger(before), ledger(after), 0.99).direction is Direction.SAME
    many = {case: flaky if case >= 10 else calm for case in range(100)}
    assert compare_decisions(ledger(before), ledger(many), 0.99).direction is Direction.WORSE


@pytest.mark.parametrize(
    ("worse", "better", "direction"),
    [(0, 0, "same"), (1, 0, "worse"), (0, 1, "better"), (6, 1, "same"), (30, 2, "worse"), (2, 30, "better")],
)
def test_the_sign_test(worse, better, direction):
    assert by_sign(worse, better, 0.99) == direction


@given(LEDGERS)
def test_a_ledger_is_the_same_as_itself(answers):
    one, two = ledger(answers), ledger(answers)
    found = compare_decisions(one, two, 0.99)
    assert found.changed == found.elsewhere == 0
    assert found.direction in {Direction.SAME, Direction.UNJUDGED}


@given(LEDGERS, LEDGERS)
def test_the_same_cases_are_changed_in_either_order(before, after):
    one, two = ledger(before), ledger(after)

    def known(index):
        return facts(Expectation.DENY if index % 2 else Expectation.ALLOW, index=index)

    forth = compare_decisions(one, two, 0.99, known, policies=False)
    back = compare_decisions(two, one, 0.99, known, policies=False)
    assert (forth.compared, forth.changed, forth.elsewhere) == (back.compared, back.changed, back.elsewhere)
    pairs = {frozenset((flip.case, flip.direction.turned)) for flip in forth.flips}
    # A fault that becomes a wrong decision is bad in both directions.
    wrong = {flip.case for flip in forth.flips + back.flips if flip.kind is FlipKind.NOW_ANSWERED}
    assert {pair for pair in pairs if not pair & wrong} == {
        pair for pair in (frozenset((flip.case, flip.direction)) for flip in back.flips) if not pair & wrong
    }
