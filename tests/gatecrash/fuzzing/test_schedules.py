"""Which cases phases fire, in which order."""

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from gatecrash.authorizers.contract import Demand
from gatecrash.fuzzing.schedules import (
    CONTROL_EVERY,
    case_book,
    interleaved_order,
    overlapping_groups,
    sequential_order,
)
from gatecrash.generators.corpus import CaseMeta

BARE = {"headers": {}, "server_name": None, "sdk": None, "parameters": {}}


def meta(index, *, identity=0, carrier="mqtt", demand=Demand.ALLOW, attacks=(), view="", salt=0, around=BARE):
    mutations = [[attack, 0] for attack in attacks]
    recipe = {"identity": identity, "carrier": carrier, "mutations": mutations, "surroundings": around, "salt": salt}
    return CaseMeta(index, demand, view, "family", "name", recipe)


def denied(index, **members):
    return meta(index, demand=Demand.DENY, attacks=("opaque_secret/wrong",), **members)


def book(*metas):
    return case_book(metas, lambda _: True)


VALID = [meta(0), meta(1, identity=1), meta(2, identity=1, carrier="header"), meta(3, identity=2)]
ATTACKS = [denied(4), denied(5, carrier="header"), meta(6, demand=Demand.SAME, attacks=("http_header/case",))]
BOOK = book(*VALID, *ATTACKS)


def test_cases_are_sorted_by_what_they_are_good_for():
    assert (BOOK.valid, BOOK.attacks, BOOK.denied) == ((0, 1, 2, 3), (4, 5, 6), (4, 5))


def test_valid_cases_that_differ_in_their_salt_alone_count_once():
    noisy = {**BARE, "headers": {"X": "1"}}
    assert book(meta(0), meta(1, salt=9), meta(2, around=noisy)).valid == (0, 2)


def test_each_carrier_is_represented_by_another_device_where_there_are_several():
    assert BOOK.representatives == [0, 2]
    alone = book(meta(0), meta(1, carrier="header"))
    assert alone.representatives == [0, 1]
    assert BOOK.denied_representatives == [4, 5]


def test_what_needs_another_view_is_no_control():
    assert book(meta(0), denied(1, view="unsigned")).denied == ()


def test_cases_that_can_not_be_fired_are_left_out():
    assert case_book([meta(0), denied(1, view="unsigned")], lambda one: not one.view).attacks == ()


def test_unwanted_attacks_can_be_left_out():
    assert BOOK.without(lambda index: index == 4).denied == (5,)
    assert BOOK.without(lambda index: index == 4).valid == BOOK.valid


@given(st.lists(st.sampled_from([4, 5, 6]), max_size=200))
def test_attacks_keep_their_order_and_a_control_comes_before_every_fortieth(cases):
    order = sequential_order(BOOK, cases)
    assert [index for index in order if index not in BOOK.valid] == cases
    assert order.count(0) + order.count(1) + order.count(2) + order.count(3) == -(-len(cases) // CONTROL_EVERY)
    assert not order or order[0] in BOOK.valid


def test_without_valid_cases_there_are_no_controls():
    assert sequential_order(book(denied(0)), [0, 0]) == [0, 0]


@given(st.integers(1, 20), st.integers(0, 99))
def test_every_device_comes_in_every_round(rounds, seed):
    order = interleaved_order(BOOK, rounds, seed)
    assert all(order.count(index) == rounds for index in BOOK.valid)
    assert set(order) <= {*BOOK.valid, *BOOK.denied}
    assert order == interleaved_order(BOOK, rounds, seed)


def test_each_device_follows_each_other_one():
    order = interleaved_order(BOOK, 100, 1)
    assert {pair for pair in pairwise(order) if set(pair) <= set(BOOK.valid)} >= {
        (first, second) for first in BOOK.valid for second in BOOK.valid if first != second
    }


@given(st.integers(2, 16), st.integers(1, 30), st.integers(0, 99))
def test_overlapping_groups_have_one_device_several_and_denied_ones(width, rounds, seed):
    groups = overlapping_groups(BOOK, width, rounds, seed)
    assert len(groups) == rounds
    assert all(len(group) == width for group in groups)
    assert all(len(set(group)) == 1 for group in groups[::3])
    assert all(set(group) <= set(BOOK.valid) for group in groups[1::3])
    assert all(set(group) & set(BOOK.denied) for group in groups[2::3])


def test_nothing_overlaps_without_valid_cases():
    assert overlapping_groups(book(denied(0)), 4, 5, 1) == []
