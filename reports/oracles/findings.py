"""Findings: violated rules, grouped by cause, each with a request that shows it and how surely it does."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Final

from gatecrash.reports.oracles.rules import BY_CODE, Rule
from gatecrash.reports.recording import codec
from gatecrash.reports.statistics.intervals import share_interval

# So many further cases with the same cause are named.
ALSO_MAXIMUM: Final = 20


class Classification(StrEnum):
    """When a finding shows, as its confirmation told."""

    DETERMINISTIC = "deterministic"
    FLAKY = "flaky"
    UNDER_LOAD = "only_under_load"
    AFTER_ANOTHER = "only_after_another_request"
    AFTER_MANY = "only_after_many_invocations"
    COLD_START = "cold_start_only"
    TIME_BOUNDARY = "time_boundary"
    NOT_SEEN_AGAIN = "not_seen_again"


@dataclass(frozen=True, slots=True)
class Confirmation:
    """What firing a finding's request again gave: ``violations`` of ``times`` showed it.

    ``low`` and ``high`` are the 95 % confidence interval of that share (Wilson score). ``after`` is how many
    invocations an environment must have served before, for a finding that shows only after many.
    """

    classification: Classification
    times: int
    violations: int
    low: float
    high: float
    after: int = 0

    @classmethod
    def of(cls, classification: Classification, violations: int, times: int, after: int = 0) -> Confirmation:
        """Make a confirmation with its interval."""
        low, high = share_interval(violations, times)
        return cls(classification, times, violations, low, high, after)


@dataclass(frozen=True, slots=True)
class Finding:
    """One violated rule with one cause.

    ``exchanges`` counts what violated it; ``cases`` how many distinct requests did. ``request`` is one of them with
    secrets masked, ``reproducer`` what a replay needs to make it again: the recipe and, in ``setup``, the recipes
    that must be fired before it. ``answers`` are the distinct answers it got, most frequent first, each with its
    count and a sample. ``first_exchange`` is the number of exchanges until the first violation, itself included;
    ``also`` names further cases with the same cause. ``shrunk`` says whether the request is the smallest that was
    found within the budget, and ``size`` how many changes it makes to a valid request. ``accepted_until``
    is the date until which a baseline accepts it; ``measured`` says in words what a finding about time measured.
    """

    rule: Rule
    cause: str
    exchanges: int
    cases: int
    case_index: int
    case_name: str
    expectation: str
    request: Mapping[str, Any]
    reproducer: Mapping[str, Any]
    answers: list[dict[str, Any]] = field(default_factory=list)
    description: str = ""
    source: str = ""
    also: tuple[str, ...] = ()
    phases: tuple[str, ...] = ()
    first_exchange: int | None = None
    confirmation: Confirmation | None = None
    shrunk: bool = False
    size: int | None = None
    accepted_until: str | None = None
    measured: str = ""

    @property
    def sentence(self) -> str:
        """The finding in one line."""
        cause = f" ({self.cause})" if self.cause else ""
        return f"{self.rule.code} {self.rule.title}{cause}"

    @property
    def fingerprint(self) -> str:
        """The name by which a baseline knows it: the rule and the cause."""
        return f"{self.rule.code} {self.cause}".strip()

    def to_json(self) -> dict[str, Any]:
        """Return a JSON value, with what is known of the rule."""
        rule = self.rule
        return {
            **codec.to_json(self),
            "rule": rule.code,
            "oracle": rule.oracle.value,
            "kind": rule.kind.value,
            "severity": rule.severity.label,
            "title": rule.title,
            "meaning": rule.meaning,
        }

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> Finding:
        """Read what ``to_json`` returned; raises KeyError, TypeError or ValueError for anything else."""
        return codec.from_json({**value, "rule": codec.to_json(BY_CODE[value["rule"]])}, cls)
