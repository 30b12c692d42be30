"""What every credential profile offers, and what a credential is."""

from __future__ import annotations

import csv
import hashlib
import io
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, Protocol

from gatecrash.authorizers import wire
from gatecrash.authorizers.contract import AuthorizerRequest
from gatecrash.authorizers.errors import UsageError, WireError
from gatecrash.generators.tokens import JsonWebToken

IDENTITIES_DEFAULT: Final = 50
# Of a large table the credentials of so many devices are made but once.
CREDENTIALS_KEPT: Final = 4096


@dataclass(frozen=True, slots=True)
class Credential:
    """What one device presents. Which members are set depends on the profile.

    ``secret`` is the token, key or password as text; ``jwt`` its parts where it is one; ``parameters`` are values
    that travel beside it, such as a tenant in the query string; ``request`` is the finished request of a profile
    that makes its own.
    """

    identity: str
    client_id: str | None = None
    username: str | None = None
    secret: str = ""
    signature: str | None = None
    jwt: JsonWebToken | None = None
    parameters: Mapping[str, str] = field(default_factory=dict)
    request: AuthorizerRequest | None = None


class CredentialProfile(Protocol):
    """How valid credentials of one authorizer are made and sent.

    ``carriers`` are the ways a credential may travel, ``identities`` how many devices there are,
    ``lifetime`` after how many seconds a credential made now is no longer valid (None: never).
    """

    kind: str
    carriers: tuple[str, ...]
    identities: int
    lifetime: int | None

    def credential(self, identity: int, salt: int, minted_at: int) -> Credential:
        """Make the valid credential of a device: ``identity`` counts from 0, ``minted_at`` is in epoch seconds."""
        ...

    def request(self, credential: Credential, carrier: str) -> AuthorizerRequest:
        """Put a credential, right or wrong, into a request."""
        ...

    def fingerprint(self) -> str:
        """Return a digest of everything that shapes the credentials; no secret can be read from it."""
        ...


def digest_of(*parts: Any) -> str:
    """Return a digest of JSON-like values and bytes."""
    state = hashlib.blake2b(digest_size=16)
    for part in parts:
        state.update(part if isinstance(part, bytes) else wire.encode_sorted(part))
        state.update(b"\0")
    return state.hexdigest()


def read_secret_file(path: Path, key: str) -> bytes:
    """Read a file that a settings key names; raises UsageError with that key."""
    try:
        return path.read_bytes()
    except OSError as error:
        raise UsageError(f"{key}: can't read {path}: {error.strerror}") from None


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
