"""How many requests a second one core fires, by gatecrash's wire client and by its peers, and what each costs.

A static nginx stands in for the service, on a core of its own; it counts what it answered. All ways send the same
bodies over kept-alive connections, one after the other within a round, and the rounds are interleaved::

    python -m tests.benchmarks.firing --rounds 5

Needs nginx and wrk, and two cores. ``ratio`` is gatecrash's rate divided by the peer's, median of the rounds.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median

import psutil

FIRING_CORE, SINK_CORE = "0", "1"
SLOTS = 20
OURS = "gatecrash run, wire client"
SETTLE_SECONDS = 2.0
ANSWER = {
    "isAuthenticated": True,
    "principalId": "device1",
    "policyDocuments": ['{"Statement":[{"Effect":"Allow","Action":"iot:Connect","Resource":"*"}]}'],
    "refreshAfterInSeconds": 300,
    "disconnectAfterInSeconds": 3600,
}
DESCRIPTION = {
    "authorizerDescription": {
        "authorizerName": "benchmark",
        "authorizerArn": "arn:aws:iot:us-east-1:123456789012:authorizer/benchmark",
        "authorizerFunctionArn": "arn:aws:lambda:us-east-1:123456789012:function:benchmark",
        "status": "ACTIVE",
        "signingDisabled": True,
    }
}
NGINX = """
worker_processes 1;
daemon off;
pid {folder}/nginx.pid;
error_log {folder}/error.log;
events {{ worker_connections 1024; }}
http {{
    access_log off;
    keepalive_requests 1000000000;
    keepalive_timeout 3600s;
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
    server {{
        listen 127.0.0.1:{port};
        default_type application/json;
        location = /counted {{ stub_status; }}
        location = /authorizer/benchmark {{ return 200 '{description}'; }}
        location / {{ return 200 '{answer}'; }}
    }}
}}
"""
BOTO3_USER = """
import itertools, json, os
import boto3
from botocore.config import Config
from locust import User, task

BODIES = [json.loads(line) for line in open("bodies.jsonl")]
NUMBERS = itertools.count()


class Boto3User(User):
    def on_start(self):
        self.client = boto3.client(
            "iot", region_name="us-east-1", endpoint_url=os.environ["SINK"], aws_access_key_id="x",
            aws_secret_access_key="x", config=Config(retries={"total_max_attempts": 1}, parameter_validation=False),
        )

    @task
    def fire(self):
        parameters = BODIES[next(NUMBERS) % len(BODIES)]
        with self.environment.events.request.measure("POST", "TestInvokeAuthorizer"):
            self.client.test_invoke_authorizer(authorizerName="benchmark", **parameters)
"""
FAST_HTTP_USER = """
import itertools
from locust import FastHttpUser, task

BODIES = [line.rstrip(b"\\n") for line in open("bodies.jsonl", "rb")]
NUMBERS = itertools.count()
HEADERS = {"Content-Type": "application/json", "Authorization": "AWS4-HMAC-SHA256 " + "x" * 150}


class FastUser(FastHttpUser):
    @task
    def fire(self):
        self.client.post("/authorizer/benchmark/test", data=BODIES[next(NUMBERS) % len(BODIES)], headers=HEADERS)
"""
WIRE_ALONE = """
import gevent.monkey
gevent.monkey.patch_all()
import itertools, os, sys
import gevent
from gatecrash.authorizers import wire
from gatecrash.authorizers.targets.aws_clients import IotApiSettings
from gatecrash.authorizers.targets.iot_wire import IotWireTarget

CASES = [(line.rstrip(b"\\n"), wire.request_from_wire(wire.decode(line))) for line in open("bodies.jsonl", "rb")]
NUMBERS = itertools.count()
TARGET = IotWireTarget(IotApiSettings("benchmark", endpoint_url=os.environ["SINK"]))


def slot():
    while True:
        body, request = CASES[next(NUMBERS) % len(CASES)]
        TARGET.invoke_prepared(body, lambda: request)


gevent.joinall([gevent.spawn(slot) for _ in range(int(sys.argv[1]))])
"""
WRK = """
local bodies, number = {}, 0
for line in io.lines("bodies.jsonl") do bodies[#bodies + 1] = line end
request = function()
    number = number + 1
    return wrk.format("POST", "/authorizer/benchmark/test", {
        ["Content-Type"] = "application/json", ["Authorization"] = "AWS4-HMAC-SHA256 " .. string.rep("x", 150)
    }, bodies[number % #bodies + 1])
end
"""


@dataclass
class Way:
    """A way to fire: its command, what it was seen to do in each round, and the processor time of one request."""

    name: str
    command: Sequence[str]
    rates: list[float] = field(default_factory=list)
    microseconds: list[float] = field(default_factory=list)


class Sink:
    """An nginx that answers every request alike and counts."""

    def __init__(self, folder: Path) -> None:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]
        self.url = f"http://127.0.0.1:{port}"
        answer, description = (json.dumps(value).replace("\\", "\\\\") for value in (ANSWER, DESCRIPTION))
        text = NGINX.format(folder=folder, port=port, answer=answer, description=description)
        (folder / "nginx.conf").write_text(text)
        self._process = subprocess.Popen(
            ["taskset", "-c", SINK_CORE, "nginx", "-c", folder / "nginx.conf"], stderr=subprocess.DEVNULL
        )
        wait_until(lambda: self.counted() is not None)

    def counted(self) -> int | None:
        """Return how many requests were answered, None while nobody answers."""
        try:
            with urllib.request.urlopen(f"{self.url}/counted") as answer:
                return int(answer.read().split(b"\n")[2].split()[2])
        except OSError:
            return None

    def close(self) -> None:
        self._process.terminate()
        self._process.wait()


def wait_until(condition: Callable[[], bool], seconds: float = 60.0) -> None:
    ends = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > ends:
            raise SystemExit("it took too long to begin; is something missing or in the way?")
        time.sleep(0.05)


def measure(way: Way, sink: Sink, folder: Path, seconds: float, cores: str = FIRING_CORE) -> None:
    """Run a way on some cores, and count in the middle of it."""
    environment = {**os.environ, "SINK": sink.url, "AWS_CONFIG_FILE": os.devnull}
    with (folder / "output.txt").open("w") as output:
        process = subprocess.Popen(
            ["taskset", "-c", cores, *way.command],
            cwd=folder,
            env=environment,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    try:
        idle = sink.counted() or 0
        wait_until(lambda: (sink.counted() or 0) > idle + 200 or process.poll() is not None)
        time.sleep(SETTLE_SECONDS)
        before, used, started = sink.counted() or 0, processor_seconds(process.pid), time.perf_counter()
        time.sleep(seconds)
        after, used_after, ended = sink.counted() or 0, processor_seconds(process.pid), time.perf_counter()
    finally:
        end(process)
    if after == before:
        raise SystemExit(f"{way.name} fired nothing:\n{(folder / 'output.txt').read_text()}")
    way.rates.append((after - before) / (ended - started))
    way.microseconds.append((used_after - used) / (after - before) * 1e6)


def processor_seconds(process_id: int) -> float:
    """Return what a process and those that it started used."""
    parent = psutil.Process(process_id)
    total = 0.0
    for process in (parent, *parent.children(recursive=True)):
        with contextlib.suppress(psutil.NoSuchProcess):
            times = process.cpu_times()
            total += times.user + times.system
    return total


def end(process: subprocess.Popen[bytes]) -> None:
    with contextlib.suppress(psutil.NoSuchProcess):
        family = [*psutil.Process(process.pid).children(recursive=True), psutil.Process(process.pid)]
        for one in family:
            with contextlib.suppress(psutil.NoSuchProcess):
                one.kill()
    process.wait()


def prepare(folder: Path) -> None:
    """Write the table of devices, the bodies that all ways send, and the peers' scripts."""
    rows = [{"username": f"device{i}", "password": f"a-password-{i:08}", "client_id": f"client{i}"} for i in range(200)]
    (folder / "devices.jsonl").write_text("\n".join(map(json.dumps, rows)) + "\n")
    arguments = ("plan", "--credentials", "password", "--table", "devices.jsonl", "--cases", "200", "--cache", "cache")
    fake = ("--target", "scripted", "--output", "plan.json")
    subprocess.run(gatecrash(*arguments, *fake), cwd=folder, check=True, stdout=subprocess.DEVNULL)
    (bodies,) = (folder / "cache").glob("*/bodies.bin")
    text, decoder, lines = bodies.read_text(), json.JSONDecoder(), []
    place = 0
    while place < len(text):
        body, place = decoder.raw_decode(text, place)
        lines.append(json.dumps(body, separators=(",", ":")))
    (folder / "bodies.jsonl").write_text("\n".join(lines) + "\n")
    (folder / "boto3_user.py").write_text(BOTO3_USER)
    (folder / "fast_http_user.py").write_text(FAST_HTTP_USER)
    (folder / "wire_alone.py").write_text(WIRE_ALONE)
    (folder / "wrk.lua").write_text(WRK)


def gatecrash(*arguments: str) -> list[str]:
    return [sys.executable, "-m", "gatecrash", *arguments]


def gatecrash_run(sink: Sink, rate: float) -> list[str]:
    """Return the command of a run that plans so many arrivals a second, and drops what comes too late."""
    profile = ("--credentials", "password", "--table", "devices.jsonl", "--cases", "200", "--cache", "cache")
    at_sink = ("--target", "iot", "--endpoint-url", sink.url, "--region", "us-east-1", "--authorizer", "benchmark")
    load = ("--rate", f"{rate:.0f}", "--duration", "60", "--users", str(SLOTS), "--set", "load.patience=0.2")
    return gatecrash("run", *at_sink, *profile, *load, "--client", "wire")


def ways(sink: Sink) -> list[Way]:
    locust = (sys.executable, "-m", "locust", "--headless", "--users", str(SLOTS), "--spawn-rate", str(SLOTS), "-f")
    return [
        Way("wire client alone", [sys.executable, "wire_alone.py", str(SLOTS)]),
        Way(OURS, []),
        Way("Locust User + boto3", [*locust, "boto3_user.py"]),
        Way("Locust FastHttpUser", [*locust, "fast_http_user.py", "--host", sink.url]),
        Way("wrk", ["wrk", "-t1", f"-c{SLOTS}", "-d60", "-s", "wrk.lua", sink.url]),
    ]


def measure_round(measured: Sequence[Way], sink: Sink, folder: Path, seconds: float, rate: float) -> None:
    """Run each way once; gatecrash plans what the wire client alone just fired, where no rate is given.

    That is more than it can fire, whatever the machine does at the moment, and not so much more that dropping what
    comes too late would be a good part of its work.
    """
    for way in measured:
        if way.name == OURS:
            way.command = gatecrash_run(sink, rate or measured[0].rates[-1])
        measure(way, sink, folder, seconds)


@contextlib.contextmanager
def opened_sink(folder: Path) -> Iterator[Sink]:
    sink = Sink(folder)
    try:
        yield sink
    finally:
        sink.close()


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=4.0, help="measured in each round, for each way")
    parser.add_argument(
        "--rate", type=float, default=0.0, help="planned for gatecrash (default: what the wire client alone fires)"
    )
    given = parser.parse_args(arguments)
    missing = [program for program in ("nginx", "wrk", "taskset") if shutil.which(program) is None]
    if missing:
        parser.error(f"there is no {' and no '.join(missing)} on the PATH")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        prepare(folder)
        with opened_sink(folder) as sink:
            measured = ways(sink)
            for _ in range(given.rounds):
                measure_round(measured, sink, folder, given.seconds, given.rate)
    print(f"one core for the client, one for a static nginx; medians of {given.rounds} interleaved rounds")
    print(f"{'':28} {'requests/s':>12} {'lowest':>10} {'highest':>10} {'CPU us each':>12} {'ratio':>7}")
    ours = measured[1]
    for way in measured:
        ratio = median(mine / theirs for mine, theirs in zip(ours.rates, way.rates, strict=True))
        shown = f"{ratio:.2f}" if ratio >= 1 else f"{100 * ratio:.0f} %"
        print(
            f"{way.name:28} {median(way.rates):12,.0f} {min(way.rates):10,.0f} {max(way.rates):10,.0f} "
            f"{median(way.microseconds):12.1f} {shown:>7}"
        )
    alone, whole = (median(way.microseconds) for way in measured[:2])
    print(
        f"\nprocessor time of one exchange: {alone:.1f} us to send and receive, {whole - alone:.1f} us for everything "
        "around it (schedule, recording, ledger, Locust, checkpoints)"
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
