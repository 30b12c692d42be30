"""Cases: the same by seed and index, and again from their recipe."""

import base64
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.database import choices_to_bytes

from authorizers import wire
from authorizers.errors import UsageError, WireError
from generators.attacks import attacks_on
from generators.cases import CaseMaker, Recipe, any_recipes, choices_of, recipes
from generators.draws import draw, redraw
from generators.mix import Mix
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
        assert maker.again(recipe) == case.request


@pytest.mark.parametrize("name", NAMES)
def test_the_choices_of_a_case_give_its_recipe(profiles, name):
    profile, maker = opened(profiles[name]), maker_of(profiles[name])
    for index in range(10):
        case = maker.case(index)
        changes = case.recipe.mutations
        attack = maker.attack(changes[0].attack) if changes else None
        try:
            assert redraw(recipes(profile, attack), case.choices) == case.recipe
        except WireError:
            # An attack that would have changed nothing was left out of the recipe, not out of the choices.
            assert not changes


@pytest.mark.parametrize("name", NAMES)
def test_a_recipe_can_be_spelt_as_choices(profiles, name):
    profile, maker = opened(profiles[name]), maker_of(profiles[name])
    strategy = any_recipes(profile, maker.attacks, surrounded=False)
    for index in range(20):
        recipe, _ = draw(strategy, 1, index)
        spelt = base64.b64encode(choices_to_bytes(choices_of(recipe, profile, maker.attacks))).decode()
        assert redraw(strategy, spelt) == recipe


@pytest.mark.parametrize("name", NAMES)
def test_a_drawn_case_survives_json_and_is_made_again(profiles, name):
    maker = maker_of(profiles[name])
    for index in range(40):
        case = maker.drawn(index)
        recipe = Recipe.from_json(wire.decode(wire.encode(case.recipe.to_json())))
        again = maker.made(recipe)
        assert (again.request, again.demand, again.recipe) == (case.request, case.demand, recipe)


def test_a_recipe_made_again_later_has_a_token_of_that_time(profiles):
    case = maker_of(profiles["jwt"], 1.0).case(0)
    later = maker_of(profiles["jwt"], 1.0, minted_at=NOW + 600)
    assert later.again(case.recipe) != case.request
    assert later.case(0).recipe == case.recipe


@pytest.mark.parametrize("name", NAMES)
def test_a_recipe_holds_no_secret(profiles, name):
    maker, profile = maker_of(profiles[name]), opened(profiles[name])
    for index in range(20):
        recipe = maker.case(index).recipe
        secret = profile.credential(recipe.identity, recipe.salt, NOW).secret
        assert secret == "" or secret not in wire.encode(recipe.to_json()).decode()


@pytest.mark.parametrize("value", [{}, {"identity": "x"}, {"identity": 1, "carrier": "a", "mutations": None}])
def test_what_is_no_recipe_is_refused(value):
    with pytest.raises(WireError, match="not the recipe of a case"):
        Recipe.from_json(value)


def test_an_attack_that_a_profile_does_not_have_is_told(profiles):
    recipe = maker_of(profiles["jwt"], 0.0).case(0).recipe
    with pytest.raises(WireError, match=r"there is no attack jwt_.* on a profile of kind password"):
        maker_of(profiles["password"]).again(recipe)


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
