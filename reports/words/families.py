"""How the families of a run under load are worded: what its corpus covered, and how it was answered."""

from __future__ import annotations

from gatecrash.authorizers.contract import Expectation, Outcome
from gatecrash.reports.run.summary import Summary
from gatecrash.reports.words.spelling import outcome_label, plural, visible

_EXPECTED = {Expectation.ALLOW: "allow", Expectation.DENY: "deny", Expectation.OPEN: "either"}
GONE = "The corpus is gone from the cache, so what it covered can't be told: `gatecrash run` builds it again."


def outcomes_seen(summary: Summary) -> list[str]:
    """Return the outcomes that any family got, in the order in which they always stand."""
    seen = {name for row in summary.families for name in row.outcomes}
    return [outcome.value for outcome in Outcome if outcome.value in seen]


def columns(summary: Summary) -> list[str]:
    """Return the heads of the table, the family's first."""
    labels = [outcome_label(name) for name in outcomes_seen(summary)]
    return ["family", "expected", "cases", "exchanges", *labels, "not as expected"]


def rows(summary: Summary) -> list[list[str]]:
    """Return a row for each family and expectation; a dash is none at all."""
    names = outcomes_seen(summary)
    return [
        [
            visible(row.family),
            _EXPECTED[Expectation(row.expectation)],
            f"{row.cases:,}",
            f"{row.exchanges:,}",
            *(_count(row.outcomes.get(name, 0)) for name in names),
            _count(row.unexpected),
        ]
        for row in summary.families
    ]


def sentence(summary: Summary) -> str:
    """Return what the table counts."""
    families = len({row.family for row in summary.families})
    cases = sum(row.cases for row in summary.families)
    named = plural(families, "family") if families == 1 else f"{families:,} families"
    return f"{plural(cases, 'distinct case')} of {named} were fired; exchanges by outcome, the warm-up included."


def _count(count: int) -> str:
    return f"{count:,}" if count else "-"
