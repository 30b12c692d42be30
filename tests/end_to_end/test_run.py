"""`gatecrash run` as a person uses it: real gateway, real handlers, real Locust."""

import csv
import json
from functools import partial

import pytest

from gatecrash.reports.run.folder import RunFolder
from scripts.reference.files_page import FILES
from tests.end_to_end.command import (
    HANDLERS,
    PASSWORDS,
    SHORT,
    gatecrash,
    gatecrash_in_process,
    run_folder,
    side_by_side,
    statistics,
)


def run(folder, handler, *arguments):
    # As many environments as arrivals at a time: on a busy machine too none is throttled.
    many = ("--set", "authorizer.concurrency=50")
    return gatecrash(folder, "run", "--handler", HANDLERS / handler, *PASSWORDS, *SHORT, *many, *arguments)


def codes(folder):
    return {json.loads(path.read_text())["rule"] for path in (run_folder(folder) / "findings").iterdir()}


# Handlers and further arguments of runs that need nothing of one another.
RUNS = {
    "correct": ("correct.py",),
    "by two workers": ("correct.py", "--processes", "2"),
    "in this process": ("correct.py", "--target", "handler"),
    "closed model": ("correct.py", "--model", "closed", "--users", "2", "--set", "load.wait_time=0.1"),
    "Node.js": ("authorizer.mjs",),
    "raises": ("raises.py", "--rate", "10"),
    "exits": ("exits.py", "--rate", "10"),
    "huge": ("huge.py", "--rate", "10"),
    "hangs": ("hangs.py", "--rate", "3", "--set", "authorizer.timeout=0.5"),
}


@pytest.fixture(scope="module")
def runs(tmp_path_factory):
    """Each run's folder and finished process."""
    folders = {name: tmp_path_factory.mktemp("run") for name in RUNS}
    ended = side_by_side(*(partial(run, folders[name], *arguments) for name, arguments in RUNS.items()), at_once=2)
    return {name: (folders[name], done) for name, done in zip(RUNS, ended, strict=True)}


@pytest.fixture(scope="module")
def correct(runs):
    return runs["correct"]


def test_a_correct_handler_passes_with_a_report(correct):
    folder, done = correct
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.splitlines()[2:] != []
    assert "PASS" in done.stdout
    assert done.stderr == ""
    stored = run_folder(folder)
    assert {"run.json", "recording.json", "stats.json", "report.html"} <= {path.name for path in stored.iterdir()}
    assert str(stored.relative_to(folder) / "report.html") in done.stdout


def test_the_run_folder_holds_what_the_reference_says_and_nothing_else(correct):
    folder, _ = correct
    names = {path.name for path in run_folder(folder).iterdir()}
    assert names <= {one.name.partition("/")[0] for one in FILES}
    assert {one.name for one in FILES if one.of == "every run"} <= names


def test_the_csv_files_agree_with_the_statistics(correct):
    folder, _ = correct
    found, stored = statistics(folder), run_folder(folder)
    with (stored / "seconds.csv").open(newline="") as file:
        seconds = [row for row in csv.DictReader(file) if row["warm_up"] == "false"]
    assert sum(int(row["planned"]) for row in seconds) == found["planned"]
    for outcome, count in found["outcomes"].items():
        assert sum(int(row[outcome]) for row in seconds) == count
    with (stored / "latencies.csv").open(newline="") as file:
        read = [(row["outcome"], row["kind"], int(row["exchanges"])) for row in csv.DictReader(file)]
    assert read == [(row["outcome"] or "answered", row["kind"], row["count"]) for row in found["latencies"]]


def test_a_run_leaves_nothing_in_the_folder_but_its_run_folder(correct):
    folder, _ = correct
    # The home folder, with its cache, is this one in these tests.
    assert {path.name for path in folder.iterdir()} == {"runs", "cache"}


def test_the_corpus_says_how_many_of_its_cases_are_distinct_requests(correct):
    folder, done = correct
    told = json.loads((run_folder(folder) / "run.json").read_text())["corpus"]
    assert 0 < told["distinct"] < told["cases"]
    assert f"Corpus  {told['cases']} cases ({told['distinct']} distinct requests) of seed" in done.stdout


def test_every_planned_arrival_is_accounted_for(correct):
    folder, _ = correct
    found = statistics(folder)
    assert found["planned"] == 120
    assert found["exchanges"] + found["dropped"] == 120
    assert set(found["outcomes"]) == {"allow", "deny"}


def test_the_report_can_be_rendered_again_from_the_folder_alone(correct):
    folder, _ = correct
    page = run_folder(folder) / "report.html"
    page.unlink()
    done = gatecrash_in_process(folder, "report", run_folder(folder))
    assert done.returncode == 0, done.stderr
    assert page.exists()


def test_a_handler_that_decides_by_chance_fails_with_a_finding_that_can_be_replayed(tmp_path):
    done = run(tmp_path, "flips.py")
    assert done.returncode == 3
    assert codes(tmp_path) == {"GC401"}
    assert "GC401 same request, different outcome" in done.stdout
    (line,) = [line for line in done.stdout.splitlines() if "gatecrash replay" in line]
    replayed = gatecrash_in_process(tmp_path, *line.split("gatecrash ")[1].split(), "--times", "200")
    assert replayed.returncode == 3, replayed.stdout + replayed.stderr
    assert "FLAKY" in replayed.stdout.splitlines()[-1]


def test_a_handler_that_opens_the_door_is_the_worst_finding_which_is_fixed_when_it_was_mended(tmp_path):
    handler = tmp_path / "mended.py"
    for name in ("correct", "opens"):
        (tmp_path / f"{name}.py").write_text(
            (HANDLERS / f"{name}.py").read_text().replace(".resolve().parent.parent", ".resolve().parent")
        )
    (tmp_path / "devices.jsonl").write_text((HANDLERS.parent / "devices.jsonl").read_text())
    handler.write_text("from opens import handler\n")
    options = ("--handler", handler, *PASSWORDS, *SHORT, "--set", "corpus.valid_share=0.5")
    done = gatecrash(tmp_path, "run", *options)
    assert done.returncode == 3, done.stdout + done.stderr
    assert "GC101" in codes(tmp_path)
    assert done.stdout.index("GC101") < done.stdout.index("replay")
    handler.write_text("from correct import handler\n")
    replayed = gatecrash_in_process(tmp_path, "replay", run_folder(tmp_path), "--finding", "1")
    assert replayed.returncode == 0, replayed.stdout
    assert replayed.stdout.splitlines()[-1] == "FIXED"


@pytest.mark.parametrize(
    ("name", "code", "sentence"),
    [
        ("raises", "GC301", "handler failed (ValueError)"),
        ("exits", "GC301", "handler failed (Runtime.ExitError)"),
        ("huge", "GC301", "handler failed (Function.ResponseSizeTooLarge)"),
    ],
)
def test_a_handler_that_fails_is_reported_as_what_it_is(runs, name, code, sentence):
    folder, done = runs[name]
    assert done.returncode == 3, done.stdout + done.stderr
    assert code in codes(folder)
    assert sentence in done.stdout


def test_a_handler_that_hangs_is_timed_out(runs):
    _, done = runs["hangs"]
    assert done.returncode == 3, done.stdout + done.stderr
    assert "GC302 handler timed out" in done.stdout


@pytest.mark.node
def test_a_nodejs_handler_passes(runs):
    folder, done = runs["Node.js"]
    assert done.returncode == 0, done.stdout + done.stderr
    assert set(statistics(folder)["outcomes"]) == {"allow", "deny"}


def decisions(folder):
    """Return what the ledger tells of each case, but for times, workers and environments."""
    ledger = RunFolder(run_folder(folder)).load().recording.ledger
    return {
        index: (
            sorted((one.outcome, one.identity, one.count, one.traits.lowest_rate) for one in entry.sightings),
            entry.principals,
            entry.lifetimes,
            entry.uncounted,
        )
        for index, entry in ledger
    }


def test_two_workers_fire_what_one_fires(runs):
    folder, _ = runs["correct"]
    other, done = runs["by two workers"]
    assert done.returncode == 0, done.stdout + done.stderr
    one, two = statistics(folder), statistics(other)
    assert two["exchanges"] == one["exchanges"] == 120
    assert two["outcomes"] == one["outcomes"]
    assert decisions(other) == decisions(folder)
    assert two["planned"] == one["planned"]
    assert [second["planned"] for second in two["seconds"]] == [second["planned"] for second in one["seconds"]]
    digests = [json.loads((run_folder(place) / "run.json").read_text())["corpus"] for place in (folder, other)]
    assert digests[0]["digest"] == digests[1]["digest"]
    assert digests[0]["content_digest"] == digests[1]["content_digest"]


def test_a_handler_in_this_process_is_fired_at_without_a_gateway(runs):
    folder, done = runs["in this process"]
    assert done.returncode == 0, done.stdout + done.stderr
    assert statistics(folder)["run"]["target"]["kind"] == "handler"


def test_the_closed_model_lets_users_keep_their_pace(runs):
    folder, done = runs["closed model"]
    assert done.returncode == 0, done.stdout + done.stderr
    assert 10 <= statistics(folder)["exchanges"] <= 42


def test_a_stall_is_seen_from_the_intended_start(tmp_path):
    script = "target.script={latency = 0.002, stall_at = 2.0, stall = 1.0}"
    load = ("--rate", "100", "--duration", "5", "--warm-up", "0.5", "--users", "10")
    valid = ("--set", "corpus.valid_share=1.0")
    done = gatecrash(tmp_path, "run", "--target", "scripted", "--set", script, *PASSWORDS, *load, *valid)
    # A machine that is too busy besides makes it invalid.
    assert done.returncode in {0, 4}, done.stdout + done.stderr
    latencies = {row["kind"]: row for row in statistics(tmp_path)["latencies"] if row["outcome"] is None}
    assert latencies["response_time"]["p95_ms"] > 200
    assert latencies["service_time"]["p95_ms"] < 100
    page = (run_folder(tmp_path) / "report.html").read_text()
    assert "service time" in page.lower()
    assert "intended start" in page.lower()
