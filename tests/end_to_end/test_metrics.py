"""Live metrics by the real command: scraped and parsed as Prometheus does, received and decoded as a collector does."""

import contextlib
import itertools
import json
import re
import socket
import subprocess
import sys
import threading
import time
import urllib.request
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from prometheus_client.openmetrics.parser import text_string_to_metric_families as parse_openmetrics
from prometheus_client.parser import text_string_to_metric_families as parse

from tests.end_to_end.command import (
    PASSWORDS,
    command,
    environment,
    gatecrash,
    gatecrash_in_process,
    run_folder,
    side_by_side,
    statistics,
    wait_until,
)
from tests.end_to_end.distributed import SCRIPTED, free_port, parts
from tests.end_to_end.test_locust_alone import _answers, locust

THROTTLED = ("--target", "scripted", "--set", "target.script={latency=0.01, throttle_rate=0.2}")
# Valid requests alone: the script lets everybody in.
VALID = (*PASSWORDS, "--cases", "20", "--set", "corpus.valid_share=1", "--rate", "60", "--warm-up", "1")
RUN = ("run", *THROTTLED, *VALID)
KINDS = {"service_time": "gatecrash.service_time", "response_time": "gatecrash.response_time"}


class Collector:
    """A collector that keeps what it gets; ``status`` is what it answers, after ``seconds``."""

    def __init__(self, status=200, seconds=0.0):
        self.requests, self.headers, self.paths = [], [], []
        self._ended = threading.Event()
        collector = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"]))
                collector.paths.append(self.path)
                collector.headers.append({name.lower(): value for name, value in self.headers.items()})
                collector.requests.append(ExportMetricsServiceRequest.FromString(body))
                collector._ended.wait(seconds)
                with contextlib.suppress(OSError):
                    self.send_response(status)
                    self.send_header("Content-Length", "0")
                    self.end_headers()

            def log_message(self, *_):
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def close(self):
        self._ended.set()
        self._server.shutdown()
        self._server.server_close()


@contextlib.contextmanager
def collector(**options):
    made = Collector(**options)
    try:
        yield made
    finally:
        made.close()


def received(request):
    """Return the resource's attributes, and the points of each metric by name and label."""
    (resource,) = request.resource_metrics
    (scope,) = resource.scope_metrics
    attributes = {one.key: one.value.string_value for one in resource.resource.attributes}
    points = {}
    for metric in scope.metrics:
        for point in getattr(metric, metric.WhichOneof("data")).data_points:
            points[metric.name, *(one.value.string_value for one in point.attributes)] = point
    return attributes, points


def number(point):
    return getattr(point, point.WhichOneof("value"))


def agree_with_statistics(request, found):
    """Check that the counts that a collector has last are those of the run."""
    _, points = received(request)
    sent = {key[1]: number(point) for key, point in points.items() if key[0] == "gatecrash.exchanges"}
    assert {outcome: count for outcome, count in sent.items() if count} == found["outcomes"]
    assert sum(sent.values()) == found["exchanges"] > 50
    assert number(points["gatecrash.warm_up_exchanges",]) == found["warm_up_exchanges"] > 0
    assert number(points["gatecrash.cold_starts",]) == found["cold_starts"]
    assert number(points["gatecrash.planned_arrivals",]) == sum(row["planned"] for row in found["seconds"])
    assert number(points["gatecrash.dropped_arrivals",]) == sum(row["dropped"] for row in found["seconds"])
    for row in found["latencies"]:
        if row["outcome"] is not None:
            point = points[KINDS[row["kind"]], row["outcome"]]
            assert point.count == sum(point.bucket_counts) == row["count"]
            assert point.sum / point.count == pytest.approx(row["mean_ms"] / 1000, rel=0.001)


def scrape(url, accept="text/plain"):
    with urllib.request.urlopen(urllib.request.Request(url, headers={"Accept": accept}), timeout=10) as answer:
        text = answer.read().decode()
    families = (parse_openmetrics if "openmetrics" in accept else parse)(text)
    return {(one.name, *sorted(one.labels.items())): one.value for family in families for one in family.samples}


def exchanges(samples):
    return {dict(key[1:])["outcome"]: value for key, value in samples.items() if key[0] == "gatecrash_exchanges_total"}


@contextlib.contextmanager
def started(folder, *arguments, base=command):
    """Start a command in a folder; gives the process and a function that returns what it has said."""
    with (folder / "screen.txt").open("wb") as screen:
        process = subprocess.Popen(
            base(*arguments), cwd=folder, env=environment(folder), stdout=screen, stderr=subprocess.STDOUT
        )
    try:
        yield process, lambda: (folder / "screen.txt").read_text()
    finally:
        if process.poll() is None:
            process.terminate()
        process.wait(40)


def address(said):
    found = wait_until(lambda: re.search(r"Metrics for Prometheus are at (http://\S+)", said()), 60)
    return found[1]


def scrape_until_the_end(url, process, accept="text/plain"):
    """Scrape as long as there is something to scrape, and return all that was."""
    scrapes = []
    while process.poll() is None:
        with contextlib.suppress(OSError):
            scrapes.append(scrape(url, accept))
        time.sleep(0.3)
    return scrapes


WORKERS = {"one process": (), "two workers": ("--processes", "2")}


def observed_run(folder, workers):
    """Scrape a run that also sends its metrics; returns its folder, all scrapes, the collector and what it said."""
    with collector() as place:
        arguments = ("--duration", "4", "--prometheus", "127.0.0.1:0", "--set", "metrics.linger=20")
        arguments += ("--otlp", place.url, "--set", "metrics.interval=1", "--name", "nightly")
        with started(folder, *RUN, *arguments, *WORKERS[workers]) as (process, said):
            accept = "application/openmetrics-text" if WORKERS[workers] else "text/plain"
            scrapes = scrape_until_the_end(address(said), process, accept)
            # A machine that is too busy makes it invalid.
            assert process.returncode in {0, 4}, said()
    return folder, scrapes, place, said()


@pytest.fixture(scope="module")
def observed(tmp_path_factory):
    """Runs whose metrics are scraped and sent; by one process and by two workers."""
    ended = side_by_side(*(partial(observed_run, tmp_path_factory.mktemp("run"), workers) for workers in WORKERS))
    return dict(zip(WORKERS, ended, strict=True))


@pytest.mark.parametrize("workers", WORKERS)
def test_prometheus_scrapes_counts_that_grow_to_those_of_the_report(observed, workers):
    more = WORKERS[workers]
    folder, scrapes, *_ = observed[workers]
    found = statistics(folder)
    assert len(scrapes) >= 5
    for earlier, later in itertools.pairwise(scrapes):
        counts = [key for key in earlier if key[0].endswith(("_total", "_count", "_bucket"))]
        assert all(earlier[key] <= later[key] for key in counts)
    seen = [sum(exchanges(one).values()) for one in scrapes]
    assert any(0 < count < found["exchanges"] for count in seen), "no scrape came while it fired"
    last = scrapes[-1]
    # The listener stays until somebody has the last values.
    assert {name: count for name, count in exchanges(last).items() if count} == found["outcomes"]
    assert last["gatecrash_warm_up_exchanges_total",] == found["warm_up_exchanges"]
    assert last["gatecrash_workers",] == found["state"]["workers"] == (2 if more else 1)
    assert last["gatecrash_workers_lost",] == 0
    assert 40 < max(one["gatecrash_offered_arrivals_per_second",] for one in scrapes) < 80
    info = next(dict(key[1:]) for key in last if key[0] == "gatecrash_run_info")
    assert (info["name"], info["scenario"], info["target"]) == ("nightly", "steady", "scripted")
    shares = {dict(key[1:])["worker"] for key in last if key[0] == "gatecrash_worker_cpu_utilization_ratio"}
    assert shares == ({"1", "2"} if more else {"1"})
    buckets = {
        dict(key[1:])["le"]: value
        for key, value in last.items()
        if key[0] == "gatecrash_response_time_seconds_bucket" and dict(key[1:])["outcome"] == "allow"
    }
    assert buckets["+Inf"] == found["outcomes"]["allow"]
    assert buckets["0.007"] == 0, "the script takes 10 ms"
    assert buckets["0.5"] > 0.9 * buckets["+Inf"]


@pytest.mark.parametrize("workers", WORKERS)
def test_a_collector_has_the_counts_of_the_report_in_the_end(observed, workers):
    more = WORKERS[workers]
    folder, _, place, said = observed[workers]
    found = statistics(folder)
    assert set(place.paths) == {"/v1/metrics"}
    assert {one["content-type"] for one in place.headers} == {"application/x-protobuf"}
    assert 4 <= len(place.requests) <= 20
    agree_with_statistics(place.requests[-1], found)
    attributes, points = received(place.requests[-1])
    assert attributes["service.name"] == "gatecrash"
    assert attributes["service.instance.id"] == run_folder(folder).name
    assert attributes["gatecrash.target.kind"] == "scripted"
    assert number(points["gatecrash.workers",]) == (2 if more else 1)
    totals = [number(received(one)[1]["gatecrash.planned_arrivals",]) for one in place.requests]
    assert totals == sorted(totals)
    assert f"Metrics are sent to {place.url}/v1/metrics every 1 s" in said
    assert "can't be sent" not in said


def test_a_header_for_the_collector_reaches_it_and_nothing_else(tmp_path):
    with collector() as place:
        place_in = {**environment(tmp_path), "OTEL_EXPORTER_OTLP_HEADERS": "authorization=Bearer%20hunter2-long"}
        place_in |= {"OTEL_RESOURCE_ATTRIBUTES": "deployment.environment.name=ci", "OTEL_SERVICE_NAME": "gate"}
        done = subprocess.run(
            command(*RUN, "--duration", "2", "--otlp", place.url),
            cwd=tmp_path,
            env=place_in,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr
    assert {one["authorization"] for one in place.headers} == {"Bearer hunter2-long"}
    attributes, _ = received(place.requests[-1])
    assert (attributes["service.name"], attributes["deployment.environment.name"]) == ("gate", "ci")
    texts = [path.read_text(errors="replace") for path in run_folder(tmp_path).rglob("*") if path.is_file()]
    assert not any("hunter2" in text for text in (*texts, done.stdout, done.stderr))
    # No request's text is in what is sent.
    assert b"device" not in b"".join(one.SerializeToString() for one in place.requests)


def test_a_search_for_capacity_tells_its_metrics_too(tmp_path):
    with collector() as place:
        search = ("--start-rate", "40", "--max-rate", "40", "--set", "capacity.probe_seconds=2")
        search += ("--set", "capacity.warm_up=0.5", "--seconds", "9")
        done = gatecrash(tmp_path, "capacity", *SCRIPTED, *PASSWORDS, "--cases", "20", *search, "--otlp", place.url)
        # The script lets in whom it must not.
        assert done.returncode == 3, done.stdout + done.stderr
    attributes, points = received(place.requests[-1])
    assert attributes["gatecrash.run.scenario"] == "capacity"
    sent = sum(number(point) for key, point in points.items() if key[0] == "gatecrash.exchanges")
    assert sent == statistics(tmp_path)["exchanges"] > 50


def test_plain_locust_tells_metrics_of_its_settings(tmp_path):
    with collector() as place:
        (tmp_path / "gatecrash.toml").write_text(
            '[target]\nkind = "scripted"\n[credentials]\nkind = "password"\n'
            f'table = "{PASSWORDS[-1]}"\n[load]\nrate = 40\nduration = 3\nwarm_up = 1\n'
            "[corpus]\ncases = 20\nvalid_share = 1\n"
            f'[metrics]\nprometheus = "0"\notlp = "{place.url}"\n'
        )
        with started(tmp_path, "--headless", "--users", "10", base=locust) as (process, said):
            scrapes = scrape_until_the_end(address(said), process)
            assert process.returncode == 0, said()
    assert sum(exchanges(scrapes[-1]).values()) > 0
    counts = json.loads((run_folder(tmp_path) / "recording.json").read_text())["counts"]
    _, points = received(place.requests[-1])
    sent = {key[1]: number(point) for key, point in points.items() if key[0] == "gatecrash.exchanges"}
    assert {name: count for name, count in sent.items() if count} == counts["outcomes"]


def test_each_run_of_the_web_page_has_its_own_counts(tmp_path):
    port, made = free_port(), tmp_path / "plan.json"
    with collector() as place:
        arguments = ("--otlp", place.url, "--set", "metrics.interval=60", "--output", made)
        done = gatecrash_in_process(tmp_path, "plan", *THROTTLED, *VALID, *arguments)
        assert done.returncode == 0, done.stderr
        with started(tmp_path, "--web-port", port, "--plan", made, base=locust):
            wait_until(lambda: _answers(port), 60)
            for runs in (1, 2):
                body = b"user_count=5&spawn_rate=5&duration=1&warm_up=0&rate=20&model=open"
                urllib.request.urlopen(f"http://127.0.0.1:{port}/swarm", body, timeout=10).close()
                wait_until(lambda wanted=runs: len(complete(tmp_path)) == wanted, 60)
    counts = complete(tmp_path)
    assert len(counts) == 2
    last = {attributes["service.instance.id"]: points for attributes, points in map(received, place.requests)}
    for folder, outcomes in counts.items():
        sent = {key[1]: number(point) for key, point in last[folder].items() if key[0] == "gatecrash.exchanges"}
        assert {name: count for name, count in sent.items() if count} == outcomes


def complete(folder):
    """Return the outcomes of each run that is complete, by the name of its folder."""
    recordings = {path.parent.name: json.loads(path.read_text()) for path in folder.glob("runs/*/recording.json")}
    return {name: one["counts"]["outcomes"] for name, one in recordings.items() if one["state"]["complete"]}


def test_a_master_tells_what_its_workers_fired(tmp_path):
    with collector() as place, parts() as start:
        port = free_port()
        load = (*SCRIPTED, *VALID, "--duration", "3", "--port", port)
        metrics = ("--otlp", place.url, "--prometheus", "127.0.0.1:0")
        master = start(tmp_path / "master", "run", *load, "--master", "--expect-workers", "2", *metrics)
        # Each on its own, as on machines of their own.
        settings = ("--port", port, *SCRIPTED, *PASSWORDS)
        workers = [start(tmp_path / f"worker{one}", "worker", *settings) for one in (1, 2)]
        assert master.wait(90) == 0, master.output
        assert [worker.wait() for worker in workers] == [0, 0]
        assert not any("Metrics" in worker.output for worker in workers)
        assert master.output.count("Metrics for Prometheus are at") == 1
    agree_with_statistics(place.requests[-1], statistics(tmp_path / "master"))


# What a collector does, how it is made, and what is said of it.
FAILING = {
    "refuses": ({"status": 401}, "it answers with HTTP status 401"),
    "hangs": ({"seconds": 600}, "no answer in time"),
    "is not there": (None, "Connection refused"),
}


def failing(folder, name):
    """Send metrics to a collector that fails; returns the folder, the finished process, the URL and the seconds."""
    options, _ = FAILING[name]
    with contextlib.ExitStack() as stack:
        url = f"http://127.0.0.1:{free_port()}" if options is None else stack.enter_context(collector(**options)).url
        arguments = (
            "--rate",
            "20",
            "--duration",
            "14",
            "--otlp",
            url,
            "--set",
            "metrics.interval=1",
            "--prometheus",
            "0",
        )
        began = time.monotonic()
        done = gatecrash(folder, *RUN, *arguments)
        return folder, done, url, time.monotonic() - began


@pytest.fixture(scope="module")
def failed(tmp_path_factory):
    ended = side_by_side(*(partial(failing, tmp_path_factory.mktemp("run"), name) for name in FAILING))
    return dict(zip(FAILING, ended, strict=True))


@pytest.mark.parametrize("name", FAILING)
def test_a_collector_that_fails_is_told_of_once_and_hurts_nobody(failed, name):
    folder, done, url, took = failed[name]
    _, reason = FAILING[name]
    assert done.returncode == 0, done.stdout + done.stderr
    sentence = f"Metrics can't be sent to {url}/v1/metrics: {reason}; the run is none the worse for it"
    assert done.stdout.count(sentence) == done.stdout.count("can't be sent") == 1
    assert "Traceback" not in done.stdout + done.stderr
    found = statistics(folder)
    assert found["exchanges"] == 14 * 20
    assert found["dropped"] == 0
    assert found["state"]["complete"]
    assert not found["state"]["incidents"]
    assert not (run_folder(folder) / "locust.log").exists()
    # How long all of them take depends on the machine, what a collector adds does not.
    assert took < min(seconds for *_, seconds in failed.values()) + 30
    assert took < 14 + 1 + 200


def test_scrapers_that_never_read_delay_nobody(tmp_path):
    arguments = ("--duration", "4", "--prometheus", "127.0.0.1:0")
    with started(tmp_path, *RUN, *arguments) as (process, said), contextlib.ExitStack() as stack:
        host, port = re.search(r"//([\d.]+):(\d+)/", address(said)).groups()
        for _ in range(8):
            silent = stack.enter_context(socket.create_connection((host, int(port))))
            silent.sendall(b"GET /metrics HTTP/1.1\r\nHost: here\r\n")
        assert exchanges(scrape(f"http://{host}:{port}/metrics"))
        assert process.wait(60) == 0, said()
    assert statistics(tmp_path)["exchanges"] == 4 * 60


@pytest.mark.parametrize("more", [(), ("--processes", "2")], ids=["one process", "two workers"])
def test_a_port_that_is_taken_is_a_mistake(tmp_path, more):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        done = gatecrash(tmp_path, *RUN, "--prometheus", f"127.0.0.1:{port}", *more)
    assert (done.returncode, len(done.stderr.splitlines())) == (2, 1)
    assert f"metrics.prometheus: can't listen at 127.0.0.1:{port}: Address already in use; name another" in done.stderr
    assert not list((tmp_path / "runs").iterdir())


@pytest.mark.parametrize(
    ("flags", "words"),
    [
        (("--prometheus", "localhost"), "metrics.prometheus is 'localhost': write it as ADDRESS:PORT"),
        (("--otlp", "localhost:4318"), "metrics.otlp is 'localhost:4318': write it as the collector's URL"),
        (("--otlp", "http://me:hunter2@localhost"), "into the environment variable OTEL_EXPORTER_OTLP_HEADERS"),
        (("--set", "metrics.interval=0"), "metrics.interval is 0: input should be greater than or equal to 1"),
    ],
)
def test_a_mistake_is_told_before_anything_is_fired(tmp_path, flags, words):
    done = gatecrash_in_process(tmp_path, *RUN, *flags)
    assert (done.returncode, len(done.stderr.splitlines())) == (2, 1)
    assert words in done.stderr
    assert "hunter2" not in done.stderr
    assert not (tmp_path / "runs").exists()


@pytest.mark.parametrize("flag", ["--prometheus", "--otlp"])
@pytest.mark.parametrize("first", ["run", "capacity", "plan"])
def test_without_the_extra_one_sentence_says_how_to_install_it(tmp_path, flag, first):
    without_the_libraries(tmp_path)
    given = {"--prometheus": "127.0.0.1:0", "--otlp": "http://127.0.0.1:4318"}[flag]
    done = run_without(tmp_path, first, *THROTTLED, *PASSWORDS, flag, given)
    key = flag.removeprefix("--")
    sentence = f'metrics.{key} needs libraries that are not installed: pip install "gatecrash[metrics]"'
    assert (done.returncode, done.stderr.splitlines()) == (2, [f"gatecrash: {sentence}"])
    assert not (tmp_path / "runs").exists()


def test_without_the_extra_a_run_without_metrics_works(tmp_path):
    without_the_libraries(tmp_path)
    done = run_without(tmp_path, *RUN, "--duration", "1")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "Metrics" not in done.stdout
    assert not (run_folder(tmp_path) / "metrics.log").exists()


def without_the_libraries(folder):
    """Have Python find none of the extra's libraries, as in an installation without it."""
    (folder / "without").mkdir()
    (folder / "without" / "sitecustomize.py").write_text(
        "import sys\n"
        "class Missing:\n"
        "    def find_spec(self, name, path=None, target=None):\n"
        "        if name.partition('.')[0] in {'prometheus_client', 'opentelemetry'}:\n"
        "            raise ModuleNotFoundError(f'No module named {name!r}', name=name)\n"
        "sys.meta_path.insert(0, Missing())\n"
    )


def run_without(folder, *arguments):
    return subprocess.run(
        [sys.executable, "-m", "gatecrash", *map(str, arguments)],
        cwd=folder,
        env={**environment(folder), "PYTHONPATH": str(folder / "without")},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
