"""What every credential profile offers, and what a credential is."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, Protocol

from gatecrash.authorizers import wire
from gatecrash.authorizers.contract import AuthorizerRequest
from gatecrash.authorizers.errors import UsageError
from gatecrash.generators.credentials.tokens import JsonWebToken

IDENTITIES_DEFAULT: Final = 50


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
