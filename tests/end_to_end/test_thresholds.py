"""Thresholds by the real command: exit code 1, junit.xml, summary.md, and a run that ends early."""

from xml.etree import ElementTree as ET

import pytest

from tests.end_to_end.command import PASSWORDS, gatecrash, gatecrash_in_process, run_folder, statistics

THROTTLED = ("--target", "scripted", "--set", "target.script={latency=0.01, throttle_rate=0.2}")
# Valid requests alone: the script lets everybody in. Without a schedule nothing is late on a busy machine.
VALID = (
    *(*PASSWORDS, "--cases", "20", "--set", "corpus.valid_share=1", "--warm-up", "1"),
    *("--model", "closed", "--users", "5", "--set", "load.wait_time=0.04"),
)


def test_a_threshold_that_fails_gives_exit_code_1_and_is_told_to_ci(tmp_path):
    (tmp_path / "gatecrash.toml").write_text(
        '[thresholds]\nhold = ["latency.p95{outcome=allow} < 2s", "fail_open == 0"]\n'
        'fail_if = ["throttle_rate > 5% over 2s"]\n'
    )
    done = gatecrash(tmp_path, "run", *THROTTLED, *VALID, "--duration", "3")
    assert done.returncode == 1, done.stdout + done.stderr
    assert "✗ failed" in done.stdout
    standings = {one["expression"]: one["standing"] for one in statistics(tmp_path)["thresholds"]}
    assert standings == {
        "latency.p95{outcome=allow} < 2000ms": "held",
        "fail_open == 0": "held",
        "throttle_rate <= 5% over 2s": "failed",
    }
    root = ET.parse(run_folder(tmp_path) / "junit.xml").getroot()
    assert (root.get("failures"), root.get("errors")) == ("1", "0")
    summary = (run_folder(tmp_path) / "summary.md").read_text()
    assert summary.startswith("## gatecrash: FAIL\n")
    assert "| `throttle_rate <= 5% over 2s` |" in summary


@pytest.mark.parametrize("processes", [1, 2])
def test_a_run_ends_as_soon_as_it_has_failed(tmp_path, processes):
    early = ("--duration", "60", "--abort-if", "throttle_rate > 5%", "--set", "thresholds.abort_after=2")
    done = gatecrash(tmp_path, "run", *THROTTLED, *VALID, *early, "--processes", processes)
    assert done.returncode == 1, done.stdout + done.stderr
    found = statistics(tmp_path)
    assert 3 <= found["state"]["elapsed"] < 30
    assert "throttle_rate <= 5% failed" in found["state"]["aborted_by"]
    assert found["validity"]["word"] == "degraded"
    assert found["exchanges"] > 50


@pytest.mark.parametrize(
    ("flags", "words"),
    [
        (
            ("--threshold", "latency.p95 < 250"),
            "thresholds.hold: 'latency.p95 < 250', at character 18: a latency needs",
        ),
        (("--abort-if", "fail_open > 0"), "known only when a run is over"),
    ],
)
def test_a_mistake_in_an_expression_is_told_before_anything_is_fired(tmp_path, flags, words):
    done = gatecrash_in_process(tmp_path, "run", *THROTTLED, *VALID, *flags)
    assert (done.returncode, len(done.stderr.splitlines())) == (2, 1)
    assert words in done.stderr
    assert not (tmp_path / "runs").exists()


def test_what_a_fuzz_run_cannot_tell_is_refused_from_whoever_asks_it(tmp_path):
    done = gatecrash_in_process(tmp_path, "fuzz", "--threshold", "latency.p95 < 250ms")
    assert done.returncode == 2
    assert done.stderr == (
        "gatecrash: thresholds.hold: 'latency.p95 < 250ms' can't be asked of `gatecrash fuzz`: this is no run under "
        "load; there are exchanges, fail_open, fail_closed, inconsistent, findings, of no window, and exchanges "
        "neither of a family nor by throttles and errors\n"
    )
    assert not (tmp_path / "runs").exists()
