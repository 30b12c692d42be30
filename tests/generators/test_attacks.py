"""Attacks are refused by a correct verifier, and valid cases are allowed by it."""

import time

import pytest

from authorizers.contract import Expectation
from generators.attacks import ALL_ATTACKS, attacks_on
from generators.cases import CaseMaker
from generators.mix import Mix
from tests.generators.checking import NAMES, keeps_limits, opened, verifier

SEEDS = 200
NOW = int(time.time())


@pytest.mark.parametrize("name", NAMES)
def test_every_attack_differs_from_the_valid_request_and_is_denied(profiles, name):
    profile, allows = opened(profiles[name]), verifier(profiles[name])
    seen = set()
    maker = CaseMaker(profile, Mix(0.0), 1, NOW)
    for index in range(SEEDS * len(attacks_on(profile))):
        case = maker.case(index)
        valid = maker._expand(case.recipe, None)
        assert case.expectation is Expectation.DENY
        assert case.request != valid, case.recipe
        assert allows(valid), case.recipe
        assert not allows(case.request), case.recipe
        seen.add(case.recipe.attack)
    assert seen == {f"{attack.family}/{attack.name}" for attack in attacks_on(profile)}


@pytest.mark.parametrize("name", NAMES)
def test_every_valid_case_is_allowed_within_the_limits(profiles, name):
    profile, allows = opened(profiles[name]), verifier(profiles[name])
    maker = CaseMaker(profile, Mix(1.0), 2, NOW)
    carriers = set()
    for index in range(SEEDS):
        case = maker.case(index)
        assert case.expectation is Expectation.ALLOW
        assert (case.family, case.name) == ("valid", f"{profile.kind} by {case.recipe.carrier}")
        assert allows(case.request), case.recipe
        assert keeps_limits(case.request), case.recipe
        carriers.add(case.recipe.carrier)
    assert carriers == set(profile.carriers)


def test_which_attacks_apply_to_which_profile(profiles):
    found = {name: {a.name for a in attacks_on(opened(profiles[name]))} for name in NAMES}
    assert found["jwt"] == {
        *("expired", "signature_of_another_token", "signature_bit_flipped", "signature_empty", "algorithm_none"),
        "random_signature",
    }
    assert found["signed"] == {"signature_of_another_token", "token_changed_after_signing", "expired"}
    assert found["signed for ever"] == found["signed"] - {"expired"}
    assert found["api_key"] - found["api_key without parameters"] == {"parameters_of_another_key"}
    assert found["python"] == {"denied"}


def test_every_attack_applies_to_a_profile_here(profiles):
    found = [opened(settings) for settings in profiles.values()]
    assert {attack for profile in found for attack in attacks_on(profile)} == set(ALL_ATTACKS)


def test_every_attack_names_its_source_and_has_a_name_of_its_own():
    assert all(attack.source for attack in ALL_ATTACKS)
    assert len({(attack.family, attack.name) for attack in ALL_ATTACKS}) == len(ALL_ATTACKS)


def test_a_key_of_one_character_is_not_presented_rightly_when_truncated(tmp_path):
    path = tmp_path / "keys.csv"
    path.write_text("key\nx\n")
    settings = {"kind": "api_key", "table": str(path)}
    maker = CaseMaker(opened(settings), Mix(0.0), 1, NOW)
    allows = verifier(settings)
    assert not any(allows(maker.case(index).request) for index in range(50))
