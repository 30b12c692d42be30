"""`gatecrash trend` as a person uses it, on a history of made-up nights and one real run."""

import csv
import json
import re
from dataclasses import replace

import pytest

from gatecrash.reports.run.folder import RunFolder
from gatecrash.reports.trend.history import History
from tests.end_to_end.command import PASSWORDS, gatecrash, gatecrash_in_process, run_folder
from tests.reports.samples import INFO
from tests.reports.trend_samples import nights

FILE = ("--history", "history.sqlite")
SHORT = ("--duration", "2", "--warm-up", "0.5", "--rate", "20", "--cases", "10", "--set", "corpus.valid_share=1.0")


@pytest.fixture
def worse(tmp_path):
    with History(tmp_path / "history.sqlite", create=True) as history:
        for run in nights(step=40):
            history.add(run)
    return tmp_path


def test_what_got_worse_over_the_nights_fails_a_check_until_it_is_accepted(worse):
    outputs = [option for end in ("html", "json", "csv", "md") for option in ("--output", f"trend.{end}")]
    told = gatecrash_in_process(worse, "trend", *FILE, *outputs)
    assert told.returncode == 0, told.stderr
    assert "WORSE  1 number got worse and stayed so, since the run of 2026-10-11 02:00." in told.stdout
    assert json.loads((worse / "trend.json").read_text())[0]["alarms"][0]["place"] == 40
    assert len(list(csv.DictReader((worse / "trend.csv").read_text().splitlines()))) == 60
    assert "## gatecrash trend: WORSE" in (worse / "trend.md").read_text()
    assert "://" not in re.sub(r"<script.*?</script>", "", (worse / "trend.html").read_text(), flags=re.DOTALL)
    assert gatecrash_in_process(worse, "trend", *FILE, "--check").returncode == 1

    accepted = gatecrash_in_process(worse, "trend", "accept", *FILE, "--reason", "more checks")
    assert accepted.stdout == "Accepted the levels of 20261030T020000Z-nightly: more checks\n"
    checked = gatecrash_in_process(worse, "trend", *FILE, "--check")
    assert checked.returncode == 0
    assert "It is accepted: more checks" in " ".join(checked.stdout.split())


def test_accepting_a_run_with_findings_says_that_it_is_still_no_good_run(tmp_path):
    with History(tmp_path / "history.sqlite", create=True) as history:
        history.add(replace(nights(count=1)[0], verdict="FAIL", exit_code=3))
    accepted = gatecrash_in_process(tmp_path, "trend", "accept", *FILE, "--reason", "more checks")
    assert accepted.returncode == 0
    assert "--against last-good passes it over all the same, since its exit code is 3" in accepted.stdout


def test_a_run_adds_itself_removes_old_folders_and_is_brought_up_to_date_by_its_own(tmp_path):
    script = "target.script={latency = 0.01}"
    old = RunFolder(tmp_path / "runs" / "20250101T000000Z-run")
    old.path.mkdir(parents=True)
    old.write_info(replace(INFO, name="run", started_at="2025-01-01T00:00:00+00:00"))
    (old.path / "stats.json").write_text('{"verdict": {"exit_code": 3}}')
    variables = ("--revision", "abc123", *FILE, *PASSWORDS, *SHORT, "--keep", "1")
    done = gatecrash(tmp_path, "run", "--target", "scripted", "--set", script, *variables)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "History  " in done.stdout
    assert "history.sqlite (1 run named run)" in done.stdout
    assert "Removed  1 older run named run: output.keep is 1" in done.stdout
    again = gatecrash_in_process(tmp_path, "trend", "add", *FILE, run_folder(tmp_path))
    assert again.returncode == 0
    assert again.stdout == "Added 0 runs to history.sqlite, brought 1 up to date\n"
    with History(tmp_path / "history.sqlite") as history:
        (run,) = history.runs()
    assert run.revision == "abc123"
    statistics = json.loads((run_folder(tmp_path) / "stats.json").read_text())
    assert run.numbers["achieved_rate"] == statistics["achieved_rate"]
    assert "Too few runs" in gatecrash_in_process(tmp_path, "trend", *FILE).stdout


def test_mistakes_are_told_in_a_sentence(worse):
    other = nights(count=1)[0]
    with History(worse / "history.sqlite") as history:
        history.add(replace(other, info=replace(other.info, name="weekly")))
    for arguments, sentence in (
        ((), "no history is named: give its file by --history FILE"),
        (("--history", "missing.sqlite"), "there is no history missing.sqlite"),
        ((*FILE, "--name", "monthly"), "the history history.sqlite has no run named monthly"),
        ((*FILE, "--output", "trend.pdf"), "--output trend.pdf: end the name in .html, .json, .csv, .md"),
        ((*FILE, "--output", "trend.csv"), "choose with --name: nightly (run), weekly (run)"),
        (("accept", *FILE, "20250101T000000Z-run", "--reason", "why"), "has no run 20250101T000000Z-run"),
        (("add", *FILE, "nowhere"), "nowhere is not a run folder"),
    ):
        done = gatecrash_in_process(worse, "trend", *arguments)
        assert done.returncode == 2, arguments
        assert sentence in done.stderr
        assert len(done.stderr.splitlines()) == 1


def test_a_history_that_cannot_be_used_is_told_before_anything_is_fired(tmp_path):
    (tmp_path / "notes.txt").write_text("nothing of ours " * 100)
    done = gatecrash_in_process(tmp_path, "run", "--target", "scripted", "--history", "notes.txt", *PASSWORDS, *SHORT)
    assert done.returncode == 2
    assert done.stderr == "gatecrash: can't use the history notes.txt: file is not a database\n"
    assert not (tmp_path / "runs").exists()
