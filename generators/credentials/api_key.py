"""Devices that present an API key in an HTTP header."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from random import Random
from urllib.parse import quote

from authorizers.contract import AuthorizerRequest, HttpContext
from generators.credentials.base import Credential, digest_of, read_table
from generators.templates import expand


class ApiKeyProfile:
    """A table with a column for the key; query parameters are templates over the row's other columns."""

    kind = "api_key"
    carriers: tuple[str, ...] = ("http",)

    def __init__(self, *, table: Path, header: str, column: str, query: Mapping[str, str]) -> None:
        self._rows = read_table(table, (column,))
        self.header = header
        self._column = column
        self.query = query
        self.identities = len(self._rows)
        self.lifetime: int | None = None

    def credential(self, identity: int, salt: int, minted_at: int) -> Credential:  # noqa: ARG002 - never expires
        """Return a row's key and parameters."""
        row = self._rows[identity]
        values = {name: value for name, value in row.items() if isinstance(value, str)}
        rng = Random(f"api_key:{identity}")
        parameters = {name: expand(text, rng, values, identity + 1) for name, text in self.query.items()}
        return Credential(f"row {identity + 1}", secret=row[self._column], parameters=parameters)

    def request(self, credential: Credential, carrier: str) -> AuthorizerRequest:  # noqa: ARG002 - there is one
        """Put a key into the header and its parameters into the query string."""
        query = "&".join(f"{quote(name)}={quote(value)}" for name, value in credential.parameters.items())
        return AuthorizerRequest(
            http_context=HttpContext({self.header: credential.secret}, f"?{query}" if query else None)
        )

    def is_right(self, key: str, parameters: Mapping[str, str]) -> bool:
        """Say whether a key with these parameters is that of any row."""
        made = (self.credential(identity, 0, 0) for identity in range(self.identities))
        return any(one.secret == key and dict(one.parameters) == dict(parameters) for one in made)

    def fingerprint(self) -> str:
        """Return a digest of the table and the way it is sent."""
        return digest_of([self.kind, self._rows, self.header, self._column, dict(self.query)])
