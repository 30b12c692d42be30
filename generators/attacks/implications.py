"""Which weakness follows from which other: whoever verifies no signature also believes unsigned tokens."""

from __future__ import annotations

from collections.abc import Collection
from typing import Final

_NO_SIGNATURE: Final = ("the signature is not verified",)
_NO_SECRET: Final = ("the secret is not checked",)
_NO_EXPIRY: Final = ("expired tokens are accepted",)
_NO_CLIENT_ID: Final = ("the client id is not tied to the device",)
FOLLOWS_FROM: Final[dict[str, tuple[str, ...]]] = {
    "a token without a signature is believed": _NO_SIGNATURE,
    "unsigned tokens are believed": (*_NO_SIGNATURE, "a token without a signature is believed"),
    "the public key is taken for an HMAC secret": _NO_SIGNATURE,
    "a guessable HMAC secret is accepted": _NO_SIGNATURE,
    "a token without an algorithm is believed": _NO_SIGNATURE,
    "an algorithm that is no text is believed": _NO_SIGNATURE,
    "an algorithm that isn't listed is believed": _NO_SIGNATURE,
    "a key that the token itself brings is trusted": _NO_SIGNATURE,
    "the key id picks a key that the attacker knows": _NO_SIGNATURE,
    "an unknown key id switches verification off": _NO_SIGNATURE,
    "a header that is no object is accepted": _NO_SIGNATURE,
    "the first of two expiry times counts": _NO_EXPIRY,
    "an expiry that is no number is accepted": _NO_EXPIRY,
    "an expiry that is no time is accepted": _NO_EXPIRY,
    "tokens that never expire are accepted": _NO_EXPIRY,
    "client ids are compared loosely": _NO_CLIENT_ID,
    "long client ids": _NO_CLIENT_ID,
    "any known secret will do": _NO_SECRET,
    "a part of the secret is enough": _NO_SECRET,
    "a part of the secret is not compared": _NO_SECRET,
    "characters beyond the secret are ignored": (*_NO_SECRET, "a part of the secret is not compared"),
    "white space around the secret is ignored": (*_NO_SECRET, "characters beyond the secret are ignored"),
    "upper and lower case are the same": _NO_SECRET,
    "texts that look alike are the same": _NO_SECRET,
    "a transformed secret is accepted": _NO_SECRET,
    "a magic word is a secret": _NO_SECRET,
    "the secret is part of a query": _NO_SECRET,
    "characters that no secret has": _NO_SECRET,
    "long secrets": _NO_SECRET,
    "passwords that are no text": _NO_SECRET,
}


def broader(weakness: str, weaknesses: Collection[str]) -> str | None:
    """Return the weakness among those of a run from which this one follows, the broadest; None when none does."""
    return next((cause for cause in FOLLOWS_FROM.get(weakness, ()) if cause in weaknesses), None)
