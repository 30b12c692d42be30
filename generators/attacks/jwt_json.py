"""JSON Web Tokens: JSON that parsers read differently, or not at all. All of it rightly signed."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, Final

from gatecrash.authorizers import wire
from gatecrash.authorizers.contract import Demand
from gatecrash.generators.attacks.base import Family, Scene, Stage
from gatecrash.generators.attacks.kinds import is_jwt, jwt_parts, signed_again
from gatecrash.generators.credentials.base import Credential

FAMILY: Final = Family("jwt_json", is_jwt)
_DEPTH: Final = 5000
_TOKEN: Final[dict[str, Any]] = {"stage": Stage.TOKEN, "touches": "claims_text"}


def _with_text(scene: Scene, text: bytes) -> Credential:
    _, token = jwt_parts(scene)
    return signed_again(scene, replace(token, claims_text=text))


def _with_members(scene: Scene, members: bytes) -> Credential:
    """Put members, as they are, behind the claims' own."""
    _, token = jwt_parts(scene)
    return _with_text(scene, token.claims_bytes[:-1] + b"," + members + b"}")


@FAMILY.credential(
    Demand.DENY,
    "RFC 7519 section 7.2: the claims set is a JSON object",
    *(b"null", b"[]", b'"text"', b"7", b"true", b"", b"{", b"\xff\xfe\x00", b"[{}]"),
    weakness="claims that are no object are accepted",
    **_TOKEN,
)
def claims_no_object(scene: Scene, text: bytes) -> Credential:
    """Sign a payload that is no JSON object."""
    return _with_text(scene, text)


@FAMILY.credential(
    Demand.ANY,
    "RFC 8259; RFC 8725 section 3.7",
    *(b'"n":NaN', b'"n":Infinity', b'"n":1e400', b'"n":-1e-400', b'"n":' + b"9" * 5000, b'"n":' + b"1" * 40),
    weakness="odd numbers",
    **_TOKEN,
)
def number_odd(scene: Scene, member: bytes) -> Credential:
    """Add a claim whose number is no JSON, or too large for any type."""
    return _with_members(scene, member)


@FAMILY.credential(
    Demand.ANY,
    "RFC 8259 section 8; RFC 8725 section 3.7",
    *(b'"t":"\xff\xfe"', b'"t":"\\ud800"', b'"t":"\\u0000"', b'"\\u0000":1', b'"":1', b'"__proto__":{"sub":"x"}'),
    weakness="odd text",
    **_TOKEN,
)
def text_odd(scene: Scene, member: bytes) -> Credential:
    """Add a claim whose text is no UTF-8, a lone surrogate, a NUL, or whose name is one that languages treat apart."""
    return _with_members(scene, member)


@FAMILY.credential(
    Demand.ANY,
    "RFC 8259 section 8.1: no byte order mark",
    "mark",
    "trailing",
    "comment",
    "utf16",
    weakness="text around JSON is ignored",
    **_TOKEN,
)
def document_odd(scene: Scene, how: str) -> Credential:
    """Put a byte order mark before the claims, or something behind them, or write them as UTF-16."""
    _, token = jwt_parts(scene)
    text = token.claims_bytes
    spelt = {
        "mark": b"\xef\xbb\xbf" + text,
        "trailing": text + b" garbage",
        "comment": b"/* */" + text,
        "utf16": text.decode().encode("utf-16"),
    }
    return _with_text(scene, spelt[how])


@FAMILY.credential(
    Demand.ANY,
    "RFC 8725 section 3.7; CWE-674",
    *(b"[", b'{"a":'),
    weakness="deeply nested claims",
    **_TOKEN,
)
def nested_deeply(scene: Scene, opening: bytes) -> Credential:
    """Nest a claim as deep as one message allows (5,000 lists; fewer objects)."""
    lists = opening == b"["
    depth = _DEPTH if lists else _DEPTH // 8
    nested = opening * depth + (b"" if lists else b"1") + (b"]" if lists else b"}") * depth
    return _with_members(scene, b'"n":' + nested)


@FAMILY.credential(
    Demand.ANY,
    "RFC 7519 section 4: reject duplicates, or take the last",
    "header",
    "claims",
    weakness="duplicate members",
    open_rights=True,
    **_TOKEN,
)
def duplicate_members(scene: Scene, where: str) -> Credential:
    """Name the algorithm twice, none first; or every claim twice, the first time as null."""
    _, token = jwt_parts(scene)
    if where == "header":
        return signed_again(scene, replace(token, header_text=b'{"alg":"none",' + token.header_bytes[1:]))
    nulls = b",".join(wire.encode(name) + b":null" for name in token.claims)
    return _with_text(scene, b"{" + nulls + b"," + token.claims_bytes[1:])


@FAMILY.credential(
    Demand.DENY,
    "RFC 7519 section 4: reject duplicates, or take the last; section 4.1.4",
    weakness="the first of two expiry times counts",
    stage=Stage.TOKEN,
    touches="exp",
)
def duplicate_expiry(scene: Scene, _: Any) -> Credential | None:
    """Name an expiry in the future, and behind it one in the past, which counts."""
    _, token = jwt_parts(scene)
    if token.claims_text is not None:
        return None
    return _with_members(scene, b'"exp":%d' % (scene.minted_at - 86400))
