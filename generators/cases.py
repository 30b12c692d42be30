"""Cases: a recipe that Hypothesis draws, expanded in plain code to a request with what it demands.

A recipe is small and names things, so that a shrunk one reads as a cause. The same recipe, profile and minting
time always give the same request.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache, partial
from random import Random
from typing import Any, Final, NamedTuple

from hypothesis import strategies as st

from gatecrash.authorizers.contract import AuthorizerRequest, Demand, Expectation
from gatecrash.authorizers.errors import WireError
from gatecrash.generators.attacks import STRICTNESS, Attack, Scene, attacks_on
from gatecrash.generators.credentials.credential import Credential, CredentialProfile
from gatecrash.generators.mix import Mix
from gatecrash.generators.seeded_draws import draw
from gatecrash.generators.surroundings import Surroundings, surround, surroundings

# Part of every corpus digest: raise it when a seed gives other cases, or a recipe another request, than before.
GENERATION: Final = 6
VALID_FAMILY: Final = "valid"
MUTATIONS_MAXIMUM: Final = 4
_SALT_MAXIMUM: Final = 2**32 - 1
_CREDENTIALS_KEPT: Final = 256


class Mutation(NamedTuple):
    """One change: an attack's key, and the number of its variant."""

    attack: str
    variant: int


def _whole(value: Any) -> int:
    if type(value) is not int or value < 0:
        raise TypeError(value)
    return value


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise TypeError(value)
    return value


def _optional_text(value: Any) -> str | None:
    return None if value is None else _text(value)


@dataclass(frozen=True, slots=True)
class Recipe:
    """How one case is made: device, carrier, changes (none: valid), surroundings, and a salt for all randomness."""

    identity: int
    carrier: str
    mutations: tuple[Mutation, ...]
    surroundings: Surroundings
    salt: int

    def to_json(self) -> dict[str, Any]:
        """Return a JSON value; no secret is in it."""
        return {
            "identity": self.identity,
            "carrier": self.carrier,
            "mutations": [list(mutation) for mutation in self.mutations],
            "surroundings": self.surroundings.to_json(),
            "salt": self.salt,
        }

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> Recipe:
        """Read what ``to_json`` wrote; raises WireError for anything else."""
        try:
            around = value["surroundings"]
            return cls(
                identity=_whole(value["identity"]),
                carrier=_text(value["carrier"]),
                mutations=tuple(Mutation(_text(attack), _whole(variant)) for attack, variant in value["mutations"]),
                surroundings=Surroundings(
                    tuple((_text(name), _text(text)) for name, text in around["headers"].items()),
                    _optional_text(around["server_name"]),
                    _optional_text(around["sdk"]),
                    tuple((_text(name), _text(text)) for name, text in around["parameters"].items()),
                ),
                salt=_whole(value["salt"]),
            )
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise WireError("not the recipe of a case") from error

    @property
    def valid(self) -> Recipe:
        """The same request without any change to its credential or carrier."""
        return replace(self, mutations=())


@dataclass(frozen=True, slots=True)
class Case:
    """A request and what it demands. ``family`` and ``name`` say where it comes from.

    ``view`` names settings of the authorizer that the request can't bring about by itself (empty: none).
    """

    index: int
    request: AuthorizerRequest
    demand: Demand
    family: str
    name: str
    recipe: Recipe
    view: str = ""

    @property
    def expectation(self) -> Expectation:
        """What must come back."""
        return self.demand.expectation


class CaseMaker:
    """Makes the case with a given index, in any order and in any process.

    ``words`` are those of the authorizer's own code, where there are some. ``in_turn`` gives each case of the mix the
    device after that of the case before it, rather than the one that was drawn.
    """

    def __init__(
        self,
        profile: CredentialProfile,
        mix: Mix,
        seed: int,
        minted_at: int,
        words: Sequence[str] = (),
        *,
        in_turn: bool = False,
    ) -> None:
        self.profile = profile
        self.in_turn = in_turn
        self.words = tuple(words)
        self.attacks = attacks_on(profile, words)
        self._by_key = {attack.key: attack for attack in self.attacks}
        self._everyday = tuple(attack for attack in self.attacks if attack.everyday)
        self._mix = mix
        self._seed = seed
        self._minted_at = minted_at
        self._strategies: dict[Attack | None, st.SearchStrategy[Recipe]] = {}
        self._any = any_recipes(profile, self.attacks)
        # Signing is what takes time: many recipes of a sweep start from the same few credentials.
        self._credential = lru_cache(maxsize=_CREDENTIALS_KEPT)(self._make_credential)

    def _make_credential(self, identity: int, salt: int) -> Credential:
        return self.profile.credential(identity, salt, self._minted_at)

    def case(self, index: int) -> Case:
        """Make a case of the mix: valid, or one of the everyday attacks."""
        attack = self._mix.pick(self._everyday, self._seed, index)
        if attack not in self._strategies:
            self._strategies[attack] = recipes(self.profile, attack)
        recipe = draw(self._strategies[attack], self._seed, index)
        if self.in_turn:
            recipe = replace(recipe, identity=index % self.profile.identities)
        return self.make(recipe, index)

    def draw(self, index: int) -> Case:
        """Make a case of up to four changes out of all attacks."""
        return self.make(draw(self._any, self._seed, index), index)

    def make(self, recipe: Recipe, index: int = 0) -> Case:
        """Make the case of a recipe; changes that change nothing are left out of its recipe.

        Raises WireError when the recipe names an attack that this version or profile doesn't have.
        """
        request, applied = self._expand(recipe)
        if not recipe.mutations:
            name = f"{self.profile.kind} by {recipe.carrier}"
            return Case(index, request, Demand.ALLOW, VALID_FAMILY, name, recipe)
        demands = [attack.demand for attack, _ in applied]
        demand = max(demands, key=STRICTNESS.index, default=Demand.ALLOW)
        first = applied[0][0] if applied else None
        mutations = tuple(mutation for _, mutation in applied)
        return Case(
            index=index,
            request=request,
            demand=demand,
            family=first.family if first else VALID_FAMILY,
            name=" + ".join(attack.name for attack, _ in applied) or f"{self.profile.kind} by {recipe.carrier}",
            recipe=recipe if mutations == recipe.mutations else replace(recipe, mutations=mutations),
            view=next((attack.view for attack, _ in applied if attack.view), ""),
        )

    def attack(self, key: str) -> Attack:
        """Return the attack of a key; raises WireError when this version or profile doesn't have it."""
        if key not in self._by_key:
            raise WireError(f"there is no attack {key} on a profile of kind {self.profile.kind}")
        return self._by_key[key]

    def _expand(self, recipe: Recipe) -> tuple[AuthorizerRequest, list[tuple[Attack, Mutation]]]:
        profile = self.profile
        attacks = [(self.attack(mutation.attack), mutation) for mutation in recipe.mutations]
        planned = _compatible(attacks) if attacks else []
        if recipe.identity >= profile.identities or recipe.carrier not in profile.carriers:
            raise WireError(f"the profile has no device number {recipe.identity + 1} with carrier {recipe.carrier}")
        valid = self._credential(recipe.identity, recipe.salt)
        if not planned:
            return surround(profile.request(valid, recipe.carrier), recipe.surroundings), []
        other = partial(self._credential, (recipe.identity + 1) % profile.identities, recipe.salt + 1)
        rng = Random(f"attack:{recipe.salt}")
        scene = Scene(profile, recipe.carrier, valid, valid, other, self._minted_at, rng)
        applied = []
        for attack, mutation in planned:
            if attack.change_credential is not None:
                changed = attack.change_credential(scene, _variant(attack, mutation))
                if changed is not None:
                    scene = replace(scene, credential=changed)
                    applied.append((attack, mutation))
        request = profile.request(scene.credential, recipe.carrier)
        for attack, mutation in planned:
            if attack.change_request is not None:
                carried = attack.change_request(scene, request, _variant(attack, mutation))
                if carried is not None:
                    request = carried
                    applied.append((attack, mutation))
        if request == profile.request(valid, recipe.carrier) and not any(attack.view for attack, _ in applied):
            # Where a table has the same text in several columns, what was exchanged may be what it was.
            applied = []
        return surround(request, recipe.surroundings), applied


def _variant(attack: Attack, mutation: Mutation) -> Any:
    return attack.variants[mutation.variant % len(attack.variants)]


def _compatible(mutations: Iterable[tuple[Attack, Mutation]]) -> list[tuple[Attack, Mutation]]:
    """Keep the changes that can be made together, in the order in which they are made."""
    kept: list[tuple[Attack, Mutation]] = []
    for attack, mutation in mutations:
        if kept and (attack.alone or kept[0][0].alone):
            continue
        if all(attack.touches != other.touches for other, _ in kept):
            kept.append((attack, mutation))
    return sorted(kept, key=lambda planned: planned[0].layer)


def recipes(profile: CredentialProfile, attack: Attack | None) -> st.SearchStrategy[Recipe]:
    """Recipes of one attack, or of valid cases, on a profile."""
    around = {carrier: _surroundings(profile, carrier) for carrier in profile.carriers}

    @st.composite
    def build(draw_part: st.DrawFn) -> Recipe:
        carrier = draw_part(st.sampled_from(profile.carriers))
        variant = draw_part(st.integers(0, len(attack.variants) - 1)) if attack else 0
        return Recipe(
            identity=draw_part(st.integers(0, profile.identities - 1)),
            carrier=carrier,
            mutations=(Mutation(attack.key, variant),) if attack else (),
            surroundings=draw_part(around[carrier]),
            salt=draw_part(st.integers(0, _SALT_MAXIMUM)),
        )

    return build()


def any_recipes(
    profile: CredentialProfile, attacks: tuple[Attack, ...], *, surrounded: bool = True
) -> st.SearchStrategy[Recipe]:
    """Recipes of up to four changes. Simpler ones come first when Hypothesis shrinks: fewer changes, first carrier.

    Apart from the surroundings all choices are whole numbers, so that ``choices_of`` can spell a recipe.
    """
    around = {carrier: _surroundings(profile, carrier) for carrier in profile.carriers}

    @st.composite
    def build(draw_part: st.DrawFn) -> Recipe:
        mutations = []
        for _ in range(draw_part(st.integers(0, MUTATIONS_MAXIMUM if attacks else 0))):
            attack = attacks[draw_part(st.integers(0, len(attacks) - 1))]
            mutations.append(Mutation(attack.key, draw_part(st.integers(0, len(attack.variants) - 1))))
        carrier = profile.carriers[draw_part(st.integers(0, len(profile.carriers) - 1))]
        return Recipe(
            identity=draw_part(st.integers(0, profile.identities - 1)),
            carrier=carrier,
            mutations=tuple(mutations),
            salt=draw_part(st.integers(0, _SALT_MAXIMUM)),
            surroundings=draw_part(around[carrier]) if surrounded else Surroundings(),
        )

    return build()


def choices_of(recipe: Recipe, profile: CredentialProfile, attacks: tuple[Attack, ...]) -> tuple[int, ...]:
    """Return the choices by which ``any_recipes``, without surroundings, draws a recipe."""
    numbers = {attack.key: number for number, attack in enumerate(attacks)}
    mutations = [part for mutation in recipe.mutations for part in (numbers[mutation.attack], mutation.variant)]
    carrier = profile.carriers.index(recipe.carrier)
    return (len(recipe.mutations), *mutations, carrier, recipe.identity, recipe.salt)


def _surroundings(profile: CredentialProfile, carrier: str) -> st.SearchStrategy[Surroundings]:
    http, mqtt = contexts_of(profile, carrier)
    return surroundings(http=http, mqtt=mqtt)


def contexts_of(profile: CredentialProfile, carrier: str) -> tuple[bool, bool]:
    """Say whether surroundings may be put into an HTTP context, and into an MQTT context, of a carrier's requests."""
    if profile.kind == "python":
        # What such a file makes is sent as it is: only its author knows what counts for nothing.
        return False, False
    probe = profile.request(profile.credential(0, 0, 0), carrier)
    return probe.http_context is not None, probe.mqtt_context is not None
