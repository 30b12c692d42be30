"""The devices of a profile that makes its credentials from templates."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from random import Random
from typing import Any

from gatecrash.generators.templates import expand


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

    def parts(self) -> list[Any]:
        """Return what shapes the devices, for a fingerprint."""
        return [self.count, self.identity, self.client_id]
