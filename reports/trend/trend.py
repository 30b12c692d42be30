"""The trend of comparable runs: on which levels their numbers were, since when, and what of that is an alarm."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from itertools import pairwise
from math import exp, log
from statistics import median
from typing import Any, Final

from gatecrash.reports.comparison.comparability import differences, obstacles_of_plans
from gatecrash.reports.plan.facts import RunInfo
from gatecrash.reports.run.verdict import Validity
from gatecrash.reports.statistics.change_points import SIDE_LEAST, Scale, chance_of, change_points
from gatecrash.reports.statistics.directions import Direction
from gatecrash.reports.trend.history import HistoryRun
from gatecrash.reports.trend.metrics import CAPACITY, METRICS, RUN, TrendLimits, TrendMetric

FORMAT: Final = 1
# What of a search's settings only bounds how long it takes.
_BUDGETS: Final = frozenset({"seconds", "requests", "cost", "at_least"})


@dataclass(frozen=True, slots=True)
class TrendLevel:
    """Runs from one change point to the next: the places of the first and the last, and their median value."""

    first: int
    last: int
    value: float


@dataclass(frozen=True, slots=True)
class LevelChange:
    """A new level. ``place`` is that of its first run, ``previous`` that of the last run that was measured before it.

    ``shift`` is relative, but for shares, where it is a difference. ``chance`` is how often chance alone would set the
    two levels apart so. ``per_run`` is the same of each run where the change came about little by little, else None.
    ``undone`` says that the newest level is no worse than the one before the change, ``accepted`` why the change is
    accepted, where it is. ``alongside`` are settings and versions that changed with it.
    """

    place: int
    previous: int
    before: float
    after: float
    shift: float
    chance: float
    direction: Direction
    per_run: float | None = None
    undone: bool = False
    accepted: str | None = None
    alongside: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class MetricTrend:
    """One number over the runs: (place of the run, value) pairs, levels, and the changes between them."""

    metric: TrendMetric
    values: tuple[tuple[int, float], ...]
    levels: tuple[TrendLevel, ...]
    changes: tuple[LevelChange, ...]

    @property
    def alarms(self) -> list[LevelChange]:
        """Changes for the worse that stand and are not accepted."""
        if not self.metric.decides:
            return []
        return [
            change
            for change in self.changes
            if change.direction is Direction.WORSE and not change.undone and change.accepted is None
        ]


@dataclass(frozen=True, slots=True)
class FindingTrend:
    """A finding over the runs: in how many it was seen, and the places of the first and the last of them."""

    fingerprint: str
    code: str
    title: str
    seen: int
    first: int
    last: int


@dataclass(frozen=True, slots=True)
class Trend:
    """Runs that can be compared with the newest of them, the oldest first.

    ``left_out`` are sentences on why runs of the same name have no part in it, each with how many.
    """

    runs: tuple[HistoryRun, ...]
    limits: TrendLimits
    metrics: tuple[MetricTrend, ...]
    findings: tuple[FindingTrend, ...]
    left_out: tuple[tuple[str, int], ...] = ()

    @property
    def newest(self) -> HistoryRun:
        """The run that the others are compared with."""
        return self.runs[-1]

    @property
    def measured(self) -> int:
        """How many of the runs count."""
        return sum(map(_counts, self.runs))

    @property
    def alarms(self) -> list[tuple[TrendMetric, LevelChange]]:
        """What got worse and stayed so."""
        return [(one.metric, change) for one in self.metrics for change in one.alarms]

    @property
    def since(self) -> HistoryRun | None:
        """The first run of what got worse: that of the surest alarm, since all of them mostly have one cause."""
        alarms = [change for _, change in self.alarms]
        return self.runs[min(alarms, key=lambda change: change.chance).place] if alarms else None

    def to_json(self) -> dict[str, Any]:
        """Return a JSON value; places are indices of ``runs``."""
        return {
            "format": FORMAT,
            "alarms": [{"metric": metric.name, **asdict(change)} for metric, change in self.alarms],
            "limits": asdict(self.limits),
            "runs": [{**asdict(run), "info": run.info.to_json()} for run in self.runs],
            "metrics": [asdict(one) for one in self.metrics],
            "findings": [asdict(one) for one in self.findings],
            "left_out": [{"reason": reason, "runs": count} for reason, count in self.left_out],
        }


def trends_of(runs: Iterable[HistoryRun], limits: TrendLimits) -> list[Trend]:
    """Return the trend of each name and kind of run, by name; each is of what can be compared with its newest run."""
    groups: dict[tuple[str, str], list[HistoryRun]] = {}
    for run in sorted(runs, key=lambda one: one.key):
        groups.setdefault((run.info.name, run.kind), []).append(run)
    return [trend_of(group, limits) for _, group in sorted(groups.items())]


def trend_of(runs: Sequence[HistoryRun], limits: TrendLimits) -> Trend:
    """Return the trend of runs of one kind, at least one, the oldest first."""
    newest, kept, left_out = runs[-1], [], dict[str, int]()
    for run in runs:
        reason = _obstacle(run, newest)
        if reason is None:
            kept.append(run)
        else:
            left_out[reason] = left_out.get(reason, 0) + 1
    if len(kept) > limits.runs:
        left_out[f"only the newest {limits.runs} runs are looked at"] = len(kept) - limits.runs
        kept = kept[-limits.runs :]
    metrics = [_metric_trend(metric, kept, limits) for metric in METRICS]
    return Trend(
        tuple(kept),
        limits,
        tuple(one for one in metrics if one.values),
        tuple(_findings(kept)),
        tuple(left_out.items()),
    )


def _obstacle(run: HistoryRun, newest: HistoryRun) -> str | None:
    found = obstacles_of_plans(run.info, newest.info, searches=newest.kind != RUN)
    if newest.kind == CAPACITY and _objectives(run.info) != _objectives(newest.info):
        found.append("the settings of the search for capacity are not the same")
    return found[0] if found else None


def _objectives(info: RunInfo) -> dict[str, Any]:
    return {key: value for key, value in info.settings.get("capacity", {}).items() if key not in _BUDGETS}


def _counts(run: HistoryRun) -> bool:
    return run.validity != Validity.INVALID and bool(run.numbers or run.findings or run.exit_code == 0)


def _metric_trend(metric: TrendMetric, runs: Sequence[HistoryRun], limits: TrendLimits) -> MetricTrend:
    pairs = [
        (place, run.numbers[metric.name])
        for place, run in enumerate(runs)
        if run.validity != Validity.INVALID and metric.name in run.numbers
    ]
    values, scale = [value for _, value in pairs], metric.scale(limits)
    found = change_points(values, scale, limits.significance)
    bounds = [0, *found, len(values)]
    parts = [range(start, end) for start, end in pairwise(bounds)]
    levels = [
        TrendLevel(pairs[part[0]][0], pairs[part[-1]][0], median(values[one] for one in part)) for part in parts if part
    ]
    changes = [_change(metric, scale, runs, pairs, (before, after, parts[-1])) for before, after in pairwise(parts)]
    return MetricTrend(metric, tuple(pairs), tuple(levels), tuple(changes))


def _change(
    metric: TrendMetric,
    scale: Scale,
    runs: Sequence[HistoryRun],
    pairs: Sequence[tuple[int, float]],
    parts: tuple[range, range, range],
) -> LevelChange:
    before, after, newest = ([pairs[one][1] for one in part] for part in parts)
    sign = 1 if metric.higher_is_worse else -1
    shift = scale.shift(before, after)
    place, previous = pairs[parts[1][0]][0], pairs[parts[0][-1]][0]
    is_worse = sign * shift > 0
    return LevelChange(
        place=place,
        previous=previous,
        before=median(before),
        after=median(after),
        shift=shift,
        chance=chance_of(before, after),
        direction=Direction.WORSE if is_worse else Direction.BETTER,
        per_run=_per_run(scale, [*before, *after], len(before)),
        undone=is_worse and not (sign * scale.shift(before, newest) > 0 and scale.counts(before, newest)),
        accepted=next((run.accepted for run in runs[place:] if run.accepted is not None), None),
        alongside=tuple(_alongside(runs[previous], runs[place])),
    )


def _alongside(before: HistoryRun, after: HistoryRun) -> Iterable[str]:
    if before.revision != after.revision:
        yield f"revision: {before.revision or 'none'} before, {after.revision or 'none'} now"
    yield from (one for one in differences(before.info, after.info) if not one.startswith("setting output.revision"))


def _per_run(scale: Scale, values: Sequence[float], split: int) -> float | None:
    """Return the change from one run to the next where a line fits two levels better than a step does.

    The line is that of H. Theil (1950) and P. K. Sen (1968).
    """
    made = [log(value) for value in values] if scale.is_ratio else list(values)
    places = range(len(made))
    slope = median((made[two] - made[one]) / (two - one) for one in places for two in places[one + 1 :])
    start = median(value - slope * place for place, value in enumerate(made))
    middles = [median(made[:split]), median(made[split:])]
    off_line = sum(abs(value - start - slope * place) for place, value in enumerate(made))
    off_step = sum(abs(value - middles[place >= split]) for place, value in enumerate(made))
    is_steep = abs(slope) * (len(made) - 1) >= abs(middles[1] - middles[0]) > 0
    if off_line >= off_step or not is_steep or min(split, len(made) - split) <= SIDE_LEAST:
        return None
    return exp(slope) - 1 if scale.is_ratio else slope


def _findings(runs: Sequence[HistoryRun]) -> Iterable[FindingTrend]:
    """Return the findings of all runs: those of the newest run first, then those that were seen last."""
    found: dict[str, list[int]] = {}
    names: dict[str, tuple[str, str]] = {}
    for place, run in enumerate(runs):
        for fingerprint, code, title in run.findings:
            found.setdefault(fingerprint, []).append(place)
            names[fingerprint] = (code, title)
    rows = [FindingTrend(one, *names[one], len(places), places[0], places[-1]) for one, places in found.items()]
    return sorted(rows, key=lambda row: (-row.last, row.code, row.fingerprint))
