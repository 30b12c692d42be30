"""Words of the authorizer's own code, where that is at hand: back doors are opened by words that no list has."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Final
from urllib.parse import quote

from gatecrash.authorizers.contract import AuthorizerRequest, Demand, HttpContext
from gatecrash.generators.attacks.attack import Attack, Family, Scene
from gatecrash.generators.attacks.changes import with_http, with_mqtt, with_text
from gatecrash.generators.attacks.kinds import is_known, is_password, is_signed
from gatecrash.generators.attacks.spellings import change_letter
from gatecrash.generators.credentials.credential import Credential, CredentialProfile

FAMILY: Final = Family("dictionary", is_known)
WORDS_MAXIMUM: Final = 40
_PAIRS_MAXIMUM: Final = 80
_VALUES: Final = ("true", "1", "admin", "{other}", "*")
_NAME: Final = re.compile(r"[A-Za-z][A-Za-z0-9_.-]{1,39}")
_BACK_DOOR: Final = "CWE-798; CWE-489; CWE-912"
_WEAKNESS: Final = "a word of the authorizer's own code opens it"
_WIDENS: Final = "a word of the authorizer's own code changes what is allowed"
# These take a name and a value, the others a word.
_PAIRED: Final = frozenset(
    {"header_of_the_code", "header_of_the_code_alone", "parameter_of_the_code", "parameter_of_the_code_alone"}
)


def with_words(attack: Attack, words: Sequence[str]) -> Attack:
    """Return an attack of this family with the words, or pairs of them, as its variants."""
    variants = tuple(_pairs(words)) if attack.name in _PAIRED else tuple(words)
    return replace(attack, variants=variants)


def _pairs(words: Sequence[str]) -> Iterator[tuple[str, str]]:
    """Yield names with values: first each name with common ones, then with other words of the code."""
    names = sorted((word for word in words if _NAME.fullmatch(word)), key=lambda word: "-" not in word)
    pairs = [(name, value) for value in _VALUES for name in names]
    pairs += [(name, value) for name in names for value in words if value != name]
    yield from pairs[:_PAIRS_MAXIMUM]


def _has_text(profile: CredentialProfile) -> bool:
    return is_known(profile) and not is_signed(profile)


@FAMILY.credential(Demand.DENY, _BACK_DOOR, applies=_has_text, weakness=_WEAKNESS, touches="secret", alone=True)
def secret_of_the_code(scene: Scene, word: str) -> Credential | None:
    """Present a word of the code as the secret or token."""
    return with_text(scene, word) if word != scene.other.secret else None


@FAMILY.credential(Demand.DENY, _BACK_DOOR, applies=is_password, weakness=_WEAKNESS, touches="username", alone=True)
def username_of_the_code(scene: Scene, word: str) -> Credential | None:
    """Present a word of the code as the user name, with another device's password."""
    return replace(scene.credential, username=word) if word != scene.valid.username else None


@FAMILY.request(Demand.ANY, _BACK_DOOR, weakness=_WIDENS, touches="other_headers")
def header_of_the_code(scene: Scene, request: AuthorizerRequest, pair: tuple[str, str]) -> AuthorizerRequest | None:
    """Add a header whose name is a word of the code to a right request: it must not give more rights."""
    return _with_header(scene, request, pair)


@FAMILY.request(Demand.ANY, _BACK_DOOR, weakness=_WIDENS, touches="query")
def parameter_of_the_code(scene: Scene, request: AuthorizerRequest, pair: tuple[str, str]) -> AuthorizerRequest | None:
    """Add a query parameter whose name is a word of the code to a right request: it must not give more rights."""
    return _with_parameter(scene, request, pair)


@FAMILY.request(Demand.DENY, _BACK_DOOR, weakness=_WEAKNESS, touches="credential", alone=True)
def header_of_the_code_alone(scene: Scene, _: AuthorizerRequest, pair: tuple[str, str]) -> AuthorizerRequest | None:
    """Present a wrong credential with a header whose name is a word of the code."""
    return _with_header(scene, _wrong(scene), pair)


@FAMILY.request(Demand.DENY, _BACK_DOOR, weakness=_WEAKNESS, touches="credential", alone=True)
def parameter_of_the_code_alone(scene: Scene, _: AuthorizerRequest, pair: tuple[str, str]) -> AuthorizerRequest | None:
    """Present a wrong credential with a query parameter whose name is a word of the code."""
    return _with_parameter(scene, _wrong(scene), pair)


def _wrong(scene: Scene) -> AuthorizerRequest:
    secret = scene.valid.secret
    # In the middle: the last character of a token may hold bits that count for nothing.
    changed = change_letter(secret, len(secret) // 2, "A", "B")
    return scene.profile.request(replace(scene.valid, secret=changed), scene.carrier)


def _value(scene: Scene, value: str) -> str:
    if value != "{other}":
        return value
    return next(iter(scene.other.parameters.values()), scene.other.username or scene.other.identity)


def _with_header(scene: Scene, request: AuthorizerRequest, pair: tuple[str, str]) -> AuthorizerRequest | None:
    name, value = pair
    present = dict((request.http_context or HttpContext()).headers or {})
    if request.token is not None or name.lower() in {known.lower() for known in present}:
        return None
    return with_http(request, headers={name: _value(scene, value)} | present)


def _with_parameter(scene: Scene, request: AuthorizerRequest, pair: tuple[str, str]) -> AuthorizerRequest | None:
    name, value = pair
    added = f"{name}={quote(_value(scene, value), safe='')}"
    if request.token is not None:
        return None
    if (mqtt := request.mqtt_context) is not None and mqtt.username is not None:
        mark = "&" if "?" in mqtt.username else "?"
        return with_mqtt(request, username=f"{mqtt.username}{mark}{added}")
    query = ((request.http_context or HttpContext()).query_string or "?").rstrip("&")
    if re.search(rf"[?&]{re.escape(name)}=", query):
        return None
    mark = "" if query == "?" else "&"
    return with_http(request, query_string=f"{query}{mark}{added}")
