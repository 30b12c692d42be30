"""HTTP headers: the credential's own, spelt in every way, and others that count for nothing."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from gatecrash.authorizers.contract import AuthorizerRequest, Demand
from gatecrash.generators.attacks.attack import Family, Scene
from gatecrash.generators.attacks.changes import with_http
from gatecrash.generators.attacks.kinds import is_api_key, is_jwt
from gatecrash.generators.credentials.api_key import ApiKeyProfile
from gatecrash.generators.credentials.credential import CredentialProfile
from gatecrash.generators.credentials.jwt import BEARER_HEADER


def _by_header(profile: CredentialProfile) -> bool:
    return is_api_key(profile) or (is_jwt(profile) and BEARER_HEADER in profile.carriers)


FAMILY: Final = Family("http_header", _by_header)
BEARER: Final = Family("bearer_scheme", lambda profile: is_jwt(profile) and _by_header(profile))
_NAMES: Final = "RFC 9110 section 5.1: names of fields are case-insensitive"
_OTHERS: Final = "RFC 9110 section 5: a recipient ignores fields that it doesn't know"
_DIFFERENT: Final = "other headers change the decision"


def credential_header(scene: Scene, request: AuthorizerRequest) -> str | None:
    """Return the name, as it stands in the request, of the header that carries the credential."""
    headers = (request.http_context.headers if request.http_context else None) or {}
    wanted = _header_of(scene)
    return next((name for name in headers if name.lower() == wanted), None) if wanted else None


def _header_of(scene: Scene) -> str | None:
    if isinstance(scene.profile, ApiKeyProfile):
        return scene.profile.header.lower()
    return "authorization" if scene.carrier == BEARER_HEADER else None


def _add_headers(scene: Scene, request: AuthorizerRequest, others: Mapping[str, str]) -> AuthorizerRequest | None:
    """Put other headers before those of the request; None where no header carries the credential."""
    if credential_header(scene, request) is None:
        return None
    return with_http(request, headers={**others, **_headers(request)})


def _rename_header(request: AuthorizerRequest, name: str, renamed: str) -> AuthorizerRequest:
    headers = {renamed if key == name else key: value for key, value in _headers(request).items()}
    return with_http(request, headers=headers)


def _headers(request: AuthorizerRequest) -> dict[str, str]:
    return dict((request.http_context.headers if request.http_context else None) or {})


def _spell(name: str, how: str) -> str:
    if how == "mixed":
        return "".join(letter.upper() if number % 2 else letter.lower() for number, letter in enumerate(name))
    return {"lower": name.lower(), "upper": name.upper(), "title": name.title()}[how]


@FAMILY.request(
    Demand.SAME,
    _NAMES,
    *("lower", "upper", "title", "mixed"),
    weakness="header names are compared with case",
    touches="header_name",
)
def header_name_case(scene: Scene, request: AuthorizerRequest, how: str) -> AuthorizerRequest | None:
    """Spell the name of the credential's header in another case."""
    name = credential_header(scene, request)
    if name is None or _spell(name, how) == name:
        return None
    return _rename_header(request, name, _spell(name, how))


@FAMILY.request(Demand.SAME, _OTHERS, "before", "behind", weakness="the order of headers counts", touches="order")
def header_order(scene: Scene, request: AuthorizerRequest, where: str) -> AuthorizerRequest | None:
    """Put other headers before or behind the credential's."""
    others = {"Host": "example.com", "User-Agent": "gatecrash", "Content-Length": "0"}
    return _add_headers(scene, request, others if where == "before" else _headers(request) | others)


@FAMILY.request(
    Demand.SAME,
    _OTHERS,
    *("\r\nSet-Cookie: a=b", "\x00", "é\u65e5", "x" * 4000, "${jndi:ldap://127.0.0.1:9/x}", "%00%0a", " ", "\ud800"),
    weakness=_DIFFERENT,
    touches="other_headers",
)
def other_header_hostile(scene: Scene, request: AuthorizerRequest, value: str) -> AuthorizerRequest | None:
    """Add a header that nobody asked for, with line breaks, NULs, or thousands of characters."""
    return _add_headers(scene, request, {"X-Gatecrash": value})


@FAMILY.request(Demand.SAME, _OTHERS, 20, 100, weakness=_DIFFERENT, touches="other_headers")
def other_headers_many(scene: Scene, request: AuthorizerRequest, count: int) -> AuthorizerRequest | None:
    """Add many other headers."""
    return _add_headers(scene, request, {f"X-Gatecrash-{number}": "x" for number in range(count)})


@FAMILY.request(
    Demand.SAME,
    "AWS IoT developer guide, custom-auth: names of the service's own parameters",
    *("x-amz-customauthorizer-name", "x-amz-customauthorizer-signature", "x-forwarded-for", "x-original-url"),
    weakness=_DIFFERENT,
    touches="other_headers",
)
def other_header_forged(scene: Scene, request: AuthorizerRequest, name: str) -> AuthorizerRequest | None:
    """Add a header by which services, proxies and gateways talk among themselves."""
    return _add_headers(scene, request, {name: "127.0.0.1"})


@FAMILY.request(
    Demand.NOT_ISSUED,
    "RFC 9110 section 5.2; CWE-436: conflicting values must not be resolved by luck",
    *("good_first", "bad_first"),
    weakness="of two conflicting headers one wins",
    touches="header_name",
    alone=True,
)
def header_twice(scene: Scene, request: AuthorizerRequest, order: str) -> AuthorizerRequest | None:
    """Present the credential's header twice, in two spellings, once right and once wrong."""
    name = credential_header(scene, request)
    if name is None:
        return None
    value = _headers(request)[name]
    again = next(other for how in ("lower", "upper", "title") if (other := _spell(name, how)) != name)
    bad = f"{value[: len(value) // 2]}gatecrash"
    pair = {name: value, again: bad} if order == "good_first" else {again: bad, name: value}
    rest = {key: item for key, item in _headers(request).items() if key != name}
    return with_http(request, headers=pair | rest)


@FAMILY.request(
    Demand.DENY,
    "RFC 9110 section 11.6.2; AWS IoT developer guide, custom-auth",
    *("X-Authorization", "Proxy-Authorization", "{}x", "x-{}", "Cookie"),
    weakness="the credential is taken from another header",
    touches="header_name",
    alone=True,
)
def header_renamed(scene: Scene, request: AuthorizerRequest, pattern: str) -> AuthorizerRequest | None:
    """Present the right credential in a header of another name."""
    name = credential_header(scene, request)
    if name is None:
        return None
    return _rename_header(request, name, pattern.replace("{}", name))


@BEARER.request(
    Demand.ANY,
    "RFC 9110 section 11.1: schemes are case-insensitive; RFC 6750 section 2.1",
    *("bearer {}", "BEARER {}", "Bearer  {}", "Bearer\t{}", "{}", "Basic {}", "Token {}", "Bearer {} ", " Bearer {}"),
    weakness="schemes",
    touches="scheme",
)
def scheme_spelt_otherwise(scene: Scene, request: AuthorizerRequest, pattern: str) -> AuthorizerRequest | None:
    """Present the token with the scheme spelt another way, another scheme, or none."""
    return with_value(scene, request, pattern.replace("{}", scene.credential.secret))


@BEARER.request(
    Demand.DENY,
    "RFC 6750 section 2.1",
    *("Bearer", "Bearer ", "Bearer null", "Bearer undefined", "Bearer Bearer", "Bearer .", "Bearer ..", "Bearer a.b.c"),
    *("Bearer é.é.é", "Bearer \ud800", "Bearer \x00", "Basic Og==", "Bearer ....", "Bearer e30.e30."),
    weakness="a missing token is accepted",
    touches="credential",
    alone=True,
)
def token_missing_from_header(scene: Scene, request: AuthorizerRequest, value: str) -> AuthorizerRequest | None:
    """Present a scheme without a token, or with something that is none."""
    return with_value(scene, request, value)


@BEARER.request(
    Demand.BETTER_DENIED,
    "RFC 9110 section 5.2: a list of credentials is none",
    *("Bearer {bad}, Bearer {good}", "Bearer {good}, Bearer {bad}", "Bearer {good} {bad}", "Bearer {good};x"),
    weakness="of two tokens in one header one wins",
    touches="credential",
    alone=True,
)
def two_tokens_in_header(scene: Scene, request: AuthorizerRequest, pattern: str) -> AuthorizerRequest | None:
    """Present a right and a wrong token in one header."""
    bad = f"{scene.credential.secret[:-8]}AAAAAAAA"
    return with_value(scene, request, pattern.replace("{good}", scene.credential.secret).replace("{bad}", bad))


def with_value(scene: Scene, request: AuthorizerRequest, value: str) -> AuthorizerRequest | None:
    """Put a value into the header that carries the credential; None where there is none, or it has that value."""
    name = credential_header(scene, request)
    if name is None or _headers(request)[name] == value:
        return None
    return with_http(request, headers=_headers(request) | {name: value})
