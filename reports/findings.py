"""Findings: violated oracles, grouped by cause, each with a request that shows it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from enum import IntEnum, StrEnum
from typing import Any


class Oracle(StrEnum):
    """The rule that was violated."""

    CONTRACT = "contract"
    EXPECTATION = "expectation"
    AGREEMENT = "agreement"
    ROBUSTNESS = "robustness"


class Severity(IntEnum):
    """How bad: a note never fails a run, everything above does; higher is worse."""

    NOTE = 1
    ERROR = 2
    DANGER = 3

    @property
    def label(self) -> str:
        """The word for people."""
        return self.name.lower()


@dataclass(frozen=True, slots=True)
class Rule:
    """A numbered kind of finding. Numbers are never reused."""

    code: str
    oracle: Oracle
    severity: Severity
    title: str
    meaning: str


FAIL_OPEN = Rule(
    "GC101",
    Oracle.EXPECTATION,
    Severity.DANGER,
    "allowed what must be denied",
    "A request that was built to be denied was allowed: whoever sends it gets in.",
)
WRONG_DENIAL = Rule(
    "GC102",
    Oracle.EXPECTATION,
    Severity.ERROR,
    "denied what must be allowed",
    "A request with a valid credential was not let in: a device of the fleet stays outside.",
)
INVALID_ANSWER = Rule(
    "GC201",
    Oracle.CONTRACT,
    Severity.ERROR,
    "answer breaks AWS's response format",
    "AWS IoT can't accept the handler's answer; the device is refused and the function counts as faulty.",
)
SERIALISED_ANSWER = Rule(
    "GC202",
    Oracle.CONTRACT,
    Severity.NOTE,
    "answer is JSON inside a JSON string",
    "AWS documents both forms, but the object itself is the form that every tool understands.",
)
HANDLER_ERROR = Rule(
    "GC301",
    Oracle.ROBUSTNESS,
    Severity.ERROR,
    "handler failed",
    "The handler raised, exited or could not be started: the device is refused without a decision.",
)
HANDLER_TIMEOUT = Rule(
    "GC302",
    Oracle.ROBUSTNESS,
    Severity.ERROR,
    "handler timed out",
    "AWS IoT waits five seconds for an authorizer, whatever the function's own time-out is.",
)
OUTCOME_CHANGED = Rule(
    "GC401",
    Oracle.AGREEMENT,
    Severity.ERROR,
    "same request, different outcome",
    "The same bytes were answered in different ways: the decision depends on something besides the request.",
)
POLICY_CHANGED = Rule(
    "GC402",
    Oracle.AGREEMENT,
    Severity.ERROR,
    "same request, different policy",
    "The same bytes were allowed with policies of different meaning.",
)
PRINCIPAL_CHANGED = Rule(
    "GC403",
    Oracle.AGREEMENT,
    Severity.NOTE,
    "principal id changes from call to call",
    "AWS allows it; logs and metrics that count principals will not add up.",
)

RULES = (
    FAIL_OPEN,
    WRONG_DENIAL,
    INVALID_ANSWER,
    SERIALISED_ANSWER,
    HANDLER_ERROR,
    HANDLER_TIMEOUT,
    OUTCOME_CHANGED,
    POLICY_CHANGED,
    PRINCIPAL_CHANGED,
)
_BY_CODE = {rule.code: rule for rule in RULES}


@dataclass(frozen=True, slots=True)
class Finding:
    """One violated rule with one cause.

    ``exchanges`` counts what violated it; ``cases`` how many distinct requests did. ``request`` is the first of
    them with secrets masked, ``reproducer`` what a replay needs to make it again; ``answers`` are the distinct
    answers it got, most frequent first, each with its count and a sample.
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

    @property
    def sentence(self) -> str:
        """The finding in one line."""
        cause = f" ({self.cause})" if self.cause else ""
        return f"{self.rule.code} {self.rule.title}{cause}"

    def encode(self) -> dict[str, Any]:
        """Return a JSON value."""
        value = asdict(self)
        value["rule"] = self.rule.code
        value["oracle"] = self.rule.oracle.value
        value["severity"] = self.rule.severity.label
        value["title"] = self.rule.title
        value["meaning"] = self.rule.meaning
        return value

    @classmethod
    def decode(cls, value: Mapping[str, Any]) -> Finding:
        """Read what ``encode`` wrote."""
        members = {name: value[name] for name in cls.__slots__ if name != "rule"}
        return cls(rule=_BY_CODE[value["rule"]], **members)
