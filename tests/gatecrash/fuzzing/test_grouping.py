"""Violations of several changes are explained by one that is enough alone."""

from gatecrash.authorizers.contract import Demand, Outcome
from gatecrash.fuzzing.groups import regroup
from gatecrash.reports.oracles import rules
from gatecrash.reports.oracles.checks import Group, Violation
from gatecrash.reports.recording.records import CaseFacts

NO_SIGNATURE = "the signature is not verified"
UNSIGNED = "unsigned tokens are believed"


def violation(index, *attacks, rule=rules.FAIL_OPEN, cause="c"):
    case = CaseFacts(index, Demand.DENY, "family", "name", {}, {}, attacks=attacks)
    return Violation(rule, cause, case, 1, frozenset(), frozenset({Outcome.ALLOW}))


def groups(*several):
    """Groups from (cause, violations)."""
    return [Group(found[0].rule, cause, list(found)) for cause, *found in several]


def told(found):
    return {(group.rule.code, group.cause): sorted(one.case.index for one in group.violations) for group in found}


def test_several_changes_join_the_one_that_is_enough_alone():
    found = regroup(groups(("a", violation(1, "x/a")), ("b", violation(2, "y/b", "x/a"))))
    assert told(found) == {("GC101", "a"): [1, 2]}


def test_several_changes_that_no_single_one_explains_are_a_group_of_their_own():
    found = regroup(groups(("a", violation(1, "x/a")), ("b", violation(2, "y/b", "z/c"))))
    assert sorted(one.case.index for group in found for one in group.violations) == [1, 2]
    assert len(found) == 2


def test_a_larger_set_of_changes_adds_nothing_to_a_smaller_one():
    found = regroup(groups(("a", violation(1, "x/a", "y/b"), violation(2, "x/a", "y/b", "z/c"))))
    assert [len(group.violations) for group in found] == [2]


def test_what_explains_one_rule_explains_no_other():
    other = violation(2, "y/b", "x/a", rule=rules.FOREIGN_RIGHTS)
    assert len(regroup(groups(("a", violation(1, "x/a")), ("b", other)))) == 2


def test_rules_with_a_cause_of_their_own_stay_as_they_are():
    crashes = groups(
        ("KeyError", violation(1, "x/a", "y/b", rule=rules.HANDLER_ERROR)),
        ("ValueError", violation(2, "x/a", rule=rules.HANDLER_ERROR)),
    )
    assert told(regroup(crashes)) == {("GC301", "KeyError"): [1], ("GC301", "ValueError"): [2]}


def test_a_weakness_that_follows_from_a_broader_one_is_told_with_it():
    found = regroup(groups((UNSIGNED, violation(1, "x/a")), (NO_SIGNATURE, violation(2, "y/b"))))
    assert told(found) == {("GC101", NO_SIGNATURE): [1, 2]}


def test_a_weakness_without_the_broader_one_stands_alone():
    assert told(regroup(groups((UNSIGNED, violation(1, "x/a"))))) == {("GC101", UNSIGNED): [1]}
