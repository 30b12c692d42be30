"""Cases: the same by seed and index, and again from their recipe."""

import copy
import hashlib
import json
import os
import subprocess
import sys
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.internal.conjecture.data import ConjectureData

from gatecrash.authorizers import wire
from gatecrash.authorizers.errors import UsageError, WireError
from gatecrash.generators.attacks import attacks_on
from gatecrash.generators.cases import CaseMaker, Mutation, Recipe, any_recipes, choices_of
from gatecrash.generators.mix import Mix
from gatecrash.generators.seeded_draws import draw_from
from gatecrash.generators.surroundings import Surroundings
from tests.generators.checking import NAMES, keeps_limits, opened

NOW = int(time.time())


def maker_of(settings, share=0.5, seed=1, minted_at=NOW):
    return CaseMaker(opened(settings), Mix(share), seed, minted_at)


@pytest.mark.parametrize("name", NAMES)
def test_the_same_seed_and_index_give_the_same_case_in_any_order(profiles, name):
    first, again = maker_of(profiles[name]), maker_of(profiles[name])
    forward = [first.case(index) for index in range(10)]
    assert [again.case(index) for index in reversed(range(10))] == forward[::-1]


@pytest.mark.parametrize("name", NAMES)
def test_a_recipe_survives_json_and_makes_its_request_again(profiles, name):
    maker = maker_of(profiles[name])
    for index in range(40):
        case = maker.case(index)
        recipe = Recipe.from_json(wire.decode(wire.encode(case.recipe.to_json())))
        assert recipe == case.recipe
        assert maker.make(recipe).request == case.request


@pytest.mark.parametrize("name", NAMES)
def test_a_recipe_can_be_spelt_as_choices(profiles, name):
    profile, maker = opened(profiles[name]), maker_of(profiles[name])
    strategy = any_recipes(profile, maker.attacks, surrounded=False)

    @settings(max_examples=30)
    @given(strategy)
    def holds(recipe):
        choices = choices_of(recipe, profile, maker.attacks)
        data = ConjectureData.for_choices(choices)
        assert draw_from(data, strategy) == recipe
        assert (data.misaligned_at, len(data.nodes)) == (None, len(choices))

    holds()


@pytest.mark.parametrize("name", ["jwt", "password", "python"])
def test_every_recipe_survives_json(profiles, name):
    maker = maker_of(profiles[name])

    @given(any_recipes(maker.profile, maker.attacks))
    def holds(recipe):
        assert Recipe.from_json(wire.decode(wire.encode(recipe.to_json()))) == recipe

    holds()


def digest_of_cases(credentials):
    """The digest of some cases of the mix and of the sweep's kind; a fresh process computes it as well."""
    digest = hashlib.sha256()
    for settings_of_one in credentials:
        maker = maker_of(settings_of_one, seed=5, minted_at=1_800_000_000)
        for index in range(40):
            for case in (maker.case(index), maker.draw(index)):
                digest.update(repr((case.request, case.demand, case.recipe)).encode("utf-8", "replace"))
    return digest.hexdigest()


def test_another_process_with_another_hash_seed_makes_the_same_cases(profiles):
    hash_seed = "2" if os.environ.get("PYTHONHASHSEED") == "1" else "1"
    credentials = [profiles[name] for name in ("jwt", "jwt ES256", "password", "signed", "api_key", "python")]
    text = (
        "import json,sys; from tests.generators.test_cases import digest_of_cases as d; print(d(json.load(sys.stdin)))"
    )
    found = subprocess.run(
        [sys.executable, "-c", text],
        input=json.dumps(credentials),
        env={**os.environ, "PYTHONHASHSEED": hash_seed, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
        capture_output=True,
        text=True,
        check=True,
    )
    assert found.stdout.strip() == digest_of_cases(credentials)


@pytest.mark.parametrize("name", NAMES)
def test_a_drawn_case_survives_json_and_is_made_again(profiles, name):
    maker = maker_of(profiles[name])
    for index in range(40):
        case = maker.draw(index)
        recipe = Recipe.from_json(wire.decode(wire.encode(case.recipe.to_json())))
        again = maker.make(recipe)
        assert (again.request, again.demand, again.recipe) == (case.request, case.demand, recipe)


def test_a_recipe_made_again_later_has_a_token_of_that_time(profiles):
    case = maker_of(profiles["jwt"], 1.0).case(0)
    later = maker_of(profiles["jwt"], 1.0, minted_at=NOW + 600)
    assert later.make(case.recipe).request != case.request
    assert later.case(0).recipe == case.recipe


@pytest.mark.parametrize("name", NAMES)
def test_a_recipe_holds_no_secret(profiles, name):
    maker, profile = maker_of(profiles[name]), opened(profiles[name])
    for index in range(20):
        for recipe in (maker.case(index).recipe, maker.draw(index).recipe):
            numbers = (recipe.identity, (recipe.identity + 1) % profile.identities)
            for identity, salt in zip(numbers, (recipe.salt, recipe.salt + 1), strict=True):
                credential = profile.credential(identity, salt, NOW)
                for secret in filter(None, (credential.secret, credential.signature)):
                    assert secret not in wire.encode(recipe.to_json()).decode()


RECIPE = Recipe(1, "mqtt", (Mutation("a/b", 2),), Surroundings((("A", "b"),), "x", None, (("p", "q"),)), 5).to_json()


@pytest.mark.parametrize(
    ("place", "values"),
    [
        (("identity",), [None, "x", [], {}]),
        (("salt",), [None, "x", [], {}]),
        (("mutations",), [None, 5, "x", [5], ["x"], [["a/b"]], [["a/b", 1, 2]], [["a/b", "x"]], [["a/b", None]]]),
        (("surroundings",), [None, 5, "x", [], {}, {"headers": {}}]),
        (("surroundings", "headers"), [None, 5, "x", []]),
        (("surroundings", "parameters"), [None, 5, "x", []]),
        (("identity",), [float("inf")]),
        (("identity",), [1.5, True, -1, "1"]),
        (("salt",), [float("inf"), 1.5]),
        (("carrier",), [None, 5, [], {}]),
        (("surroundings", "headers"), [{"a": 5}, {"a": None}]),
        (("surroundings", "parameters"), [{"a": 5}, {"a": None}]),
        (("surroundings", "server_name"), [5, [], {}]),
        (("surroundings", "sdk"), [5, [], {}]),
    ],
)
def test_what_is_no_recipe_is_refused(place, values):
    for value in values:
        damaged = copy.deepcopy(RECIPE)
        inner = damaged
        for name in place[:-1]:
            inner = inner[name]
        inner[place[-1]] = value
        with pytest.raises(WireError, match="not the recipe of a case"):
            Recipe.from_json(damaged)


@pytest.mark.parametrize("name", ["identity", "carrier", "mutations", "surroundings", "salt"])
def test_a_recipe_without_one_of_its_members_is_refused(name):
    with pytest.raises(WireError, match="not the recipe of a case"):
        Recipe.from_json({key: value for key, value in RECIPE.items() if key != name})


@pytest.mark.parametrize("value", [None, 5, "x", [], {}])
def test_what_is_no_object_is_no_recipe(value):
    with pytest.raises(WireError, match="not the recipe of a case"):
        Recipe.from_json(value)


def test_a_recipe_of_a_device_that_the_table_does_not_have_is_told(profiles):
    with pytest.raises(WireError):
        maker_of(profiles["password"]).make(Recipe(5, "mqtt", (), Surroundings(), 1))


def test_an_attack_that_a_profile_does_not_have_is_told(profiles):
    recipe = maker_of(profiles["jwt"], 0.0).case(0).recipe
    with pytest.raises(WireError, match=r"there is no attack jwt_.* on a profile of kind password"):
        maker_of(profiles["password"]).make(recipe)


@pytest.mark.parametrize("name", NAMES)
def test_valid_and_attacking_cases_keep_the_limits(profiles, name):
    maker = maker_of(profiles[name], 0.5, seed=9)
    assert [index for index in range(150) if not keeps_limits(maker.case(index).request)] == []


def test_surroundings_of_every_kind_occur(profiles):
    maker = maker_of(profiles["jwt"], 1.0)
    around = [maker.case(index).recipe.surroundings for index in range(200)]
    assert any(one.headers for one in around)
    assert any(one.server_name for one in around)
    assert any(one.sdk for one in around)
    assert any(one.parameters for one in around)


def test_token_mode_has_no_surroundings(profiles):
    maker = maker_of({**profiles["signed"], "carriers": ["token"]}, 1.0)
    for index in range(50):
        request = maker.case(index).request
        assert (request.http_context, request.mqtt_context, request.tls_context) == (None, None, None)


@pytest.mark.parametrize("share", [-0.1, 1.1, float("nan")])
def test_a_share_of_valid_cases_is_between_0_and_1(share):
    with pytest.raises(UsageError, match=r"mix\.valid is"):
        Mix(share)


def test_a_share_of_1_is_all_valid_and_of_0_all_attacks(profiles):
    attacks = [attack for attack in attacks_on(opened(profiles["jwt"])) if attack.everyday]
    assert {Mix(1.0).pick(attacks, 1, index) for index in range(300)} == {None}
    assert {Mix(0.0).pick(attacks, 1, index) for index in range(300)} == set(attacks)


def test_a_profile_without_attacks_has_valid_cases_only():
    assert {Mix(0.0).pick((), 1, index) for index in range(20)} == {None}


@given(st.floats(0.1, 0.9), st.integers())
def test_the_share_of_valid_cases_is_about_what_was_asked(share, seed):
    valid = sum(Mix(share).pick(("an attack",), seed, index) is None for index in range(1000))
    assert abs(valid / 1000 - share) < 0.1
