"""Baseline files: findings that are known and accepted until a date, as TOML."""

from __future__ import annotations

import difflib
import json
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any, Final

from gatecrash.authorizers.errors import UsageError
from gatecrash.reports.oracles.baseline import Baseline, Entry, accepted
from gatecrash.reports.oracles.findings import Finding
from gatecrash.reports.oracles.rules import BY_CODE
from gatecrash.reports.plan.facts import RunInfo
from gatecrash.reports.words.spelling import visible
from gatecrash.settings.settings import Settings

_TABLE: Final = "accepted"
_KEYS: Final = ("finding", "until", "reason")
_HEAD: Final = (
    "# Findings that are known and accepted, up to and including a date. `gatecrash baseline` adds to this file.\n"
)


def read_baseline(path: Path) -> Baseline:
    """Read a baseline file; raises UsageError naming the file, the entry and the key of a mistake."""
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        raise UsageError(
            f"output.baseline: there is no file {path}; `gatecrash baseline RUN_FOLDER --until DATE` writes one"
        ) from None
    except OSError as error:
        raise UsageError(f"output.baseline: can't read {path}: {error.strerror}") from None
    except UnicodeDecodeError:
        raise UsageError(f"{path} is no UTF-8 text") from None
    return parse_baseline(text, path)


def parse_baseline(text: str, path: Path) -> Baseline:
    """Read the text of a baseline file; ``path`` is named in mistakes."""
    try:
        values = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise UsageError(f"{path} is not TOML: {error}") from None
    for name in values:
        if name != _TABLE:
            raise UsageError(f"{path}: there is no {visible(repr(name))}; entries are written as [[{_TABLE}]]")
    rows = values.get(_TABLE, [])
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        raise UsageError(f"{path}: {_TABLE} must be a list of tables, each written as [[{_TABLE}]]")
    return Baseline(tuple(_entry(row, f"{path}: entry {number}") for number, row in enumerate(rows, 1)))


def _entry(row: Mapping[str, Any], where: str) -> Entry:
    for key in row:
        if key not in _KEYS:
            near = difflib.get_close_matches(key, _KEYS, n=1)
            hint = f"did you mean {near[0]}?" if near else f"there are {', '.join(_KEYS)}"
            raise UsageError(f"{where} has a key {visible(repr(key))}; {hint}")
    finding = _text(row, "finding", where)
    if not finding:
        raise UsageError(f"{where}: finding is missing: name it by its code and cause, as the report does")
    if finding.partition(" ")[0] not in BY_CODE:
        raise UsageError(f"{where}: finding is {visible(repr(finding))}, which doesn't begin with a code such as GC101")
    return Entry(finding, _until(row, where), _text(row, "reason", where))


def _text(row: Mapping[str, Any], key: str, where: str) -> str:
    value = row.get(key, "")
    if not isinstance(value, str):
        raise UsageError(f"{where}: {key} is {visible(repr(value))}, but must be text")
    return value


def _until(row: Mapping[str, Any], where: str) -> date:
    value = row.get("until")
    if value is None:
        raise UsageError(f"{where}: until is missing: write the last day on which it is accepted, as 2027-01-31")
    if isinstance(value, date) and not isinstance(value, datetime):
        return value
    try:
        # fromisoformat() takes other spellings too, such as weeks.
        return datetime.strptime(value, "%Y-%m-%d").replace(tzinfo=UTC).date()
    except (TypeError, ValueError):
        shown = str(value) if isinstance(value, datetime) else repr(value)
        raise UsageError(f"{where}: until is {visible(shown)}, but must be a day such as 2027-01-31") from None


def text_of(entries: Iterable[Entry]) -> str:
    """Write entries as TOML."""
    return "".join(
        f"\n[[{_TABLE}]]\nfinding = {_toml(entry.finding)}\nuntil = {entry.until.isoformat()}\n"
        + (f"reason = {_toml(entry.reason)}\n" if entry.reason else "")
        for entry in entries
    )


def _toml(text: str) -> str:
    """JSON's escapes are TOML's, apart from surrogate pairs, which are not needed, and DEL, which must be escaped."""
    plain = text.encode("utf-8", "backslashreplace").decode()
    return json.dumps(plain, ensure_ascii=False).replace("\x7f", "\\u007f")


def with_entries(entries: Iterable[Entry], path: Path) -> tuple[str, int]:
    """Return the text of a baseline file with entries added, and how many were.

    What the file accepts already for as long isn't added again. Raises UsageError when the file has a mistake.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        text = _HEAD
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"--output: can't read {path}: {error}") from None
    there = {(entry.finding, entry.until) for entry in parse_baseline(text, path).entries}
    new = [entry for entry in entries if not any(name == entry.finding and day >= entry.until for name, day in there)]
    text += ("" if not text or text.endswith("\n") else "\n") + text_of(new)
    parse_baseline(text, path)
    return text, len(new)


def check_baseline(settings: Settings) -> None:
    """Raise UsageError when the baseline that settings name can't be read."""
    if settings.output.baseline is not None:
        read_baseline(Path(settings.output.baseline))


def with_baseline(findings: list[Finding], earlier: list[Finding], info: RunInfo) -> list[Finding]:
    """Mark the findings of a run that its baseline accepts, on the day on which the run began.

    So a report that is rendered again says the same. When the file can't be read any more, what was accepted in an
    ``earlier`` judgement stays so.
    """
    path = _path(info)
    if path is None:
        return findings
    try:
        return accepted(findings, read_baseline(path), _day(info)).findings
    except UsageError:
        until = {finding.fingerprint: finding.accepted_until for finding in earlier}
        return [replace(finding, accepted_until=until.get(finding.fingerprint)) for finding in findings]


def remarks(findings: list[Finding], info: RunInfo) -> list[str]:
    """Return one sentence for each entry of a run's baseline that accepts nothing, and why."""
    path = _path(info)
    if path is None:
        return []
    try:
        seen = accepted(findings, read_baseline(path), _day(info))
    except UsageError as error:
        return [f"{error}; what was accepted before stays so"]
    return [
        *(f"{visible(entry.finding)} was accepted until {entry.until}, and counts again" for entry in seen.lapsed),
        *(f"{visible(entry.finding)} is accepted until {entry.until}, but was not found" for entry in seen.unused),
    ]


def _path(info: RunInfo) -> Path | None:
    name = info.settings.get("output", {}).get("baseline")
    return Path(name) if name else None


def _day(info: RunInfo) -> date:
    return datetime.fromisoformat(info.started_at).astimezone(UTC).date()
