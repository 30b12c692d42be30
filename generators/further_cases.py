"""Corpora larger than what is drawn: a further case is a drawn recipe again, for another device, with another salt.

Drawing a recipe takes far longer than expanding it. What a further case is made from follows from the seed and its
index alone, so that any process can make any case.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from functools import lru_cache
from typing import Final

from gatecrash.generators.cases import Case, CaseMaker, Recipe, contexts_of
from gatecrash.generators.surroundings import mark_surroundings

# Part of what a seed means: corpora up to this size are drawn case by case.
DRAWN_MAXIMUM: Final = 2000
_NUMBER_BYTES: Final = 4


class CorpusCases:
    """The cases of a corpus by their index, in any order.

    ``drawn`` gives the recipe of one of the first ``DRAWN_MAXIMUM`` cases where it is known; else it is drawn again.
    """

    def __init__(self, maker: CaseMaker, seed: int, drawn: Callable[[int], Recipe] | None = None) -> None:
        self._maker = maker
        self._prefix = f"{seed}:".encode()
        self._drawn = drawn or lru_cache(maxsize=DRAWN_MAXIMUM)(lambda index: maker.case(index).recipe)
        self._contexts = {carrier: contexts_of(maker.profile, carrier) for carrier in maker.profile.carriers}

    def case(self, index: int) -> Case:
        """Make the case of an index."""
        if index < DRAWN_MAXIMUM:
            return self._maker.case(index)
        return self._maker.make(self.further(index), index)

    def further(self, index: int) -> Recipe:
        """Return the recipe of a case beyond the drawn ones."""
        recipe = self._drawn(index % DRAWN_MAXIMUM)
        numbers = hashlib.blake2b(self._prefix + b"%d" % index, digest_size=2 * _NUMBER_BYTES + 8).digest()
        number = index if self._maker.in_turn else int.from_bytes(numbers[:_NUMBER_BYTES], "big")
        identity = number % self._maker.profile.identities
        salt = int.from_bytes(numbers[_NUMBER_BYTES : 2 * _NUMBER_BYTES], "big")
        http, mqtt = self._contexts[recipe.carrier]
        around = mark_surroundings(recipe.surroundings, numbers[2 * _NUMBER_BYTES :].hex(), http=http, mqtt=mqtt)
        return Recipe(identity, recipe.carrier, recipe.mutations, around, salt)
