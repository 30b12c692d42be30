"""Devices that present an MQTT user name and password out of a table."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

from gatecrash.authorizers.contract import AuthorizerRequest, MqttContext
from gatecrash.generators.credentials.base import CREDENTIALS_KEPT, Credential, digest_of, read_table


class PasswordProfile:
    """A table with the columns ``username``, ``password`` and, where there is one, ``client_id``."""

    kind = "password"
    carriers: tuple[str, ...] = ("mqtt",)

    def __init__(self, table: Path) -> None:
        self._rows = read_table(table, ("username", "password"))
        self.identities = len(self._rows)
        self.lifetime: int | None = None
        self._credential = lru_cache(maxsize=CREDENTIALS_KEPT)(self._made_credential)

    def credential(self, identity: int, salt: int, minted_at: int) -> Credential:  # noqa: ARG002 - never expires
        """Return a row's credential."""
        return self._credential(identity)

    def _made_credential(self, identity: int) -> Credential:
        row = self._rows[identity]
        return Credential(
            row["username"],
            client_id=row.get("client_id") or None,
            username=row["username"],
            secret=row["password"],
        )

    def request(self, credential: Credential, carrier: str) -> AuthorizerRequest:  # noqa: ARG002 - there is one
        """Put a user name and password into an MQTT context."""
        return AuthorizerRequest(
            mqtt_context=MqttContext(
                username=credential.username,
                password=credential.secret.encode("utf-8", "surrogatepass"),
                client_id=credential.client_id,
            )
        )

    def fingerprint(self) -> str:
        """Return a digest of the table."""
        return digest_of(self.kind, self._rows)
