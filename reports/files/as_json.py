"""``stats.json``: every number of a report, for machines.

Stable within a format number: members are added, never renamed or removed. ``reports/schemas/stats.schema.json``
describes it and is published with the package. Latencies are in milliseconds (``_ms``), rates per second,
shares 0 to 1, other times in seconds.
"""

from __future__ import annotations

import json
from importlib.resources import files
from typing import Any, Final

from gatecrash.reports.oracles.findings import Finding
from gatecrash.reports.recording import codec
from gatecrash.reports.report import Report
from gatecrash.reports.run.summary import PERCENTILE_NAMES, LatencyRow, SecondRow
from gatecrash.reports.words.findings import numbered

FORMAT: Final = 1
_NUMBERS: Final = (
    *("planned", "dropped", "exchanges", "warm_up_exchanges", "cold_starts", "cases_seen", "measured_seconds"),
    *("planned_rate", "achieved_rate", "throttle_rate", "wrong_bound"),
)


def render(report: Report) -> bytes:
    """Return the content of ``stats.json``: indented ASCII, whatever text a request held."""
    return json.dumps(value_of(report), indent=2, allow_nan=False, default=list).encode("ascii") + b"\n"


def schema() -> dict[str, Any]:
    """Return the JSON Schema (draft 2020-12) that every ``stats.json`` of this format meets."""
    text = files("gatecrash.reports").joinpath("schemas", "stats.schema.json").read_text("utf-8")
    value: dict[str, Any] = json.loads(text)
    return value


def value_of(report: Report) -> dict[str, Any]:
    """Return the content of ``stats.json`` as a JSON value."""
    summary = report.summary
    run = summary.info.to_json()
    run.pop("format")
    return {
        "format": FORMAT,
        "verdict": {
            "word": summary.verdict.word,
            "exit_code": summary.verdict.exit_code.value,
            "reasons": list(summary.verdict.reasons),
        },
        "validity": {"word": summary.judgement.validity.value, "reasons": list(summary.judgement.reasons)},
        "run": run,
        "state": codec.to_json(summary.state),
        **{name: getattr(summary, name) for name in _NUMBERS},
        "outcomes": dict(summary.outcomes),
        "latencies": [
            {"outcome": row.outcome, "kind": row.kind, **_distribution(row)} for row in summary.latencies if row.count
        ],
        "lag": _distribution(summary.lag),
        "curves": {
            kind: [{"percentile": percentile, "ms": milliseconds} for percentile, milliseconds in curve]
            for kind, curve in summary.curves.items()
        },
        "seconds": [_second(row) for row in summary.seconds],
        "findings": [_finding(number, finding) for number, finding in numbered(summary, notes=False)],
        "notes": [_finding(number, finding) for number, finding in numbered(summary, notes=True)],
        "campaign": codec.to_json(summary.campaign),
        "capacity": codec.to_json(summary.capacity),
        "spike": codec.to_json(summary.spike),
        "drift": codec.to_json(summary.drift),
        "memory": codec.to_json(summary.memory),
        "comparison": report.comparison.to_json() if report.comparison is not None else None,
        "heat": codec.to_json(summary.heat),
        "families": [family.to_json() for family in summary.families],
        "thresholds": [threshold.to_json() for threshold in summary.thresholds],
    }


def _distribution(row: LatencyRow) -> dict[str, Any]:
    return {
        "count": row.count,
        "mean_ms": row.mean,
        **{f"{name}_ms": getattr(row, name) for name in PERCENTILE_NAMES},
        "max_ms": row.maximum,
        "intervals_ms": {name: list(interval) for name, interval in row.intervals.items()},
        "too_few": list(row.too_few),
    }


def _second(row: SecondRow) -> dict[str, Any]:
    return {
        "second": row.second,
        "warm_up": row.warm_up,
        "planned": row.planned,
        "dropped": row.dropped,
        "outcomes": dict(row.outcomes),
        "service_time_p50_ms": row.service_p50,
        "service_time_p95_ms": row.service_p95,
        "service_time_p99_ms": row.service_p99,
        "response_time_p50_ms": row.response_p50,
        "response_time_p95_ms": row.response_p95,
        "response_time_p99_ms": row.response_p99,
        "wrong": row.wrong,
    }


def _finding(number: int, finding: Finding) -> dict[str, Any]:
    rule = finding.rule
    return {
        "number": number,
        "fingerprint": finding.fingerprint,
        **finding.to_json(),
        "danger": rule.danger,
        "remedy": rule.remedy,
        "sources": list(rule.sources),
    }
