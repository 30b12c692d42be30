"""Master and worker on two machines, as far as one machine can be two: network namespaces with a cable between them.

The worker sees nothing of the master's files, so it builds the corpus itself. The three runs go on side by side, each
in namespaces of its own.
"""

import json
import os
import re
import shutil
import subprocess
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace

import pytest
import yaml

from tests.end_to_end.command import HANDLERS, PASSWORDS, run_folder, statistics, wait_until
from tests.end_to_end.distributed import parts, process_ids

MASTER, WORKER = "10.213.7.1", "10.213.7.2"
RATE = 40
DEPLOY = Path(__file__).resolve().parents[2] / "deploy"


def ip(*arguments):
    return subprocess.run(["ip", *arguments], check=False, capture_output=True, text=True, timeout=20)


def of_compose(service):
    """Return the command by which deploy/compose.yaml starts a service, for one worker and on a machine like this."""
    described = yaml.safe_load((DEPLOY / "compose.yaml").read_text())["services"][service]
    return [re.sub(r"\$\{WORKERS:-\d+\}", "1", word).replace("/runs", "runs") for word in described["command"]]


class Cable:
    """Two network namespaces, and the virtual cable between them."""

    def __init__(self, name):
        self._names = [f"gatecrash-{os.getpid()}-{name}-{side}" for side in "mw"]
        self._ends = [f"gc{os.getpid()}{name}{side}" for side in "mw"]

    def lay(self):
        master, worker = self._ends
        steps = [("netns", "add", name) for name in self._names]
        steps.append(("link", "add", master, "type", "veth", "peer", "name", worker))
        for name, end, address in zip(self._names, self._ends, (MASTER, WORKER), strict=True):
            steps += [
                ("link", "set", end, "netns", name),
                ("-n", name, "addr", "add", f"{address}/24", "dev", end),
                ("-n", name, "link", "set", "lo", "up"),
                ("-n", name, "link", "set", end, "up"),
            ]
        for name in self._names:
            # What `ip netns exec` mounts over /etc/hosts: names as compose gives them.
            hosts = Path("/etc/netns", name, "hosts")
            hosts.parent.mkdir(parents=True)
            hosts.write_text(f"127.0.0.1 localhost\n{MASTER} master\n")
        for step in steps:
            done = ip(*step)
            assert done.returncode == 0, f"ip {' '.join(step)}: {done.stderr}"

    def remove(self):
        for name in self._names:
            ip("netns", "delete", name)
            shutil.rmtree(Path("/etc/netns", name), ignore_errors=True)

    def set(self, state):
        done = ip("-n", self._names[1], "link", "set", self._ends[1], state)
        assert done.returncode == 0, done.stderr

    def at_master(self):
        return ("ip", "netns", "exec", self._names[0])

    def at_worker(self, hidden):
        """Return what starts a command that sees nothing of a folder."""
        hide = f'mount -t tmpfs none "{hidden}" && exec "$@"'
        return ("ip", "netns", "exec", self._names[1], "sh", "-c", hide, "sh")


@contextmanager
def run(folder, name, duration):
    """Start a run of one worker by the commands of deploy/compose.yaml, and wait until it fires."""
    cable = Cable(name)
    place = folder / name
    place.mkdir()
    load = ("--rate", str(RATE), "--cases", "20", "--warm-up", "0", "--duration", str(duration))
    with parts() as start:
        try:
            cable.lay()
            master = start(
                place / "master",
                *(*of_compose("master"), "--handler", HANDLERS / "correct.py", *PASSWORDS, *load),
                before=cable.at_master(),
            )
            worker = start(
                place / "worker",
                *(*of_compose("worker"), *PASSWORDS),
                before=cable.at_worker(place / "master"),
            )

            def fires():
                assert master.process.poll() is None, master.output
                found = list((place / "master" / "runs").glob("*/recording.json"))
                return found and json.loads(found[0].read_text())["state"]["elapsed"] > 0

            wait_until(fires, 90)
            yield SimpleNamespace(master=master, worker=worker, cable=cable, place=place)
        finally:
            cable.remove()


def ended(one):
    codes = one.master.wait(90), one.worker.wait(90)
    return SimpleNamespace(
        codes=codes,
        master=" ".join(one.master.output.split()),
        worker=" ".join(one.worker.output.split()),
        found=statistics(one.place / "master"),
        place=one.place,
    )


def undisturbed(folder):
    with run(folder, "a", 3) as one:
        return ended(one)


def cut_for_five_seconds(folder):
    with run(folder, "b", 10) as one:
        one.cable.set("down")
        time.sleep(5)
        one.cable.set("up")
        return ended(one)


def cut_for_good(folder):
    with run(folder, "c", 60) as one:
        one.cable.set("down")
        return ended(one)


@pytest.fixture(scope="module")
def runs(tmp_path_factory):
    if os.geteuid() != 0 or shutil.which("ip") is None:
        pytest.skip("network namespaces need root and iproute2")
    probe = f"gatecrash-{os.getpid()}-probe"
    if (made := ip("netns", "add", probe)).returncode != 0:
        pytest.skip(f"no network namespaces here: {made.stderr.strip()}")
    ip("netns", "delete", probe)
    folder = tmp_path_factory.mktemp("machines")
    with ThreadPoolExecutor() as pool:
        futures = {job: pool.submit(job, folder) for job in (undisturbed, cut_for_five_seconds, cut_for_good)}
        return {job: future.result() for job, future in futures.items()}


def test_a_run_over_two_machines(runs):
    one = runs[undisturbed]
    assert one.codes == (0, 0), one.master + one.worker
    assert one.found["exchanges"] + one.found["dropped"] == 3 * RATE
    (worker,) = one.found["state"]["worker_facts"]
    assert worker["exchanges"] == one.found["exchanges"]


def test_the_worker_built_the_very_same_corpus(runs):
    place = runs[undisturbed].place
    (built,) = (place / "worker" / "cache" / "gatecrash" / "corpora").glob("*/corpus.json")
    made = json.loads((run_folder(place / "master") / "run.json").read_text())["corpus"]
    assert json.loads(built.read_text())["content_digest"] == made["content_digest"]


def test_a_cable_that_is_out_for_five_seconds_costs_no_record(runs):
    one = runs[cut_for_five_seconds]
    assert one.codes[1] == 0, one.worker
    (worker,) = one.found["state"]["worker_facts"]
    assert not worker["lost"]
    assert worker["silence"] > 4.5
    assert one.found["exchanges"] + one.found["dropped"] == one.found["planned"] == 10 * RATE
    assert one.found["validity"]["word"] != "valid"
    assert f"was silent for {worker['silence']:.1f} s; nothing that it recorded is missing" in one.master


def test_a_cable_that_stays_out_ends_both_sides_and_is_never_green(runs):
    one = runs[cut_for_good]
    assert one.codes == (4, 4), one.master + one.worker
    (process_id,) = process_ids(one.master)
    (worker,) = one.found["state"]["worker_facts"]
    assert worker["lost"]
    assert worker["process_id"] == process_id
    assert one.found["exchanges"] == worker["exchanges"] > 0
    (reason,) = [one for one in one.found["verdict"]["reasons"] if f"process {process_id}) was lost" in one]
    assert f"about {worker['missing']} planned arrivals are missing" in reason
    assert worker["missing"] + worker["exchanges"] == pytest.approx(60 * RATE, rel=0.05)
    assert "the master at master:5557 was not heard for 15 s: firing stopped" in one.worker
