"""Live metrics as Prometheus scrapes them: its own client library behind gevent's own server."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import accumulate
from typing import Final, Protocol

import gevent
from gevent.pool import Pool
from gevent.pywsgi import WSGIServer

from prometheus_client import CollectorRegistry, make_wsgi_app
from prometheus_client.core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    HistogramMetricFamily,
    InfoMetricFamily,
)
from prometheus_client.core import Metric as Family
from prometheus_client.utils import floatToGoString

from gatecrash.firing.pauses import let_fire
from gatecrash.reports.live.metrics import BOUNDS, Buckets, LiveMetric, Measured, MetricKind, Point, RunFacts

# A scraper that is slow or stays connected takes one of these.
_CONNECTIONS: Final = 16
_TICK_SECONDS: Final = 0.05
# What is being answered may go out before the listener closes.
_CLOSE_SECONDS: Final = 1.0
_BOUNDS: Final = (*map(floatToGoString, BOUNDS), "+Inf")


class ScrapedMetrics(Protocol):
    """Where values come from."""

    @property
    def facts(self) -> RunFacts | None:
        """Which run it is; None before the first one."""

    def measured(self) -> Measured:
        """Return the values of now."""


class Listener:
    """Listens for scrapes from when it is made; raises OSError where it can't."""

    def __init__(self, address: tuple[str, int], source: ScrapedMetrics) -> None:
        self._source = source
        self._closes = False
        self._has_last = False
        registry = CollectorRegistry()
        registry.register(self)
        # Who compresses has the processor of this process to do it with.
        application = make_wsgi_app(registry, disable_compression=True)
        self._server = WSGIServer(address, application, spawn=Pool(_CONNECTIONS), log=None, error_log=None)
        self._server.start()
        host = f"[{address[0]}]" if ":" in address[0] else address[0]
        self.url = f"http://{host}:{self._server.server_port}/metrics"

    def collect(self) -> Iterator[Family]:
        """Yield the metrics, with a pause after each; the registry calls it for every scrape."""
        is_last = self._closes
        facts, measured = self._source.facts, self._source.measured()
        if facts is not None:
            yield InfoMetricFamily("gatecrash_run", "The run.", value=facts.labels())
        for metric, points in measured.items():
            yield _family(metric, points)
            let_fire()
        self._has_last = self._has_last or is_last

    def close(self, linger: float) -> None:
        """Close, after one more scrape where one begins within ``linger`` seconds."""
        self._closes, waited = True, 0.0
        while waited < linger and not self._has_last:
            gevent.sleep(_TICK_SECONDS)
            waited += _TICK_SECONDS
        self._server.stop(_CLOSE_SECONDS)


def _family(metric: LiveMetric, points: Sequence[Point]) -> Family:
    name, words = metric.prometheus_name, metric.description
    labels = [metric.label] if metric.label is not None else None
    if metric.kind is MetricKind.HISTOGRAM:
        histogram = HistogramMetricFamily(name, words, labels=labels)
        for point in points:
            if isinstance(point.value, Buckets):
                buckets = list(zip(_BOUNDS, accumulate(point.value.counts), strict=True))
                histogram.add_metric(_labels(metric, point), buckets, point.value.sum)
        return histogram
    kind = CounterMetricFamily if metric.kind is MetricKind.COUNTER else GaugeMetricFamily
    family: CounterMetricFamily | GaugeMetricFamily = kind(name, words, labels=labels)
    for point in points:
        if not isinstance(point.value, Buckets):
            family.add_metric(_labels(metric, point), point.value)
    return family


def _labels(metric: LiveMetric, point: Point) -> list[str]:
    return [] if metric.label is None else [point.label]
