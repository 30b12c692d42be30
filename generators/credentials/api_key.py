"""Devices that present an API key in an HTTP header."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property, lru_cache
from pathlib import Path
from random import Random
from urllib.parse import quote

from gatecrash.authorizers.contract import AuthorizerRequest, HttpContext
from gatecrash.generators.credentials.credential import Credential, digest_of
from gatecrash.generators.credentials.tables import CREDENTIALS_KEPT, TableProfile
from gatecrash.generators.credentials.templates import expand


class ApiKeyProfile(TableProfile):
    """A table with a column for the key; query parameters are templates over the row's other columns."""

    kind = "api_key"
    carriers: tuple[str, ...] = ("http",)

    def __init__(self, *, table: Path, header: str, column: str, query: Mapping[str, str]) -> None:
        super().__init__(table, (column,))
        self.header = header
        self._column = column
        self.query = query

    def _make_credential(self, identity: int) -> Credential:
        row = self._rows[identity]
        values = {name: value for name, value in row.items() if isinstance(value, str)}
        rng = Random(f"api_key:{identity}")
        parameters = {name: expand(text, rng, values, identity + 1) for name, text in self.query.items()}
        return Credential(f"row {identity + 1}", secret=row[self._column], parameters=parameters)

    def request(self, credential: Credential, carrier: str) -> AuthorizerRequest:  # noqa: ARG002 - there is one
        """Put a key into the header and its parameters into the query string."""
        query = _query(tuple(credential.parameters.items()))
        return AuthorizerRequest(
            http_context=HttpContext({self.header: credential.secret}, f"?{query}" if query else None)
        )

    def is_right(self, key: str, parameters: Mapping[str, str]) -> bool:
        """Say whether a key with these parameters is that of any row."""
        return parameters in self._parameters.get(key, ())

    @cached_property
    def _parameters(self) -> dict[str, list[Mapping[str, str]]]:
        """The parameters that each key may come with: several rows may have the same key."""
        parameters: dict[str, list[Mapping[str, str]]] = {}
        for credential in map(self._make_credential, range(self.identities)):
            parameters.setdefault(credential.secret, []).append(credential.parameters)
        return parameters

    def fingerprint(self) -> str:
        """Return a digest of the table and the way it is sent."""
        return digest_of([self.kind, self._rows, self.header, self._column, dict(self.query)])


@lru_cache(maxsize=CREDENTIALS_KEPT)
def _query(parameters: tuple[tuple[str, str], ...]) -> str:
    return "&".join(f"{quote(name)}={quote(value)}" for name, value in parameters)
