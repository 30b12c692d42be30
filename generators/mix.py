"""The mix: how often which kind of case comes. Weights only; what is possible is the strategies' business."""

from __future__ import annotations

from dataclasses import dataclass
from random import Random
from typing import Final

from gatecrash.authorizers.errors import UsageError
from gatecrash.generators.attacks.attack import Attack

VALID_SHARE_DEFAULT: Final = 0.8


@dataclass(frozen=True, slots=True)
class Mix:
    """The share of valid cases, 0 to 1; the rest is shared evenly by the attacks."""

    valid: float = VALID_SHARE_DEFAULT

    def __post_init__(self) -> None:
        if not 0.0 <= self.valid <= 1.0:
            raise UsageError(f"mix.valid is {self.valid}; it must be between 0 and 1")

    def pick(self, attacks: tuple[Attack, ...], seed: int, index: int) -> Attack | None:
        """Pick the kind of the case with this index: an attack, or None for a valid case."""
        # Random makes the same of a text in every process, whatever its seed for hashes is.
        rng = Random(f"mix:{seed}:{index}")
        if not attacks or rng.random() < self.valid:
            return None
        return rng.choice(attacks)
