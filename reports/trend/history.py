"""The history: what each of many runs came to, in one SQLite file.

A run is kept once, however often it is judged. Nothing in it is secret: it holds what run.json, stats.json and the
findings' names hold.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, Self

from gatecrash.authorizers.errors import UsageError
from gatecrash.reports.plan.facts import RunInfo

FORMAT: Final = 1
# "gate": it tells the file from other SQLite databases.
_APPLICATION: Final = 0x67617465
# Another process may be adding a run.
_WAIT_SECONDS: Final = 30.0
_TABLES: Final = """
CREATE TABLE runs (
    key TEXT PRIMARY KEY,
    started_at TEXT NOT NULL,
    name TEXT NOT NULL,
    kind TEXT NOT NULL,
    place TEXT NOT NULL,
    revision TEXT NOT NULL,
    validity TEXT NOT NULL,
    reason TEXT NOT NULL,
    verdict TEXT NOT NULL,
    exit_code INTEGER NOT NULL,
    info TEXT NOT NULL
);
CREATE TABLE numbers (
    run TEXT NOT NULL REFERENCES runs ON DELETE CASCADE,
    metric TEXT NOT NULL,
    value REAL NOT NULL,
    PRIMARY KEY (run, metric)
);
CREATE TABLE findings (
    run TEXT NOT NULL REFERENCES runs ON DELETE CASCADE,
    fingerprint TEXT NOT NULL,
    code TEXT NOT NULL,
    title TEXT NOT NULL,
    PRIMARY KEY (run, fingerprint)
);
CREATE TABLE accepted (
    run TEXT PRIMARY KEY REFERENCES runs ON DELETE CASCADE,
    reason TEXT NOT NULL
);
"""


@dataclass(frozen=True, slots=True)
class HistoryRun:
    """One run: where its folder was, what it was of, and what it came to.

    ``revision`` is of what was tested. ``numbers`` are by the names of ``reports.trend.metrics``; ``findings`` are
    (fingerprint, code, title). ``accepted`` is why the levels of this run were accepted, where they were.
    """

    place: str
    info: RunInfo
    kind: str
    revision: str
    validity: str
    reason: str
    verdict: str
    exit_code: int
    numbers: Mapping[str, float] = field(default_factory=dict)
    findings: tuple[tuple[str, str, str], ...] = ()
    accepted: str | None = None

    @property
    def key(self) -> str:
        """What tells the run from others, and orders them by time."""
        return key_of(self.info, Path(self.place).name)


def key_of(info: RunInfo, folder: str) -> str:
    """Return what tells a run from others, by the name of its folder, and orders runs by time."""
    return f"{info.started_at} {folder}"


class History:
    """The runs of one file. Raises UsageError, which names the file, for whatever goes wrong with it."""

    def __init__(self, path: Path, *, create: bool = False) -> None:
        if not create and not path.exists():
            raise UsageError(
                f"there is no history {path}: `gatecrash trend add --history {path} RUN_FOLDER …` begins one, and so "
                "does a run with --history"
            )
        self.path = path
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise UsageError(f"can't make the folder of the history {path}: {error.strerror}") from error
        with self._told():
            self._database = sqlite3.connect(path, timeout=_WAIT_SECONDS)
        try:
            self._open()
        except UsageError:
            self._database.close()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the file."""
        self._database.close()

    def _open(self) -> None:
        with self._told():
            self._database.execute("PRAGMA foreign_keys = ON")
            # Two that begin a history at the same time must not both make its tables.
            self._database.execute("BEGIN IMMEDIATE")
            (application,) = self._database.execute("PRAGMA application_id").fetchone()
            (version,) = self._database.execute("PRAGMA user_version").fetchone()
            (tables,) = self._database.execute("SELECT count(*) FROM sqlite_master").fetchone()
            if not tables:
                for statement in _TABLES.split(";"):
                    self._database.execute(statement)
                self._database.execute(f"PRAGMA application_id = {_APPLICATION}")
                self._database.execute(f"PRAGMA user_version = {FORMAT}")
                application, version = _APPLICATION, FORMAT
            self._database.commit()
        if application != _APPLICATION:
            raise UsageError(f"{self.path} is a SQLite database, but no history of gatecrash: name another file")
        if version != FORMAT:
            raise UsageError(
                f"{self.path} is a history of format {version}, this gatecrash reads format {FORMAT}: use the version "
                "that wrote it"
            )

    @contextmanager
    def _told(self) -> Iterator[None]:
        try:
            yield
        except sqlite3.Error as error:
            raise UsageError(f"can't use the history {self.path}: {error}") from error

    def add(self, run: HistoryRun) -> bool:
        """Keep a run, in place of what was kept of it before; say whether it is new."""
        texts = (run.key, run.info.started_at, run.info.name, run.kind, run.place, run.revision, run.validity)
        row = tuple(map(_storable, texts))
        rest = (_storable(run.reason), run.verdict, run.exit_code, json.dumps(run.info.to_json()))
        with self._told(), self._database:
            known = self._database.execute("SELECT 1 FROM runs WHERE key = ?", row[:1]).fetchone()
            places = ", ".join(["?"] * len((*row, *rest)))
            self._database.execute(
                f"INSERT INTO runs VALUES ({places}) ON CONFLICT (key) DO UPDATE SET validity = excluded.validity, "  # noqa: S608 - question marks alone
                "reason = excluded.reason, verdict = excluded.verdict, exit_code = excluded.exit_code, "
                "revision = excluded.revision, info = excluded.info",
                (*row, *rest),
            )
            self._database.execute("DELETE FROM numbers WHERE run = ?", row[:1])
            self._database.execute("DELETE FROM findings WHERE run = ?", row[:1])
            self._database.executemany(
                "INSERT INTO numbers VALUES (?, ?, ?)", [(row[0], *item) for item in run.numbers.items()]
            )
            self._database.executemany(
                "INSERT OR IGNORE INTO findings VALUES (?, ?, ?, ?)",
                [(row[0], *map(_storable, one)) for one in run.findings],
            )
        return known is None

    def accept(self, run: HistoryRun, reason: str) -> None:
        """Accept the levels of a run that is kept: what changed up to it raises no alarm from now on."""
        with self._told(), self._database:
            self._database.execute(
                "INSERT OR REPLACE INTO accepted VALUES (?, ?)", (_storable(run.key), _storable(reason))
            )

    def accepted(self) -> frozenset[str]:
        """Return the keys of the runs whose levels were accepted."""
        with self._told():
            return frozenset(key for (key,) in self._database.execute("SELECT run FROM accepted"))

    def runs(self) -> list[HistoryRun]:
        """Return all runs, the oldest first."""
        with self._told():
            numbers: dict[str, dict[str, float]] = {}
            for run, metric, value in self._database.execute("SELECT run, metric, value FROM numbers"):
                numbers.setdefault(run, {})[metric] = value
            findings: dict[str, list[tuple[str, str, str]]] = {}
            for run, *one in self._database.execute("SELECT * FROM findings ORDER BY code, fingerprint"):
                findings.setdefault(run, []).append((one[0], one[1], one[2]))
            accepted = dict(self._database.execute("SELECT run, reason FROM accepted"))
            rows = self._database.execute("SELECT * FROM runs ORDER BY key").fetchall()
        try:
            return [
                HistoryRun(
                    place,
                    RunInfo.from_json(json.loads(info)),
                    *(kind, revision, validity, reason, verdict, exit_code),
                    numbers.get(key, {}),
                    tuple(findings.get(key, ())),
                    accepted.get(key),
                )
                for key, _, _, kind, place, revision, validity, reason, verdict, exit_code, info in rows
            ]
        except (TypeError, ValueError) as error:
            raise UsageError(f"the history {self.path} is damaged: {error}") from error


def _storable(text: str) -> str:
    """Return a text without lone surrogates, such as those of a file's name that is no UTF-8."""
    return text.encode("utf-8", "backslashreplace").decode("utf-8")
