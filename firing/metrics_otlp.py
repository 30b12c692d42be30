"""Live metrics as OpenTelemetry's collectors take them: its SDK's data model and its own exporter, OTLP over HTTP.

The SDK's own instruments would count what is counted already, while firing. So the values of a recording are put into
its data model, as cumulative sums and histograms, and its exporter sends them; headers, certificates, compression and
time-out it reads from the environment, as OpenTelemetry's specification has it.
"""

from __future__ import annotations

import logging
from typing import Final

import gevent

from opentelemetry.exporter.otlp.proto.http.metric_exporter import OTLPMetricExporter
from opentelemetry.sdk.metrics.export import (
    AggregationTemporality,
    Gauge,
    Histogram,
    HistogramDataPoint,
    Metric,
    MetricExportResult,
    MetricsData,
    NumberDataPoint,
    ResourceMetrics,
    ScopeMetrics,
    Sum,
)
from opentelemetry.sdk.resources import OTELResourceDetector, Resource
from opentelemetry.sdk.util.instrumentation import InstrumentationScope

from gatecrash.authorizers.errors import UsageError
from gatecrash.reports.live.metrics import BOUNDS, Buckets, Measured, MetricKind, Point, RunFacts
from gatecrash.reports.live.metrics import LiveMetric as RunMetric

_LIBRARY: Final = "opentelemetry"
_HEADERS_LOGGER: Final = "opentelemetry.util.re"
_NO_ANSWER: Final = "no answer in time"


class Sender:
    """Sends to one URL; raises UsageError where the environment's settings for it can't be used."""

    def __init__(self, url: str) -> None:
        self.url = url
        self._complaints = _Complaints()
        logger = logging.getLogger(_LIBRARY)
        # What the library complains of may hold a header, and so a secret.
        logger.propagate = False
        logger.addHandler(self._complaints)
        try:
            self._exporter = OTLPMetricExporter(endpoint=url)
            self._environment = OTELResourceDetector().detect()
        except (ValueError, RuntimeError, ImportError, OSError) as error:
            raise _unusable(type(error).__name__) from None
        if self._complaints.of_headers:
            raise UsageError(
                "metrics.otlp: OTEL_EXPORTER_OTLP_HEADERS is not a list of name=value, separated by commas, with "
                "URL-encoded values"
            )
        if self._complaints.any:
            raise _unusable("a value that it doesn't know")

    def send(self, measured: Measured, facts: RunFacts, times: tuple[int, int], seconds: float) -> str:
        """Send values and return why they couldn't be, empty when they were; give up after so many ``seconds``.

        ``times`` are the run's start and now, in nanoseconds since the epoch.
        """
        resource = Resource(facts.attributes()).merge(self._environment)
        data = metrics_data(measured, resource, facts.version, times)
        self._complaints.reason = ""
        result = None
        with gevent.Timeout(seconds, exception=False):
            result = self._exporter.export(data)
        if result is MetricExportResult.SUCCESS:
            return ""
        return self._complaints.reason or _NO_ANSWER

    def close(self) -> None:
        """Close the connection."""
        self._exporter.shutdown()
        logging.getLogger(_LIBRARY).removeHandler(self._complaints)


def _unusable(reason: str) -> UsageError:
    return UsageError(
        f"metrics.otlp: the environment's settings for OpenTelemetry can't be used ({reason}): look through the "
        "variables OTEL_EXPORTER_OTLP_… and OTEL_RESOURCE_ATTRIBUTES"
    )


class _Complaints(logging.Handler):
    """Keeps why the library failed, in words of ours, and lets nothing of its own out."""

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self.reason = ""
        self.any = False
        self.of_headers = False

    def emit(self, record: logging.LogRecord) -> None:
        """Take a complaint of the library."""
        self.any = True
        if record.name == _HEADERS_LOGGER:
            self.of_headers = True
            return
        arguments = record.args if isinstance(record.args, tuple) else ()
        for argument in arguments:
            if isinstance(argument, BaseException):
                self.reason = _words(argument)
            elif isinstance(argument, int):
                self.reason = f"it answers with HTTP status {argument}"


def _words(error: BaseException) -> str:
    """Say what an error is, without its text."""
    one: BaseException | None = error
    while one is not None:
        if "Timeout" in type(one).__name__:
            return _NO_ANSWER
        if isinstance(one, OSError) and one.strerror:
            return one.strerror
        one = one.__cause__ or one.__context__
    return type(error).__name__


def metrics_data(measured: Measured, resource: Resource, version: str, times: tuple[int, int]) -> MetricsData:
    """Return values in the SDK's data model."""
    made = [
        Metric(
            name=metric.name, description=metric.description, unit=metric.unit, data=_data(metric, list(points), times)
        )
        for metric, points in measured.items()
        if points
    ]
    scope = ScopeMetrics(scope=InstrumentationScope("gatecrash", version), metrics=made, schema_url="")
    return MetricsData([ResourceMetrics(resource=resource, scope_metrics=[scope], schema_url="")])


def _data(metric: RunMetric, points: list[Point], times: tuple[int, int]) -> Sum | Gauge | Histogram:
    if metric.kind is MetricKind.HISTOGRAM:
        histograms = [
            _histogram(point.value, _attributes(metric, point), times)
            for point in points
            if isinstance(point.value, Buckets)
        ]
        return Histogram(histograms, AggregationTemporality.CUMULATIVE)
    start, now = times
    numbers = [
        NumberDataPoint(_attributes(metric, point), start, now, point.value)
        for point in points
        if not isinstance(point.value, Buckets)
    ]
    if metric.kind is MetricKind.GAUGE:
        return Gauge(numbers)
    return Sum(numbers, AggregationTemporality.CUMULATIVE, is_monotonic=True)


def _attributes(metric: RunMetric, point: Point) -> dict[str, str]:
    return {} if metric.label is None else {metric.label: point.label}


def _histogram(buckets: Buckets, attributes: dict[str, str], times: tuple[int, int]) -> HistogramDataPoint:
    return HistogramDataPoint(
        attributes=attributes,
        start_time_unix_nano=times[0],
        time_unix_nano=times[1],
        count=buckets.count,
        sum=buckets.sum,
        bucket_counts=buckets.counts,
        explicit_bounds=BOUNDS,
        # Both are optional in the protocol, and not known of a run so far; the library's types don't say so.
        min=None,  # type: ignore[arg-type]
        max=None,  # type: ignore[arg-type]
    )
