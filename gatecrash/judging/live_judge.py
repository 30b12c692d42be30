"""``python -m gatecrash.judging.live_judge``: the process that judges for Locust's web page, and renders what it shows.

Judging takes time that firing needs, so it has a process of its own, and a low priority. It is asked in lines of JSON
and answers in such: what was recorded it reads from the run folder. It ends with whoever asks.
"""

from __future__ import annotations

import os
import sys
import traceback
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

from gatecrash.authorizers import wire
from gatecrash.authorizers.errors import GatecrashError
from gatecrash.judging.judge import judge_and_render, judge_stored
from gatecrash.reports.live import page as as_live
from gatecrash.reports.live.live import EarlierTest, Live, figures_of
from gatecrash.reports.live.standing import WebTestState
from gatecrash.reports.report import Report
from gatecrash.reports.run.folder import RECORDING, RunFolder

_NICENESS: Final = 10
_GOES_ON: Final = frozenset({WebTestState.STARTING, WebTestState.RUNNING})


class Watching:
    """Answers what the web page asks; keeps what it judged last, since many may look and little may have changed."""

    def __init__(self) -> None:
        self._judged_at: tuple[Path, int] | None = None
        self._judged: Report | None = None
        self._reported: tuple[Path, Report] | None = None

    def answer(self, question: Mapping[str, Any]) -> dict[str, Any]:
        """Return ``html``; for a test that ``ended``, whose report is written first, also its verdict's ``word``.

        ``frame`` asks for the page around the content. Else ``standing`` says how a test stands, ``folder`` where it
        is recorded, ``sentence`` what went wrong, and ``earlier`` has the names and the words of those before it.
        Raises GatecrashError for a run folder or a baseline that can't be read.
        """
        if question.get("frame"):
            return {"html": as_live.render_frame(), "place": as_live.PLACE}
        standing = WebTestState(question["standing"])
        earlier = tuple(EarlierTest(name, word) for name, word in question.get("earlier", ()))
        live = Live(standing, question.get("folder", ""), question.get("sentence", ""), earlier=earlier)
        if not live.run_folder or standing is WebTestState.UNREPORTED:
            return {"html": as_live.render(live)}
        report = self._judge(Path(live.run_folder), standing)
        live = replace(live, report=report, figures=figures_of(report.summary, goes_on=standing in _GOES_ON))
        return {"html": as_live.render(live), **({"word": report.summary.verdict.word} if live.has_verdict else {})}

    def _judge(self, path: Path, standing: WebTestState) -> Report:
        """Judge a run as far as it is recorded; one that has ended to its report."""
        folder = RunFolder(path)
        if standing is WebTestState.ENDED:
            if self._reported is None or self._reported[0] != path:
                self._reported = (path, judge_and_render(folder))
            return self._reported[1]
        recorded = (path, _written_at(path / RECORDING))
        if self._judged is None or recorded != self._judged_at:
            self._judged, self._judged_at = Report(judge_stored(folder.load())), recorded
        return self._judged


def _written_at(path: Path) -> int:
    try:
        return path.stat().st_mtime_ns
    except OSError:
        return 0


def answer_line(watching: Watching, line: bytes) -> dict[str, Any]:
    """Return the answer to a line, or its ``error`` in a sentence, for whoever looks at the page."""
    try:
        return watching.answer(wire.decode(line))
    except GatecrashError as error:
        return {"error": str(error)}
    except Exception as error:  # noqa: BLE001 - whatever it is: the page says so, and the next question is answered
        traceback.print_exc(file=sys.stderr)
        return {"error": f"judging failed ({type(error).__name__}); what Locust printed says more"}


def main() -> None:
    """Answer line by line, until there is nobody left to ask."""
    with suppress(OSError):
        os.nice(_NICENESS)
    # Answers have the standard output for themselves: whatever else is printed must not be taken for one.
    answers = os.fdopen(os.dup(sys.stdout.fileno()), "wb")
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
    watching = Watching()
    for line in sys.stdin.buffer:
        answers.write(wire.encode(answer_line(watching, line)) + b"\n")
        answers.flush()


if __name__ == "__main__":
    main()
