"""Devices that present a JSON Web Token."""

from __future__ import annotations

from collections.abc import Mapping
from random import Random
from typing import Any, Final

from gatecrash.authorizers.contract import AuthorizerRequest, HttpContext, MqttContext
from gatecrash.authorizers.errors import UsageError
from gatecrash.generators.credentials.base import Credential, digest_of
from gatecrash.generators.credentials.carrying import TOKEN_CARRIERS, carry_token
from gatecrash.generators.credentials.devices import Devices
from gatecrash.generators.signatures import jws_signer, public_spellings
from gatecrash.generators.templates import expand_all
from gatecrash.generators.tokens import JsonWebToken

BEARER_HEADER: Final = "bearer_header"
MQTT_PASSWORD: Final = "mqtt_password"


class JwtProfile:
    """Tokens with a header, claims from a template, and a signature.

    ``iat``, ``nbf`` and ``exp`` are set unless the template sets them; every device has one identity, made from
    its number and the template, whatever the corpus's seed is.
    """

    kind = "jwt"

    def __init__(
        self,
        *,
        algorithm: str,
        key: bytes,
        key_id: str | None,
        claims: Mapping[str, Any],
        devices: Devices,
        lifetime: int,
        carriers: tuple[str, ...],
        token_key_name: str | None,
    ) -> None:
        self.identities = devices.count
        self.lifetime: int | None = lifetime
        self.carriers = carriers
        self.algorithm = algorithm
        self._key = key
        self.key_id = key_id
        self.claims = claims
        self._devices = devices
        self._token_key_name = token_key_name
        self._sign = jws_signer(algorithm, key)
        if not set(carriers) <= {BEARER_HEADER, MQTT_PASSWORD, *TOKEN_CARRIERS}:
            allowed = ", ".join((BEARER_HEADER, MQTT_PASSWORD, *TOKEN_CARRIERS))
            raise UsageError(f"credentials.carriers is {list(carriers)}; of a JWT profile it may hold {allowed}")

    def credential(self, identity: int, salt: int, minted_at: int) -> Credential:
        """Make a valid token."""
        name = self._devices.name(identity)
        rng = Random(f"jwt:{identity}:{salt}")
        values = {"identity": name}
        claims = {
            "iat": minted_at,
            "nbf": minted_at,
            "exp": minted_at + (self.lifetime or 0),
            **expand_all(dict(self.claims), rng, values, identity + 1),
        }
        header: dict[str, Any] = {"alg": self.algorithm, "typ": "JWT"}
        if self.key_id is not None:
            header["kid"] = self.key_id
        client_id = self._devices.client_id_of(identity, rng, values)
        token = JsonWebToken(header, claims)
        return Credential(name, client_id=client_id, secret=token.signed(self._sign), jwt=token)

    def public_spellings(self) -> tuple[bytes, ...]:
        """Return the public key as servers keep it, in several spellings; none where the key is a shared secret."""
        return () if self.algorithm.startswith("HS") else public_spellings(self._key)

    @property
    def identity_claim(self) -> str | None:
        """The claim that names the device, if one does."""
        names = (name for name, value in self.claims.items() if isinstance(value, str) and "{identity}" in value)
        return next(names, None)

    def sign(self, token: JsonWebToken) -> str:
        """Sign a token, such as one with changed claims, with the profile's own key."""
        return token.signed(self._sign)

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
        return carry_token(credential, carrier, self._token_key_name)

    def fingerprint(self) -> str:
        """Return a digest of the profile."""
        members = [
            self.kind,
            self.algorithm,
            self.key_id,
            dict(self.claims),
            self._devices.parts(),
            self.lifetime,
            list(self.carriers),
            self._token_key_name,
        ]
        return digest_of(members, self._key)
