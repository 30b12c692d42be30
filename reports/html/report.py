"""``report.html``: one file that needs nothing besides itself.

Plotly's script (compressed), the style sheet and the data are in the page, and its content security policy lets the
browser load nothing and run only the page's own two scripts, known by their digests: what an authorizer or a request
said can't become code even if it slipped through the escaping.
"""

from __future__ import annotations

import base64
import gzip
import hashlib
import html
import json
import re
from collections.abc import Iterator, Mapping
from functools import cache
from importlib.resources import files
from pathlib import PurePath
from typing import Any, Final

from jinja2 import Environment, PackageLoader, StrictUndefined
from plotly.offline import get_plotlyjs

from gatecrash.authorizers.contract import Outcome
from gatecrash.reports.comparison.comparison import Comparison
from gatecrash.reports.html import plots, plots_capacity, plots_comparison, plots_heat
from gatecrash.reports.html.layout import Figure
from gatecrash.reports.recording import codec
from gatecrash.reports.recording.records import LatencyKind
from gatecrash.reports.report import Report
from gatecrash.reports.run.summary import LatencyRow, SecondRow, Summary
from gatecrash.reports.words import campaign as campaign_words
from gatecrash.reports.words import capacity as capacity_words
from gatecrash.reports.words import comparison as comparison_words
from gatecrash.reports.words import course as course_words
from gatecrash.reports.words import families as family_words
from gatecrash.reports.words import findings as finding_words
from gatecrash.reports.words import spelling
from gatecrash.reports.words import summary as words

# The highest makes a page that is smaller by a hundredth, and takes twice as long.
_COMPRESSION: Final = 5
_HEADING: Final = re.compile(r'<h2 id="([a-z0-9-]+)">([^<]+)</h2>')


def render(report: Report, run_folder: str | PurePath) -> bytes:
    """Return the page as UTF-8; ``run_folder`` is named in the commands that replay a finding."""
    summary, figures = report.summary, _figures(report)
    return render_page(
        "report.html.j2",
        figures,
        report=report,
        summary=summary,
        run_folder=run_folder,
        capacity=summary.capacity,
        drawn=figures.keys(),
        latencies=[(kind.value, _rows(summary, kind)) for kind in LatencyKind],
        bins=plots.binned(summary.seconds),
        bin_width=plots.bin_width(summary.seconds),
        throttling=_throttling(summary),
        configuration=_configuration(summary),
    )


def render_comparison(comparison: Comparison) -> bytes:
    """Return a page of a comparison alone, as UTF-8."""
    return render_page("comparison_page.html.j2", plots_comparison.figures(comparison), comparison=comparison)


def render_page(template: str, figures: Mapping[str, Figure], **context: Any) -> bytes:
    """Return a page of its own as UTF-8, with the plots that its template names."""
    script = packaged("report.js")
    page = (
        environment()
        .get_template(template)
        .render(
            policy=_content_security_policy(get_plotlyjs(), script),
            plotly=_packed_plotly() if figures else "",
            script=script,
            style=packaged("report.css"),
            figures=_embedded(figures),
            **context,
        )
    )
    return page.encode("utf-8", "backslashreplace")


@cache
def _packed_plotly() -> str:
    """Return Plotly's script, compressed, as base64: a page of two megabytes in place of five, drawn as soon."""
    packed = gzip.compress(get_plotlyjs().encode("utf-8"), compresslevel=_COMPRESSION, mtime=0)
    return base64.b64encode(packed).decode("ascii")


@cache
def environment() -> Environment:
    """Return what all templates are rendered with: every text is escaped unless it is said to be HTML."""
    made = Environment(
        loader=PackageLoader("gatecrash.reports", "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.filters.update(
        visible=spelling.visible,
        json_text=spelling.json_text,
        milliseconds=spelling.milliseconds,
        percent=spelling.percent,
        outcome_label=spelling.outcome_label,
        plural=spelling.plural,
        headings=_headings,
    )
    made.globals.update(
        words=words,
        spelling=spelling,
        finding_words=finding_words,
        campaign_words=campaign_words,
        capacity_words=capacity_words,
        comparison_words=comparison_words,
        course_words=course_words,
        family_words=family_words,
        comparison_places=plots_comparison.places,
    )
    return made


def _headings(content: str) -> list[tuple[str, str]]:
    """Return id and text of each section's heading, to go there."""
    return [(name, html.unescape(text)) for name, text in _HEADING.findall(content)]


def packaged(name: str) -> str:
    """Return a style sheet or a script that lies beside the templates."""
    return files("gatecrash.reports").joinpath("templates", name).read_text("utf-8")


def _content_security_policy(*scripts: str) -> str:
    digests = (base64.b64encode(hashlib.sha256(script.encode("utf-8")).digest()).decode() for script in scripts)
    allowed = " ".join(f"'sha256-{digest}'" for digest in digests)
    # Plotly sets styles from its script; its pictures for saving are made in the page.
    return (
        f"default-src 'none'; script-src {allowed}; style-src 'unsafe-inline'; img-src data: blob:; "
        "base-uri 'none'; form-action 'none'"
    )


def _figures(report: Report) -> dict[str, Figure]:
    summary = report.summary
    figures: dict[str, Figure] = plots_comparison.figures(report.comparison)
    if summary.capacity is not None and summary.capacity.curve():
        figures["capacity-latency-plot"] = plots_capacity.latency_figure(summary.capacity)
        if (shares := plots_capacity.shares_figure(summary.capacity)) is not None:
            figures["capacity-shares-plot"] = shares
    if not summary.seconds:
        return figures
    figures["outcomes-plot"] = plots.outcomes_figure(summary.seconds)
    if _has_latencies(summary):
        figures["latency-plot"] = plots.latency_figure(summary.seconds)
        figures["percentile-plot"] = plots.percentile_figure(summary)
    if summary.heat is not None:
        figures["heat-plot"] = plots_heat.heat_figure(summary.heat)
    if (throttles := plots_heat.throttles_figure(summary.seconds)) is not None:
        figures["throttles-plot"] = throttles
    return figures


def _has_latencies(summary: Summary) -> bool:
    return any(row.count for row in summary.latencies)


def _embedded(value: Any) -> str:
    """Return JSON that can stand in a script element: no end tag and no comment can be in it."""
    text = json.dumps(value, separators=(",", ":"), allow_nan=False)
    for character in "<>&":
        text = text.replace(character, f"\\u{ord(character):04x}")
    return text


def _rows(summary: Summary, kind: LatencyKind) -> list[LatencyRow]:
    return [row for row in summary.latencies if row.kind == kind and row.count]


def _throttling(summary: Summary) -> list[tuple[str, str]]:
    """Return what the report says about throttles, label and value; empty when there were none."""
    throttled = [row for row in summary.seconds if row.outcomes.get(Outcome.THROTTLED)]
    if not throttled:
        return []
    worst = max(throttled, key=lambda row: row.outcomes[Outcome.THROTTLED])
    unthrottled = max((_answered(row) for row in throttled), default=0)
    return [
        ("throttle rate", f"{spelling.percent(summary.throttle_rate)} of the exchanges after the warm-up"),
        ("throttled exchanges", f"{summary.outcomes.get(Outcome.THROTTLED, 0):,} after the warm-up"),
        ("seconds with throttles", f"{len(throttled):,} of {len(summary.seconds):,}, the warm-up included"),
        ("first and last", f"second {throttled[0].second:,} and second {throttled[-1].second:,}"),
        ("worst second", f"second {worst.second:,}: {worst.outcomes[Outcome.THROTTLED]:,} throttled"),
        ("let through while throttling", f"at most {spelling.plural(unthrottled, 'exchange')} in a second"),
    ]


def _answered(row: SecondRow) -> int:
    return sum(count for outcome, count in row.outcomes.items() if outcome != Outcome.THROTTLED)


def _configuration(summary: Summary) -> list[tuple[str, list[tuple[str, str]]]]:
    info = summary.info
    run = {"name": info.name, "started": info.started_at, "seed": info.seed, "workers": summary.state.workers}
    parts: dict[str, Mapping[str, Any]] = {
        "Run": run,
        "Load": info.plan.to_json(),
        "Target": info.target.to_json(),
        "Corpus": codec.to_json(info.corpus),
        "Versions": info.versions,
        "Settings": info.settings,
    }
    return [(title, list(_flattened(part))) for title, part in parts.items() if part]


def _flattened(value: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, str]]:
    for key, item in value.items():
        name = f"{prefix}{key}"
        if isinstance(item, Mapping) and item:
            yield from _flattened(item, f"{name}.")
        else:
            yield spelling.visible(name), spelling.visible(item) if isinstance(item, str) else spelling.json_text(item)
