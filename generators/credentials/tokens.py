"""JSON Web Tokens in JWS compact form (RFC 7515, RFC 7519), made from parts so that parts can be wrong."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from gatecrash.authorizers import wire
from gatecrash.generators.credentials.signers import Signer


def base64url(data: bytes) -> str:
    """Encode as base64url without padding (RFC 7515 section 2)."""
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode("ascii")


def unbase64url(text: str) -> bytes:
    """Decode base64url without padding; raises ValueError."""
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


@dataclass(frozen=True, slots=True)
class JsonWebToken:
    """A token before it is signed.

    ``header_text`` and ``claims_text`` stand, where they are given, in place of the JSON of ``header`` and
    ``claims``: for text that no JSON writer would write.
    """

    header: Mapping[str, Any]
    claims: Mapping[str, Any]
    header_text: bytes | None = None
    claims_text: bytes | None = None

    @property
    def header_bytes(self) -> bytes:
        """The first part before it is encoded."""
        return wire.encode(dict(self.header)) if self.header_text is None else self.header_text

    @property
    def claims_bytes(self) -> bytes:
        """The second part before it is encoded."""
        return wire.encode(dict(self.claims)) if self.claims_text is None else self.claims_text

    @property
    def signing_input(self) -> bytes:
        """The bytes that are signed: header and claims, base64url, joined by a dot."""
        return f"{base64url(self.header_bytes)}.{base64url(self.claims_bytes)}".encode()

    def compact(self, sign: Signer) -> str:
        """Return the compact form."""
        signing_input = self.signing_input
        return f"{signing_input.decode('ascii')}.{base64url(sign(signing_input))}"
