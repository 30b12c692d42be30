"""`gatecrash run --scenario`: a spike and a soak by the real command."""

import json
from functools import partial

import pytest

from tests.end_to_end.command import HANDLERS, PASSWORDS, gatecrash, run_folder, side_by_side, statistics

SCRIPTED = ("--target", "scripted", "--set", "target.script={latency=0.02, concurrency=4}")


STAGES = {"spike.before": 3, "spike.within": 2, "spike.after": 6, "spike.fleet": 600}


def spike(folder):
    stages = [word for key, value in STAGES.items() for word in ("--set", f"{key}={value}")]
    return gatecrash(
        folder,
        *("run", "--scenario", "spike", *SCRIPTED, *PASSWORDS, *stages, "--rate", "40", "--warm-up", "1"),
        *("--cases", "20", "--set", "corpus.valid_share=1"),
    )


def soak(folder):
    return gatecrash(
        folder,
        *("run", "--scenario", "soak", "--handler", HANDLERS / "correct.py", *PASSWORDS, "--rate", "20"),
        *("--set", "soak.duration=21", "--warm-up", "0", "--cases", "20"),
    )


@pytest.fixture(scope="module")
def runs(tmp_path_factory):
    """The folder and the finished process of a spike and of a soak."""
    folders = [tmp_path_factory.mktemp(name) for name in ("spike", "soak")]
    ended = side_by_side(partial(spike, folders[0]), partial(soak, folders[1]))
    return dict(zip(("spike", "soak"), zip(folders, ended, strict=True), strict=True))


def test_a_spike_is_fired_in_three_stages_and_its_recovery_measured(runs):
    folder, done = runs["spike"]
    assert done.returncode in {0, 4}, done.stdout + done.stderr
    found = statistics(folder)
    planned = {row["second"]: row["planned"] for row in found["seconds"]}
    assert sum(planned.values()) == 40 * 10 + 600
    assert planned[2] == 40
    assert planned[4] == planned[5] == 300
    # Four at a time of 20 ms each are 200 a second: 200 of the 600 are still waiting when the spike is over.
    assert found["spike"]["fleet"] == 600
    assert found["spike"]["p95_during"] > 400
    assert 0.5 < found["spike"]["recovery"] <= 4
    # There are 20 cases: what of the fleet they stand for is told.
    assert found["spike"]["requests"] == found["run"]["corpus"]["distinct"] <= 20
    assert found["spike"]["attacks"] == 0
    assert 1 < found["spike"]["devices"] <= 20
    assert f"connections of {found['spike']['devices']} devices within 2 s" in done.stdout


def test_a_soak_tells_drift_and_the_memory_of_each_process(runs):
    folder, done = runs["soak"]
    assert done.returncode == 0, done.stdout + done.stderr
    found = statistics(folder)
    assert len(found["drift"]["parts"]) == 10
    assert found["exchanges"] == 21 * 20
    # Nobody counted would be None.
    assert [part["wrong"] for part in found["drift"]["parts"]] == [0] * 10
    roles = {row["role"] for row in found["memory"]}
    assert roles == {"execution environment", "gateway", "gatecrash", "load generator"}
    assert all(5e6 < row["first"] <= row["highest"] for row in found["memory"])
    assert "Drift" in done.stdout
    assert json.loads((run_folder(folder) / "run.json").read_text())["plan"]["scenario"] == "soak"
