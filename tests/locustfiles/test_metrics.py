"""Live metrics on their way out: as Prometheus's own parser and OpenTelemetry's own encoder read them."""

import logging
import urllib.request
from dataclasses import replace

import pytest
from opentelemetry.exporter.otlp.proto.common.metrics_encoder import encode_metrics
from opentelemetry.sdk.resources import Resource
from prometheus_client.openmetrics.parser import text_string_to_metric_families as parse_openmetrics
from prometheus_client.parser import text_string_to_metric_families as parse

from gatecrash.authorizers.errors import UsageError
from gatecrash.firing.metrics import live_metrics
from gatecrash.firing.metrics_otlp import Sender, metrics_data
from gatecrash.firing.metrics_prometheus import Listener
from gatecrash.reports.live.metrics import BOUNDS, LATENCIES, METRICS, MetricKind, RunFacts, measure
from gatecrash.reports.plan.plan import Phase, Plan
from tests.reports.samples import INFO, busy_run

FACTS = RunFacts('na"me\\\n', "steady", "local", "1.2.3", "20250101T000000Z-name")
MEASURED = measure(busy_run().recording, busy_run().state)


class Source:
    facts = FACTS

    def measured(self):
        return MEASURED


@pytest.fixture
def listener():
    made = Listener(("127.0.0.1", 0), Source())
    yield made
    made.close(0.0)


def scrape(listener, **headers):
    import gevent

    def ask():
        with urllib.request.urlopen(urllib.request.Request(listener.url, headers=headers), timeout=10) as answer:
            return answer.headers["Content-Type"], answer.read().decode()

    # The server's greenlets run while a thread of the system's own asks.
    return gevent.get_hub().threadpool.spawn(ask).get()


@pytest.mark.parametrize("accept", ["text/plain;version=0.0.4", "application/openmetrics-text;version=1.0.0"])
def test_what_is_scraped_parses_and_has_every_value(listener, accept):
    kind, text = scrape(listener, Accept=accept)
    assert kind.startswith(accept.partition(";")[0])
    families = {one.name: one for one in (parse_openmetrics if "openmetrics" in accept else parse)(text)}
    for metric in METRICS:
        family = families[metric.prometheus_name]
        assert (family.type, family.documentation) == (metric.kind.value, metric.description)
        for point in MEASURED[metric]:
            labels = {} if metric.label is None else {metric.label: point.label}
            found = {
                (sample.name.removeprefix(family.name), sample.labels.get("le")): sample.value
                for sample in family.samples
                if {name: value for name, value in sample.labels.items() if name != "le"} == labels
            }
            if metric.kind is MetricKind.HISTOGRAM:
                assert found["_count", None] == found["_bucket", "+Inf"] == point.value.count
                assert found["_sum", None] == point.value.sum
                assert len(found) == len(BOUNDS) + 3
                assert found["_bucket", "0.25"] == sum(point.value.counts[: BOUNDS.index(0.25) + 1])
            else:
                assert found == {("_total" if metric.kind is MetricKind.COUNTER else "", None): point.value}
    (info,) = families["gatecrash_run" if "openmetrics" in accept else "gatecrash_run_info"].samples
    assert info.labels == FACTS.labels()


def test_what_is_sent_has_every_value_as_opentelemetry_encodes_it():
    data = metrics_data(MEASURED, Resource(FACTS.attributes()), "1.2.3", (10**9, 3 * 10**9))
    (resource,) = encode_metrics(data).resource_metrics
    attributes = {one.key: one.value.string_value for one in resource.resource.attributes}
    assert attributes == FACTS.attributes()
    (scope,) = resource.scope_metrics
    found = {metric.name: metric for metric in scope.metrics}
    assert set(found) == {metric.name for metric in METRICS}
    for metric in METRICS:
        sent = found[metric.name]
        kind = {MetricKind.COUNTER: "sum", MetricKind.GAUGE: "gauge", MetricKind.HISTOGRAM: "histogram"}[metric.kind]
        assert (sent.unit, sent.WhichOneof("data")) == (metric.unit, kind)
        points = getattr(sent, kind).data_points
        assert len(points) == len(MEASURED[metric])
        for ours, theirs in zip(MEASURED[metric], points, strict=True):
            labels = {one.key: one.value.string_value for one in theirs.attributes}
            assert labels == ({} if metric.label is None else {metric.label: ours.label})
            # What is no sum has no start.
            start = 0 if metric.kind is MetricKind.GAUGE else 10**9
            assert (theirs.start_time_unix_nano, theirs.time_unix_nano) == (start, 3 * 10**9)
            if metric.kind is MetricKind.HISTOGRAM:
                assert tuple(theirs.explicit_bounds) == BOUNDS
                assert tuple(theirs.bucket_counts) == ours.value.counts
                assert (theirs.count, theirs.sum) == (ours.value.count, ours.value.sum)
                assert not theirs.HasField("min")
                assert not theirs.HasField("max")
            else:
                assert getattr(theirs, theirs.WhichOneof("value")) == ours.value
    assert found["gatecrash.exchanges"].sum.is_monotonic
    cumulative = 2
    for name in ("gatecrash.exchanges", *(metric.name for metric in LATENCIES.values())):
        data = getattr(found[name], found[name].WhichOneof("data"))
        assert data.aggregation_temporality == cumulative


def test_headers_that_cannot_be_read_are_a_mistake_and_not_shown(monkeypatch, caplog, capsys):
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_HEADERS", "hunter2 hunter3")
    with caplog.at_level(logging.DEBUG), pytest.raises(UsageError, match="OTEL_EXPORTER_OTLP_HEADERS") as caught:
        Sender("http://127.0.0.1:1/v1/metrics")
    shown = capsys.readouterr()
    assert "hunter" not in str(caught.value) + caplog.text + shown.out + shown.err


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("OTEL_EXPORTER_OTLP_TIMEOUT", "soon"),
        ("OTEL_EXPORTER_OTLP_COMPRESSION", "tight"),
        ("OTEL_RESOURCE_ATTRIBUTES", "x"),
    ],
)
def test_a_setting_of_the_environment_that_is_none_is_a_mistake(monkeypatch, name, value):
    monkeypatch.setenv(name, value)
    with pytest.raises(UsageError, match="look through the variables OTEL_EXPORTER_OTLP_"):
        Sender("http://127.0.0.1:1/v1/metrics")


def plan(folder, **more):
    settings = {"metrics": {"prometheus": "127.0.0.1:0"}}
    return Plan(str(folder), "corpus", {}, info=replace(INFO, settings=settings), **more)


def test_a_plan_that_asks_for_none_has_none_and_so_has_one_of_phases(tmp_path):
    assert live_metrics(Plan(str(tmp_path), "corpus", {}), dict) is None
    assert live_metrics(plan(tmp_path, phases=(Phase("all", (0,), 1, 1.0),)), dict) is None


def test_values_are_read_once_for_scrapes_that_come_at_once(tmp_path):
    read = []
    metrics = live_metrics(plan(tmp_path), lambda: read.append(None) or MEASURED)
    assert metrics.measured() == metrics.measured() == MEASURED
    assert len(read) == 1
    metrics.close(complete=False)
    assert (tmp_path / "metrics.log").read_text().startswith("Metrics for Prometheus are at http://127.0.0.1:")
