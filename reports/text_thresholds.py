"""What the terminal's summary says of thresholds."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from rich.console import Console

from reports.text_parts import heading, table_of, write_table
from reports.threshold_judging import Standing, ThresholdJudgement
from reports.words import visible

_MARKS: Final = {Standing.HELD: "✓ held", Standing.FAILED: "✗ failed", Standing.NOT_JUDGED: "? not judged"}


def write(judged: Sequence[ThresholdJudgement], console: Console) -> None:
    """Print each threshold with what was measured; nothing where there are none."""
    if not judged:
        return
    heading(console, "Thresholds")
    table = table_of("", "threshold", "measured", words=3)
    for one in judged:
        table.add_row(_MARKS[one.standing], visible(one.threshold), one.measured)
    write_table(console, table)
