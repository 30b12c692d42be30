"""Profiles whose credentials stand in a table, and how tables are read."""

from __future__ import annotations

import csv
import io
from abc import ABC, abstractmethod
from functools import lru_cache
from pathlib import Path
from typing import Any, Final

from gatecrash.authorizers import wire
from gatecrash.authorizers.errors import UsageError, WireError
from gatecrash.generators.credentials.credential import Credential, read_secret_file

# Of a large table the credentials of so many devices are made but once.
CREDENTIALS_KEPT: Final = 4096


class TableProfile(ABC):
    """A table with a row for each device, whose credential never expires."""

    def __init__(self, table: Path, columns: tuple[str, ...]) -> None:
        self._rows = read_table(table, columns)
        self.identities = len(self._rows)
        self.lifetime: int | None = None
        self._credential = lru_cache(maxsize=CREDENTIALS_KEPT)(self._make_credential)

    def credential(self, identity: int, salt: int, minted_at: int) -> Credential:  # noqa: ARG002 - never expires
        """Return a row's credential."""
        return self._credential(identity)

    @abstractmethod
    def _make_credential(self, identity: int) -> Credential: ...


def read_table(path: Path, columns: tuple[str, ...]) -> list[dict[str, str]]:
    """Read a credential table: JSON Lines or CSV with a header line, by the file's ending.

    Raises UsageError naming the line when a column is missing or a value isn't text.
    """
    try:
        # Spreadsheets put a byte order mark before the header line.
        text = read_secret_file(path, "credentials.table").decode("utf-8-sig")
    except UnicodeDecodeError:
        raise UsageError(f"credentials.table: {path} is no UTF-8 text") from None
    rows = _csv_rows(text, path) if path.suffix == ".csv" else _json_rows(text, path)
    for number, row in enumerate(rows, 1):
        for column in columns:
            if not isinstance(row.get(column), str) or not row[column]:
                raise UsageError(f"credentials.table: row {number} of {path} has no text in column {column!r}")
    if not rows:
        raise UsageError(f"credentials.table: {path} has no rows")
    return rows


def _csv_rows(text: str, path: Path) -> list[dict[str, Any]]:
    reader = csv.DictReader(io.StringIO(text, newline=""), strict=True)
    rows: list[dict[str, Any]] = []
    try:
        for row in reader:
            if None in row:
                raise UsageError(f"credentials.table: line {reader.line_num} of {path} has more values than columns")
            rows.append(row)
    except csv.Error as error:
        raise UsageError(f"credentials.table: line {reader.line_num} of {path} is no CSV: {error}") from None
    return rows


def _json_rows(text: str, path: Path) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = []
    # Not splitlines(): JSON's texts may hold line separators of Unicode's as they are.
    for number, line in enumerate(text.split("\n"), 1):
        if not line.strip():
            continue
        try:
            row = wire.decode(line.encode())
        except WireError:
            row = None
        if not isinstance(row, dict):
            raise UsageError(f"credentials.table: line {number} of {path} is no JSON object")
        rows.append(row)
    return rows
