"""Master and worker on two machines, as far as one machine can be two: network namespaces with a cable between them.

The worker sees nothing of the master's files, so it builds the corpus itself.
"""

import json
import os
import shutil
import subprocess
import time

import pytest

from tests.end_to_end.command import HANDLERS, PASSWORDS, run_folder, statistics, wait_until
from tests.end_to_end.distributed import parts, process_ids

MASTER, WORKER = "10.213.7.1", "10.213.7.2"
PORT = "5557"


def ip(*arguments):
    return subprocess.run(["ip", *arguments], check=False, capture_output=True, text=True, timeout=20)


@pytest.fixture
def cable():
    """Give a function that pulls the cable and plugs it in again."""
    if os.geteuid() != 0 or shutil.which("ip") is None:
        pytest.skip("network namespaces need root and iproute2")
    names = [f"gatecrash-{os.getpid()}-{side}" for side in "mw"]
    ends = [f"gc{os.getpid()}{side}" for side in "mw"]
    if (made := ip("netns", "add", names[0])).returncode != 0:
        pytest.skip(f"no network namespaces here: {made.stderr.strip()}")
    try:
        steps = [("netns", "add", names[1]), ("link", "add", ends[0], "type", "veth", "peer", "name", ends[1])]
        for name, end, address in zip(names, ends, (MASTER, WORKER), strict=True):
            steps += [
                ("link", "set", end, "netns", name),
                ("-n", name, "addr", "add", f"{address}/24", "dev", end),
                ("-n", name, "link", "set", "lo", "up"),
                ("-n", name, "link", "set", end, "up"),
            ]
        for step in steps:
            done = ip(*step)
            assert done.returncode == 0, f"ip {' '.join(step)}: {done.stderr}"
        yield Cable(names, ends)
    finally:
        for name in names:
            ip("netns", "delete", name)


class Cable:
    def __init__(self, names, ends):
        self.names, self._ends = names, ends

    def set(self, state):
        done = ip("-n", self.names[1], "link", "set", self._ends[1], state)
        assert done.returncode == 0, done.stderr

    def master(self):
        return ("ip", "netns", "exec", self.names[0])

    def worker(self, hidden):
        """Return what starts a worker that sees nothing of a folder."""
        hide = f'mount -t tmpfs none "{hidden}" && exec "$@"'
        return ("ip", "netns", "exec", self.names[1], "sh", "-c", hide, "sh")


def begin(start, tmp_path, cable, duration):
    """Start a run of one worker and wait until it fires; returns both."""
    handler = ("--handler", HANDLERS / "correct.py", *PASSWORDS)
    load = ("--rate", "40", "--cases", "20", "--warm-up", "0", "--duration", str(duration))
    master = start(
        tmp_path / "master",
        *("run", "--master", "--bind", MASTER, "--port", PORT, "--expect-workers", "1"),
        *(*handler, *load),
        before=cable.master(),
    )
    worker = start(
        tmp_path / "worker",
        *("worker", "--master-host", MASTER, "--port", PORT, *PASSWORDS),
        before=cable.worker(tmp_path / "master"),
    )

    def fires():
        assert master.process.poll() is None, master.output
        found = list((tmp_path / "master" / "runs").glob("*/recording.json"))
        return found and json.loads(found[0].read_text())["state"]["elapsed"] > 0

    wait_until(fires, 60)
    return master, worker


def test_a_run_over_two_machines(tmp_path, cable):
    with parts() as start:
        master, worker = begin(start, tmp_path, cable, 3)
        assert master.wait() == 0, master.output
        assert worker.wait() == 0, worker.output
    found = statistics(tmp_path / "master")
    assert found["exchanges"] == 120
    assert found["validity"]["word"] == "valid"
    (built,) = (tmp_path / "worker" / "cache" / "gatecrash" / "corpora").glob("*/corpus.json")
    made = json.loads((run_folder(tmp_path / "master") / "run.json").read_text())["corpus"]
    assert json.loads(built.read_text())["content_digest"] == made["content_digest"]


def test_a_cable_that_is_out_for_five_seconds_costs_no_record(tmp_path, cable):
    with parts() as start:
        master, worker = begin(start, tmp_path, cable, 12)
        cable.set("down")
        time.sleep(5)
        cable.set("up")
        assert master.wait() in {0, 4}, master.output
        assert worker.wait() == 0, worker.output
    found = statistics(tmp_path / "master")
    (fact,) = found["state"]["worker_facts"]
    assert not fact["lost"]
    assert fact["silence"] > 4.5
    assert found["exchanges"] + found["dropped"] == found["planned"] == 480
    assert found["validity"]["word"] != "valid"
    assert f"was silent for {fact['silence']:.1f} s; nothing that it recorded is missing" in master.output.replace(
        "\n    ", " "
    )


def test_a_cable_that_stays_out_ends_both_sides_and_is_never_green(tmp_path, cable):
    with parts() as start:
        master, worker = begin(start, tmp_path, cable, 60)
        cable.set("down")
        assert master.wait() == 4, master.output
        (process_id,) = process_ids(master.output)
        assert worker.wait() == 4, worker.output
    found = statistics(tmp_path / "master")
    (fact,) = found["state"]["worker_facts"]
    assert fact["lost"]
    assert fact["process_id"] == process_id
    assert 0 < fact["missing"] <= 60 * 40
    assert found["exchanges"] > 0
    (reason,) = [one for one in found["verdict"]["reasons"] if f"process {process_id}) was lost" in one]
    assert f"about {fact['missing']} planned arrivals are missing" in reason
    assert f"the master at {MASTER}:{PORT} was not heard for 15 s: firing stopped" in worker.output
