"""Templates in credential profiles."""

import re
import uuid
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gatecrash.authorizers.errors import UsageError
from gatecrash.generators.credentials.templates import expand, expand_all


def filled(template, number=1, seed=0, **values):
    return expand(template, Random(seed), values, number)


@given(st.integers(1, 10**6), st.integers(0, 60))
def test_a_number_is_padded_to_its_width_and_never_cut(number, width):
    text = filled(f"{{number:{width}}}", number)
    assert int(text) == number
    assert len(text) == max(width, len(str(number)))
    assert filled("{number}", number) == str(number)


@given(st.integers(1, 200), st.integers())
def test_hex_and_digits_have_their_width(width, seed):
    assert re.fullmatch(rf"[0-9a-f]{{{width}}}", filled(f"{{hex:{width}}}", seed=seed))
    assert re.fullmatch(rf"[0-9]{{{width}}}", filled(f"{{digits:{width}}}", seed=seed))


def test_hex_and_digits_are_eight_long_unless_told():
    assert (len(filled("{hex}")), len(filled("{digits}"))) == (8, 8)


def test_a_uuid_is_a_random_one():
    assert uuid.UUID(filled("{uuid}")).version == 4
    assert filled("{uuid}", seed=1) != filled("{uuid}", seed=2)


def test_each_place_is_filled_anew():
    first, second = filled("{hex} {hex}").split()
    assert first != second


@given(st.text(), st.integers())
def test_text_without_braces_stays(text, number):
    assert filled(text.replace("{", "").replace("}", ""), number) == text.replace("{", "").replace("}", "")


@given(st.text())
def test_a_given_value_is_put_in_as_it_is(value):
    assert filled("<{identity}>", identity=value) == f"<{value}>"


def test_a_given_value_may_have_any_name_of_a_column():
    assert expand("{Tenant-1 name}/{x2}", Random(0), {"Tenant-1 name": "red", "x2": "y"}, 1) == "red/y"


def test_doubled_braces_are_braces():
    assert filled('{{"a":"{number}"}}') == '{"a":"1"}'


@pytest.mark.parametrize("place", ["{unknown}", "{", "}", "{}", "{number:x}", "{number:1000}", "{Hex}", "{identity"])
def test_a_place_that_nothing_fills_is_told_with_those_there_are(place):
    with pytest.raises(UsageError) as caught:
        filled(f"a{place}b", identity="x")
    message = str(caught.value)
    assert repr(f"a{place}b") in message
    assert "it may have {digits}, {hex}, {identity}, {number}, {uuid}" in message


def test_every_text_within_a_value_is_filled():
    value = {"a": "{number}", "b": [{"c": "{identity}"}, 5, None, True], "{number}": 1.5}
    found = expand_all(value, Random(0), {"identity": "me"}, 3)
    assert found == {"a": "3", "b": [{"c": "me"}, 5, None, True], "{number}": 1.5}


def test_the_same_generator_gives_the_same_text():
    assert filled("{hex:16}{uuid}{digits}", seed=4) == filled("{hex:16}{uuid}{digits}", seed=4)
