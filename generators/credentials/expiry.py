"""When the JSON Web Tokens among given credentials expire: tables and files hold tokens that were made elsewhere."""

from __future__ import annotations

import re
from collections.abc import Iterator
from operator import attrgetter
from typing import Any, Final, NamedTuple

from gatecrash.authorizers import wire
from gatecrash.authorizers.contract import AuthorizerRequest
from gatecrash.authorizers.errors import WireError
from gatecrash.generators.credentials.credential import CredentialProfile
from gatecrash.generators.credentials.minted import MintedProfile
from gatecrash.generators.credentials.tokens import unbase64url

# The header and the payload of a JSON Web Token are objects: `{"` is `eyJ` in base64url.
_TOKEN: Final = re.compile(r"eyJ[\w-]*\.(eyJ[\w-]*)\.[\w-]*")
_IDENTITIES_LOOKED_AT: Final = 1000


class Expiring(NamedTuple):
    """A device, and when its credential's token expires in epoch seconds."""

    identity: str
    expires: float


def first_to_expire(profile: CredentialProfile, minted_at: int) -> Expiring | None:
    """Return the device whose valid credential holds the token that expires first, if any holds such a token.

    The claim ``exp`` is RFC 7519's, section 4.1.4. Tables beyond 1,000 devices are looked at in part.
    """
    # What is minted from one template has one lifetime.
    looked_at = 1 if isinstance(profile, MintedProfile) else min(profile.identities, _IDENTITIES_LOOKED_AT)
    expiring = []
    for identity in range(looked_at):
        credential = profile.credential(identity, 1, minted_at)
        request = profile.request(credential, profile.carriers[0])
        expiring += [Expiring(credential.identity, expires) for expires in token_expiries(request)]
    return min(expiring, key=attrgetter("expires"), default=None)


def token_expiries(request: AuthorizerRequest) -> Iterator[float]:
    """Yield when the JSON Web Tokens of a request expire, in epoch seconds; signatures are not looked at."""
    for text in _texts(request):
        for payload in _TOKEN.findall(text):
            expires = _claim(payload, "exp")
            if isinstance(expires, int | float) and not isinstance(expires, bool):
                yield float(expires)


def _texts(request: AuthorizerRequest) -> Iterator[str]:
    yield request.token or ""
    if request.http_context is not None:
        yield from (request.http_context.headers or {}).values()
        yield request.http_context.query_string or ""
    if request.mqtt_context is not None:
        yield request.mqtt_context.username or ""
        yield (request.mqtt_context.password or b"").decode("utf-8", "replace")


def _claim(payload: str, name: str) -> Any:
    try:
        claims = wire.decode(unbase64url(payload))
    except (ValueError, WireError):
        return None
    return claims.get(name) if isinstance(claims, dict) else None
