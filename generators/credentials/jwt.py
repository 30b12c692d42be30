"""Devices that present a JSON Web Token."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from random import Random
from typing import Any, ClassVar, Final

from gatecrash.authorizers.contract import AuthorizerRequest, HttpContext, MqttContext
from gatecrash.generators.credentials.credential import Credential, digest_of
from gatecrash.generators.credentials.minted import MintedProfile
from gatecrash.generators.credentials.signers import jws_signer, public_spellings
from gatecrash.generators.credentials.templates import expand_all
from gatecrash.generators.credentials.token_carriers import TOKEN_CARRIERS, carry_token
from gatecrash.generators.credentials.tokens import JsonWebToken

BEARER_HEADER: Final = "bearer_header"
MQTT_PASSWORD: Final = "mqtt_password"


@dataclass(eq=False, kw_only=True)
class JwtProfile(MintedProfile):
    """Tokens with a header, claims from a template, and a signature.

    ``iat``, ``nbf`` and ``exp`` are set unless the template sets them; every device has one identity, made from
    its number and the template, whatever the corpus's seed is.
    """

    kind = "jwt"
    _named = "JWT"
    _allowed: ClassVar[tuple[str, ...]] = (BEARER_HEADER, MQTT_PASSWORD, *TOKEN_CARRIERS)

    algorithm: str
    key_id: str | None
    claims: Mapping[str, Any]

    def __post_init__(self) -> None:
        self._sign = jws_signer(self.algorithm, self.key)
        super().__post_init__()

    def credential(self, identity: int, salt: int, minted_at: int) -> Credential:
        """Make a valid token."""
        name = self.devices.name(identity)
        rng = Random(f"jwt:{identity}:{salt}")
        values = {"identity": name}
        claims = {
            "iat": minted_at,
            "nbf": minted_at,
            "exp": self.expiry(minted_at),
            **expand_all(dict(self.claims), rng, values, identity + 1),
        }
        header: dict[str, Any] = {"alg": self.algorithm, "typ": "JWT"}
        if self.key_id is not None:
            header["kid"] = self.key_id
        client_id = self.devices.client_id_of(identity, rng, values)
        token = JsonWebToken(header, claims)
        return Credential(name, client_id=client_id, secret=token.compact(self._sign), jwt=token)

    def public_spellings(self) -> tuple[bytes, ...]:
        """Return the public key as servers keep it, in several spellings; none where the key is a shared secret."""
        return () if self.algorithm.startswith("HS") else public_spellings(self.key)

    @property
    def identity_claim(self) -> str | None:
        """The claim that names the device, if one does."""
        names = (name for name, value in self.claims.items() if isinstance(value, str) and "{identity}" in value)
        return next(names, None)

    def sign(self, token: JsonWebToken) -> str:
        """Sign a token, such as one with changed claims, with the profile's own key."""
        return token.compact(self._sign)

    def request(self, credential: Credential, carrier: str) -> AuthorizerRequest:
        """Put a token into a request."""
        if carrier == BEARER_HEADER:
            return AuthorizerRequest(http_context=HttpContext({"Authorization": f"Bearer {credential.secret}"}))
        if carrier == MQTT_PASSWORD:
            return AuthorizerRequest(
                mqtt_context=MqttContext(
                    username=credential.identity,
                    password=credential.secret.encode("utf-8", "surrogatepass"),
                    client_id=credential.client_id,
                )
            )
        return carry_token(credential, carrier, self.token_key_name)

    def fingerprint(self) -> str:
        """Return a digest of the profile."""
        members = [self.kind, self.algorithm, self.key_id, dict(self.claims), *self.parts()]
        return digest_of(members, self.key)
