"""The figures of a test as far as it got: what Locust's web page shows of the authorizer while it is loaded."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from pathlib import PurePath
from typing import Final

from gatecrash.authorizers.contract import Expectation, Outcome
from gatecrash.reports.course.families import FamilyRow
from gatecrash.reports.live.standing import WebTestState
from gatecrash.reports.plan.plan import CLOSED
from gatecrash.reports.recording.records import LatencyKind
from gatecrash.reports.report import Report
from gatecrash.reports.run.summary import LatencyRow, SecondRow, Summary

# More steps than this can't be told apart at the width of a page.
_STEPS_MAXIMUM: Final = 120
# Rates of now are taken over so many seconds.
_LATELY_SECONDS: Final = 5


@dataclass(frozen=True, slots=True)
class OutcomeRow:
    """How often an outcome was seen: after the warm-up, with its share (0 to 1) there, in it, and a second lately."""

    outcome: str
    count: int
    share: float
    warm_up: int
    lately: float


@dataclass(frozen=True, slots=True)
class WrongRow:
    """The wrong decisions on the cases of one family that must be decided alike, warm-up included."""

    family: str
    expectation: str
    decisions: int
    wrong: int


@dataclass(frozen=True, slots=True)
class LiveStep:
    """Some consecutive seconds. Counts are per second (mean), latencies in ms the highest of the seconds.

    ``offered`` are the arrivals that became due; in the closed model, which has none, the exchanges.
    """

    start: int
    seconds: int
    warm_up: bool
    offered: float
    answered: float
    throttled: float
    dropped: float
    service_p95: float | None
    response_p95: float | None


@dataclass(frozen=True, slots=True)
class Figures:
    """What was seen so far. ``wrong`` is None where nothing came back, or the cases' corpus is gone.

    ``offered_lately`` and ``throttled_lately`` are per second. ``cases`` is how many the corpus has; None in a fuzz
    run, whose cases are chosen as it goes on.
    """

    outcomes: tuple[OutcomeRow, ...]
    exchanges: int
    warm_up_exchanges: int
    decisions: int
    wrong: tuple[WrongRow, ...] | None
    steps: tuple[LiveStep, ...]
    throttled: int
    offered_lately: float
    throttled_lately: float
    latencies: tuple[LatencyRow, ...]
    cases: int | None
    has_schedule: bool


@dataclass(frozen=True, slots=True)
class EarlierTest:
    """A test that was started in the same web page before: the name of its run folder, and its verdict's word."""

    name: str
    word: str


@dataclass(frozen=True, slots=True)
class Live:
    """What the web page shows. ``sentence`` says what went wrong with a test that was refused or has no report.

    ``report`` is None before there is anything to sum up. Its verdict holds only once the test has ended.
    """

    standing: WebTestState
    run_folder: str = ""
    sentence: str = ""
    report: Report | None = None
    figures: Figures | None = None
    earlier: tuple[EarlierTest, ...] = ()

    @property
    def summary(self) -> Summary | None:
        """The run as far as it got."""
        return self.report.summary if self.report is not None else None

    @property
    def run_name(self) -> str:
        """The name of the run folder, by which the web page knows its report."""
        return PurePath(self.run_folder).name

    @property
    def is_over(self) -> bool:
        """Whether firing has ended, so that nothing happens a second any more."""
        return self.standing not in {WebTestState.STARTING, WebTestState.RUNNING}

    @property
    def has_verdict(self) -> bool:
        """Whether everything is there, and judged."""
        return self.standing is WebTestState.ENDED and self.summary is not None


def is_fuzz(summary: Summary) -> bool:
    """Say whether a run chooses its cases as it goes on, rather than taking them from a fixed corpus by turns."""
    return summary.campaign is not None or summary.info.plan.scenario == "fuzz"


def figures_of(summary: Summary, *, goes_on: bool) -> Figures:
    """Return the figures of a run; while it ``goes_on`` its newest second is left out, being no whole one."""
    # A row whose second isn't over would look like a loss of rate.
    whole = [row for row in summary.seconds if not goes_on or row.second + 1 <= summary.state.elapsed]
    lately = whole[-_LATELY_SECONDS:]
    throttled = Outcome.THROTTLED
    return Figures(
        outcomes=_outcome_rows(summary, lately),
        exchanges=summary.exchanges,
        warm_up_exchanges=summary.warm_up_exchanges,
        decisions=sum(_decisions(row.outcomes) for row in summary.seconds),
        wrong=_wrong_rows(summary.families) if summary.families else None,
        steps=steps_of(whole),
        throttled=sum(row.outcomes.get(throttled, 0) for row in summary.seconds),
        offered_lately=_mean([_offered(row) for row in lately]),
        throttled_lately=_mean([row.outcomes.get(throttled, 0) for row in lately]),
        latencies=tuple(row for row in summary.latencies if row.outcome is None and row.count),
        cases=None if is_fuzz(summary) else summary.info.corpus.cases,
        has_schedule=summary.info.plan.model != CLOSED and not is_fuzz(summary),
    )


def _outcome_rows(summary: Summary, lately: list[SecondRow]) -> tuple[OutcomeRow, ...]:
    warm_up, now = Counter[str](), Counter[str]()
    for row in summary.seconds:
        warm_up.update(row.outcomes)
    warm_up.subtract(summary.outcomes)
    for row in lately:
        now.update(row.outcomes)
    return tuple(
        OutcomeRow(
            outcome.value,
            count := summary.outcomes.get(outcome.value, 0),
            count / summary.exchanges if summary.exchanges else 0.0,
            # A checkpoint may come between a count and its second.
            max(0, warm_up[outcome.value]),
            now[outcome.value] / len(lately) if lately else 0.0,
        )
        for outcome in Outcome
        if summary.outcomes.get(outcome.value) or warm_up[outcome.value] > 0
    )


def _wrong_rows(families: tuple[FamilyRow, ...]) -> tuple[WrongRow, ...]:
    """Return the families with wrong decisions, those with the most first. A fault is none: no decision came."""
    rows = [
        WrongRow(row.family, row.expectation, _decisions(row.outcomes), sum(_wrong(row).values())) for row in families
    ]
    return tuple(sorted((row for row in rows if row.wrong), key=lambda row: (-row.wrong, row.family)))


def _wrong(row: FamilyRow) -> dict[str, int]:
    wanted = Expectation(row.expectation)
    return {
        name: count
        for name, count in row.outcomes.items()
        if Outcome(name).is_decision and wanted.is_met_by(Outcome(name)) is False
    }


def _decisions(outcomes: dict[str, int]) -> int:
    return sum(count for name, count in outcomes.items() if Outcome(name).is_decision)


def _offered(row: SecondRow) -> int:
    return row.planned or sum(row.outcomes.values())


def _mean(values: list[int]) -> float:
    return sum(values) / len(values) if values else 0.0


def steps_of(rows: list[SecondRow]) -> tuple[LiveStep, ...]:
    """Return the seconds of a run, several together when it is long; those in which nothing was due count as well."""
    if not rows:
        return ()
    width = 1 + (rows[-1].second - rows[0].second) // _STEPS_MAXIMUM
    groups: dict[int, list[SecondRow]] = {
        start: [] for start in range(rows[0].second // width * width, rows[-1].second + 1, width)
    }
    for row in rows:
        groups[row.second // width * width].append(row)
    last = rows[-1].second + 1
    return tuple(_step(start, min(width, last - start), group) for start, group in groups.items())


def _step(start: int, width: int, rows: list[SecondRow]) -> LiveStep:
    throttled = sum(row.outcomes.get(Outcome.THROTTLED, 0) for row in rows)
    exchanges = sum(sum(row.outcomes.values()) for row in rows)
    return LiveStep(
        start,
        width,
        any(row.warm_up for row in rows),
        sum(map(_offered, rows)) / width,
        (exchanges - throttled) / width,
        throttled / width,
        sum(row.dropped for row in rows) / width,
        max((row.service_p95 for row in rows if row.service_p95 is not None), default=None),
        max((row.response_p95 for row in rows if row.response_p95 is not None), default=None),
    )


def latency_of(figures: Figures, kind: LatencyKind) -> LatencyRow | None:
    """Return the latency of all answered exchanges, None where nothing was answered yet."""
    return next((row for row in figures.latencies if row.kind == kind.value), None)
