"""Carriers of a token that AWS IoT itself reads: token mode, and the token key name in a context."""

from __future__ import annotations

from typing import Final
from urllib.parse import quote

from gatecrash.authorizers.carriers import SIGNATURE_KEY
from gatecrash.authorizers.contract import AuthorizerRequest, HttpContext, MqttContext
from gatecrash.authorizers.errors import UsageError
from gatecrash.generators.credentials.credential import Credential

TOKEN: Final = "token"
TOKEN_IN_USERNAME: Final = "token_in_username"
TOKEN_IN_QUERY: Final = "token_in_query"
TOKEN_IN_HEADER: Final = "token_in_header"
TOKEN_CARRIERS: Final = (TOKEN, TOKEN_IN_USERNAME, TOKEN_IN_QUERY, TOKEN_IN_HEADER)


def carry_token(credential: Credential, carrier: str, token_key_name: str | None) -> AuthorizerRequest:
    """Put a token, and its signature if it has one, into a request.

    Raises UsageError when the carrier needs a token key name and there is none.
    """
    if carrier == TOKEN:
        return AuthorizerRequest(token=credential.secret, token_signature=credential.signature)
    if token_key_name is None:
        raise UsageError(f"the carrier {carrier!r} needs authorizer.token_key_name, under which the token travels")
    members = {token_key_name: credential.secret}
    if credential.signature is not None:
        members[SIGNATURE_KEY] = credential.signature
    if carrier == TOKEN_IN_HEADER:
        return AuthorizerRequest(http_context=HttpContext(headers=members))
    query = "?" + "&".join(f"{_quote(name)}={_quote(value)}" for name, value in members.items())
    if carrier == TOKEN_IN_QUERY:
        return AuthorizerRequest(http_context=HttpContext(query_string=query))
    if carrier == TOKEN_IN_USERNAME:
        return AuthorizerRequest(
            mqtt_context=MqttContext(username=f"{credential.identity}{query}", client_id=credential.client_id)
        )
    raise UsageError(f"{carrier!r} is no carrier of a token; there are {', '.join(TOKEN_CARRIERS)}")


def _quote(text: str) -> str:
    return quote(text, safe="", errors="surrogatepass")
