"""Drawing by seed and index, the same in every process; this guards the internal interface of Hypothesis."""

import importlib
import multiprocessing
import random
from concurrent.futures import ProcessPoolExecutor

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gatecrash.generators.seeded_draws import draw

VALUES = st.tuples(
    st.integers(), st.text(max_size=20), st.lists(st.floats(allow_nan=False), max_size=4), st.sampled_from("abcdef")
)
OFTEN = st.tuples(st.integers(), st.integers(), st.text(max_size=40))


def drawn(seed, indices):
    return [draw(VALUES, seed, index) for index in indices]


def test_the_same_seed_and_index_give_the_same_in_this_process():
    assert drawn(1, range(100)) == drawn(1, range(100))


def test_any_order_gives_the_same():
    assert drawn(1, [7, 3, 5]) == [drawn(1, range(10))[index] for index in (7, 3, 5)]


def test_the_same_seed_and_index_give_the_same_in_a_fresh_process():
    with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn")) as pool:
        assert pool.submit(drawn, 1, range(100)).result() == drawn(1, range(100))


def drawn_after_an_ordinary_test(seed, indices):
    @settings(max_examples=200, database=None, deadline=None)
    @given(VALUES)
    def ordinary(_):
        pass

    ordinary()
    return drawn(seed, indices)


def test_an_ordinary_hypothesis_test_in_the_same_process_changes_nothing():
    spawn = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(1, mp_context=spawn) as one, ProcessPoolExecutor(1, mp_context=spawn) as other:
        clean, used = one.submit(drawn, 4, range(500)), other.submit(drawn_after_an_ordinary_test, 4, range(500))
        assert used.result() == clean.result()


def test_another_index_or_seed_gives_another_value():
    values = [repr(value) for seed in (1, 2) for value in drawn(seed, range(100))]
    assert len(set(values)) > 190


def test_the_global_random_generator_is_left_alone():
    random.seed(5)
    expected = random.random()
    random.seed(5)
    drawn(1, range(20))
    assert random.random() == expected


def test_a_strategy_with_a_filter_is_drawn_until_it_is_satisfied():
    even = st.integers(0, 1000).filter(lambda number: number % 97 == 0)
    for index in range(30):
        assert draw(even, 1, index) % 97 == 0


def test_a_strategy_that_nothing_satisfies_is_an_error_and_no_endless_loop():
    with pytest.raises(RuntimeError, match="satisfied its own filters"):
        draw(st.integers().filter(lambda _: False), 1, 1)


def test_the_literals_of_imported_modules_do_not_enter(tmp_path, monkeypatch):
    before = [draw(OFTEN, 3, index) for index in range(300)]
    numbers = [7_300_000_000_001 + 1_000_003 * place for place in range(50)]
    texts = [f"a very odd literal number {place}" for place in range(50)]
    path = tmp_path / "module_with_odd_literals.py"
    path.write_text(f"NUMBERS = {numbers!r}\nTEXTS = {texts!r}\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    importlib.import_module("module_with_odd_literals")
    after = [draw(OFTEN, 3, index) for index in range(300)]
    assert after == before
    assert not any(value in numbers for drawn_after in after for value in drawn_after[:2])
