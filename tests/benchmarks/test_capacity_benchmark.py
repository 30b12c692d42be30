"""The benchmark of capacity searches knows the truth that it measures against."""

from random import Random

import pytest

from gatecrash.authorizers.targets.scripted import Script
from tests.benchmarks.capacity import KINDS, Authorizer, Found, highest_in_the_long_run


@pytest.mark.parametrize("kind", KINDS.values(), ids=KINDS)
def test_the_true_rate_is_one_that_a_search_can_find(kind):
    authorizer = kind(Random(0))
    assert 30 <= authorizer.truth <= 400
    assert authorizer == kind(Random(0))


def test_the_long_run_of_a_fixed_service_time_without_a_queue_has_no_end():
    assert highest_in_the_long_run(Script(latency=0.02), seconds=1.0) == pytest.approx(3000, rel=0.01)


def test_the_long_run_of_a_queue_is_its_throughput():
    assert highest_in_the_long_run(Script(latency=0.04, concurrency=4), seconds=60) == pytest.approx(100, rel=0.02)


def test_an_interval_is_right_when_the_truth_is_in_it():
    authorizer = Authorizer("kind", Script(), 100.0)
    assert Found(authorizer, 95.0, 105.0, 1.0, 1, "valid").right
    assert not Found(authorizer, 101.0, 105.0, 1.0, 1, "valid").right
    assert not Found(authorizer, None, 105.0, 1.0, 1, "valid").right
    assert Found(authorizer, 95.0, 105.0, 1.0, 1, "valid").width == pytest.approx(0.1)
