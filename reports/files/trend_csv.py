"""A trend as CSV, one row a run: for Apache Otava, and for spreadsheets."""

from __future__ import annotations

import csv
import io
from pathlib import PurePath

from gatecrash.reports.run.verdict import Validity
from gatecrash.reports.trend.trend import Trend


def render(trend: Trend) -> bytes:
    """Return the runs that count: time, run, revision, then the numbers.

    A share is told in per cent. Otava can't read a missing value: runs that lack one of the numbers are left out when
    others have it.
    """
    metrics = [one.metric for one in trend.metrics]
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(["time", "run", "revision", *(metric.name.replace(".", "_") for metric in metrics)])
    for run in trend.runs:
        if run.validity == Validity.INVALID or any(metric.name not in run.numbers for metric in metrics):
            continue
        numbers = [metric.factor * run.numbers[metric.name] for metric in metrics]
        names = [run.info.started_at, PurePath(run.place).name, run.revision]
        writer.writerow([*map(_plain, names), *(f"{number:.6g}" for number in numbers)])
    return text.getvalue().encode("utf-8", "backslashreplace")


def _plain(text: str) -> str:
    # A spreadsheet would run these as formulas.
    return f"'{text}" if text[:1] in {"=", "+", "-", "@", "\t", "\r"} else text
