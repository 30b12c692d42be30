"""Member constraints in AWS's words: the pattern is told first, then the lengths, all members in one message."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Final

from gatecrash.authorizers import limits
from gatecrash.authorizers.errors import InvalidRequestError
from gatecrash.authorizers.limits import MemberLimit

NOT_NULL: Final = "Member must not be null"
STATUSES: Final = ("ACTIVE", "INACTIVE")


class Violations:
    """Gathers what is wrong with the members of one request."""

    def __init__(self) -> None:
        self._found: list[str] = []

    def text(self, path: str, value: str | None, limit: MemberLimit) -> None:
        """Check a text; None is an absent one."""
        if value is not None and not limit.allows(value):
            self._add(path, text_violations(value, limit))

    def blob(self, path: str, value: bytes | None, limit: MemberLimit) -> None:
        """Check the length of bytes; None is an absent value."""
        if value is not None:
            self._add(path, _length_violations(len(value), limit))

    def required(self, path: str, value: object) -> None:
        """Check that a member is there."""
        if value is None:
            self._add(path, (NOT_NULL,))

    def status(self, path: str, value: str | None) -> None:
        """Check the status of an authorizer; None is an absent one."""
        if value is not None and value not in STATUSES:
            self._add(path, (f"Member must satisfy enum value set: [{', '.join(STATUSES)}]",))

    def map(self, path: str, entries: Iterable[tuple[str, str]], key: MemberLimit, value: MemberLimit) -> None:
        """Check the keys and values of a map."""
        bad_key = bad_value = False
        for name, content in entries:
            bad_key = bad_key or not key.allows(name)
            bad_value = bad_value or not value.allows(content)
        if bad_key:
            self._add(path, (f"Map keys must satisfy constraint: [{_every_constraint(key)}]",))
        if bad_value:
            self._add(path, (f"Map value must satisfy constraint: [{_every_constraint(value)}]",))

    def _add(self, path: str, constraints: Iterable[str]) -> None:
        self._found += [f"Value at '{path}' failed to satisfy constraint: {constraint}" for constraint in constraints]

    def raise_if_any(self) -> None:
        """Raise InvalidRequestError with all that was found, if something was."""
        if self._found:
            count = len(self._found)
            plural = "s" if count > 1 else ""
            raise InvalidRequestError(f"{count} validation error{plural} detected: {'; '.join(self._found)}")


def text_violations(value: str, limit: MemberLimit) -> Iterator[str]:
    """Yield the constraints that a text breaks."""
    if not limit.matches(value):
        yield f"Member must satisfy regular expression pattern: {limit.pattern}"
    yield from _length_violations(limits.utf16_length(value), limit)


def _length_violations(length: int, limit: MemberLimit) -> Iterator[str]:
    if length < limit.minimum:
        yield f"Member must have length greater than or equal to {limit.minimum}"
    if length > limit.maximum:
        yield f"Member must have length less than or equal to {limit.maximum}"


def _every_constraint(limit: MemberLimit) -> str:
    parts = [
        f"Member must have length less than or equal to {limit.maximum}",
        f"Member must have length greater than or equal to {limit.minimum}",
    ]
    if limit.pattern is not None:
        parts.append(f"Member must satisfy regular expression pattern: {limit.pattern}")
    return ", ".join(parts)
