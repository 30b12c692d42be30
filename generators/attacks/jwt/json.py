"""JSON Web Tokens: JSON that parsers read differently, or not at all. All of it rightly signed."""

from __future__ import annotations

from typing import Any, Final

from gatecrash.authorizers import wire
from gatecrash.authorizers.contract import Demand
from gatecrash.generators.attacks.attack import Family, Layer, Scene
from gatecrash.generators.attacks.changes import jwt_parts, sign_again
from gatecrash.generators.attacks.kinds import is_jwt
from gatecrash.generators.credentials.credential import Credential

FAMILY: Final = Family("jwt_json", is_jwt, layer=Layer.TOKEN, touches="claims_text")
_DEPTH: Final = 5000


def _with_members(scene: Scene, members: bytes) -> Credential:
    """Put members, as they are, behind the claims' own."""
    _, token = jwt_parts(scene)
    return sign_again(scene, claims_text=token.claims_bytes[:-1] + b"," + members + b"}")


@FAMILY.credential(
    Demand.DENY,
    "RFC 7519 section 7.2: the claims set is a JSON object",
    *(b"null", b"[]", b'"text"', b"7", b"true", b"", b"{", b"\xff\xfe\x00", b"[{}]"),
    weakness="claims that are no object are accepted",
)
def claims_no_object(scene: Scene, text: bytes) -> Credential:
    """Sign a payload that is no JSON object."""
    return sign_again(scene, claims_text=text)


@FAMILY.credential(
    Demand.ANY,
    "RFC 8259; RFC 8725 section 3.7",
    *(b'"n":NaN', b'"n":Infinity', b'"n":1e400', b'"n":-1e-400', b'"n":' + b"9" * 5000, b'"n":' + b"1" * 40),
    weakness="odd numbers",
)
def number_odd(scene: Scene, member: bytes) -> Credential:
    """Add a claim whose number is no JSON, or too large for any type."""
    return _with_members(scene, member)


@FAMILY.credential(
    Demand.ANY,
    "RFC 8259 section 8; RFC 8725 section 3.7",
    *(b'"t":"\xff\xfe"', b'"t":"\\ud800"', b'"t":"\\u0000"', b'"\\u0000":1', b'"":1', b'"__proto__":{"sub":"x"}'),
    weakness="odd text",
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
    return sign_again(scene, claims_text=spelt[how])


@FAMILY.credential(Demand.ANY, "RFC 8725 section 3.7; CWE-674", *(b"[", b'{"a":'), weakness="deeply nested claims")
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
)
def duplicate_members(scene: Scene, where: str) -> Credential:
    """Name the algorithm twice, none first; or every claim twice, the first time as null."""
    _, token = jwt_parts(scene)
    if where == "header":
        return sign_again(scene, header_text=b'{"alg":"none",' + token.header_bytes[1:])
    nulls = b",".join(wire.encode(name) + b":null" for name in token.claims)
    return sign_again(scene, claims_text=b"{" + nulls + b"," + token.claims_bytes[1:])


@FAMILY.credential(
    Demand.DENY,
    "RFC 7519 section 4: reject duplicates, or take the last; section 4.1.4",
    weakness="the first of two expiry times counts",
    touches="exp",
)
def duplicate_expiry(scene: Scene, _: Any) -> Credential | None:
    """Name an expiry in the future, and behind it one in the past, which counts."""
    _, token = jwt_parts(scene)
    if token.claims_text is not None:
        return None
    return _with_members(scene, b'"exp":%d' % (scene.minted_at - 86400))
