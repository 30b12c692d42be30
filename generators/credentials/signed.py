"""Devices that present an opaque token whose signature AWS IoT verifies."""

from __future__ import annotations

from dataclasses import dataclass
from random import Random

from gatecrash.authorizers.contract import AuthorizerRequest
from gatecrash.generators.credentials.credential import Credential, digest_of
from gatecrash.generators.credentials.minted import MintedProfile
from gatecrash.generators.credentials.signers import iot_signatures_of_other_kinds, iot_signer, public_pem
from gatecrash.generators.credentials.templates import expand
from gatecrash.generators.credentials.token_carriers import carry_token


@dataclass(eq=False, kw_only=True)
class SignedProfile(MintedProfile):
    """Tokens from a template, such as ``{identity}.{expiry}.{hex:16}``, signed with the authorizer's key.

    ``{expiry}`` is the time, in epoch seconds, at which the token's lifetime ends.
    """

    kind = "signed"
    _named = "signed"

    token: str

    def __post_init__(self) -> None:
        self.sign = iot_signer(self.key)
        self.public_key = public_pem(self.key)
        super().__post_init__()

    def credential(self, identity: int, salt: int, minted_at: int) -> Credential:
        """Make a valid token with its signature."""
        return self.credential_expiring(identity, salt, self.expiry(minted_at))

    def credential_expiring(self, identity: int, salt: int, expiry: int) -> Credential:
        """Make a rightly signed token that expires at a time of one's choice (epoch seconds)."""
        name = self.devices.name(identity)
        return self._make(name, identity + 1, Random(f"signed:{identity}:{salt}"), str(expiry))

    def credential_with(self, name: str, salt: int, expiry: str | None, *, minted_at: int = 0) -> Credential:
        """Make a rightly signed token with any text for the device's name and for the expiry.

        Without an expiry it is the one that a token minted at ``minted_at`` has.
        """
        text = str(self.expiry(minted_at)) if expiry is None else expiry
        return self._make(name, 1, Random(f"signed:{name!r}:{salt}"), text)

    def _make(self, name: str, number: int, rng: Random, expiry: str) -> Credential:
        values = {"identity": name, "expiry": expiry}
        token = expand(self.token, rng, values, number)
        client_id = self.devices.client_id_of(number - 1, rng, values)
        return Credential(name, client_id=client_id, secret=token, signature=self.sign(token))

    def sign_otherwise(self, token: str) -> dict[str, bytes]:
        """Sign by schemes that IoT doesn't use; returns the raw signatures by the scheme's name."""
        return iot_signatures_of_other_kinds(self.key, token)

    @property
    def expires(self) -> bool:
        """Whether tokens say when they expire."""
        return "{expiry}" in self.token

    def request(self, credential: Credential, carrier: str) -> AuthorizerRequest:
        """Put a token and its signature into a request."""
        return carry_token(credential, carrier, self.token_key_name)

    def fingerprint(self) -> str:
        """Return a digest of the profile."""
        return digest_of([self.kind, self.token, *self.parts()], self.key)
