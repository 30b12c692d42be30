"""Latencies of two runs, percentile by percentile, judged by how large a change is and whether chance explains it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import tee
from math import exp, log, log1p
from typing import Final

from gatecrash.authorizers.contract import LATENCY_OUTCOMES
from gatecrash.reports.comparison.comparison import Change, ComparisonLimits, LatencyTable, Moment, Unit
from gatecrash.reports.recording.latency import LatencyHistogram
from gatecrash.reports.recording.recording import Recording
from gatecrash.reports.recording.records import LatencyKind
from gatecrash.reports.recording.series import Second
from gatecrash.reports.statistics.block_bootstrap import (
    BLOCKS_LEAST,
    blocks_of,
    chosen_blocks,
    drawn_shares,
    draws,
    interval_of,
)
from gatecrash.reports.statistics.directions import Direction, judged
from gatecrash.reports.statistics.intervals import samples_needed

PERCENTILES: Final = (50.0, 95.0, 99.0)
_SHARES: Final = tuple(percent / 100.0 for percent in PERCENTILES)
# Below this a latency has no logarithm to speak of.
_LEAST_MS: Final = 1e-6
# More points can't be told apart where two runs are drawn.
_MOMENTS_MAXIMUM: Final = 300


@dataclass(frozen=True, slots=True)
class Latencies:
    """The answered exchanges of one run: the exact histogram, and a coarse one of each measured second in order."""

    whole: LatencyHistogram
    seconds: Sequence[Counter[int]]

    @classmethod
    def of(cls, recording: Recording, kind: LatencyKind) -> Latencies:
        """Take them from a recording, without the warm-up."""
        seconds = [second.answered(kind) for _, second in recording.series if not second.warm_up]
        return cls(recording.latencies.total(kind, LATENCY_OUTCOMES), seconds)


def compare_latencies(
    earlier: Recording, later: Recording, limits: ComparisonLimits, judge: LatencyKind, *, paired: bool = False
) -> list[LatencyTable]:
    """Compare both kinds, all answered exchanges first, then each outcome that both runs have.

    Only the kind ``judge`` of all answered exchanges decides. ``paired`` says that the seconds of both runs are the
    same moments, so that what disturbed one disturbed the other.
    """
    tables = []
    for kind in LatencyKind:
        pair = (Latencies.of(earlier, kind), Latencies.of(later, kind))
        changes = tuple(_changes(pair, limits, paired=paired))
        counts = (pair[0].whole.count, pair[1].whole.count)
        tables.append(LatencyTable(kind.value, None, counts, changes, judged=kind is judge))
        tables += _by_outcome(earlier, later, kind)
    return tables


def _by_outcome(earlier: Recording, later: Recording, kind: LatencyKind) -> list[LatencyTable]:
    tables = []
    for outcome in LATENCY_OUTCOMES:
        before, after = (one.latencies.total(kind, (outcome,)) for one in (earlier, later))
        if before.count and after.count:
            changes = tuple(_plain_changes(before, after))
            tables.append(LatencyTable(kind.value, outcome.value, (before.count, after.count), changes))
    return tables


def _plain_changes(before: LatencyHistogram, after: LatencyHistogram) -> Iterator[Change]:
    """Yield the percentiles of both runs, not judged."""
    values = zip(PERCENTILES, before.percentiles(PERCENTILES), after.percentiles(PERCENTILES), strict=True)
    for percent, one, two in values:
        yield Change(f"p{percent:g}", Unit.MILLISECONDS, one, two, two / one - 1 if one > _LEAST_MS else None)


def _changes(pair: tuple[Latencies, Latencies], limits: ComparisonLimits, *, paired: bool) -> list[Change]:
    plain = list(_plain_changes(pair[0].whole, pair[1].whole))
    counts = [one.whole.count for one in pair]
    seconds = min(len(one.seconds) for one in pair)
    why = f"one of the runs has {seconds} measured seconds, at least {BLOCKS_LEAST} are needed"
    if not min(counts):
        why = "one of the runs has no answered exchange"
    if not min(counts) or seconds < BLOCKS_LEAST:
        return [replace(change, reason=why) for change in plain]
    drawn, blocks = _drawn(pair, paired=paired)
    changes = []
    for place, change in enumerate(plain):
        needed = samples_needed(PERCENTILES[place])
        if min(counts) < needed:
            why = f"one of the runs has {min(counts):,} answered exchanges, {needed:,} are needed"
            changes.append(replace(change, reason=why))
            continue
        ratios = [log(_positive(second[place]) / _positive(first[place])) for first, second in zip(*drawn, strict=True)]
        changes.append(_judged(change, ratios, blocks, limits))
    return changes


def _drawn(pair: tuple[Latencies, Latencies], *, paired: bool) -> tuple[list[list[list[float]]], int]:
    """Return for both runs the percentiles of each draw, in milliseconds, and by how many blocks they were drawn."""
    chosen = [chosen_blocks(one.seconds, _SHARES) for one in pair]
    if not paired:
        picks = [draws(len(blocks), blocks.fingerprint) for blocks in chosen]
    else:
        number = min(map(len, chosen))
        chosen = [blocks_of(one.seconds, number) for one in pair]
        # Either order of the runs gives the same draws.
        picks = list(tee(draws(number, chosen[0].fingerprint ^ chosen[1].fingerprint)))
    values = [
        _values(one.whole, drawn_shares(blocks, _SHARES, its))
        for one, blocks, its in zip(pair, chosen, picks, strict=True)
    ]
    return values, min(map(len, chosen))


def _values(whole: LatencyHistogram, shares: list[list[float]]) -> list[list[float]]:
    ranks = [round(share * whole.count) for row in shares for share in row]
    values, width = whole.at_ranks(ranks), len(PERCENTILES)
    return [values[start : start + width] for start in range(0, len(values), width)]


def _positive(milliseconds: float) -> float:
    return max(milliseconds, _LEAST_MS)


def _judged(change: Change, ratios: list[float], blocks: int, limits: ComparisonLimits) -> Change:
    estimate = log(_positive(change.after) / _positive(change.before))
    low, high = interval_of(ratios, estimate, blocks, limits.confidence)
    direction = judged(estimate, low, high, log1p(limits.latency))
    if abs(change.after - change.before) < limits.latency_ms:
        direction = Direction.SAME
    return replace(change, change=exp(estimate) - 1, low=exp(low) - 1, high=exp(high) - 1, direction=direction)


def curves(
    earlier: Recording, later: Recording
) -> Mapping[str, tuple[list[tuple[float, float]], list[tuple[float, float]]]]:
    """Return (percentile, milliseconds) pairs by kind, of both runs."""
    return {
        kind.value: (
            earlier.latencies.total(kind, LATENCY_OUTCOMES).curve(),
            later.latencies.total(kind, LATENCY_OUTCOMES).curve(),
        )
        for kind in LatencyKind
    }


def over_time(earlier: Recording, later: Recording) -> Mapping[str, tuple[list[Moment], list[Moment]]]:
    """Return the median and the 95th percentile of answered exchanges by kind, of both runs, second by second.

    Long runs have several seconds in one moment, of the same length in both.
    """
    runs = [[row for row in recording.series if not row[1].warm_up] for recording in (earlier, later)]
    width = max(1 + (rows[-1][0] - rows[0][0]) // _MOMENTS_MAXIMUM if rows else 1 for rows in runs)
    return {kind.value: (_moments(runs[0], kind, width), _moments(runs[1], kind, width)) for kind in LatencyKind}


def _moments(rows: list[tuple[int, Second]], kind: LatencyKind, width: int) -> list[Moment]:
    groups: dict[int, Counter[int]] = {}
    reader = Second()
    for number, second in rows:
        groups.setdefault(number // width * width, Counter()).update(second.answered(kind))
    return [
        (start, reader.percentile(latencies, 50) or 0.0, reader.percentile(latencies, 95) or 0.0)
        for start, latencies in sorted(groups.items())
        if latencies
    ]
