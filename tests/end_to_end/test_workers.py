"""Masters and workers as processes of this machine: dying, hanging, coming late, not fitting, and what travels."""

import json
import os
import re
import signal
import socket
import subprocess
import threading
import zlib

import psutil
import pytest

from tests.end_to_end.command import (
    DEVICES,
    PASSWORDS,
    SHORT,
    environment,
    gatecrash,
    gatecrash_in_process,
    run_folder,
    statistics,
    wait_until,
)
from tests.end_to_end.distributed import SCRIPTED, free_port, parts, process_ids
from tests.end_to_end.test_locust_alone import locust, plan


def fires(folder):
    found = list((folder / "runs").glob("*/recording.json"))
    return found and json.loads(found[0].read_text())["state"]["elapsed"] > 0


# Seconds within which a worker comes late on a busy machine too.
LASTS = 16


@pytest.fixture(scope="module")
def disturbed(tmp_path_factory):
    """A run of three workers: one is killed at half time, one hangs, and a fourth comes late."""
    folder, port = tmp_path_factory.mktemp("disturbed"), free_port()
    load = ("--rate", "60", "--cases", "20", "--warm-up", "0", "--duration", LASTS)
    with parts() as start:
        listen = ("--port", port, "--expect-workers", "3")
        master = start(folder / "master", "run", "--master", *listen, *SCRIPTED, *PASSWORDS, *load)
        join = ("worker", "--port", port, *PASSWORDS)
        two = start(folder / "two", *join, "--processes", "2")
        one = start(folder / "one", *join)
        wait_until(lambda: fires(folder / "master"), 60)
        late = start(folder / "late", *join)
        theirs = set(_descendants(two.process.pid))
        killed, hanging = [number for number in process_ids(master.output) if number in theirs]
        os.kill(killed, signal.SIGKILL)
        os.kill(hanging, signal.SIGSTOP)
        codes = master.wait(), one.wait(), late.wait()
        os.kill(hanging, signal.SIGKILL)
        return folder, master.output, (killed, hanging), codes, late.output


def _descendants(process_id):
    return [child.pid for child in psutil.Process(process_id).children(recursive=True)]


def test_a_lost_worker_is_never_a_green_run_and_is_named(disturbed):
    folder, output, lost, codes, _ = disturbed
    assert codes[0] == 4, output
    found = statistics(folder / "master")
    assert found["validity"]["word"] == "invalid"
    facts = {one["process_id"]: one for one in found["state"]["worker_facts"]}
    assert {number for number, one in facts.items() if one["lost"]} == set(lost)
    for number in lost:
        assert facts[number]["host"] == socket.gethostname()
        assert 0 < facts[number]["missing"] <= LASTS * 60 / 3
        sentence = rf"worker \d \({re.escape(socket.gethostname())}, process {number}\) was lost, last heard in second"
        assert any(re.match(sentence, reason) for reason in found["verdict"]["reasons"])
        assert f"process {number}), lost" in output
    page = (run_folder(folder / "master") / "report.html").read_text()
    assert all(f"process {number}), lost" in page for number in lost)


def test_the_others_fire_their_whole_share(disturbed):
    folder, _, lost, codes, _ = disturbed
    assert codes[1] == 0
    facts = statistics(folder / "master")["state"]["worker_facts"]
    (other,) = [one for one in facts if one["process_id"] not in lost]
    assert (other["exchanges"], other["missing"]) == (LASTS * 60 / 3, 0)


def test_a_worker_that_comes_late_is_sent_away_and_told(disturbed):
    folder, output, _, codes, late = disturbed
    assert codes[2] == 2
    assert "gatecrash: the run began without this worker, so it has no share of the schedule" in late
    assert "came after the start: it has no share of the schedule and was sent away" in output
    assert len(statistics(folder / "master")["state"]["worker_facts"]) == 3


def test_a_worker_with_other_credentials_is_refused_on_both_sides(tmp_path):
    port, other = free_port(), tmp_path / "other.jsonl"
    rows = [json.loads(line) for line in DEVICES.read_text().splitlines()]
    other.write_text("\n".join(json.dumps({**row, "password": f"another {row['password']}"}) for row in rows))
    with parts() as start:
        listen = ("--port", port, "--expect-workers", "1")
        master = start(tmp_path / "master", "run", "--master", *listen, *SCRIPTED, *PASSWORDS, *SHORT)
        wait_until(lambda: "Waiting" in master.output)
        # Without the master's cache it must build the corpus itself.
        hidden = tmp_path / "master" / "cache"
        hidden.rename(tmp_path / "elsewhere")
        worker = start(tmp_path / "worker", "worker", "--port", port, "--credentials", "password", "--table", other)
        assert worker.wait() == 2, worker.output
        assert master.wait() == 2, master.output
    assert "gatecrash: the corpus made here has the digest" in worker.output
    assert "must be the same on all machines" in worker.output
    assert "can't take part: the corpus made here has the digest" in master.output
    assert "Traceback" not in worker.output + master.output
    assert not list((tmp_path / "master" / "runs").iterdir())


def test_workers_that_never_come_are_one_sentence(tmp_path):
    listen = ("--port", free_port(), "--expect-workers", "2", "--wait", "1")
    done = gatecrash(tmp_path, "run", "--master", *listen, *SCRIPTED, *PASSWORDS, *SHORT)
    assert done.returncode == 2
    assert re.fullmatch(
        r"gatecrash: 0 of 2 workers came within 1 s to 127.0.0.1:\d+: start more with .*\n", done.stderr
    )


class Wiretap:
    """Passes bytes on between workers and a master, and keeps them."""

    def __init__(self, port):
        self._port = port
        self.heard = bytearray()
        self._server = socket.create_server(("127.0.0.1", 0))
        self.port = self._server.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self):
        while True:
            try:
                near, _ = self._server.accept()
            except OSError:
                return
            far = socket.create_connection(("127.0.0.1", self._port))
            for pair in ((near, far), (far, near)):
                threading.Thread(target=self._pass_on, args=pair, daemon=True).start()

    def _pass_on(self, source, sink):
        try:
            while data := source.recv(65536):
                self.heard += data
                sink.sendall(data)
            sink.shutdown(socket.SHUT_WR)
        except OSError:
            return

    def close(self):
        self._server.close()


def inflated(data):
    """Return the content of every deflated part of some bytes: recordings travel so."""
    found = b""
    for start in range(len(data) - 1):
        if data[start : start + 2] == b"\x78\x01":
            try:
                found += zlib.decompressobj().decompress(data[start:])
            except zlib.error:
                continue
    return found


def test_plain_locust_works_the_same_and_no_secret_travels(tmp_path):
    port = free_port()
    master = subprocess.Popen(
        locust(
            *("--headless", "--users", "10", "--spawn-rate", "10", "--plan", plan(tmp_path), "--master"),
            *("--master-bind-port", port, "--expect-workers", "1"),
        ),
        cwd=tmp_path,
        env=environment(tmp_path),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
    )
    wait_until(lambda: _listens(port))
    tap = Wiretap(port)
    worker = subprocess.run(
        locust("--worker", "--master-port", tap.port),
        cwd=tmp_path,
        env=environment(tmp_path),
        capture_output=True,
        timeout=90,
        check=False,
    )
    _, errors = master.communicate(timeout=60)
    tap.close()
    assert (master.returncode, worker.returncode) == (0, 0), errors.decode() + worker.stderr.decode()
    (stored,) = (tmp_path / "runs").iterdir()
    recording = json.loads((stored / "recording.json").read_text())
    assert sum(recording["counts"]["outcomes"].values()) == 120
    heard = bytes(tap.heard)
    recordings = inflated(heard)
    assert b"gatecrash_plan" in heard
    assert b'"ledger"' in recordings
    passwords = [json.loads(line)["password"] for line in DEVICES.read_text().splitlines()]
    assert passwords
    for secret in passwords:
        assert secret.encode() not in heard + recordings


def _listens(port):
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def test_a_corpus_is_built_like_the_one_that_a_run_tells_of(tmp_path):
    done = gatecrash_in_process(tmp_path, "plan", *SCRIPTED, *PASSWORDS, *SHORT, "--output", tmp_path / "plan.json")
    assert done.returncode == 0, done.stderr
    here, there = tmp_path / "here", tmp_path / "there"
    options = (*PASSWORDS, "--like", tmp_path / "plan.json")
    made = gatecrash_in_process(tmp_path, "corpus", *options, "--cache", here)
    assert made.returncode == 0, made.stderr
    assert json.loads((tmp_path / "plan.json").read_text())["info"]["corpus"]["digest"] in _digests(here)
    refused = gatecrash_in_process(tmp_path, "corpus", *options, "--set", "credentials.kind=jwt", "--cache", there)
    assert refused.returncode == 2
    assert "credentials.kind is jwt here, but password where the corpus was made" in refused.stderr


def _digests(cache):
    return {json.loads(path.read_text())["digest"] for path in cache.glob("*/corpus.json")}
