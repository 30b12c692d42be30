"""Cases: a recipe that Hypothesis draws, expanded in plain code to a request with its expectation.

A recipe is small and names things, so that a shrunk one reads as a cause. The same recipe, profile and minting
time always give the same request.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from random import Random
from typing import Any, Final

from hypothesis import strategies as st

from authorizers.contract import AuthorizerRequest, Expectation
from authorizers.errors import WireError
from generators.attacks import Attack, Scene, attacks_on
from generators.contexts import Surroundings, surround, surroundings, to_json
from generators.credentials.base import CredentialProfile
from generators.draws import draw
from generators.mix import Mix

# Part of every corpus digest: raise it when the same recipe gives another request than before.
GENERATION: Final = 1
VALID_FAMILY: Final = "valid"
_SALT_MAXIMUM: Final = 2**32 - 1


@dataclass(frozen=True, slots=True)
class Recipe:
    """How one case is made: device, carrier, attack (None: valid), surroundings, and a salt for all randomness."""

    identity: int
    carrier: str
    attack: str | None
    surroundings: Surroundings
    salt: int

    def to_json(self) -> dict[str, Any]:
        """Return a JSON value; no secret is in it."""
        return {
            "identity": self.identity,
            "carrier": self.carrier,
            "attack": self.attack,
            "surroundings": to_json(self.surroundings),
            "salt": self.salt,
        }

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> Recipe:
        """Read what ``to_json`` wrote; raises WireError for anything else."""
        try:
            around = value["surroundings"]
            return cls(
                identity=int(value["identity"]),
                carrier=str(value["carrier"]),
                attack=value["attack"],
                surroundings=Surroundings(
                    tuple(around["headers"].items()),
                    around["server_name"],
                    around["sdk"],
                    tuple(around["parameters"].items()),
                ),
                salt=int(value["salt"]),
            )
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise WireError("not the recipe of a case") from error


@dataclass(frozen=True, slots=True)
class Case:
    """A request and what must come back. ``family`` and ``name`` say where it comes from."""

    index: int
    request: AuthorizerRequest
    expectation: Expectation
    family: str
    name: str
    recipe: Recipe
    choices: str


class CaseMaker:
    """Makes the case with a given index, in any order and in any process."""

    def __init__(self, profile: CredentialProfile, mix: Mix, seed: int, minted_at: int) -> None:
        self._profile = profile
        self._attacks = attacks_on(profile)
        self._mix = mix
        self._seed = seed
        self._minted_at = minted_at
        self._strategies: dict[Attack | None, st.SearchStrategy[Recipe]] = {}

    def case(self, index: int) -> Case:
        """Make a case."""
        attack = self._mix.pick(self._attacks, self._seed, index)
        recipe, choices = draw(self._recipes(attack), self._seed, index)
        return Case(
            index=index,
            request=self._expand(recipe, attack),
            expectation=attack.expectation if attack else Expectation.ALLOW,
            family=attack.family if attack else VALID_FAMILY,
            name=attack.name if attack else f"{self._profile.kind} by {recipe.carrier}",
            recipe=recipe,
            choices=choices,
        )

    def again(self, recipe: Recipe) -> AuthorizerRequest:
        """Make a recipe's request again, with tokens minted at this maker's time.

        Raises WireError when the recipe names an attack that this version or profile doesn't have.
        """
        names = {f"{attack.family}/{attack.name}": attack for attack in self._attacks}
        if recipe.attack is not None and recipe.attack not in names:
            raise WireError(f"there is no attack {recipe.attack} on a profile of kind {self._profile.kind}")
        return self._expand(recipe, names[recipe.attack] if recipe.attack else None)

    def _recipes(self, attack: Attack | None) -> st.SearchStrategy[Recipe]:
        if attack not in self._strategies:
            self._strategies[attack] = recipes(self._profile, f"{attack.family}/{attack.name}" if attack else None)
        return self._strategies[attack]

    def _expand(self, recipe: Recipe, attack: Attack | None) -> AuthorizerRequest:
        profile, minted_at = self._profile, self._minted_at
        credential = profile.credential(recipe.identity, recipe.salt, minted_at)
        if attack is not None:
            # Another device, where there is another one.
            other = (recipe.identity + 1) % profile.identities
            scene = Scene(
                profile,
                credential,
                profile.credential(other, recipe.salt + 1, minted_at),
                minted_at,
                Random(f"attack:{recipe.salt}"),
            )
            credential = attack.make(scene)
        return surround(profile.request(credential, recipe.carrier), recipe.surroundings)


def recipes(profile: CredentialProfile, attack: str | None) -> st.SearchStrategy[Recipe]:
    """Recipes of one attack, or of valid cases, on a profile."""
    around = {carrier: _surroundings(profile, carrier) for carrier in profile.carriers}

    @st.composite
    def build(draw_part: st.DrawFn) -> Recipe:
        carrier = draw_part(st.sampled_from(profile.carriers))
        return Recipe(
            identity=draw_part(st.integers(0, profile.identities - 1)),
            carrier=carrier,
            attack=attack,
            surroundings=draw_part(around[carrier]),
            salt=draw_part(st.integers(0, _SALT_MAXIMUM)),
        )

    return build()


def _surroundings(profile: CredentialProfile, carrier: str) -> st.SearchStrategy[Surroundings]:
    if profile.kind == "python":
        # What such a file makes is sent as it is: only its author knows what counts for nothing.
        return st.just(Surroundings())
    probe = profile.request(profile.credential(0, 0, 0), carrier)
    return surroundings(http=probe.http_context is not None, mqtt=probe.mqtt_context is not None)
