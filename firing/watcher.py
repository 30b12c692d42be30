"""Keeps what the tab in Locust's web page shows: how the newest test stands, its figures, and the verdicts so far.

Figures are judged only while somebody looks, at most every second, and less often where judging takes long.
"""

from __future__ import annotations

import logging
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import gevent

from gatecrash.authorizers.errors import GatecrashError
from gatecrash.firing.judging_process import JudgingProcess
from gatecrash.reports.live.standing import WebTestState
from gatecrash.reports.run.folder import REPORT

_FRESH_SECONDS: Final = 1.0
# So long after judging for each second that it took: a long ledger must not keep a core busy.
_FRESH_FACTOR: Final = 5.0
_ANSWER_SECONDS: Final = 60.0
_REPORT_SECONDS: Final = 900.0
_UNDER_WAY: Final = frozenset({WebTestState.STARTING, WebTestState.RUNNING, WebTestState.ENDING})
_logger: Final = logging.getLogger("gatecrash")


@dataclass(slots=True)
class _Test:
    """A test that was started in the web page. ``word`` is its verdict's, once there is one."""

    standing: WebTestState
    folder: Path | None = None
    sentence: str = ""
    word: str = ""


class Watcher:
    """Lives where the run folder is written and the web page is served."""

    def __init__(self, process: JudgingProcess | None = None) -> None:
        self._process = process or JudgingProcess()
        self._tests: list[_Test] = []
        self._reporting: list[gevent.Greenlet] = []
        self._frame: dict[str, Any] | None = None
        self._content = ""
        # What the content was made of, and until when it is new enough.
        self._made_of: tuple[Any, ...] = ()
        self._fresh_until = 0.0

    @property
    def standing(self) -> WebTestState:
        """How the newest test stands."""
        return self._tests[-1].standing if self._tests else WebTestState.NONE

    def starting(self) -> None:
        """Note that a test is being started."""
        self._tests.append(_Test(WebTestState.STARTING))

    def started(self, folder: Path) -> None:
        """Note that a test has started, and where it is recorded."""
        test = self._tests[-1]
        test.standing, test.folder = WebTestState.RUNNING, folder

    def refused(self, sentence: str) -> None:
        """Note that the test that was being started could not start."""
        self._tests[-1].standing, self._tests[-1].sentence = WebTestState.REFUSED, sentence

    def called_off(self) -> None:
        """Forget a test that is still being started: it never will be."""
        if self.standing is WebTestState.STARTING:
            self._tests.pop()

    def ending(self) -> None:
        """Note that firing ends, while results may still be under way."""
        if self.standing is WebTestState.RUNNING:
            self._tests[-1].standing = WebTestState.ENDING

    def ended(self) -> None:
        """Have the newest test judged and its report written: everything is recorded."""
        if self.standing in {WebTestState.RUNNING, WebTestState.ENDING}:
            test = self._tests[-1]
            test.standing = WebTestState.JUDGING
            self._reporting.append(gevent.spawn(self._report, test))

    def _report(self, test: _Test) -> None:
        question = {"standing": WebTestState.ENDED.value, "folder": str(test.folder)}
        try:
            answer = self._process.ask(question, _REPORT_SECONDS)
        except GatecrashError as error:
            test.sentence, test.standing = f"the report could not be written: {error}", WebTestState.UNREPORTED
            _logger.warning("%s: %s", test.folder, test.sentence)
            return
        test.word, test.standing = answer["word"], WebTestState.ENDED
        _logger.info("%s: the report is %s", test.word, self._path(test))

    @staticmethod
    def _path(test: _Test) -> Path:
        return (test.folder or Path()) / REPORT

    def report_of(self, name: str) -> Path | None:
        """Return the report of a test of this web page by its run folder's name; None where there is none."""
        for test in self._tests:
            if test.word and test.folder is not None and test.folder.name == name:
                return self._path(test).resolve()
        return None

    def page(self) -> str:
        """Return the whole page. Raises GatecrashError where it can't be made."""
        if self._frame is None:
            self._frame = self._process.ask({"frame": True}, _ANSWER_SECONDS)
        return str(self._frame["html"]).replace(self._frame["place"], self.content())

    def content(self) -> str:
        """Return what the page shows of the newest test. Raises GatecrashError where it can't be made."""
        if not self._is_fresh():
            self._make()
        return self._content

    def _is_fresh(self) -> bool:
        return self._made_of == self._key() and (not self._changes() or time.monotonic() < self._fresh_until)

    def _key(self) -> tuple[Any, ...]:
        test = self._tests[-1] if self._tests else None
        return (len(self._tests), self.standing, test and test.folder, *self._earlier())

    def _changes(self) -> bool:
        """Say whether the figures of the newest test may still change."""
        return self.standing in _UNDER_WAY

    def _earlier(self) -> list[tuple[str, str]]:
        before = reversed(self._tests[:-1])
        return [(test.folder.name, test.word) for test in before if test.folder is not None and test.word]

    def _make(self) -> None:
        key, test, started = self._key(), self._tests[-1] if self._tests else _Test(WebTestState.NONE), time.monotonic()
        question = {
            "standing": test.standing.value,
            "folder": str(test.folder) if test.folder is not None else "",
            "sentence": test.sentence,
            "earlier": self._earlier(),
        }
        self._content = str(self._process.ask(question, _ANSWER_SECONDS)["html"])
        self._made_of = key
        took = time.monotonic() - started
        self._fresh_until = time.monotonic() + max(_FRESH_SECONDS, _FRESH_FACTOR * took)

    def close(self) -> None:
        """Wait until the reports are written, and end the process that writes them."""
        gevent.joinall(self._reporting)
        self._process.close()
