"""Devices that present an opaque token whose signature AWS IoT verifies."""

from __future__ import annotations

from random import Random

from gatecrash.authorizers.contract import AuthorizerRequest
from gatecrash.authorizers.errors import UsageError
from gatecrash.generators.credentials.base import Credential, digest_of
from gatecrash.generators.credentials.carrying import TOKEN_CARRIERS, carry_token
from gatecrash.generators.credentials.devices import Devices
from gatecrash.generators.signatures import iot_signatures_of_other_kinds, iot_signer, public_pem
from gatecrash.generators.templates import expand


class SignedProfile:
    """Tokens from a template, such as ``{identity}.{expiry}.{hex:16}``, signed with the authorizer's key.

    ``{expiry}`` is the time, in epoch seconds, at which the token's lifetime ends.
    """

    kind = "signed"

    def __init__(
        self,
        *,
        key: bytes,
        token: str,
        devices: Devices,
        lifetime: int,
        carriers: tuple[str, ...],
        token_key_name: str | None,
    ) -> None:
        self.identities = devices.count
        self.lifetime: int | None = lifetime
        self.carriers = carriers
        self._key = key
        self._token = token
        self._devices = devices
        self._token_key_name = token_key_name
        self.sign = iot_signer(key)
        self.public_key = public_pem(key)
        if not set(carriers) <= set(TOKEN_CARRIERS):
            allowed = ", ".join(TOKEN_CARRIERS)
            raise UsageError(f"credentials.carriers is {list(carriers)}; of a signed profile it may hold {allowed}")

    def credential(self, identity: int, salt: int, minted_at: int) -> Credential:
        """Make a valid token with its signature."""
        return self.credential_expiring(identity, salt, minted_at + (self.lifetime or 0))

    def credential_expiring(self, identity: int, salt: int, expiry: int) -> Credential:
        """Make a rightly signed token that expires at a time of one's choice (epoch seconds)."""
        name = self._devices.name(identity)
        return self._made(name, identity + 1, Random(f"signed:{identity}:{salt}"), str(expiry))

    def credential_with(self, name: str, salt: int, expiry: str | None, *, minted_at: int = 0) -> Credential:
        """Make a rightly signed token with any text for the device's name and for the expiry.

        Without an expiry it is the one that a token minted at ``minted_at`` has.
        """
        text = str(minted_at + (self.lifetime or 0)) if expiry is None else expiry
        return self._made(name, 1, Random(f"signed:{name!r}:{salt}"), text)

    def _made(self, name: str, number: int, rng: Random, expiry: str) -> Credential:
        values = {"identity": name, "expiry": expiry}
        token = expand(self._token, rng, values, number)
        client_id = self._devices.client_id_of(number - 1, rng, values)
        return Credential(name, client_id=client_id, secret=token, signature=self.sign(token))

    def sign_otherwise(self, token: str) -> dict[str, bytes]:
        """Sign by schemes that IoT doesn't use; returns the raw signatures by the scheme's name."""
        return iot_signatures_of_other_kinds(self._key, token)

    @property
    def expires(self) -> bool:
        """Whether tokens say when they expire."""
        return "{expiry}" in self._token

    def request(self, credential: Credential, carrier: str) -> AuthorizerRequest:
        """Put a token and its signature into a request."""
        return carry_token(credential, carrier, self._token_key_name)

    def fingerprint(self) -> str:
        """Return a digest of the profile."""
        members = [
            self.kind,
            self._token,
            self._devices.parts(),
            self.lifetime,
            list(self.carriers),
            self._token_key_name,
        ]
        return digest_of(members, self._key)
