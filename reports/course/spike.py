"""What a spike did: how the fleet came through, and when the authorizer was as before again."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from typing import Final

from gatecrash.authorizers.contract import Outcome
from gatecrash.reports.plan.facts import PlanFacts
from gatecrash.reports.recording.series import Second

# As before again is a second whose 95th percentile is at most this many times that of before, or so much above it.
_TIMES: Final = 2.0
_MILLISECONDS_ABOVE: Final = 20.0
_SHARE_ABOVE: Final = 0.01


@dataclass(frozen=True, slots=True)
class Spike:
    """One spike. Rates in arrivals a second, response times from the intended start in ms, within 4.5 %.

    ``decided`` of the ``fleet`` arrivals got a decision; ``turned_away`` were throttled or failed, ``dropped`` never
    sent. The fleet was planned of so many ``devices`` and distinct ``requests``, and ``attacks`` of its arrivals as
    such; None where a run doesn't say. ``recovery`` is the seconds after the spike until it was as before for good,
    None where it wasn't.
    """

    fleet: int
    within: float
    rate: float
    decided: int
    turned_away: int
    dropped: int
    p95_before: float
    p95_during: float
    recovery: float | None
    watched: float
    devices: int | None = None
    requests: int | None = None
    attacks: int | None = None


def spike_of(plan: PlanFacts, seconds: Iterable[tuple[int, Second]]) -> Spike | None:
    """Return what a spike did; None for a run without one, or one that ended before it was over."""
    stages = {stage.name: stage for stage in plan.stages}
    if not {"before", "spike", "after"} <= stages.keys():
        return None
    spike, warm_up = stages["spike"], plan.warm_up or 0.0
    begins = warm_up + stages["before"].seconds
    ends = begins + spike.seconds
    rows = list(seconds)
    before = _total(second for number, second in rows if warm_up <= number < begins)
    during = _total(second for number, second in rows if begins <= number < ends)
    after = [(number, second) for number, second in rows if number >= ends]
    if not after or not before.outcomes:
        return None
    return Spike(
        fleet=during.planned,
        within=spike.seconds,
        rate=spike.rate,
        decided=sum(during.outcomes[outcome] for outcome in Outcome if outcome.is_decision),
        turned_away=_turned_away(during),
        dropped=during.dropped,
        p95_before=before.percentile(before.response_times, 95) or 0.0,
        p95_during=during.percentile(during.response_times, 95) or 0.0,
        recovery=_recovery(before, after, ends),
        watched=round(after[-1][0] + 1 - ends, 2),
        **(asdict(plan.fleet) if plan.fleet is not None else {}),
    )


def _total(seconds: Iterable[Second]) -> Second:
    total = Second()
    for second in seconds:
        total.add(second)
    return total


def _turned_away(second: Second) -> int:
    return sum(second.outcomes[outcome] for outcome in Outcome if outcome.turns_away)


def _bad_share(second: Second) -> float:
    return (_turned_away(second) + second.dropped) / max(1, second.planned)


def _recovery(before: Second, after: Sequence[tuple[int, Second]], ends: float) -> float | None:
    usual = before.percentile(before.response_times, 95) or 0.0
    highest = max(_TIMES * usual, usual + _MILLISECONDS_ABOVE)
    share = _bad_share(before) + _SHARE_ABOVE
    bad = [
        number
        for number, second in after
        if (second.percentile(second.response_times, 95) or 0.0) > highest or _bad_share(second) > share
    ]
    if not bad:
        return 0.0
    return None if bad[-1] == after[-1][0] else round(bad[-1] + 1 - ends, 2)
