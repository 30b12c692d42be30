"""Addresses and URLs of live metrics: what is read, and what is a mistake."""

import pytest

from gatecrash.authorizers.errors import UsageError
from gatecrash.reports.live.metrics_settings import MetricsSettings, metrics_settings, require_extra


def test_they_are_off_by_default():
    assert metrics_settings({}) == MetricsSettings()
    assert not metrics_settings({}).any
    require_extra(metrics_settings({}))


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("127.0.0.1:9464", ("127.0.0.1", 9464)),
        ("9464", ("127.0.0.1", 9464)),
        ("0.0.0.0:0", ("0.0.0.0", 0)),
        ("[::1]:9464", ("::1", 9464)),
        ("metrics.example:80", ("metrics.example", 80)),
    ],
)
def test_an_address_has_a_port_and_is_this_machine_unless_it_says_otherwise(text, address):
    assert metrics_settings({"prometheus": text}).prometheus == address


@pytest.mark.parametrize("text", ["", ":9464", "127.0.0.1", "localhost:", "::1:9464", "a:b", "127.0.0.1:65536", "x:-1"])
def test_what_is_no_address_is_told_with_an_example(text):
    with pytest.raises(UsageError, match=r"metrics\.prometheus is .*: write it as ADDRESS:PORT, such as 127"):
        metrics_settings({"prometheus": text})


@pytest.mark.parametrize(
    ("text", "endpoint"),
    [
        ("http://127.0.0.1:4318", "http://127.0.0.1:4318/v1/metrics"),
        ("http://127.0.0.1:4318/", "http://127.0.0.1:4318/v1/metrics"),
        ("https://collector.example/otlp", "https://collector.example/otlp/v1/metrics"),
        ("http://[::1]:4318", "http://[::1]:4318/v1/metrics"),
    ],
)
def test_the_path_of_metrics_is_added_to_a_collectors_url(text, endpoint):
    assert metrics_settings({"otlp": text}).otlp == endpoint


@pytest.mark.parametrize("text", ["127.0.0.1:4318", "localhost", "grpc://a:1", "http://", "http://a:x", "http://[::1"])
def test_what_is_no_url_is_told_with_an_example(text):
    with pytest.raises(UsageError, match=r"metrics\.otlp is .*: write it as the collector's URL, such as http"):
        metrics_settings({"otlp": text})


@pytest.mark.parametrize("text", ["https://me:hunter2@a", "http://a/?key=hunter2", "http://a/#hunter2", "me:hunter2@a"])
def test_a_url_with_a_secret_is_refused_without_repeating_it(text):
    with pytest.raises(UsageError, match="OTEL_EXPORTER_OTLP_HEADERS") as caught:
        metrics_settings({"otlp": text})
    assert "hunter2" not in str(caught.value)


def test_interval_and_linger_are_handed_on():
    read = metrics_settings({"prometheus": "0", "otlp": None, "interval": 3, "linger": 20})
    assert (read.interval, read.linger, read.any) == (3.0, 20.0, True)
