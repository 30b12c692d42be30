"""The benchmark runs and prints all of its rows; how fast it is depends on the machine, and is not tested."""

import re
import sys

import pytest

from tests.benchmarks.corpus import main

ROWS = [
    *("password", "api_key", "jwt RS256"),
    *("opening, in ms", "body", "family and expectation", "request", "everything but the request"),
    *("before the corpus is opened", "with the corpus open", "after each case was fired", "after a checkpoint"),
]


@pytest.mark.skipif(sys.platform != "linux", reason="private memory is Linux's")
def test_the_benchmark_prints_a_number_for_every_row(capsys):
    assert main(["--rounds=1", "--cases=40", "--large=60", "--exchanges=2000", "--exchanged=50"]) == 0
    lines = capsys.readouterr().out.splitlines()
    rows = {line[2:30].strip(): re.findall(r"[\d.,]+", line[30:]) for line in lines if line.startswith("  ")}
    assert [name for name in rows if name in ROWS] == ROWS
    assert all(float(value.replace(",", "")) >= 0 for name in ROWS for value in rows[name])
    assert sum(line.strip().startswith("2,000") and line.endswith(" MB") for line in lines) == 1
    (signatures,) = (line for line in lines if "signatures by the private key" in line)
    assert 0 < int(signatures.split()[0]) <= 40
    assert any(re.search(r"judging and rendering: \d+ s, at most \d+ MB", line) for line in lines)
