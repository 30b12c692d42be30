"""The words of a Python handler's code: what it compares requests with may open it."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

from gatecrash.authorizers import wire
from gatecrash.authorizers.errors import UsageError, WireError
from gatecrash.generators.attacks.dictionary import WORDS_MAXIMUM
from gatecrash.generators.corpus import MANIFEST
from gatecrash.generators.credentials.credential import digest_of

_LENGTH_MAXIMUM: Final = 64
# The vocabulary of every authorizer.
_USUAL: Final = frozenset(
    {
        *("isAuthenticated", "principalId", "policyDocuments", "refreshAfterInSeconds", "disconnectAfterInSeconds"),
        *("Version", "2012-10-17", "Statement", "Effect", "Allow", "Deny", "Action", "Resource", "Sid", "Condition"),
        *("protocolData", "http", "headers", "queryString", "mqtt", "username", "password", "clientId", "tls"),
        *("serverName", "token", "signatureVerified", "connectionMetadata", "id", "utf-8", "ascii", "utf8", "__main__"),
        *("authorization", "Authorization", "Bearer", "Bearer ", "strict", "replace", "ignore", "surrogatepass"),
        *("exp", "iat", "nbf", "sub", "aud", "iss", "kid", "alg", "require", "RS256", "HS256", "ES256"),
    }
)


def words_of(handler: str | None) -> tuple[str, ...]:
    """Return the texts in the code of ``path/to/file.py:function``, in their order; none for what is no Python.

    Docstrings, the vocabulary of every authorizer and long texts are left out.
    """
    path = Path((handler or "").partition(":")[0])
    if path.suffix != ".py":
        return ()
    try:
        tree = ast.parse(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, SyntaxError):
        # Whoever loads the handler says what is wrong with it.
        return ()
    return tuple(dict.fromkeys(_texts(tree)))[:WORDS_MAXIMUM]


def words_digest(words: Sequence[str]) -> str:
    """Return the digest by which a finding names the words that its request was made with: they may be secrets."""
    return digest_of(list(words))


def words_again(digest: str, cache: Path, handler: str | None) -> tuple[str, ...]:
    """Return the words of a digest: from the corpora in the cache, or from the handler where it still has them.

    Raises UsageError when neither has them.
    """
    for manifest in sorted(cache.glob(f"*/{MANIFEST}")):
        try:
            words = tuple(wire.decode(manifest.read_bytes()).get("words", ()))
        except (OSError, WireError, AttributeError, TypeError):
            continue
        if words and words_digest(words) == digest:
            return words
    words = words_of(handler)
    if words_digest(words) == digest:
        return words
    raise UsageError(
        "the finding's request was made with a word of the handler's code, which has changed since, and the corpus "
        "that held it is gone from the cache: fuzz again"
    )


def _texts(tree: ast.Module) -> Iterator[str]:
    documentation = {
        id(node.body[0].value)
        for node in ast.walk(tree)
        if isinstance(node, (ast.Module, ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef))
        and node.body
        and isinstance(node.body[0], ast.Expr)
    }
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and id(node) not in documentation:
            text = node.value.decode("latin-1") if isinstance(node.value, bytes) else node.value
            if isinstance(text, str) and _is_word(text):
                yield text


def _is_word(text: str) -> bool:
    usual = text in _USUAL or text.startswith(("arn:", "iot:"))
    return 2 <= len(text) <= _LENGTH_MAXIMUM and text.isprintable() and not usual
