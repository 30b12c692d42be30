"""What the terminal's summary says of thresholds."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Final

from rich.console import Console

from gatecrash.reports.text.parts import heading, table_of, write_items, write_table
from gatecrash.reports.thresholds.judging import Standing, ThresholdJudgement
from gatecrash.reports.words.summary import visible
from gatecrash.reports.words.thresholds import asked, not_asked

_MARKS: Final = {Standing.HELD: "✓ held", Standing.FAILED: "✗ failed", Standing.NOT_JUDGED: "? not judged"}


def write(judged: Sequence[ThresholdJudgement], console: Console, said: Collection[str] = ()) -> None:
    """Print each threshold with what was measured; nothing where there are none.

    Why one can't be judged is left out where it was ``said`` before, as a reason of the verdict.
    """
    if not judged:
        return
    heading(console, "Thresholds")
    if rows := asked(judged):
        table = table_of("", "threshold", "measured", words=3)
        for one in rows:
            table.add_row(_MARKS[one.standing], visible(one.threshold), one.measured)
        write_table(console, table)
    unjudged = [one.sentence for one in rows if one.standing is Standing.NOT_JUDGED and one.sentence not in said]
    write_items(console, map(visible, [*unjudged, *not_asked(judged)]))
