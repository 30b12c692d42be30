"""The cases of a fuzz run: every valid credential, every single change, then changes put together by Hypothesis."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from gatecrash.generators.attacks import Attack
from gatecrash.generators.cases import Case, CaseMaker, Mutation, Recipe
from gatecrash.generators.credentials.credential import CredentialProfile
from gatecrash.generators.surroundings import Surroundings

VALID_IDENTITIES: Final = 8
# So many devices present attacks; the fewer, the sooner a weakness shows that needs the same device twice.
_ATTACKING_IDENTITIES: Final = 4


def systematic_recipes(profile: CredentialProfile, attacks: tuple[Attack, ...], seed: int) -> list[Recipe]:
    """Return the valid recipes of a few devices by each carrier, then each variant of each attack by each carrier.

    The first variants of all attacks come before the second ones of any: a sweep that is cut short has tried
    everything a little. The seed moves devices and salts, never what is tried.
    """
    return [*valid_recipes(profile, seed), *_single(profile, attacks, seed)]


def valid_recipes(profile: CredentialProfile, seed: int) -> Iterator[Recipe]:
    """Yield the valid recipes of a few devices by each carrier; the seed is the first device's number."""
    count = min(VALID_IDENTITIES, profile.identities)
    for place in range(count):
        for carrier in profile.carriers:
            yield Recipe((seed + place) % profile.identities, carrier, (), Surroundings(), seed)


def _single(profile: CredentialProfile, attacks: tuple[Attack, ...], seed: int) -> Iterator[Recipe]:
    count = min(_ATTACKING_IDENTITIES, profile.identities)
    number = 0
    for variant in range(max((len(attack.variants) for attack in attacks), default=0)):
        for attack in attacks:
            if variant >= len(attack.variants):
                continue
            for carrier in profile.carriers:
                identity = (seed + number % count) % profile.identities
                # One salt for all: each device's credential is made once, which for signed tokens is what takes time.
                yield Recipe(identity, carrier, (Mutation(attack.key, variant),), Surroundings(), seed)
                number += 1


class SweepCases:
    """The cases of a fuzz run by their index: the systematic ones, then drawn ones without end."""

    def __init__(self, maker: CaseMaker, seed: int) -> None:
        self._maker = maker
        self._recipes = systematic_recipes(maker.profile, maker.attacks, seed)

    @property
    def systematic(self) -> int:
        """How many systematic cases there are."""
        return len(self._recipes)

    def case(self, index: int) -> Case:
        """Make the case of an index."""
        if index < len(self._recipes):
            return self._maker.make(self._recipes[index], index)
        return self._maker.draw(index)
