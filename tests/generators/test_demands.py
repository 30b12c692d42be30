"""Each demand holds of right authorizers written for these tests, for every change and for changes put together.

A strict authorizer accepts what the profile issues and nothing else; a forgiving one accepts whatever may be tolerated.
What must be denied is refused by both: no other change makes it right again.
"""

import time
from dataclasses import replace
from itertools import count

import pytest
from hypothesis import given, settings

from gatecrash.authorizers.contract import Demand
from gatecrash.generators.attacks import ALL_ATTACKS
from gatecrash.generators.cases import MUTATIONS_MAXIMUM, CaseMaker, Mutation, Recipe, any_recipes
from gatecrash.generators.mix import Mix
from gatecrash.generators.surroundings import Surroundings
from tests.generators.checking import NAMES, opened, verifiers

NOW = int(time.time())
MILDEST_FIRST = [Demand.ALLOW, Demand.SAME, Demand.ANY, Demand.BETTER_DENIED, Demand.NOT_ISSUED, Demand.DENY]
ATTACKS = {attack.key: attack for attack in ALL_ATTACKS}
# What an authorizer's own code may hold.
WORDS = ("X-Debug", "letmein", "tenant")


def maker_of(settings):
    return CaseMaker(opened(settings), Mix(0.5), 1, NOW, WORDS)


def recipe_of(carrier, *changes, identity=0, **members):
    """A recipe of changes, each an attack's key and the value of its variant."""
    mutations = tuple(Mutation(key, ATTACKS[key].variants.index(value)) for key, value in changes)
    return Recipe(identity, carrier, mutations, Surroundings(**members), 7)


def every_single_recipe(maker):
    """Each variant of each attack by each carrier, alone."""
    salt = count()
    for attack in maker.attacks:
        for variant in range(len(attack.variants)):
            for carrier in maker.profile.carriers:
                yield Recipe(0, carrier, (Mutation(attack.key, variant),), Surroundings(), next(salt))


def wrong_of(case, right):
    """What is wrong with the demand of a case, by two right authorizers."""
    strict, forgiving = right.strict(case.request), right.forgiving(case.request)
    if case.demand in {Demand.ALLOW, Demand.SAME}:
        return None if strict and forgiving else "a right request is refused"
    if case.demand in {Demand.DENY, Demand.NOT_ISSUED} and strict:
        return "a strict authorizer accepts it"
    if case.demand is Demand.DENY and forgiving:
        return "a forgiving authorizer accepts it"
    return None


@pytest.mark.parametrize("name", NAMES)
def test_every_single_change_changes_the_request_and_is_decided_by_right_authorizers_as_it_demands(profiles, name):
    maker, right = maker_of(profiles[name]), verifiers(profiles[name], NOW)
    wrong, valid = [], {}
    for number, single in enumerate(every_single_recipe(maker)):
        recipe = replace(single, identity=number % min(3, maker.profile.identities), salt=7)
        if recipe.valid not in valid:
            valid[recipe.valid] = maker.make(recipe.valid).request
        case = maker.make(recipe)
        if not case.view and bool(case.recipe.mutations) == (case.request == valid[recipe.valid]):
            wrong.append(("it changes nothing, or isn't left out of the recipe", recipe))
        if found := wrong_of(case, right):
            wrong.append((found, recipe))
        assert case.demand is (ATTACKS[recipe.mutations[0].attack].demand if case.recipe.mutations else Demand.ALLOW)
    assert wrong == []


@pytest.mark.parametrize("name", NAMES)
def test_no_other_change_makes_a_request_right_that_must_be_denied_and_the_strictest_demand_wins(profiles, name):
    maker, right = maker_of(profiles[name]), verifiers(profiles[name], NOW)

    @settings(max_examples=100)
    @given(any_recipes(maker.profile, maker.attacks))
    def holds(recipe):
        case = maker.make(recipe)
        assert wrong_of(case, right) is None
        made = [ATTACKS[mutation.attack] for mutation in case.recipe.mutations]
        assert set(case.recipe.mutations) <= set(recipe.mutations)
        assert len(made) <= MUTATIONS_MAXIMUM
        assert len({attack.touches for attack in made}) == len(made)
        assert len(made) < 2 or not any(attack.alone for attack in made)
        assert [attack.layer for attack in made] == sorted(attack.layer for attack in made)
        assert case.demand is max((attack.demand for attack in made), key=MILDEST_FIRST.index, default=Demand.ALLOW)
        assert case.view == next((attack.view for attack in made if attack.view), "")

    holds()


@pytest.mark.parametrize("name", ["jwt", "password", "signed", "api_key"])
def test_a_change_that_stays_alone_is_made_with_no_other(profiles, name):
    maker = maker_of(profiles[name])
    alone = [Mutation(attack.key, 0) for attack in maker.attacks if attack.alone]
    others = [Mutation(attack.key, 0) for attack in maker.attacks if not attack.alone][::5]
    assert alone
    assert others
    carrier = maker.profile.carriers[0]
    for one in alone:
        for other in others:
            for pair in ((one, other), (other, one)):
                kept = maker.make(Recipe(0, carrier, pair, Surroundings(), 7)).recipe.mutations
                assert kept in ((), (pair[0],))


def test_of_two_changes_of_the_same_thing_the_first_is_made(profiles):
    maker = maker_of(profiles["password"])
    cut, magic = ("opaque_secret/secret_cut", -1), ("opaque_secret/secret_lengthened", "{}x")
    for first, second in ((cut, magic), (magic, cut)):
        recipe = recipe_of("mqtt", first, second)
        assert maker.make(recipe) == maker.make(recipe_of("mqtt", first))


def test_a_change_that_changes_nothing_is_left_out_of_the_recipe_and_demands_nothing(profiles):
    maker = maker_of(profiles["jwt"])
    nothing, something = ("mqtt_client_id/client_id_of_another_device", None), ("jwt_claims/expired_just_now", 1)
    token = maker.make(recipe_of("token", nothing))
    assert (token.recipe.mutations, token.demand, token.family) == ((), Demand.ALLOW, "valid")
    both = maker.make(recipe_of("token", nothing, something))
    assert both == maker.make(recipe_of("token", something))
    assert both.demand is Demand.ANY


@pytest.mark.parametrize(
    ("name", "carrier", "changes"),
    [
        (
            "jwt ES256",
            "bearer_header",
            [
                ("jwt_signature/signature_of_another_length", 1),
                ("jwt_signature/elliptic_signature_mirrored", None),
            ],
        ),
        (
            "jwt ES256",
            "bearer_header",
            [
                ("pattern/secret_repeated", ("a", "!", 5500)),
                ("jwt_signature/elliptic_signature_mirrored", None),
                ("jwt_claims/expired", 3600),
            ],
        ),
        (
            "jwt",
            "bearer_header",
            [("jwt_json/duplicate_expiry", None), ("jwt_claims/expiry_no_json", b"1e400")],
        ),
        (
            "jwt",
            "mqtt_password",
            [("jwt_claims/identity_hostile", "*"), ("mqtt_client_id/client_id_hostile", "*")],
        ),
        (
            "signed",
            "token_in_username",
            [("signed_token/identity_hostile", "*"), ("mqtt_client_id/client_id_hostile", "*")],
        ),
        (
            "signed",
            "token",
            [("iot_signature/signature_damaged", "zeros"), ("pattern/secret_extended", ("a", "!", 40))],
        ),
        ("signed", "token", [("signed_token/expired", 3600), ("pattern/identity_repeated", ("a", "!", 40))]),
        ("signed", "token", [("signed_token/expired", 3600), ("pattern/secret_repeated", ("a", "!", 40))]),
        pytest.param(
            "jwt", "bearer_header", [("jwt_json/document_odd", "trailing"), ("jwt_json/duplicate_expiry", None)]
        ),
    ],
)
def test_changes_that_spoil_each_other_are_not_made_together(profiles, name, carrier, changes):
    case = maker_of(profiles[name]).make(recipe_of(carrier, *changes))
    assert wrong_of(case, verifiers(profiles[name], NOW)) is None


@pytest.mark.parametrize("key", ["tls/server_name", "missing_part/context_added"])
def test_the_surroundings_leave_a_server_name_that_an_attack_has_set(profiles, key):
    maker = maker_of(profiles["password"])
    recipe = recipe_of("mqtt", (key, "EXAMPLE.COM" if key.startswith("tls") else "tls"), server_name="a.example")
    case = maker.make(recipe)
    assert not case.recipe.mutations or case.request != maker.make(recipe.valid).request


def test_a_table_whose_keys_begin_alike_is_attacked_with_no_other_key_of_it(tmp_path):
    path = tmp_path / "keys.csv"
    path.write_text("key\n" + "".join(f"key{number}\n" for number in range(1, 12)))
    credentials = {"kind": "api_key", "table": str(path)}
    maker, right = maker_of(credentials), verifiers(credentials, NOW)
    cases = [maker.make(recipe) for recipe in _of_every_device(maker)]
    assert [case.recipe for case in cases if wrong_of(case, right)] == []


def _of_every_device(maker):
    for recipe in every_single_recipe(maker):
        for identity in range(maker.profile.identities):
            yield replace(recipe, identity=identity)
