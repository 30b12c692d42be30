"""Profiles that make their credentials from templates: their devices, and what else they share."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from random import Random
from typing import Any, ClassVar

from gatecrash.authorizers.errors import UsageError
from gatecrash.generators.credentials.templates import expand
from gatecrash.generators.credentials.token_carriers import TOKEN_CARRIERS


@dataclass(frozen=True, slots=True)
class Devices:
    """How many devices there are, and the templates of their names and MQTT client ids.

    A device's name depends on its number alone, so that another seed meets the same fleet.
    """

    count: int
    identity: str
    client_id: str | None

    def name(self, number: int) -> str:
        """Return the name of a device; ``number`` counts from 0."""
        return expand(self.identity, Random(f"identity:{number}"), {}, number + 1)

    def client_id_of(self, number: int, rng: Random, values: Mapping[str, str]) -> str | None:
        """Return the client id of a device, None where devices send none."""
        return None if self.client_id is None else expand(self.client_id, rng, values, number + 1)


@dataclass(eq=False, kw_only=True)
class MintedProfile:
    """What profiles that mint credentials share; ``lifetime`` is in seconds.

    Raises UsageError when a carrier isn't one of ``_allowed``.
    """

    _named: ClassVar[str]
    _allowed: ClassVar[tuple[str, ...]] = TOKEN_CARRIERS

    key: bytes
    devices: Devices
    lifetime: int | None
    carriers: tuple[str, ...]
    token_key_name: str | None
    identities: int = field(init=False)

    def __post_init__(self) -> None:
        self.identities = self.devices.count
        if not set(self.carriers) <= set(self._allowed):
            raise UsageError(
                f"credentials.carriers is {list(self.carriers)}; of a {self._named} profile it may hold "
                f"{', '.join(self._allowed)}"
            )

    def expiry(self, minted_at: int) -> int:
        """Return when a credential expires that is minted at a time (both in epoch seconds)."""
        return minted_at + (self.lifetime or 0)

    def parts(self) -> list[Any]:
        """Return what shapes the credentials, the key aside, for a fingerprint."""
        devices = [self.devices.count, self.devices.identity, self.devices.client_id]
        return [devices, self.lifetime, list(self.carriers), self.token_key_name]
