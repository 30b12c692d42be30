"""The live page: a frame that asks for its content again and again, and that content, as HTML.

The frame holds the only script there is, and its content security policy lets no other run, whatever an authorizer or a
request said.
"""

from __future__ import annotations

import base64
import hashlib
from typing import Final

from gatecrash.reports.html.report import environment, packaged
from gatecrash.reports.live import charts as live_charts
from gatecrash.reports.live import words as live_words
from gatecrash.reports.live.live import Live

# Where the frame has the content that it is sent with. It is a comment, so nothing that is escaped is like it.
PLACE: Final = "<!--live-->"


def render_frame() -> str:
    """Return the page around the content, with ``PLACE`` where that belongs."""
    script = packaged("live.js")
    digest = base64.b64encode(hashlib.sha256(script.encode("utf-8")).digest()).decode("ascii")
    policy = (
        f"default-src 'none'; script-src 'sha256-{digest}'; style-src 'unsafe-inline'; img-src data:; "
        "connect-src 'self'; base-uri 'none'; form-action 'none'"
    )
    style = packaged("report.css") + packaged("live.css")
    template = environment().get_template("live_page.html.j2")
    return template.render(policy=policy, script=script, style=style, place=PLACE)


def render(live: Live) -> str:
    """Return the content: how the test stands, its figures, and what was found."""
    steps = live.figures.steps if live.figures is not None else ()
    has_schedule = live.figures is not None and live.figures.has_schedule
    content = (
        environment()
        .get_template("live.html.j2")
        .render(
            live=live,
            summary=live.summary,
            figures=live.figures,
            live_words=live_words,
            rates=live_charts.rates_chart(steps, has_schedule=has_schedule),
            latencies=live_charts.latency_chart(steps),
        )
    )
    # A lone surrogate is nothing that can be sent.
    return content.encode("utf-8", "backslashreplace").decode("utf-8")
