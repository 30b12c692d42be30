"""The benchmark runs and prints all of its rows; how fast it is depends on the machine, and is not tested."""

import re
import shutil

import pytest

from tests.benchmarks.firing import main

NAMES = ["wire client alone", "gatecrash run, wire client", "Locust User + boto3", "Locust FastHttpUser", "wrk"]


@pytest.mark.skipif(not all(map(shutil.which, ("nginx", "wrk", "taskset"))), reason="nginx, wrk or taskset is missing")
def test_the_benchmark_prints_a_rate_for_every_way_to_fire(capsys):
    assert main(["--rounds=1", "--seconds=0.5", "--rate=2000"]) == 0
    lines = capsys.readouterr().out.splitlines()
    rows = {name: re.findall(r"[\d.,]+", line[28:]) for line in lines for name in NAMES if line.startswith(f"{name} ")}
    assert list(rows) == NAMES
    assert all(float(row[0].replace(",", "")) > 0 for row in rows.values())
    assert "us to send and receive" in lines[-1]
