"""Groups of violations by what causes them: several changes together are explained by one that is enough alone."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from gatecrash.generators.attacks.implications import broader
from gatecrash.reports.oracles.checks import Group, Violation
from gatecrash.reports.oracles.rules import FindingKind, Oracle

# Rules whose cause is a change of the request; others have a cause of their own, such as the error's type.
BY_CHANGE: Final = frozenset({Oracle.EXPECTATION, Oracle.RELATION, Oracle.POLICY})


def regroup(groups: Sequence[Group]) -> list[Group]:
    """Put each violation of several changes to a group that one of its changes explains alone.

    Those that no single change explains become groups of their own, one for each set of changes; which change is
    the cause is not known before they were made smaller.
    """
    kept: list[Group] = [group for group in groups if group.rule.oracle not in BY_CHANGE]
    by_rule: dict[str, list[Group]] = {}
    for group in groups:
        if group.rule.oracle in BY_CHANGE:
            by_rule.setdefault(group.rule.code, []).append(group)
    for same in by_rule.values():
        kept += _explained(same)
    return _without_consequences(kept)


def _without_consequences(groups: list[Group]) -> list[Group]:
    """Put weaknesses that follow from a broader one to it."""
    open_doors = {group.cause: group for group in groups if group.rule.kind is FindingKind.FAIL_OPEN}
    kept = []
    for group in groups:
        cause = broader(group.cause, open_doors) if group.rule.kind is FindingKind.FAIL_OPEN else None
        if cause is None:
            kept.append(group)
        else:
            open_doors[cause].violations += group.violations
    return kept


def _explained(groups: Sequence[Group]) -> list[Group]:
    alone: dict[str, Group] = {}
    single: list[Group] = []
    for group in groups:
        violations = [violation for violation in group.violations if len(violation.case.attacks) < 2]
        if violations:
            plain = Group(group.rule, group.cause, violations)
            single.append(plain)
            for violation in violations:
                alone.update((key, plain) for key in violation.case.attacks)
    together: dict[frozenset[str], Group] = {}
    combined = [violation for group in groups for violation in group.violations if len(violation.case.attacks) > 1]
    for violation in combined:
        explaining = next((alone[key] for key in violation.case.attacks if key in alone), None)
        if explaining is not None:
            explaining.violations.append(violation)
        else:
            _add(together, violation)
    return [*single, *together.values()]


def _add(together: dict[frozenset[str], Group], violation: Violation) -> None:
    attacks = frozenset(violation.case.attacks)
    # A set that holds another one adds nothing to it.
    smaller = next((known for known in together if known <= attacks), attacks)
    together.setdefault(smaller, Group(violation.rule, violation.cause, [])).violations.append(violation)
