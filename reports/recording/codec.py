"""JSON values of dataclasses, and back, by their type hints: msgspec does the work."""

from __future__ import annotations

from typing import Any, Literal, TypeVar

import msgspec

from gatecrash.reports.recording.latency import LatencyHistogram

T = TypeVar("T")


def to_json(value: Any, *, order: Literal["deterministic"] | None = None) -> Any:
    """Return the JSON value of dataclasses, named tuples, enums, sets and histograms, however nested.

    A ``deterministic`` order is that of their texts for sets and dictionaries; else they have their own.
    """
    return msgspec.to_builtins(value, order=order, str_keys=True, enc_hook=_encode)


def from_json(value: Any, kind: type[T]) -> T:
    """Read the JSON value of a type: absent members have their defaults, unknown ones are left out.

    Raises ValueError, which names the member, for a value of another shape.
    """
    return msgspec.convert(value, kind, str_keys=True, dec_hook=_decode)


def _encode(value: Any) -> Any:
    if isinstance(value, LatencyHistogram):
        return value.encode().decode("ascii")
    raise NotImplementedError


def _decode(kind: Any, value: Any) -> Any:
    if kind is LatencyHistogram:
        return LatencyHistogram(value.encode("ascii"))
    raise NotImplementedError
