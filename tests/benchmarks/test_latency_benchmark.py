"""The benchmark runs and prints all of its rows; how true the latencies are depends on the machine."""

import re
import shutil

import pytest

from tests.benchmarks.latency import Load, main, shortcomings

NAMES = ["80% of the maximum", "20%, server stalls"]


@pytest.mark.skipif(not all(map(shutil.which, ("cc", "taskset"))), reason="a C compiler or taskset is missing")
def test_the_benchmark_prints_the_errors_of_both_latencies_at_every_load(capsys):
    assert main(["--rounds=1", "--seconds=1", "--maximum=1000", "--users=100", "--parts", "0.8"]) in {0, 1}
    lines = capsys.readouterr().out.splitlines()
    assert [line[:20].strip() for line in lines if "service time" in line] == NAMES
    rows = [re.findall(r"[+-]\d+\.\d %", line) for line in lines if "service time" in line or "response time" in line]
    assert [len(row) for row in rows] == [3] * 4
    assert all(abs(float(share.split()[0])) < 1000 for row in rows for share in row)


def load_of(part, error, validity):
    load = Load("a load", part)
    truth = {kind: [10.0, 20.0, 30.0] for kind in load.errors}
    load.add(truth, {kind: [10.0, 20.0, 30.0 * (1 + error)] for kind in load.errors}, {"word": validity, "reasons": []})
    return load


@pytest.mark.parametrize(
    ("part", "error", "validity", "count"),
    [
        (0.8, 0.04, "valid", 0),
        (0.8, -0.06, "degraded", 1),
        (0.95, 0.06, "degraded", 0),
        (0.95, 0.06, "valid", 1),
        (0.5, 0.06, "valid", 2),
    ],
)
def test_what_the_benchmark_must_not_find(part, error, validity, count):
    assert len(shortcomings([load_of(part, error, validity)])) == count
