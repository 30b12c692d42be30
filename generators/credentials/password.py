"""Devices that present an MQTT user name and password out of a table."""

from __future__ import annotations

from pathlib import Path

from gatecrash.authorizers.contract import AuthorizerRequest, MqttContext
from gatecrash.generators.credentials.credential import Credential, digest_of
from gatecrash.generators.credentials.tables import TableProfile


class PasswordProfile(TableProfile):
    """A table with the columns ``username``, ``password`` and, where there is one, ``client_id``."""

    kind = "password"
    carriers: tuple[str, ...] = ("mqtt",)

    def __init__(self, table: Path) -> None:
        super().__init__(table, ("username", "password"))

    def _make_credential(self, identity: int) -> Credential:
        row = self._rows[identity]
        return Credential(
            row["username"], client_id=row.get("client_id") or None, username=row["username"], secret=row["password"]
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
