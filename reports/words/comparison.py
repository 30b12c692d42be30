"""How a comparison is worded: what changed by how much, from what to what, and how surely."""

from __future__ import annotations

import shlex
from collections.abc import Iterable, Iterator
from typing import Any, Final

from gatecrash.reports.comparison.comparison import Aspect, Change, Comparison, LatencyTable, Side, Unit
from gatecrash.reports.comparison.decisions import LISTED_MAXIMUM, DecisionDiff, Flip, Kind
from gatecrash.reports.comparison.findings import FindingRow
from gatecrash.reports.comparison.rates import ACHIEVED_RATE, ERROR_RATE, THROTTLE_RATE
from gatecrash.reports.statistics.directions import Direction
from gatecrash.reports.words.summary import KIND_LABELS, milliseconds, outcome_label, percent, plural, visible

ASPECT_LABELS: Final = {
    THROTTLE_RATE: "throttle rate",
    ERROR_RATE: "error rate",
    ACHIEVED_RATE: "achieved rate",
}
_WORDS: Final = {
    Direction.BETTER: "BETTER",
    Direction.SAME: "SAME",
    Direction.WORSE: "WORSE",
    Direction.MIXED: "MIXED",
    Direction.UNJUDGED: "NOT JUDGED",
}
_HEADLINES: Final = {
    Direction.BETTER: "The later run is better than the earlier one.",
    Direction.SAME: "The later run is the same as the earlier one, as far as both can tell.",
    Direction.WORSE: "The later run is worse than the earlier one.",
    Direction.MIXED: "The later run is better in one thing and worse in another.",
    Direction.UNJUDGED: "Nothing could be judged.",
}
_KINDS: Final = {
    Kind.NOW_ALLOWED: "now allowed",
    Kind.NOW_DENIED: "now denied",
    Kind.NOW_FAULTY: "now faulty",
    Kind.NOW_ANSWERED: "now answered instead of faulty",
    Kind.POLICY_CHANGED: "policy changed",
    Kind.NOW_INCONSISTENT: "now inconsistent",
    Kind.NOW_CONSISTENT: "now consistent",
    Kind.ANSWERED_OTHERWISE: "turned away in another way",
}
LATENCY_COLUMNS: Final = ("percentile", "before, ms", "now, ms", "change", "interval", "judged")
RATE_COLUMNS: Final = ("what", "before", "now", "change", "interval", "judged")
ASPECT_COLUMNS: Final = ("aspect", "judged", "why")


def word(direction: Direction) -> str:
    """Return a direction in capitals."""
    return _WORDS[direction]


def verdict_word(comparison: Comparison) -> str:
    """Return the word that stands first."""
    return "NOT COMPARED" if comparison.refused else _WORDS[comparison.direction]


def headline(comparison: Comparison) -> str:
    """Return what the comparison says, as a sentence."""
    return "The runs can't be compared." if comparison.refused else _HEADLINES[comparison.direction]


def side_words(side: Side) -> str:
    """Name a run."""
    return visible(f"{side.place} (run {side.name}, started {side.started_at}, {plural(side.exchanges, 'exchange')})")


def sentences(comparison: Comparison, *directions: Direction) -> list[str]:
    """Return a sentence for everything that went in one of the directions."""
    found = [
        _latency_sentence(table, change, comparison)
        for table in comparison.latencies
        if table.judged
        for change in table.changes
        if change.direction in directions
    ]
    found += [_rate_sentence(change, comparison) for change in comparison.rates if change.direction in directions]
    if Direction.WORSE in directions:
        found += [f"new finding: {_finding_words(row)}" for row in comparison.findings.new]
    if Direction.BETTER in directions:
        found += [f"gone: {_finding_words(row)}" for row in comparison.findings.gone]
    if comparison.decisions.direction in {*directions, Direction.MIXED}:
        found.append(decision_sentence(comparison.decisions))
    return [visible(sentence) for sentence in found]


def worse_sentences(comparison: Comparison) -> tuple[str, ...]:
    """Return what got worse, as reasons of a verdict."""
    return tuple(sentences(comparison, Direction.WORSE))


def _finding_words(row: FindingRow) -> str:
    return f"{row.sentence}, in {plural(row.exchanges, 'exchange')}"


def _latency_sentence(table: LatencyTable, change: Change, comparison: Comparison) -> str:
    values = f"from {milliseconds(change.before)} ms to {milliseconds(change.after)} ms"
    moved = f"{_moved(change)}{_interval_words(change, comparison)}"
    return f"the {change.name} of the {KIND_LABELS[table.kind]} {moved}, {values}"


def _rate_sentence(change: Change, comparison: Comparison) -> str:
    before, after = (value_words(change, value) for value in (change.before, change.after))
    interval = _interval_words(change, comparison)
    return f"the {ASPECT_LABELS[change.name]} {_moved(change)}{interval}, from {before} to {after}"


def _moved(change: Change) -> str:
    amount = change.change or 0.0
    return f"{'rose' if amount >= 0 else 'fell'} by {_amount(change, abs(amount))}"


def _amount(change: Change, amount: float) -> str:
    if change.unit is Unit.SHARE:
        return f"{amount * 100:.2f} points"
    return f"{amount * 100:.1f} %"


def _signed(change: Change, amount: float) -> str:
    return f"{'+' if amount >= 0 else '-'}{_amount(change, abs(amount))}"


def _interval_words(change: Change, comparison: Comparison) -> str:
    if change.low is None:
        return ""
    return f" ({interval_words(change)} with {_confidence(comparison)} confidence)"


def interval_words(change: Change) -> str:
    """Return the interval of a change, a dash for none."""
    if change.low is None or change.high is None:
        return "-"
    low, high = (_signed(change, amount) for amount in (change.low, change.high))
    return f"{low.removesuffix(' %').removesuffix(' points')} to {high}"


def value_words(change: Change, value: float) -> str:
    """Return a number of either run."""
    if change.unit is Unit.SHARE:
        return percent(value)
    return milliseconds(value) if change.unit is Unit.MILLISECONDS else f"{value:,.4g}/s"


def change_row(change: Change) -> tuple[str, ...]:
    """Return the cells of LATENCY_COLUMNS or RATE_COLUMNS."""
    moved = _signed(change, change.change) if change.change is not None else "-"
    judged = _WORDS[change.direction].lower() if change.direction is not Direction.UNJUDGED else change.reason or "-"
    return (
        ASPECT_LABELS.get(change.name, change.name),
        value_words(change, change.before),
        value_words(change, change.after),
        moved,
        interval_words(change),
        judged,
    )


def aspect_row(aspect: Aspect, comparison: Comparison) -> tuple[str, str, str]:
    """Return the cells of ASPECT_COLUMNS."""
    return (
        ASPECT_LABELS.get(aspect.name, aspect.name),
        _WORDS[aspect.direction],
        visible(aspect.reason or "; ".join(_why(aspect.name, comparison)) or "no change beyond chance and the limits"),
    )


def _why(name: str, comparison: Comparison) -> Iterator[str]:
    if name == "latency":
        for table in comparison.latencies:
            for change in table.changes if table.judged else ():
                if change.direction in {Direction.BETTER, Direction.WORSE}:
                    yield f"{change.name} {_signed(change, change.change or 0.0)}"
    elif name == "findings":
        for label, rows in (("new", comparison.findings.new), ("gone", comparison.findings.gone)):
            if rows:
                yield f"{len(rows)} {label}"
        yield f"{len(comparison.findings.kept)} in both"
    elif name == "decisions":
        yield decision_sentence(comparison.decisions)
    else:
        yield from (
            f"{value_words(one, one.before)} before, {value_words(one, one.after)} now"
            for one in comparison.rates
            if one.name == name
        )


def decision_sentence(diff: DecisionDiff) -> str:
    """Return how many cases are decided otherwise, and how."""
    if not diff.changed:
        return f"all {diff.compared:,} cases that both runs answered are answered alike"
    kinds = ", ".join(f"{count:,} {_KINDS[Kind(kind)]}" for kind, count in diff.kinds.items())
    verb = "is" if diff.changed == 1 else "are"
    return f"{diff.changed:,} of {plural(diff.compared, 'case')} {verb} answered otherwise: {kinds}"


def decision_notes(diff: DecisionDiff) -> list[str]:
    """Return what else there is to know of the decisions."""
    found = []
    if diff.elsewhere:
        found.append(f"{plural(diff.elsewhere, 'case')} got an answer in one of the runs only")
    if diff.inconsistent:
        found.append(f"{plural(diff.inconsistent, 'case')} had several answers in both runs, which tells nothing")
    if diff.principals:
        found.append(f"in {plural(diff.principals, 'case')} the principal id is another one; that is not judged")
    if diff.lifetimes:
        found.append(f"in {plural(diff.lifetimes, 'case')} the lifetimes are others; that is not judged")
    if diff.changed > len(diff.flips):
        found.append(f"{LISTED_MAXIMUM} of the {diff.changed:,} changed cases are listed, the worst first")
    return found


def flip_title(flip: Flip) -> str:
    """Return a changed case in one line."""
    name = f" {flip.name}" if flip.name else ""
    expected = f" (expected: {flip.expectation})" if flip.expectation else ""
    return visible(f"case {flip.case}{name}{expected}: {_KINDS[flip.kind]}, {_WORDS[flip.direction].lower()}")


def answers_words(answers: list[dict[str, Any]]) -> str:
    """Return the distinct answers of a case in a few words."""
    return visible(", ".join(f"{answer['count']:,} x {outcome_label(answer['outcome'])}" for answer in answers))


def replay_command(place: str, flip: Flip) -> str:
    """Return the command that fires a changed case again; it can be pasted into a shell."""
    return visible(f"gatecrash replay {shlex.quote(place)} --case {flip.case}")


def changed_sentences(comparison: Comparison) -> list[str]:
    """Return a sentence for everything that got worse or better, the worse first."""
    return sentences(comparison, Direction.WORSE, Direction.BETTER)


def doubts(comparison: Comparison) -> list[str]:
    """Return what to keep in mind."""
    return [visible(f"beware: {doubt}") for doubt in comparison.doubts]


def aspect_rows(comparison: Comparison) -> list[tuple[str, str, str]]:
    """Return a row of ASPECT_COLUMNS for each aspect."""
    return [aspect_row(aspect, comparison) for aspect in comparison.aspects]


def change_rows(changes: Iterable[Change]) -> list[tuple[str, ...]]:
    """Return a row for each change."""
    return list(map(change_row, changes))


def table_title(table: LatencyTable, comparison: Comparison) -> str:
    """Return the heading of a table of latencies."""
    whose = f" of {outcome_label(table.outcome)}" if table.outcome else ""
    judged = f", intervals of {_confidence(comparison)}" if table.outcome is None else ""
    return f"{KIND_LABELS[table.kind]}{whose}".capitalize() + judged + ("" if table.judged else ", not judged")


def rates_title(comparison: Comparison) -> str:
    """Return the heading of the table of rates."""
    return f"Rates, intervals of {_confidence(comparison)}"


def _confidence(comparison: Comparison) -> str:
    return f"{comparison.limits.confidence * 100:g} %"


def tone(comparison: Comparison) -> str:
    """Return the page's tone, as its style sheet names it."""
    if comparison.refused or comparison.direction is Direction.UNJUDGED:
        return "invalid"
    return "fail" if comparison.is_worse else "pass"
