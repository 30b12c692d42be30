from dataclasses import replace

import pytest

from gatecrash.authorizers.contract import Demand, Expectation, Outcome
from gatecrash.reports.oracles import checks, rules
from gatecrash.reports.oracles.findings import ALSO_MAXIMUM
from gatecrash.reports.recording.ledger import Ledger
from tests.reports.samples import (
    THROTTLED,
    allow,
    codes,
    deny,
    exchange,
    facts,
    fault,
    judged,
    ledger_of,
    policy,
    statement,
)

REFUSED = fault(Outcome.REFUSED_BY_POLICY)
REJECTED = fault(Outcome.REJECTED, "InvalidRequestException")
ERROR = fault(Outcome.HANDLER_ERROR, message="'sub'", kind="KeyError")
INVALID = fault(Outcome.INVALID_RESPONSE, message="x at principalId failed to satisfy constraint")
TIMEOUT = fault(Outcome.TIMED_OUT, "InvalidResponseException")
TRANSPORT = fault(Outcome.TRANSPORT_ERROR, "ConnectionError")


@pytest.mark.parametrize(
    ("expectation", "answers", "expected"),
    [
        # Fail-open: an allow where a denial is due; any way of keeping the device out is right.
        (Expectation.DENY, [allow()], ["GC101"]),
        (Expectation.DENY, [deny()], []),
        (Expectation.DENY, [REFUSED], []),
        (Expectation.DENY, [REJECTED], []),
        (Expectation.DENY, [THROTTLED, TRANSPORT], []),
        (Expectation.OPEN, [allow()], []),
        # Wrong denial: any way of keeping a legitimate device out is wrong; what wasn't decided says nothing.
        (Expectation.ALLOW, [deny()], ["GC102"]),
        (Expectation.ALLOW, [REFUSED], ["GC102"]),
        (Expectation.ALLOW, [REJECTED], ["GC102"]),
        (Expectation.ALLOW, [allow(), THROTTLED, TRANSPORT], []),
        # Faults are reported as what they are, whatever was expected.
        (Expectation.DENY, [INVALID], ["GC201"]),
        (Expectation.ALLOW, [INVALID], ["GC201"]),
        (Expectation.ALLOW, [ERROR], ["GC301"]),
        (Expectation.ALLOW, [TIMEOUT], ["GC302"]),
        (Expectation.OPEN, [allow(notes=("serialised_answer",))], ["GC202"]),
        # Agreement.
        (Expectation.OPEN, [allow(), deny()], ["GC401"]),
        # A fault that comes now and then is told as a fault only.
        (Expectation.OPEN, [allow(), ERROR], ["GC301"]),
        (Expectation.OPEN, [allow(), deny(), INVALID], ["GC201", "GC401"]),
        (Expectation.OPEN, [allow(), THROTTLED, allow(), TIMEOUT], ["GC302"]),
        (Expectation.OPEN, [allow(), allow(policy(statement("client/sensor-2")))], ["GC402"]),
        (Expectation.OPEN, [allow(), allow(refresh=600), allow(cold=True)], []),
        (Expectation.OPEN, [allow(principal="one"), allow(principal="two")], ["GC403"]),
    ],
)
def test_each_rule_fires_and_stays_silent(expectation, answers, expected):
    assert codes(judged(expectation, *answers)) == expected


@pytest.mark.parametrize(
    ("demand", "answers", "expected"),
    [
        (Demand.NOT_ISSUED, [allow()], ["GC103"]),
        (Demand.NOT_ISSUED, [deny()], []),
        (Demand.BETTER_DENIED, [allow()], ["GC104"]),
        (Demand.BETTER_DENIED, [deny()], []),
        (Demand.SAME, [deny()], ["GC501"]),
        (Demand.SAME, [allow()], []),
        (Demand.ANY, [allow()], []),
        (Demand.ANY, [deny()], []),
    ],
)
def test_how_strict_a_demand_is(demand, answers, expected):
    found = checks.judge(ledger_of(*answers), lambda index: replace(facts(index=index), demand=demand))
    assert codes(found) == expected


def test_findings_with_the_same_weakness_are_one_and_name_the_other_cases():
    ledger = ledger_of(allow(), case=0)
    ledger.add(ledger_of(allow(), allow(), case=1))
    ledger.add(ledger_of(allow(), case=2))
    weak = {"weakness": "anything is believed", "description": "Claim anything.", "source": "RFC 1"}
    known = {0: {"name": "one", **weak}, 1: {"name": "two", **weak}, 2: {"name": "three"}}
    found = checks.judge(ledger, lambda index: replace(facts(Expectation.DENY, index=index), **known[index]))
    assert [(one.cause, one.exchanges, one.cases, one.also) for one in found] == [
        ("anything is believed", 3, 2, ("family/two",)),
        ("family/three", 1, 1, ()),
    ]
    assert (found[0].description, found[0].source) == ("Claim anything.", "RFC 1")


def test_a_finding_names_at_most_so_many_further_cases():
    ledger = Ledger()
    for case in range(ALSO_MAXIMUM + 5):
        ledger.add_exchange(exchange(allow(), case=case), tuple)
    weak = facts(Expectation.DENY)
    (found,) = checks.judge(ledger, lambda index: replace(weak, index=index, name=f"n{index}", weakness="weak"))
    assert (found.cases, len(found.also)) == (ALSO_MAXIMUM + 5, ALSO_MAXIMUM)


def test_one_answer_is_judged_by_what_the_ledger_tells_of_valid_requests():
    attack = facts(Expectation.DENY, index=1)
    judge = checks.Judge(ledger_of(allow()), lambda index: facts(Expectation.ALLOW, index=index))
    assert judge.violated_by(allow(), attack, ()) == {("GC101", "family/some_name")}
    assert judge.violated_by(ERROR, attack, ()) == {("GC301", "KeyError")}
    assert judge.violated_by(deny(), attack, ()) == set()


def test_shuffled_statements_are_the_same_policy():
    first, second = statement(), statement("topic/a", Action="iot:Publish")
    answers = [allow(policy(first, second)), allow(policy(second, first)), allow(policy(second, first, first))]
    assert judged(Expectation.ALLOW, *answers) == []


def test_the_rarer_answers_are_the_violating_ones():
    (found,) = judged(Expectation.OPEN, allow(), allow(), deny(), allow())
    assert (found.exchanges, found.cause) == (1, "allow or deny")
    assert [(answer["outcome"], answer["count"]) for answer in found.answers] == [("allow", 3), ("deny", 1)]
    assert (found.answers[1]["first_second"], found.answers[1]["environments"]) == (2.0, ["env-2"])


def test_invalid_answers_are_grouped_by_the_contract_rule_they_break():
    ledger = Ledger()
    for case, text in enumerate(["a at principalId", "b at principalId", "refreshAfterInSeconds", "whatever"]):
        ledger.add_exchange(exchange(fault(Outcome.INVALID_RESPONSE, message=text), case=case), tuple)
    found = checks.judge(ledger, lambda index: facts(index=index))
    assert [(finding.cause, finding.cases) for finding in found] == [
        ("principalId", 2),
        ("format", 1),
        ("refreshAfterInSeconds", 1),
    ]


def test_the_most_dangerous_comes_first_and_carries_what_a_replay_needs():
    ledger = ledger_of(allow(principal="a"), allow(principal="b"), case=4)
    ledger.add(ledger_of(allow(), case=2))
    ledger.add(ledger_of(ERROR, case=1))
    known = {2: Expectation.DENY}
    found = checks.judge(ledger, lambda index: facts(known.get(index, Expectation.OPEN), index=index))
    assert codes(found) == ["GC101", "GC301", "GC403"]
    assert (found[0].case_index, found[0].expectation, found[0].reproducer) == (2, "deny", {"index": 2})
    assert found[0].case_name == "family/some_name"


def test_a_finding_counts_every_case_though_few_are_kept(monkeypatch):
    ledger = Ledger()
    for case in range(9):
        for _ in range(case + 1):
            ledger.add_exchange(exchange(deny(), case=case), tuple)

    def brief(index):
        known = facts(Expectation.ALLOW, index=index, name=f"n{index % 4}")
        return replace(known, request={}, reproducer={}, weakness="weak")

    (whole,) = checks.judge(ledger, brief)
    monkeypatch.setattr(checks, "_VIOLATIONS_KEPT", 2)
    (counted,) = checks.judge(ledger, brief, lambda index: replace(brief(index), request={"shown": index}))
    assert (whole.cases, whole.exchanges, whole.also) == (9, 45, ("family/n1", "family/n2", "family/n3"))
    assert counted == replace(whole, request={"shown": 0})


def test_what_was_right_of_one_case_is_not_taken_for_right_of_another():
    ledger = Ledger()
    for case, answer in enumerate([allow(), allow(), deny(), allow(), deny(), allow()]):
        ledger.add_exchange(exchange(answer, case=case), tuple)
    expected = [Expectation.ALLOW, Expectation.ALLOW, Expectation.DENY, Expectation.DENY, *[Expectation.ALLOW] * 2]
    found = checks.judge(ledger, lambda index: facts(expected[index], index=index))
    assert {(finding.rule.code, finding.case_index, finding.cases) for finding in found} == {
        (rules.FAIL_OPEN.code, 3, 1),
        (rules.WRONG_DENIAL.code, 4, 1),
    }
