"""Where live metrics go to: read from the settings of a run, and checked before anything is fired."""

from __future__ import annotations

import importlib.util
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import urlsplit

from gatecrash.authorizers.errors import UsageError

# In the run folder: where metrics are to be had, and what went wrong with them.
METRICS_LOG: Final = "metrics.log"
_LOOPBACK: Final = "127.0.0.1"
_PATH: Final = "/v1/metrics"
_PORT_MAXIMUM: Final = 65535
_MODULES: Final = {
    "prometheus": "prometheus_client",
    "otlp": "opentelemetry.exporter.otlp.proto.http.metric_exporter",
}


@dataclass(frozen=True, slots=True)
class MetricsSettings:
    """What section ``metrics`` of gatecrash.toml comes to; times in seconds.

    ``prometheus`` is the address to listen on, ``otlp`` the URL to post to, its path included; None: not at all.
    """

    prometheus: tuple[str, int] | None = None
    otlp: str | None = None
    interval: float = 10.0
    linger: float = 0.0

    @property
    def any(self) -> bool:
        """Whether metrics are wanted."""
        return self.prometheus is not None or self.otlp is not None


def metrics_settings(values: Mapping[str, Any]) -> MetricsSettings:
    """Read section ``metrics`` of the settings; raises UsageError for an address or a URL that is none."""
    prometheus, otlp = values.get("prometheus"), values.get("otlp")
    kept = {name: float(values[name]) for name in ("interval", "linger") if name in values}
    return MetricsSettings(
        None if prometheus is None else _address(prometheus), None if otlp is None else _endpoint(otlp), **kept
    )


def require_extra(settings: MetricsSettings) -> None:
    """Raise UsageError where a library that is needed isn't installed."""
    for key, module in _MODULES.items():
        if getattr(settings, key) is not None and not _is_installed(module):
            raise missing(key)


def missing(key: str) -> UsageError:
    """Return the error that says how to install what a key of section ``metrics`` needs."""
    return UsageError(f'metrics.{key} needs libraries that are not installed: pip install "gatecrash[metrics]"')


def _is_installed(module: str) -> bool:
    try:
        return importlib.util.find_spec(module) is not None
    except ImportError:
        return False


def _address(text: str) -> tuple[str, int]:
    """Split ADDRESS:PORT, [ADDRESS]:PORT or PORT."""
    host, colon, port = text.rpartition(":")
    bracketed = host.startswith("[") and host.endswith("]")
    if (colon and not host) or (":" in host and not bracketed) or not (port.isascii() and port.isdigit()):
        raise _not_an_address(text)
    if int(port) > _PORT_MAXIMUM:
        raise _not_an_address(text)
    return (host[1:-1] if bracketed else host) or _LOOPBACK, int(port)


def _not_an_address(text: str) -> UsageError:
    return UsageError(
        f"metrics.prometheus is {text!r}: write it as ADDRESS:PORT, such as 127.0.0.1:9464; port 0 takes a free one"
    )


def _endpoint(text: str) -> str:
    """Return the URL of the metrics below a collector's base URL, as OpenTelemetry's specification has it."""
    try:
        parts = urlsplit(text)
        is_url = parts.scheme in {"http", "https"} and bool(parts.hostname) and parts.port != 0
    except ValueError:
        parts, is_url = urlsplit(""), False
    if "@" in text or parts.query or parts.fragment:
        # The text itself isn't told: it may hold a secret.
        raise UsageError(
            "metrics.otlp must hold no user name, password or query, since settings are kept in the run folder: put "
            "what the collector asks for into the environment variable OTEL_EXPORTER_OTLP_HEADERS"
        )
    if not is_url:
        raise UsageError(
            f"metrics.otlp is {text!r}: write it as the collector's URL, such as http://127.0.0.1:4318; {_PATH} is "
            "added to it"
        )
    return text.rstrip("/") + _PATH
