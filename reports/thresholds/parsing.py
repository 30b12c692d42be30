"""Reading statements; a mistake is told with the character at which it stands, and with what is allowed there."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Final

from gatecrash.authorizers.errors import UsageError
from gatecrash.reports.thresholds.threshold import (
    COMPARISONS,
    LATENCY,
    METRICS,
    SELECTED,
    STATISTICS,
    Job,
    LimitUnit,
    Metric,
    Threshold,
)

_TOKEN: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_/-]*|[0-9]+(?:\.[0-9]+)?|<=|>=|==|!=|[<>=.,{}%/]|\S")
_NUMBER: Final = re.compile(r"[0-9]+(?:\.[0-9]+)?\Z")
_NAME: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_/-]*\Z")
_PERCENTILE: Final = re.compile(r"p[0-9]{1,2}\Z")
_LENGTH_MAXIMUM: Final = 500
_WINDOW_MAXIMUM: Final = 86_400
_DECIMALS_MAXIMUM: Final = 4
_SECONDS: Final = {"ms": Decimal(1), "s": Decimal(1000), "us": Decimal("0.001")}
_ALIASES: Final = {"med": "p50", "median": "p50", "avg": "mean"}


def parse(text: str, where: str) -> Threshold:
    """Read a statement; raises UsageError, which begins with ``where`` (a flag or a key), for a mistake."""
    return _Reader(text, where).read()


@dataclass(frozen=True, slots=True)
class Declared:
    """The thresholds of a run, as its settings say them; each is what must hold.

    Those that end the run when they fail are in ``aborting`` too, and are looked at from ``abort_after`` seconds of the
    measured part on. ``too_few_fails`` says whether one that can't be judged fails the run.
    """

    thresholds: tuple[Threshold, ...] = ()
    aborting: tuple[Threshold, ...] = ()
    abort_after: float = 0.0
    too_few_fails: bool = True


def declared(settings: Mapping[str, Any]) -> Declared:
    """Read the section ``thresholds`` of the settings; raises UsageError for a mistake in an expression."""
    hold = _each(settings, "hold")
    fail_if = [threshold.opposite for threshold in _each(settings, "fail_if")]
    abort_if = [threshold.opposite for threshold in _each(settings, "abort_if")]
    for threshold in abort_if:
        if not METRICS[threshold.metric].live or threshold.selected("family"):
            live = ", ".join(metric.name for metric in METRICS.values() if metric.live)
            raise UsageError(
                f"thresholds.abort_if: {threshold.opposite} is known only when a run is over; while it goes on there "
                f"are {live}, of all families together"
            )
    return Declared(
        tuple(dict.fromkeys((*hold, *fail_if, *abort_if))),
        tuple(abort_if),
        float(settings.get("abort_after", 0.0)),
        settings.get("too_few", "fail") == "fail",
    )


def check_asked(settings: Mapping[str, Any], job: Job) -> None:
    """Raise UsageError for what is asked of a job in the section ``thresholds`` and can't be asked of it.

    That is for what somebody asked of this very job: settings in a file are those of every job.
    """
    command = f"`gatecrash {job.value}`"
    if job is not Job.RUN and settings.get("abort_if"):
        raise UsageError(
            f"thresholds.abort_if ends a run under load early, not {command}: ask by --fail-if what must not be so "
            "at its end"
        )
    for key in ("hold", "fail_if", "abort_if"):
        for text, threshold in zip(settings.get(key) or (), _each(settings, key), strict=True):
            if reason := threshold.misplaced_in(job):
                raise UsageError(f"thresholds.{key}: {text!r} can't be asked of {command}: {reason}; {_askable(job)}")


def _askable(job: Job) -> str:
    names = ", ".join(metric.name for metric in METRICS.values() if job in metric.jobs)
    if job is Job.RUN:
        return f"there are {names}"
    return f"there are {names}, of no window, and exchanges neither of a family nor by throttles and errors"


def _each(settings: Mapping[str, Any], key: str) -> list[Threshold]:
    return [parse(text, f"thresholds.{key}") for text in settings.get(key) or ()]


class _Reader:
    def __init__(self, text: str, where: str) -> None:
        self._text, self._where = text, where
        if len(text) > _LENGTH_MAXIMUM:
            raise UsageError(
                f"{where}: the expression has {len(text)} characters; at most {_LENGTH_MAXIMUM} are allowed"
            )
        self._tokens = [(found.start(), found[0]) for found in _TOKEN.finditer(text)]
        self._next = 0

    def read(self) -> Threshold:
        metric = self._metric()
        statistic = self._statistic(metric)
        selectors = self._selectors(metric)
        comparison = self._comparison()
        limit, unit = self._limit(metric)
        window = self._window(metric)
        if self._token is not None:
            raise self._mistake("the expression goes on after its end; `over 30s` may stand behind the limit")
        if metric.name == "outcome_rate" and not any(key == "outcome" for key, _ in selectors):
            raise self._mistake("outcome_rate needs an outcome: outcome_rate{outcome=deny}", at=0)
        self._check_window(metric, window, {key for key, _ in selectors})
        return Threshold(metric.name, comparison, limit, unit, statistic, selectors, window)

    def _check_window(self, metric: Metric, window: int | None, selected: set[str]) -> None:
        if window and "family" in selected:
            raise self._mistake("a family can't be asked for over a window: it is kept of the whole run alone", at=0)
        if window and metric.name == LATENCY and "outcome" in selected:
            raise self._mistake(
                "over a window the latency is that of all answered exchanges: leave the outcome out", at=0
            )

    @property
    def _token(self) -> str | None:
        return self._tokens[self._next][1] if self._next < len(self._tokens) else None

    @property
    def _place(self) -> int:
        return self._tokens[self._next][0] if self._next < len(self._tokens) else len(self._text.rstrip())

    def _take(self) -> str:
        token = self._token
        assert token is not None  # noqa: S101 - whoever takes one has looked
        self._next += 1
        return token

    def _mistake(self, sentence: str, at: int | None = None) -> UsageError:
        place = self._place if at is None else at
        shown = "".join(character if character.isprintable() else "?" for character in self._text)
        return UsageError(f"{self._where}: {shown!r}, at character {place + 1}: {sentence}")

    def _metric(self) -> Metric:
        name = self._token
        if name in METRICS:
            return METRICS[self._take()]
        raise self._mistake(f"a metric must stand here{_near(name, METRICS)}: {', '.join(METRICS)}")

    def _statistic(self, metric: Metric) -> str:
        if metric.name != LATENCY:
            if self._token == ".":
                raise self._mistake(f"only {LATENCY} has percentiles; a comparison must stand here")
            return ""
        allowed = f"latency needs a percentile or one of {', '.join(STATISTICS)}, such as latency.p95"
        if self._token != ".":
            raise self._mistake(allowed)
        self._take()
        name = _ALIASES.get(self._token or "", self._token or "")
        if name in STATISTICS:
            self._take()
            return name
        if not _PERCENTILE.match(name):
            raise self._mistake(allowed)
        self._take()
        # The digits behind the point of p99.9 are tokens of their own, and must follow at once.
        end = self._tokens[self._next - 1][0] + len(self._tokens[self._next - 1][1])
        if self._token == "." and self._place == end:
            self._take()
            digits = self._token or ""
            if (
                not digits.isascii()
                or not digits.isdigit()
                or len(digits) > _DECIMALS_MAXIMUM
                or self._place != end + 1
            ):
                raise self._mistake(
                    f"a percentile has at most {_DECIMALS_MAXIMUM} digits behind its point, such as p99.9"
                )
            name = f"{name}.{self._take()}"
        percent = f"{float(name[1:]):g}"
        if float(percent) == 0:
            raise self._mistake("a percentile lies above 0 and below 100", at=end - 1)
        return f"p{percent}"

    def _selectors(self, metric: Metric) -> tuple[tuple[str, str], ...]:
        if self._token != "{":
            return ()
        self._take()
        found: dict[str, str] = {}
        while True:
            key = self._token or ""
            if key not in metric.selectors:
                allowed = ", ".join(metric.selectors) or "none"
                raise self._mistake(f"a selector of {metric.name} must stand here: {allowed}")
            if key in found:
                raise self._mistake(f"{key} is there twice")
            self._take()
            self._expect("=", f"{key} needs a value: {key}=…")
            found[key] = self._selected(key)
            if self._token == ",":
                self._take()
                continue
            self._expect("}", "a selector ends with , or }")
            return tuple(found.items())

    def _selected(self, key: str) -> str:
        value, allowed = self._token or "", SELECTED.get(key)
        if allowed is None:
            if not _NAME.match(value):
                raise self._mistake(f"a name must stand here, as reports show the {key}")
        elif value not in allowed:
            raise self._mistake(f"{key} may be {', '.join(allowed)}{_near(value, allowed)}")
        return self._take()

    def _expect(self, token: str, sentence: str) -> None:
        if self._token != token:
            raise self._mistake(sentence)
        self._take()

    def _comparison(self) -> str:
        if self._token not in COMPARISONS:
            raise self._mistake(f"a comparison must stand here: {', '.join(COMPARISONS)}")
        return self._take()

    def _limit(self, metric: Metric) -> tuple[float, LimitUnit]:
        start = self._place
        if not _NUMBER.match(self._token or ""):
            raise self._mistake(f"a number must stand here, in {_units(metric)}")
        number = Decimal(self._take())
        own = metric.units[0]
        if own is LimitUnit.MILLISECONDS:
            unit = self._token or ""
            if unit not in _SECONDS:
                raise self._mistake(f"a latency needs its unit: {', '.join(_SECONDS)}")
            self._take()
            return float(number * _SECONDS[unit]), own
        if self._token == "%":
            if LimitUnit.SHARE not in metric.units:
                raise self._mistake(f"{metric.name} is no share: {_units(metric)}")
            self._take()
            return float(number / 100), LimitUnit.SHARE
        if self._token == "/":
            if LimitUnit.PER_SECOND not in metric.units:
                raise self._mistake(f"{metric.name} is no rate: {_units(metric)}")
            self._take()
            self._expect("s", "a rate is a second: write /s")
            return float(number), LimitUnit.PER_SECOND
        if own is LimitUnit.SHARE and len(metric.units) == 1 and number > 1:
            raise self._mistake(f"a share lies between 0 and 1: write {number:g}% for percent", at=start)
        # A bare number of a metric with two units is the one that can be more than all.
        return float(number), metric.units[-1]

    def _window(self, metric: Metric) -> int | None:
        if self._token != "over":
            return None
        if not metric.windowed:
            raise self._mistake(f"{metric.name} is known of the whole run alone")
        self._take()
        text = self._token or ""
        if not _NUMBER.match(text) or not text.isdigit() or not 1 <= int(text) <= _WINDOW_MAXIMUM:
            raise self._mistake(f"whole seconds from 1 to {_WINDOW_MAXIMUM} must stand here, such as 30s")
        self._take()
        self._expect("s", "a window is in seconds: write 30s")
        return int(text)


def _units(metric: Metric) -> str:
    words = {
        LimitUnit.MILLISECONDS: "ms, s or us",
        LimitUnit.SHARE: "%",
        LimitUnit.PER_SECOND: "/s",
        LimitUnit.COUNT: "plain numbers",
    }
    return " or ".join(words[unit] for unit in metric.units)


def _near(given: str | None, names: Iterable[str]) -> str:
    near = difflib.get_close_matches(given or "", list(names), n=1, cutoff=0.6)
    return f" (did you mean {near[0]}?)" if near else ""
