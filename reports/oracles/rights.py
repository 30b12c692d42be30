"""What a policy gives to whom: policies are evaluated for probes, never matched by their text.

A policy is *wide* when it allows client ids or topics that nobody has heard of. It gives *foreign* rights when it
allows what another identity's policy names and its own doesn't.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from typing import Final

from gatecrash.authorizers.policy import allows, allows_anything, grants

Pair = tuple[str, str]

# Names that no authorizer can know.
_STRANGER: Final = "gatecrash-7f3c9e2a51"
_TOPIC: Final = f"{_STRANGER}/51d0/{_STRANGER}"
STRANGERS: Final[tuple[Pair, ...]] = (
    ("iot:Connect", f"client/{_STRANGER}"),
    ("iot:Publish", f"topic/{_TOPIC}"),
    ("iot:Subscribe", f"topicfilter/{_TOPIC}"),
    ("iot:Receive", f"topic/{_TOPIC}"),
    ("iot:RetainPublish", f"topic/{_TOPIC}"),
    ("iot:UpdateThingShadow", f"thing/{_STRANGER}"),
    ("iot:GetThingShadow", f"thing/{_STRANGER}"),
)
# A policy of hundreds of resources is told from another by a part of them.
_PAIRS_MAXIMUM: Final = 64


def strange_rights(documents: Sequence[str]) -> list[Pair]:
    """Return the probes of STRANGERS that policies allow whatever their conditions say.

    Policy variables match nothing here: ``client/${iot:ClientId}`` is bound to the client that connects.
    """
    if not allows_anything(documents):
        return []
    return [(action, resource) for action, resource in STRANGERS if _allows(documents, action, resource)]


def _allows(documents: Sequence[str], action: str, resource: str) -> bool:
    return allows(documents, action, resource, {}, conditions_met=False)


class KnownRights:
    """What each identity rightly has, learned from the policies of its valid requests."""

    def __init__(self) -> None:
        self._pairs: dict[int, set[Pair]] = defaultdict(set)
        self._documents: dict[int, list[tuple[str, ...]]] = defaultdict(list)
        # How many identities' policies name a pair.
        self._named: Counter[Pair] = Counter()
        self._judged: dict[tuple[int, tuple[str, ...]], bool] = {}
        self._longer: dict[int, list[Pair]] = {}

    def learn(self, identity: int, documents: Iterable[str]) -> None:
        """Learn from an allowed valid request of an identity."""
        known = tuple(documents)
        if known not in self._documents[identity]:
            self._documents[identity].append(known)
            named = set(sorted(grants(known))[:_PAIRS_MAXIMUM]) - self._pairs[identity]
            self._pairs[identity] |= named
            self._named.update(named)
            self._judged.clear()
            self._longer.clear()

    def gives_foreign(self, identity: int, documents: tuple[str, ...]) -> bool:
        """Say whether policies allow what other identities' policies name and this one's own don't allow."""
        if identity not in self._documents or not allows_anything(documents):
            return False
        if documents in self._documents[identity]:
            # What they allow is its own: in a fleet of thousands others name too much to look at for each device.
            return False
        key = (identity, documents)
        if key not in self._judged:
            foreign = (pair for pair in self._others(identity) if _allows(documents, *pair))
            self._judged[key] = any(not self._own(identity, *pair) for pair in foreign)
        return self._judged[key]

    def _others(self, identity: int) -> Iterator[Pair]:
        """Yield what is named by other identities' policies."""
        mine = self._pairs[identity]
        return (pair for pair, count in self._named.items() if count > (pair in mine))

    def _own(self, identity: int, action: str, resource: str) -> bool:
        return any(_allows(known, action, resource) for known in self._documents[identity])

    def gives_longer_names(self, identity: int, documents: tuple[str, ...]) -> bool:
        """Say whether policies allow names that only begin like the identity's own, which its own don't allow.

        ``client/sensor-1*`` lets ``sensor-1`` connect, and ``sensor-10`` too.
        """
        if identity not in self._longer:
            longer = [(action, f"{resource}{_STRANGER}") for action, resource in sorted(self._pairs[identity])]
            self._longer[identity] = [pair for pair in longer if not self._own(identity, *pair)]
        return any(_allows(documents, *pair) for pair in self._longer[identity])

    def own_strange(self, identity: int) -> set[Pair]:
        """Return the strange rights that the identity's own valid requests were given."""
        return {pair for known in self._documents[identity] for pair in strange_rights(known)}

    def __contains__(self, identity: int) -> bool:
        return identity in self._documents
