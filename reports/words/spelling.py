"""How numbers, names and hostile text are spelled, alike in every format that people read."""

from __future__ import annotations

import json
import unicodedata
from typing import Any, Final

from gatecrash.reports.recording.records import LatencyKind

KIND_LABELS: Final = {
    LatencyKind.SERVICE_TIME.value: "service time",
    LatencyKind.RESPONSE_TIME.value: "response time from the intended start",
}
KIND_MEANINGS: Final = {
    LatencyKind.SERVICE_TIME.value: "from sending a request to its answer",
    LatencyKind.RESPONSE_TIME.value: "from when the request was due to its answer, so waiting behind a stall counts",
}
# Control, format (bidirectional overrides, zero width), surrogate, private and unassigned characters and the
# two line separators would hide or reorder what stands around them.
_HIDDEN: Final = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})


def visible(value: object, *, keep_newlines: bool = False) -> str:
    r"""Return a text in which every character can be seen: ``\x1b``, ``\u202e``, ``\ud800`` for those that can't.

    The result holds no lone surrogate and no control character, so it can be written anywhere.
    """
    text = str(value)
    if text.isascii() and text.isprintable():
        return text
    return "".join(_visible_character(character, keep_newlines=keep_newlines) for character in text)


def _visible_character(character: str, *, keep_newlines: bool) -> str:
    if character == "\n" and keep_newlines:
        return character
    if unicodedata.category(character) not in _HIDDEN:
        return character
    return repr(character)[1:-1]


def json_text(value: Any, *, indent: int | None = None) -> str:
    """Return JSON for people: other scripts stay readable, what can't be seen is escaped."""
    separators = (",", ": ") if indent else (",", ":")
    text = json.dumps(value, indent=indent, separators=separators, ensure_ascii=False, default=str)
    return visible(text, keep_newlines=indent is not None)


def milliseconds(value: float | None) -> str:
    """Return a latency, which is in milliseconds, with the digits that matter; a dash for none."""
    if value is None:
        return "-"
    if value >= 100:
        return f"{value:,.0f}"
    return f"{value:.1f}" if value >= 10 else f"{value:.2f}"


def percent(share: float) -> str:
    """Return a share, 0 to 1, in per cent; a small one is never rounded to nothing, nor a large one to all."""
    value = share * 100.0
    if 99.95 <= value < 100:
        return f"{value:.2f} %" if value < 99.995 else "over 99.99 %"
    if value == 0 or value >= 10:
        return f"{value:.0f} %" if value in {0.0, 100.0} else f"{value:.1f} %"
    return f"{value:.2f} %" if value >= 0.01 else f"{value:.2g} %"


def outcome_label(outcome: str | None) -> str:
    """Return the name of an outcome for people; None is all that were answered."""
    return "all answered" if outcome is None else outcome.replace("_", " ")


def plural(count: int, noun: str) -> str:
    """Return a count with its noun, such as ``1 exchange`` or ``2 exchanges``."""
    return f"{count:,} {noun}" if count == 1 else f"{count:,} {noun}s"
