"""`gatecrash capacity` by the real command, with real Locust processes; the authorizer is scripted."""

import json
import subprocess
import sys
from functools import partial

import psutil
import pytest

from gatecrash.running.locust_process import locustfile
from tests.end_to_end.command import (
    HANDLERS,
    PASSWORDS,
    environment,
    gatecrash,
    gatecrash_in_process,
    run_folder,
    side_by_side,
    statistics,
    wait_until,
)
from tests.end_to_end.distributed import parts, process_ids

LOCUSTFILE = locustfile("capacity")
BUCKET = ("--target", "scripted", "--set", "target.script={latency=0.01, bucket_rate=150, bucket_burst=40}")
# Short steps: what is found is less sure, and that is told.
QUICK = (
    *("--cases", "20", "--set", "corpus.valid_share=1", "--start-rate", "100"),
    # A busy machine is late by more than a tight objective stands.
    *("--latency", "1", "--set", "capacity.probe_seconds=3", "--set", "capacity.warm_up=0.5", "--seconds", "36"),
)


def capacity(folder, *arguments):
    return gatecrash(folder, "capacity", *PASSWORDS, *QUICK, *arguments)


def of_bucket(folder, processes):
    return capacity(folder, *BUCKET, "--processes", processes, "--start-rate", 100 * processes, "--at-least", "400")


def behind_the_gateway(folder):
    # What is asked of runs under load neither fails a search nor ends it.
    (folder / "gatecrash.toml").write_text(
        '[thresholds]\nhold = ["latency.p95 < 1us", "achieved_rate > 95%", "exchanges > 0"]\n'
        'abort_if = ["latency.p50 > 1us"]\nabort_after = 0\n'
    )
    # At a rate that environments which are there already answer after a moment without a processor too.
    return capacity(folder, "--handler", HANDLERS / "correct.py", "--start-rate", "40", "--max-rate", "40")


def by_plain_locust(folder):
    path = folder / "plan.json"
    arguments = (*BUCKET, *PASSWORDS, *QUICK, "--output", path, "--max-rate", "100")
    flags = [str(argument) for argument in arguments]
    # `gatecrash plan` knows the keys of capacity, whose flags are those of `gatecrash capacity`.
    flags = _as_settings(
        flags, {"--latency": "latency", "--start-rate": "start_rate", "--seconds": "seconds", "--max-rate": "max_rate"}
    )
    done = gatecrash(folder, "plan", "--scenario", "capacity", *flags)
    assert done.returncode == 0, done.stderr
    command = [sys.executable, "-m", "locust", "-f", str(LOCUSTFILE), "--headless", "--plan", str(path)]
    return subprocess.run(
        command, cwd=folder, env=environment(folder), capture_output=True, text=True, timeout=120, check=False
    )


def stopped(folder):
    return capacity(folder, *BUCKET, "--requests", "900")


def without_a_worker(folder):
    """A search of which one of two workers is killed as soon as a rate is judged."""
    with parts() as start:
        search = start(folder, "capacity", *PASSWORDS, *QUICK, *BUCKET, "--processes", "2", "--at-least", "100")
        wait_until(lambda: "at rest" in search.output, 60)
        workers = [child for child in descendants(search.process.pid) if child.pid in process_ids(workers_log(folder))]
        workers[0].kill()
        return subprocess.CompletedProcess([], search.wait(), search.output, "")


def workers_log(folder):
    return (run_folder(folder) / "workers.log").read_text()


def descendants(process_id):
    return psutil.Process(process_id).children(recursive=True)


SEARCHES = {
    "one process": partial(of_bucket, processes=1),
    "two processes": partial(of_bucket, processes=2),
    "gateway": behind_the_gateway,
    "plain Locust": by_plain_locust,
    "stopped": stopped,
    "without a worker": without_a_worker,
}


@pytest.fixture(scope="module")
def searches(tmp_path_factory):
    """Each search's folder and finished process."""
    folders = {name: tmp_path_factory.mktemp("search") for name in SEARCHES}
    ended = side_by_side(*(partial(search, folders[name]) for name, search in SEARCHES.items()))
    return {name: (folders[name], done) for name, done in zip(SEARCHES, ended, strict=True)}


@pytest.mark.parametrize(("name", "processes"), [("one process", 1), ("two processes", 2)])
def test_it_finds_what_a_bucket_lets_through(searches, name, processes):
    folder, done = searches[name]
    found = statistics(folder)["capacity"]
    # A bucket for each process: what two hold together is twice as much.
    truth = 150 * processes
    assert found["low"] is not None, done.stdout
    # Without a longer look, what was saved up lets a rate pass that can't be held for long.
    assert found["low"] <= truth * 1.2, done.stdout
    assert found["high"] >= truth * 0.95
    assert "throttles" in found["binding"]
    assert found["recovery"]["seconds"] < 5
    assert "Holds between" in done.stdout
    # What was asked for is more than they hold.
    assert done.returncode == 1
    assert (run_folder(folder) / "capacity.json").exists()


def test_a_handler_behind_the_gateway_is_searched_up_to_a_highest_rate(searches):
    folder, done = searches["gateway"]
    assert done.returncode == 0, done.stdout + done.stderr
    assert "Not judged, for this is no run under load: latency.p95 < 0.001ms," in " ".join(done.stdout.split())
    found = statistics(folder)["capacity"]
    assert max(one["step"]["rate"] for one in found["probes"]) == 40
    assert "Holds at least 40 arrivals/s" in done.stdout
    report = gatecrash_in_process(folder, "report", run_folder(folder))
    assert "Holds at least 40 arrivals/s" in report.stdout


def test_a_search_that_loses_a_worker_ends_and_is_invalid(searches):
    folder, done = searches["without a worker"]
    found = statistics(folder)
    assert found["capacity"]["ended_by"] == "the loss of a worker", done.stdout
    assert found["capacity"]["complete"]
    assert found["verdict"]["exit_code"] == done.returncode == 4
    assert sum(one["lost"] for one in found["state"]["worker_facts"]) == 1


def test_plain_locust_searches_by_the_plan_of_its_scenario(searches):
    folder, ended = searches["plain Locust"]
    assert ended.returncode == 0, ended.stderr
    found = json.loads((run_folder(folder) / "capacity.json").read_text())
    assert found["complete"]
    assert found["low"] == 100


def _as_settings(flags, keys):
    for flag, key in keys.items():
        place = flags.index(flag)
        flags[place : place + 2] = ["--set", f"capacity.{key}={flags[place + 1]}"]
    return flags


def test_a_plan_of_another_scenario_is_refused(tmp_path):
    path = tmp_path / "plan.json"
    done = gatecrash_in_process(tmp_path, "plan", *BUCKET, *PASSWORDS, "--cases", "20", "--output", path)
    assert done.returncode == 0, done.stderr
    command = [sys.executable, "-m", "locust", "-f", str(LOCUSTFILE), "--headless", "--plan", str(path)]
    ended = subprocess.run(
        command, cwd=tmp_path, env=environment(tmp_path), capture_output=True, timeout=60, check=False, text=True
    )
    assert ended.returncode == 2
    assert "gatecrash plan --scenario capacity" in ended.stderr


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("--target", "iot", "--region", "eu-west-1"), "--target lambda"),
        ((*BUCKET, "--max-rate", "10"), "raise --max-rate"),
        ((*BUCKET, "--max-rate", "200", "--at-least", "201"), "lower --at-least"),
        ((*BUCKET, "--set", "load.model=closed"), "load.model"),
        ((*BUCKET, "--latency", "-1"), "capacity.latency"),
    ],
)
def test_what_cannot_be_searched_is_refused_in_a_sentence(tmp_path, arguments, words):
    done = gatecrash_in_process(tmp_path, "capacity", *PASSWORDS, *QUICK, *arguments)
    assert done.returncode == 2
    assert words in done.stderr
    assert len(done.stderr.splitlines()) == 1
    assert not (tmp_path / "runs").exists()


def test_a_search_that_is_stopped_leaves_what_it_knew(searches):
    folder, done = searches["stopped"]
    found = statistics(folder)
    assert "limit of 900 requests" in found["capacity"]["ended_by"]
    assert found["validity"]["word"] in {"degraded", "invalid"}
    assert found["exchanges"] <= 900
    assert done.returncode in {0, 4}
