"""Attacks against correct authorizers: what must be denied is, what must be allowed is, and nothing makes them fail."""

import time
from dataclasses import replace
from itertools import chain

import pytest
from hypothesis import given, settings

from gatecrash.authorizers.contract import Demand, Expectation, Outcome
from gatecrash.authorizers.service.front import HandlerSettings
from gatecrash.authorizers.targets.handler import HandlerTarget
from gatecrash.generators.attacks import ALL_ATTACKS, DEVICE_VIEW, FAMILIES, UNSIGNED_VIEW, attacks_on
from gatecrash.generators.attacks.implications import FOLLOWS_FROM, broader
from gatecrash.generators.cases import CaseMaker, any_recipes
from gatecrash.generators.credentials import open_profile
from gatecrash.generators.mix import Mix
from gatecrash.generators.sweep import SweepCases, systematic_recipes
from tests.generators.checking import NAMES, keeps_limits, opened
from tests.quality.yardstick import SETS

NOW = int(time.time())
FIRST = SETS / "first"
KEYS = FIRST / "profiles"
CLAIMS = {"iss": "https://issuer.example", "aud": "iot-devices", "sub": "{identity}"}
CORRECT = {
    "jwt": {"kind": "jwt", "private_key": str(KEYS / "jwt_private.pem"), "key_id": "k1", "claims": CLAIMS},
    "password": {"kind": "password", "table": str(KEYS / "credentials.jsonl")},
    "signed": {
        "kind": "signed",
        "private_key": str(KEYS / "signing_private.pem"),
        "carriers": ["token", "token_in_username", "token_in_query", "token_in_header"],
    },
    "apikey": {"kind": "api_key", "table": str(KEYS / "apikeys.jsonl"), "query": {"tenant": "{tenant}"}},
}
RIGHT = {
    Demand.ALLOW: {Outcome.ALLOW},
    Demand.SAME: {Outcome.ALLOW},
    Demand.DENY: {Outcome.DENY, Outcome.REFUSED_BY_POLICY, Outcome.REJECTED},
    Demand.NOT_ISSUED: {Outcome.DENY, Outcome.REFUSED_BY_POLICY, Outcome.REJECTED},
    Demand.BETTER_DENIED: {Outcome.DENY, Outcome.ALLOW, Outcome.REFUSED_BY_POLICY, Outcome.REJECTED},
    Demand.ANY: {Outcome.DENY, Outcome.ALLOW, Outcome.REFUSED_BY_POLICY, Outcome.REJECTED},
}


class Rig:
    """A profile, and a correct authorizer for it in every view."""

    def __init__(self, name):
        self.profile = open_profile(CORRECT[name], "token")
        keys = {"key": self.profile.public_key} if name == "signed" else {}
        handler = HandlerSettings(f"{FIRST}/handlers/correct_{name}.py:handler", signing_keys=keys)
        handler = replace(handler, token_key_name="token" if keys else None)
        self.targets = {
            "": HandlerTarget(handler),
            DEVICE_VIEW: HandlerTarget(replace(handler, dialect="device")),
            UNSIGNED_VIEW: HandlerTarget(replace(handler, signing_keys={})),
        }
        # Not the time at which the tests were collected: these authorizers look at the clock.
        self.maker = CaseMaker(self.profile, Mix(0.5), 1, int(time.time()))

    def judge(self, case):
        outcome = self.targets[case.view].invoke(case.request).outcome
        assert outcome in RIGHT[case.demand], (case.name, case.recipe, case.demand, outcome)


@pytest.fixture(scope="module")
def rigs():
    return {name: Rig(name) for name in CORRECT}


@pytest.mark.parametrize("name", CORRECT)
def test_a_correct_authorizer_decides_every_single_change_as_demanded(rigs, name):
    rig = rigs[name]
    for recipe in systematic_recipes(rig.profile, rig.maker.attacks, 3):
        rig.judge(rig.maker.make(recipe))


@pytest.mark.parametrize("name", CORRECT)
def test_a_correct_authorizer_decides_changes_put_together_as_demanded(rigs, name):
    rig = rigs[name]

    @settings(max_examples=400, deadline=None, database=None)
    @given(any_recipes(rig.profile, rig.maker.attacks))
    def holds(recipe):
        rig.judge(rig.maker.make(recipe))

    holds()


def test_every_attack_applies_to_a_profile_and_changes_something(profiles, rigs):
    changed = set()
    words = ("X-Debug", "letmein")
    makers = [CaseMaker(opened(settings), Mix(0.5), 1, NOW, words) for settings in profiles.values()]
    for maker in (*makers, *(rig.maker for rig in rigs.values())):
        for recipe in systematic_recipes(maker.profile, maker.attacks, 1):
            if not {mutation.attack for mutation in recipe.mutations} <= changed:
                changed |= {mutation.attack for mutation in maker.make(recipe).recipe.mutations}
    assert changed == {attack.key for attack in ALL_ATTACKS}


def test_attacks_are_documented_and_have_names_of_their_own():
    assert len({attack.key for attack in ALL_ATTACKS}) == len(ALL_ATTACKS)
    for attack in ALL_ATTACKS:
        assert attack.source, attack.key
        assert attack.weakness, attack.key
        assert attack.description.endswith((".", "?")), attack.key
        assert (attack.change_credential is None) != (attack.change_request is None), attack.key
    assert len({family.name for family in FAMILIES}) == len(FAMILIES)


def test_consequences_are_spoken_of_as_the_attacks_do():
    assert {*FOLLOWS_FROM, *chain.from_iterable(FOLLOWS_FROM.values())} <= {attack.weakness for attack in ALL_ATTACKS}
    assert broader("client ids are compared loosely", {"the client id is not tied to the device"}) is not None
    assert broader("client ids are compared loosely", {"the signature is not verified"}) is None


@pytest.mark.parametrize("name", NAMES)
def test_every_valid_case_is_within_the_limits(profiles, name):
    profile = opened(profiles[name])
    maker = CaseMaker(profile, Mix(1.0), 2, NOW)
    carriers = set()
    for index in range(100):
        case = maker.case(index)
        assert case.expectation is Expectation.ALLOW
        assert (case.family, case.name) == ("valid", f"{profile.kind} by {case.recipe.carrier}")
        assert keeps_limits(case.request), case.recipe
        carriers.add(case.recipe.carrier)
    assert carriers == set(profile.carriers)


@pytest.mark.parametrize("name", NAMES)
def test_everyday_attacks_are_denied(profiles, name):
    maker = CaseMaker(opened(profiles[name]), Mix(0.0), 2, NOW)
    for index in range(100):
        case = maker.case(index)
        assert case.expectation is Expectation.DENY or not case.recipe.mutations


def test_a_sweep_tries_the_first_variant_of_everything_first(rigs):
    rig = rigs["password"]
    cases = SweepCases(rig.maker, 1)
    recipes = systematic_recipes(rig.profile, rig.maker.attacks, 1)
    assert cases.systematic == len(recipes)
    variants = [recipe.mutations[0].variant for recipe in recipes if recipe.mutations]
    assert variants == sorted(variants)
    assert {recipe.mutations[0].attack for recipe in recipes if recipe.mutations} == {
        attack.key for attack in attacks_on(rig.profile)
    }
    drawn = [cases.case(cases.systematic + number) for number in range(30)]
    assert [cases.case(cases.systematic + number) for number in range(30)] == drawn
    assert len({len(case.recipe.mutations) for case in drawn}) > 2


def test_a_key_of_one_character_is_not_presented_rightly_when_cut(tmp_path):
    path = tmp_path / "keys.csv"
    path.write_text("key\nx\n")
    maker = CaseMaker(opened({"kind": "api_key", "table": str(path)}), Mix(0.0), 1, NOW)
    for recipe in systematic_recipes(maker.profile, maker.attacks, 1):
        case = maker.make(recipe)
        if case.demand is Demand.DENY and case.request.http_context is not None:
            values = [value for name, value in (case.request.http_context.headers or {}).items() if name == "x-api-key"]
            assert values != ["x"], recipe
