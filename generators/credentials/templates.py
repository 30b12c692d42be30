"""Templates in which a credential profile says what its texts look like.

``{identity}`` and other given names stand for their values; ``{number:4}`` is the identity's number, from 1,
padded with zeros; ``{hex:8}`` and ``{digits:8}`` are that many random characters; ``{uuid}`` a random UUID.
``{{`` and ``}}`` are braces.
"""

from __future__ import annotations

import re
import uuid
from collections.abc import Mapping
from random import Random
from typing import Any, Final

from gatecrash.authorizers.errors import UsageError

_PLACE: Final = re.compile(r"\{\{|\}\}|\{([^{}:]+)(?::([0-9]{1,3}))?\}|[{}]")
_GENERATED: Final = frozenset({"number", "hex", "digits", "uuid"})


def expand(template: str, rng: Random, values: Mapping[str, str], number: int) -> str:
    """Fill a template; raises UsageError for a place that nothing fills."""

    def fill(match: re.Match[str]) -> str:
        if match[0] in {"{{", "}}"}:
            return match[0][0]
        name = match[1]
        if name in values:
            return values[name]
        if name not in _GENERATED:
            allowed = ", ".join(f"{{{known}}}" for known in sorted({*values, *_GENERATED}))
            raise UsageError(f"the template {template!r} has the place {match[0]!r}; it may have {allowed}")
        width = int(match[2] or 0)
        if name == "number":
            return str(number).zfill(width)
        if name == "uuid":
            return str(uuid.UUID(int=rng.getrandbits(128), version=4))
        alphabet = "0123456789abcdef" if name == "hex" else "0123456789"
        return "".join(rng.choices(alphabet, k=width or 8))

    return _PLACE.sub(fill, template)


def expand_all(value: Any, rng: Random, values: Mapping[str, str], number: int) -> Any:
    """Fill every text within a JSON-like value."""
    if isinstance(value, str):
        return expand(value, rng, values, number)
    if isinstance(value, Mapping):
        return {key: expand_all(item, rng, values, number) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [expand_all(item, rng, values, number) for item in value]
    return value
