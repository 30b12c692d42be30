"""How a comparison is worded: what changed by how much, from what to what, and how surely."""

from __future__ import annotations

import shlex
from collections.abc import Iterable, Iterator
from typing import Any, Final

from gatecrash.reports.comparison.comparison import Change, Comparison, LatencyTable, Side, Unit
from gatecrash.reports.comparison.decisions import LISTED_MAXIMUM, DecisionDiff, Flip, FlipKind
from gatecrash.reports.comparison.findings import FindingRow
from gatecrash.reports.statistics.directions import Direction
from gatecrash.reports.words.spelling import KIND_LABELS, milliseconds, outcome_label, percent, plural, visible

_HEADLINES: Final = {
    Direction.BETTER: "The later run is better than the earlier one.",
    Direction.SAME: "The later run is the same as the earlier one, as far as both can tell.",
    Direction.WORSE: "The later run is worse than the earlier one.",
    Direction.MIXED: "The later run is better in one thing and worse in another.",
    Direction.UNJUDGED: "Nothing could be judged.",
}
LATENCY_COLUMNS: Final = ("percentile", "before, ms", "now, ms", "change", "interval", "judged")
RATE_COLUMNS: Final = ("what", "before", "now", "change", "interval", "judged")
ASPECT_COLUMNS: Final = ("aspect", "judged", "why")


def word(direction: Direction) -> str:
    """Return a direction in capitals."""
    return direction.value.replace("_", " ").upper()


def _kind_words(kind: FlipKind) -> str:
    if kind is FlipKind.ANSWERED_OTHERWISE:
        return "turned away in another way"
    return kind.value.replace("_", " ") + (" instead of faulty" if kind is FlipKind.NOW_ANSWERED else "")


def verdict_word(comparison: Comparison) -> str:
    """Return the word that stands first."""
    return "NOT COMPARED" if comparison.refused else word(comparison.direction)


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


def _finding_words(row: FindingRow) -> str:
    return f"{row.sentence}, in {plural(row.exchanges, 'exchange')}"


def _latency_sentence(table: LatencyTable, change: Change, comparison: Comparison) -> str:
    values = f"from {milliseconds(change.before)} ms to {milliseconds(change.after)} ms"
    moved = f"{_moved(change)}{_interval_words(change, comparison)}"
    return f"the {change.name} of the {KIND_LABELS[table.kind]} {moved}, {values}"


def _rate_sentence(change: Change, comparison: Comparison) -> str:
    before, after = (_value_words(change, value) for value in (change.before, change.after))
    interval = _interval_words(change, comparison)
    return f"the {_label(change.name)} {_moved(change)}{interval}, from {before} to {after}"


def _label(name: str) -> str:
    return name.replace("_", " ")


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
    return f" ({_bounds(change)} with {_confidence(comparison)} confidence)"


def _bounds(change: Change) -> str:
    if change.low is None or change.high is None:
        return "-"
    low, high = (_signed(change, amount) for amount in (change.low, change.high))
    return f"{low.removesuffix(' %').removesuffix(' points')} to {high}"


def _value_words(change: Change, value: float) -> str:
    if change.unit is Unit.SHARE:
        return percent(value)
    return milliseconds(value) if change.unit is Unit.MILLISECONDS else f"{value:,.4g}/s"


def _change_row(change: Change) -> tuple[str, ...]:
    moved = _signed(change, change.change) if change.change is not None else "-"
    judged = word(change.direction).lower() if change.direction is not Direction.UNJUDGED else change.reason or "-"
    return (
        _label(change.name),
        _value_words(change, change.before),
        _value_words(change, change.after),
        moved,
        _bounds(change),
        judged,
    )


def aspect_rows(comparison: Comparison) -> list[tuple[str, str, str]]:
    """Return a row of ASPECT_COLUMNS for each aspect."""
    rows = []
    for aspect in comparison.aspects:
        why = aspect.reason or "; ".join(_why(aspect.name, comparison)) or "no change beyond chance and the limits"
        rows.append((_label(aspect.name), word(aspect.direction), visible(why)))
    return rows


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
            f"{_value_words(one, one.before)} before, {_value_words(one, one.after)} now"
            for one in comparison.rates
            if one.name == name
        )


def decision_sentence(diff: DecisionDiff) -> str:
    """Return how many cases are decided otherwise, and how."""
    if not diff.changed:
        return f"all {diff.compared:,} cases that both runs answered are answered alike"
    kinds = ", ".join(f"{count:,} {_kind_words(FlipKind(kind))}" for kind, count in diff.kinds.items())
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
    return visible(f"case {flip.case}{name}{expected}: {_kind_words(flip.kind)}, {word(flip.direction).lower()}")


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


def change_rows(changes: Iterable[Change]) -> list[tuple[str, ...]]:
    """Return a row of LATENCY_COLUMNS or RATE_COLUMNS for each change."""
    return list(map(_change_row, changes))


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
