"""Making a failing recipe, and a failing sequence, as small as it gets within a budget of trials."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Final, TypeVar

from hypothesis import Phase, find, settings
from hypothesis.database import InMemoryExampleDatabase, choices_to_bytes
from hypothesis.errors import NoSuchExample

from gatecrash.generators.attacks import Attack
from gatecrash.generators.cases import Recipe, any_recipes, choices_of
from gatecrash.generators.credentials.credential import CredentialProfile
from gatecrash.generators.surroundings import Surroundings

T = TypeVar("T")
_KEY: Final = b"recipe"


class _Spent(Exception):  # noqa: N818 - it ends the search, it is no error
    """The budget of trials is used up."""


def shrink_recipe(
    recipe: Recipe,
    profile: CredentialProfile,
    attacks: tuple[Attack, ...],
    shows: Callable[[Recipe], bool],
    *,
    trials: int,
) -> Recipe:
    """Return the smallest recipe found that still shows what ``shows`` looks for, in at most ``trials`` calls of it.

    Hypothesis shrinks the recipe's choices: fewer changes, earlier variants, the first device and carrier, salt 0.
    ``recipe`` itself must show it.
    """
    best, left = recipe, trials

    def shows_within_budget(candidate: Recipe) -> bool:
        nonlocal best, left
        if candidate == best:
            return True
        if left <= 0:
            raise _Spent
        left -= 1
        if shows(candidate):
            best = candidate
            return True
        return False

    try:
        bare = replace(recipe, surroundings=Surroundings())
        if not shows_within_budget(bare):
            return recipe
        best = bare
        _shrink(bare, profile, attacks, shows_within_budget)
    except (_Spent, NoSuchExample):
        pass
    return best


def _shrink(
    recipe: Recipe, profile: CredentialProfile, attacks: tuple[Attack, ...], shows: Callable[[Recipe], bool]
) -> None:
    database = InMemoryExampleDatabase()
    # What is saved under the key itself is replayed but never shrunk.
    database.save(_KEY + b".secondary", choices_to_bytes(choices_of(recipe, profile, attacks)))
    find(
        any_recipes(profile, attacks, surrounded=False),
        shows,
        database_key=_KEY,
        settings=settings(database=database, phases=[Phase.reuse, Phase.shrink], deadline=None),
    )


def shrink_sequence(items: Sequence[T], shows: Callable[[Sequence[T]], bool], *, trials: int) -> list[T]:
    """Return a part of a sequence, in its order, that still shows what ``shows`` looks for.

    Delta debugging (A. Zeller and R. Hildebrandt, "Simplifying and Isolating Failure-Inducing Input", 2002): when
    the budget of trials lasts, no single item can be left out. ``items`` themselves must show it.
    """
    kept, parts = list(items), 2
    while len(kept) >= 1 and trials > 0:
        size = -(-len(kept) // parts)
        for start in range(0, len(kept), size):
            candidate = kept[:start] + kept[start + size :]
            trials -= 1
            if shows(candidate):
                kept, parts = candidate, max(2, parts - 1)
                break
            if trials <= 0:
                return kept
        else:
            if parts >= len(kept):
                return kept
            parts = min(len(kept), 2 * parts)
    return kept
