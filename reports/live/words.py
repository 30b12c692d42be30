"""How the live page words what it shows of a test that goes on, or has ended."""

from __future__ import annotations

import shlex
from typing import Final

from gatecrash.reports.live.live import Figures, Live, is_fuzz, latency_of
from gatecrash.reports.live.standing import WebTestState
from gatecrash.reports.recording.records import LatencyKind
from gatecrash.reports.run.summary import Summary
from gatecrash.reports.words import capacity as capacity_words
from gatecrash.reports.words.spelling import milliseconds, plural, visible

# The report has the others: a page that is asked for every two seconds is a short one.
FINDINGS_SHOWN: Final = 20
_WORDS: Final = {WebTestState.NONE: "READY", WebTestState.REFUSED: "NOT STARTED", WebTestState.UNREPORTED: "NO REPORT"}
_SENTENCES: Final = {
    WebTestState.NONE: "No test was started yet. What a test shows of the authorizer will stand here.",
    WebTestState.STARTING: "The target and, where there are any, the workers are made ready.",
    WebTestState.ENDING: "The last results are coming in. The verdict follows when they are all here.",
    WebTestState.JUDGING: "All results are in. They are being judged, and the report written.",
}


def word(live: Live) -> str:
    """Return the word for how a test stands: its verdict's, where it has one."""
    if live.summary is not None and live.has_verdict:
        return live.summary.verdict.word
    return _WORDS.get(live.standing, live.standing.value.upper())


def tone(live: Live) -> str:
    """Return the name of the tone in which the word is shown."""
    if live.has_verdict:
        return word(live).lower()
    return "invalid" if live.standing in {WebTestState.REFUSED, WebTestState.UNREPORTED} else "note"


def sentence(live: Live) -> str:
    """Return how a test stands, in a sentence that changes only when that does."""
    if live.standing in {WebTestState.REFUSED, WebTestState.UNREPORTED}:
        text = visible(live.sentence)
        return text[:1].upper() + text[1:] + ("" if text.endswith(".") else ".")
    if live.standing is WebTestState.RUNNING:
        return _running(live.summary)
    return _SENTENCES.get(live.standing, "")


def _running(summary: Summary | None) -> str:
    if summary is None:
        return "The first figures are on their way."
    elapsed, plan = summary.state.elapsed, summary.info.plan
    if _searches(summary):
        judged = len(rates_judged(summary))
        return f"Searching for the rate that is held: {plural(judged, 'rate')} judged so far."
    if is_fuzz(summary):
        return "The phases are being fired."
    warm_up, duration = plan.warm_up or 0.0, plan.duration or 0.0
    if elapsed < warm_up:
        return f"Warming up for {warm_up:g} s: what comes back meanwhile is kept apart."
    if elapsed < warm_up + duration:
        return f"Measuring for {duration:g} s. The verdict follows when all results are in."
    return "All is fired, and the last answers are awaited."


def _searches(summary: Summary) -> bool:
    # Before the first rate is judged there is nothing of a search but the plan.
    return summary.capacity is not None or summary.info.plan.scenario == "capacity"


def progress(summary: Summary) -> tuple[float, str] | None:
    """Return how much of a run is over, 0 to 100, and that in words; None where nobody knows its length."""
    plan = summary.info.plan
    length = (plan.warm_up or 0.0) + (plan.duration or 0.0)
    if _searches(summary) or is_fuzz(summary) or not length:
        return None
    over = min(summary.state.elapsed, length)
    return round(100 * over / length, 1), f"{over:,.0f} of {length:,.0f} s"


def key_numbers(summary: Summary, figures: Figures, live: Live) -> list[tuple[str, str]]:
    """Return the numbers that come first, each with its label; while a test goes on, rates are of the last seconds."""
    offered = "offered" if figures.has_schedule else "fired"
    throttled = plural(figures.throttled, "exchange")
    if live.is_over:
        fired = sum(step.offered * step.seconds for step in figures.steps)
        numbers = [(offered, plural(round(fired), "arrival" if figures.has_schedule else "exchange"))]
        numbers.append(("throttled", throttled))
    else:
        numbers = [(offered, f"{figures.offered_lately:,.1f} a second")]
        numbers.append(("throttled", f"{figures.throttled_lately:,.1f} a second, {throttled} in all"))
    numbers.append(("wrong decisions", _wrong_number(figures)))
    for kind, label in ((LatencyKind.SERVICE_TIME, "service time"), (LatencyKind.RESPONSE_TIME, "response time")):
        row = latency_of(figures, kind)
        numbers.append((f"{label}, p95", f"{milliseconds(row.p95)} ms" if row is not None else "-"))
    if figures.has_schedule:
        numbers.append(("dropped arrivals", f"{sum(row.dropped for row in summary.seconds):,}"))
    numbers.append(("distinct requests", _requests(summary, figures)))
    return numbers


def _wrong_number(figures: Figures) -> str:
    if not figures.decisions:
        return "no decision yet"
    if figures.wrong is None:
        return "not known"
    return f"{sum(row.wrong for row in figures.wrong):,} of {plural(figures.decisions, 'decision')}"


def _requests(summary: Summary, figures: Figures) -> str:
    seen = f"{summary.cases_seen:,}"
    # The cases of a fuzz run are chosen as it goes on: there is no number that they are a part of.
    return seen if figures.cases is None else f"{seen} of {plural(figures.cases, 'case')} in the corpus"


def wrong_sentence(summary: Summary, figures: Figures) -> str:
    """Return what is known of wrong decisions, where there is no table of them."""
    if not figures.decisions:
        return "No decision came back yet."
    if figures.wrong is None:
        return "The corpus of this test is gone, so nobody knows which decisions should have come back."
    seen = f"None in {plural(figures.decisions, 'decision')}"
    if is_fuzz(summary):
        return f"{seen}, on {plural(summary.cases_seen, 'distinct request')} that were chosen, not drawn as a sample."
    return f"{seen}, the warm-up included."


def throttles_sentence(figures: Figures) -> str:
    """Return what came of the offered rate, in words."""
    most = max(figures.steps, key=lambda step: step.throttled, default=None)
    if most is None or not figures.throttled:
        return "No exchange was throttled."
    offered = "offered" if figures.has_schedule else "fired"
    return (
        f"{plural(figures.throttled, 'exchange')} throttled, the warm-up included. The most were {most.throttled:,.4g} "
        f"a second of {most.offered:,.4g} {offered}, in second {most.start:,}."
    )


def rates_judged(summary: Summary) -> list[str]:
    """Return a line for each rate that a capacity search has judged; none for other runs."""
    return [capacity_words.line(probe).strip() for probe in summary.capacity.probes] if summary.capacity else []


def rates_description(figures: Figures) -> str:
    """Return what the drawing of rates shows, for those who can't see it."""
    what = "the offered rate" if figures.has_schedule else "what was fired"
    return f"Over time: {what} as a dotted line, what was throttled as an area. {throttles_sentence(figures)}"


def findings_heading(live: Live) -> str:
    """Return the heading of the findings: how many, and that there may come more."""
    count = len(live.summary.findings) if live.summary is not None else 0
    so_far = "" if live.has_verdict else " so far"
    return f"Findings{so_far}: {count:,}" if count else "Findings"


def report_command(live: Live) -> str:
    """Return the command that writes a report once more."""
    return visible(f"gatecrash report {shlex.quote(live.run_folder)}")
