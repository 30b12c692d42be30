"""Cases beyond the drawn ones: the same in any order and process, distinct, within the limits, and rightly expected."""

import dataclasses
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gatecrash.authorizers import wire
from gatecrash.authorizers.contract import Demand
from gatecrash.generators.cases import CaseMaker, Recipe
from gatecrash.generators.corpus_builder import CorpusPlan, build_corpus
from gatecrash.generators.corpus_writer import CorpusWriter, chunk_of
from gatecrash.generators.further_cases import DRAWN_MAXIMUM, CorpusCases
from gatecrash.generators.mix import Mix
from gatecrash.generators.surroundings import Surroundings, mark_surroundings
from tests.generators.checking import NAMES, keeps_limits, opened, verifiers
from tests.generators.test_demands import wrong_of

NOW = int(time.time())
FURTHER = st.integers(DRAWN_MAXIMUM, 10**9)


def cases_of(credentials, share=0.4, seed=1):
    maker = CaseMaker(opened(credentials), Mix(share), seed, NOW)
    return maker, CorpusCases(maker, seed)


@pytest.mark.parametrize("name", NAMES)
def test_a_further_case_is_rightly_expected_keeps_the_limits_and_is_made_again_from_its_recipe(profiles, name):
    maker, cases = cases_of(profiles[name])
    right = verifiers(profiles[name], NOW)

    @settings(max_examples=60)
    @given(FURTHER)
    def holds(index):
        case = cases.case(index)
        assert wrong_of(case, right) is None
        assert keeps_limits(case.request)
        assert (case.demand is Demand.ALLOW) == (not case.recipe.mutations)
        assert case.index == index
        again = maker.make(Recipe.from_json(wire.decode(wire.encode(case.recipe.to_json()))), index)
        assert again == case

    holds()


@pytest.mark.parametrize("name", ["jwt", "password", "python"])
def test_devices_in_turn_follow_one_another_over_drawn_and_further_cases(profiles, name):
    maker = CaseMaker(opened(profiles[name]), Mix(0.5), 1, NOW, in_turn=True)
    cases, devices = CorpusCases(maker, 1), maker.profile.identities
    indices = [*range(devices + 3), *range(DRAWN_MAXIMUM - 2, DRAWN_MAXIMUM + devices)]
    made = [cases.case(index) for index in indices]
    assert [case.recipe.identity for case in made] == [index % devices for index in indices]
    for case in made:
        assert maker.make(Recipe.from_json(case.recipe.to_json()), case.index) == case


@pytest.mark.parametrize("name", ["jwt", "password", "signed", "api_key", "python"])
def test_a_further_case_follows_from_seed_and_index_alone(profiles, name):
    indices = [DRAWN_MAXIMUM, 10**6, DRAWN_MAXIMUM + 7, 5 * DRAWN_MAXIMUM]
    forward, backward, seed = (cases_of(profiles[name], seed=seed)[1] for seed in (1, 1, 2))
    made = [forward.case(index) for index in indices]
    assert [backward.case(index) for index in reversed(indices)] == made[::-1]
    assert [seed.case(index).recipe for index in indices] != [case.recipe for case in made]


@pytest.mark.parametrize("name", ["password", "password of a single device", "api_key", "api_key of a single device"])
def test_further_cases_are_distinct_requests_however_few_devices_there_are(profiles, name):
    maker, _ = cases_of(profiles[name], share=0.8)
    drawn = [maker.case(index).recipe for index in range(40)]
    cases = CorpusCases(maker, 1, lambda index: drawn[index % 40])
    requests = [wire.encode(wire.request_to_wire(cases.case(DRAWN_MAXIMUM + more).request)) for more in range(3000)]
    assert len(set(requests)) == 3000


def test_what_cannot_vary_stays_as_it_is_and_is_counted_once(profiles, tmp_path):
    credentials = {**profiles["signed"], "carriers": ["token"], "token": "{identity}", "identities": 3}
    _, cases = cases_of(credentials, share=1.0)
    with CorpusWriter(tmp_path / "corpus") as writer:
        assert writer.add(chunk_of(map(cases.case, range(5000, 5050)))) == 50
        assert writer.totals().distinct == 3


def test_a_corpus_has_drawn_cases_first_and_is_the_same_however_it_is_cut(profiles, tmp_path):
    plan = CorpusPlan(profiles["api_key"], None, seed=3, cases=DRAWN_MAXIMUM + 450, valid_share=0.8, minted_at=0)
    told = []
    built = build_corpus(plan, tmp_path / "cache", told.append, processes=2)
    bodies = [built.body(index) for index in range(plan.cases)]
    assert (built.manifest.cases, built.manifest.distinct) == (plan.cases, len(set(bodies)))
    small = build_corpus(dataclasses.replace(plan, cases=60), tmp_path / "cache", processes=2)
    assert [small.body(index) for index in range(60)] == bodies[:60]
    maker, cases = cases_of(profiles["api_key"], share=0.8, seed=3)
    assert told[-2:] == [plan.cases, plan.cases]
    for index in (0, DRAWN_MAXIMUM - 1):
        assert built.request(index) == maker.case(index).request
        assert built.meta(index).recipe == maker.case(index).recipe.to_json()
    drawn = [Recipe.from_json(built.meta(index).recipe) for index in range(DRAWN_MAXIMUM)]
    cases = CorpusCases(maker, 3, drawn.__getitem__)
    further = [cases.case(index) for index in range(DRAWN_MAXIMUM, plan.cases)]
    assert [built.request(case.index) for case in further] == [case.request for case in further]
    with CorpusWriter(tmp_path / "cut otherwise") as writer:
        for start, end in ((0, 7), (7, 430), (430, 450)):
            writer.add(chunk_of(further[start:end]))
        cut = writer.totals()
    with CorpusWriter(tmp_path / "whole") as writer:
        writer.add(chunk_of(further))
        assert writer.totals() == cut
    for file in (tmp_path / "whole").iterdir():
        assert file.read_bytes() == (tmp_path / "cut otherwise" / file.name).read_bytes()


def valid_tokens(credentials, count):
    """The bearer tokens of valid further cases."""
    maker, _ = cases_of(credentials, share=1.0)
    recipe = Recipe(0, "bearer_header", (), Surroundings(), 0)
    cases = CorpusCases(maker, 1, lambda _: recipe)
    made = [cases.case(DRAWN_MAXIMUM + more) for more in range(count)]
    assert len({wire.encode(wire.request_to_wire(case.request)) for case in made}) == count
    return [case.request.http_context.headers["Authorization"] for case in made]


def test_cases_that_can_share_a_token_share_it_and_others_have_their_own(profiles):
    assert len(set(valid_tokens(profiles["jwt RS256"], 60))) == opened(profiles["jwt RS256"]).identities
    assert len(set(valid_tokens(profiles["jwt"], 60))) == 60


@pytest.mark.parametrize(
    ("http", "mqtt", "told"),
    [
        (True, False, Surroundings((("Via", "x"), ("X-Request-Id", "abc")), "a.b.c", "SDK", (("v", "1"),))),
        (False, True, Surroundings((("Via", "x"),), "abc.b.c", "SDK", (("v", "1"),))),
        (False, False, Surroundings((("Via", "x"),), "a.b.c", "SDK", (("v", "1"),))),
    ],
)
def test_a_mark_is_a_request_id_or_a_label_of_the_server_name(http, mqtt, told):
    assert (
        mark_surroundings(Surroundings((("Via", "x"),), "a.b.c", "SDK", (("v", "1"),)), "abc", http=http, mqtt=mqtt)
        == told
    )


def test_a_mark_by_mqtt_has_a_server_name_where_there_was_none():
    assert mark_surroundings(Surroundings(), "abc", http=False, mqtt=True) == Surroundings(
        server_name="abc.iot.example"
    )
    header = (("X-Request-Id", "old"), ("Via", "x"))
    assert mark_surroundings(Surroundings(header), "abc", http=True, mqtt=False).headers[0] == ("X-Request-Id", "abc")
