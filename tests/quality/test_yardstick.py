"""The whole yardstick, without the phases that need a gateway, which are the same for all authorizers."""

from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.quality.yardstick import SETS, entries, run

FAST = ("--gateway-seconds=0", "--drawn=100", "--seconds=6")
FIRST = {entry["id"]: entry for entry in entries(SETS / "first")}


@pytest.fixture(scope="module")
def rows(request, tmp_path_factory):
    """What the runs come to, in the order of the tests; two go on at a time, as each waits now and then."""
    names = [item.callspec.params["name"] for item in request.session.items if item.path == request.path]
    pool = ThreadPoolExecutor(2)
    try:
        yield {
            name: pool.submit(run, SETS / "first", FIRST[name], 1, list(FAST), tmp_path_factory.mktemp("run"))
            for name in names
        }
    finally:
        pool.shutdown(cancel_futures=True)


@pytest.mark.parametrize("name", FIRST)
def test_a_planted_defect_is_found_and_a_correct_authorizer_left_alone(rows, name):
    row = rows[name].result()
    assert row.right, row.output
