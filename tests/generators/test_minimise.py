"""Making recipes and sequences small: what is left still shows it, and no trial is spent beyond the budget."""

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gatecrash.generators.attacks import attacks_on
from gatecrash.generators.cases import Mutation, Recipe
from gatecrash.generators.credentials import open_profile
from gatecrash.generators.minimise import shrink_recipe, shrink_sequence
from gatecrash.generators.surroundings import Surroundings

NOISE = Surroundings((("X-Noise", "1"),), "server.example", None, (("noise", "2"),))


class Trials:
    """Counts how often it was asked whether something shows."""

    def __init__(self, shows):
        self.shows = shows
        self.count = 0

    def __call__(self, candidate):
        self.count += 1
        return self.shows(candidate)


@pytest.fixture(scope="module")
def profile(profiles):
    return open_profile(profiles["password"], None)


@pytest.fixture(scope="module")
def attacks(profile):
    return attacks_on(profile)


def mutations(attacks, *names):
    """One change for each of the first attacks whose name has one of these beginnings."""
    return tuple(Mutation(next(one.key for one in attacks if one.key.startswith(name)), 0) for name in names)


def test_of_several_changes_only_the_one_that_matters_is_left(profile, attacks):
    three = mutations(attacks, "opaque_secret/", "mqtt/", "mqtt_client_id/")
    recipe = Recipe(3, profile.carriers[0], three, NOISE, 77)
    trials = Trials(lambda one: three[2] in one.mutations)
    small = shrink_recipe(recipe, profile, attacks, trials, trials=300)
    assert small.mutations == (three[2],)
    assert small.surroundings == Surroundings()
    assert small.salt < 77


def test_a_device_that_matters_stays(profile, attacks):
    (change,) = mutations(attacks, "opaque_secret/")
    recipe = Recipe(3, profile.carriers[0], (change,), Surroundings(), 5)
    small = shrink_recipe(
        recipe, profile, attacks, lambda one: one.identity == 3 and change in one.mutations, trials=300
    )
    assert (small.identity, small.mutations) == (3, (change,))


def test_what_shows_among_this_noise_alone_stays_as_it_is(profile, attacks):
    recipe = Recipe(0, profile.carriers[0], mutations(attacks, "opaque_secret/"), NOISE, 5)
    assert shrink_recipe(recipe, profile, attacks, lambda one: one == recipe, trials=300) == recipe


@pytest.mark.parametrize("budget", [0, 1, 3, 20])
def test_no_more_trials_are_made_than_allowed_and_what_comes_back_shows_it(profile, attacks, budget):
    three = mutations(attacks, "opaque_secret/", "mqtt/", "mqtt_client_id/")
    recipe = Recipe(3, profile.carriers[0], three, NOISE, 77)
    trials = Trials(lambda one: three[0] in one.mutations)
    small = shrink_recipe(recipe, profile, attacks, trials, trials=budget)
    assert trials.count <= budget
    assert three[0] in small.mutations


@given(st.lists(st.integers(0, 9), min_size=1, max_size=40), st.randoms(use_true_random=False))
def test_a_sequence_comes_down_to_what_it_takes(items, rng):
    needed = sorted(rng.sample(range(len(items)), min(3, len(items))))
    wanted = [items[place] for place in needed]

    def shows(candidate):
        rest = iter(candidate)
        return all(item in rest for item in wanted)

    kept = shrink_sequence(items, shows, trials=10_000)
    assert kept == wanted


def test_an_empty_sequence_may_show_it_too():
    assert shrink_sequence([1, 2, 3], lambda _: True, trials=100) == []


@given(st.integers(0, 40), st.integers(0, 5))
def test_a_sequence_costs_no_more_trials_than_allowed(budget, seed):
    rng = random.Random(seed)
    items = [rng.randrange(5) for _ in range(30)]
    trials = Trials(lambda candidate: sum(candidate) >= sum(items) // 2)
    kept = shrink_sequence(items, trials, trials=budget)
    assert trials.count <= budget
    assert trials.shows(kept)
