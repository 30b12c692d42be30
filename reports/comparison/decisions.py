"""The decisions of two runs on the same corpus, case by case: what was always answered before, and what is now.

A case counts as consistent in a run that got one distinct answer there. Throttles, time-outs and calls that didn't get
through say nothing of a decision, and are left to the rates.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Final

from gatecrash.authorizers.contract import Expectation, Outcome
from gatecrash.reports.recording.ledger import Ledger
from gatecrash.reports.recording.records import CaseFacts
from gatecrash.reports.recording.sightings import CaseEntry, Sighting
from gatecrash.reports.statistics.directions import Direction, by_sign

# So many changed cases are listed; all are counted.
LISTED_MAXIMUM: Final = 100
_FAULTS: Final = frozenset({Outcome.HANDLER_ERROR, Outcome.INVALID_RESPONSE})


class FlipKind(StrEnum):
    """How the answer to a case changed."""

    NOW_ALLOWED = "now_allowed"
    NOW_DENIED = "now_denied"
    NOW_FAULTY = "now_faulty"
    NOW_ANSWERED = "now_answered"
    POLICY_CHANGED = "policy_changed"
    NOW_INCONSISTENT = "now_inconsistent"
    NOW_CONSISTENT = "now_consistent"
    ANSWERED_OTHERWISE = "answered_otherwise"


# What chance may bring about in either direction: where both are seen, they are weighed against each other.
_OPPOSITES: Final = ((FlipKind.NOW_INCONSISTENT, FlipKind.NOW_CONSISTENT), (FlipKind.NOW_FAULTY, FlipKind.NOW_ANSWERED))
_WEIGHED: Final = frozenset(kind for pair in _OPPOSITES for kind in pair)


@dataclass(frozen=True, slots=True)
class Flip:
    """One case whose answer changed; ``before`` and ``after`` are its distinct answers, most frequent first.

    ``request`` has its secrets masked. ``name`` and ``expectation`` are empty, and ``request`` is too, where the corpus
    is gone.
    """

    case: int
    kind: FlipKind
    direction: Direction
    name: str
    expectation: str
    request: Mapping[str, Any]
    before: list[dict[str, Any]] = field(default_factory=list)
    after: list[dict[str, Any]] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class DecisionDiff:
    """How many cases got the same answer, and how many of each kind another one.

    ``compared`` cases were answered in both runs, ``elsewhere`` in one only; ``inconsistent`` had several answers in
    both, and tell nothing. ``directions`` counts the changed cases by direction. ``flips`` are some of the changed
    ones, the worst first. ``principals`` and ``lifetimes`` count cases in which only those changed.
    """

    compared: int = 0
    elsewhere: int = 0
    inconsistent: int = 0
    kinds: Mapping[str, int] = field(default_factory=dict)
    directions: Mapping[str, int] = field(default_factory=dict)
    direction: Direction = Direction.UNJUDGED
    flips: tuple[Flip, ...] = ()
    principals: int = 0
    lifetimes: int = 0

    @property
    def changed(self) -> int:
        """How many cases got another answer."""
        return sum(self.kinds.values())


@dataclass(frozen=True, slots=True)
class _Changed:
    case: int
    kind: FlipKind
    direction: Direction


def compare_decisions(
    earlier: Ledger,
    later: Ledger,
    confidence: float,
    facts: Callable[[int], CaseFacts] | None = None,
    in_full: Callable[[int], CaseFacts] | None = None,
    *,
    policies: bool = True,
) -> DecisionDiff:
    """Compare two ledgers of the same corpus; ``facts`` tells of its cases, where it is still there.

    ``in_full`` tells of those that are listed, with their requests (``facts`` by default).

    Which way a flip goes is told by what the case must get: a door that was open and is shut now is better. Where
    either answer is right, or nobody knows what is, any flip is worse: nobody asked for it. With ``policies`` False a
    policy that changed is told, and doesn't count.
    """
    counts: Counter[str] = Counter()
    changed: list[_Changed] = []
    for index, before in earlier:
        after = later.entry(index)
        first, second = before.answers(), after.answers()
        if not first or not second:
            counts["elsewhere"] += bool(first)
            continue
        counts["compared"] += 1
        kind = _kind(_only(before, first), _only(after, second))
        if kind is not None:
            changed.append(_Changed(index, kind, _direction(index, kind, second, facts, policies=policies)))
        elif len(first) > 1 and len(second) > 1:
            counts["inconsistent"] += 1
        else:
            counts["principals"] += _differ(before.principals, after.principals)
            counts["lifetimes"] += _differ(before.lifetimes, after.lifetimes)
    counts["elsewhere"] += sum(bool(entry.answers()) for index, entry in later if not earlier.entry(index).answers())
    order = list(Direction)
    shown = sorted(changed, key=lambda one: (-order.index(one.direction), list(FlipKind).index(one.kind), one.case))
    kinds = Counter(one.kind.value for one in changed)
    return DecisionDiff(
        compared=counts["compared"],
        elsewhere=counts["elsewhere"],
        inconsistent=counts["inconsistent"],
        kinds={kind.value: kinds[kind.value] for kind in FlipKind if kinds[kind.value]},
        directions=dict(Counter(one.direction.value for one in changed)),
        direction=_overall(changed, confidence) if counts["compared"] else Direction.UNJUDGED,
        flips=tuple(_flip(one, earlier, later, in_full or facts) for one in shown[:LISTED_MAXIMUM]),
        principals=counts["principals"],
        lifetimes=counts["lifetimes"],
    )


def _only(entry: CaseEntry, answers: list[Sighting]) -> Sighting | None:
    """Return the one answer of a consistent case; None for a case that is not."""
    return answers[0] if len(answers) == 1 and not entry.uncounted else None


def _kind(before: Sighting | None, after: Sighting | None) -> FlipKind | None:
    if before is None or after is None:
        if before is after:
            return None
        return FlipKind.NOW_INCONSISTENT if after is None else FlipKind.NOW_CONSISTENT
    if before.identity == after.identity:
        return None
    allowed = (before.outcome is Outcome.ALLOW, after.outcome is Outcome.ALLOW)
    faulty = (before.outcome in _FAULTS, after.outcome in _FAULTS)
    if faulty[0] != faulty[1]:
        return FlipKind.NOW_FAULTY if faulty[1] else FlipKind.NOW_ANSWERED
    if all(allowed):
        return FlipKind.POLICY_CHANGED
    if any(allowed):
        return FlipKind.NOW_ALLOWED if allowed[1] else FlipKind.NOW_DENIED
    return FlipKind.ANSWERED_OTHERWISE


def _direction(
    index: int, kind: FlipKind, after: list[Sighting], facts: Callable[[int], CaseFacts] | None, *, policies: bool
) -> Direction:
    if kind is FlipKind.ANSWERED_OTHERWISE:
        return Direction.SAME
    if kind is FlipKind.POLICY_CHANGED:
        return Direction.WORSE if policies else Direction.SAME
    if kind in {FlipKind.NOW_INCONSISTENT, FlipKind.NOW_FAULTY}:
        return Direction.WORSE
    if kind is FlipKind.NOW_CONSISTENT:
        return Direction.BETTER
    met = _expectation(index, facts).is_met_by(after[0].outcome)
    if kind is FlipKind.NOW_ANSWERED:
        return Direction.WORSE if met is False else Direction.BETTER
    return Direction.BETTER if met else Direction.WORSE


def _expectation(index: int, facts: Callable[[int], CaseFacts] | None) -> Expectation:
    return facts(index).expectation if facts is not None else Expectation.OPEN


def _overall(changed: list[_Changed], confidence: float) -> Direction:
    seen = {one.direction for one in changed if one.kind not in _WEIGHED}
    # A decision in a fault's place may itself be wrong.
    wrong = [one for one in changed if one.kind is FlipKind.NOW_ANSWERED and one.direction is Direction.WORSE]
    numbers = Counter(one.kind for one in changed)
    numbers[FlipKind.NOW_ANSWERED] -= len(wrong)
    seen |= {by_sign(numbers[worse], numbers[better], confidence) for worse, better in _OPPOSITES}
    seen |= {one.direction for one in wrong}
    if {Direction.WORSE, Direction.BETTER} <= seen:
        return Direction.MIXED
    return next((one for one in (Direction.WORSE, Direction.BETTER) if one in seen), Direction.SAME)


def _differ(before: frozenset[Any], after: frozenset[Any]) -> bool:
    """Say whether what was one and the same all along is another one now."""
    return len(before) == len(after) == 1 and before != after


def _flip(one: _Changed, earlier: Ledger, later: Ledger, facts: Callable[[int], CaseFacts] | None) -> Flip:
    known = facts(one.case) if facts is not None else None
    return Flip(
        case=one.case,
        kind=one.kind,
        direction=one.direction,
        name=known.full_name if known else "",
        expectation=known.expectation.value if known else "",
        request=known.request if known else {},
        before=list(_answers(earlier, one.case)),
        after=list(_answers(later, one.case)),
    )


def _answers(ledger: Ledger, case: int) -> Iterator[dict[str, Any]]:
    for sighting in ledger.entry(case).answers():
        sample = ledger.samples.get(sighting.identity, {})
        yield {"outcome": sighting.outcome.value, "count": sighting.count, "sample": sample}
