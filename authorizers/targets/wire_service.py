"""One operation of an AWS service called by the lean path: signed heads, kept connections, botocore's own parser.

``signing`` signs the heads, ``connections`` keeps the connections. botocore's model says how an answer is read, so that
both clients understand every answer alike.
"""

from __future__ import annotations

import os
import ssl
from collections.abc import Callable, Mapping
from typing import Any, Final, Protocol
from urllib.parse import urlsplit

import botocore.httpsession
import botocore.session
from botocore import parsers
from botocore.awsrequest import HeadersDict
from botocore.exceptions import BotoCoreError
from botocore.utils import get_environ_proxies

from authorizers.contract import Answer, Fault, Outcome
from authorizers.errors import UsageError
from authorizers.targets.connections import ConnectionFailedError, Connections
from authorizers.targets.http_answers import HttpAnswer
from authorizers.targets.signing import RequestSigner, SigningCredentials

# From this status on botocore raises, though it parses 300 as a success.
ERROR_STATUS: Final = 300


class CallerSettings(Protocol):
    """Whose credentials are used."""

    @property
    def profile(self) -> str | None:
        """The AWS profile."""
        ...

    @property
    def is_local(self) -> bool:
        """Whether the endpoint must see no credentials of the person's."""
        ...


class WireService:
    """Calls one operation of the service that a boto3 client is for, and closes that client.

    ``path`` is percent-encoded; ``headers`` are signed with each request. A signature is used again for the same body
    where bodies are ``repeated``. ``timeout`` is in seconds. Raises UsageError when there are no credentials, or when a
    proxy stands in between.
    """

    def __init__(
        self,
        client: Any,
        settings: CallerSettings,
        operation: str,
        path: str,
        *,
        headers: Mapping[str, str],
        repeated: bool,
        timeout: float,
    ) -> None:
        self.region: str = client.meta.region_name
        self.endpoint: str = client.meta.endpoint_url
        self._model = client.meta.service_model
        called = self._model.operation_model(operation)
        self._shape, self._streams = called.output_shape, called.has_streaming_output
        self._parser = parsers.create_parser("rest-json")
        client.close()
        if get_environ_proxies(self.endpoint):
            raise UsageError(
                f"a proxy is set for {self.endpoint} (HTTPS_PROXY, HTTP_PROXY): the wire client has none; "
                "set target.client to boto3, or NO_PROXY"
            )
        url = urlsplit(self.endpoint)
        secure = url.scheme == "https"
        port = url.port or (443 if secure else 80)
        self._connections = Connections(
            url.hostname or "", port, tls=_tls_context() if secure else None, timeout=timeout
        )
        self._signer = RequestSigner(
            url.netloc.rpartition("@")[2],
            f"{url.path.rstrip('/')}{path}",
            region=self.region,
            service=self._model.signing_name,
            credentials=_credentials(settings),
            user_agent="gatecrash",
            headers=headers,
            repeated=repeated,
        )

    def call_before_reading(self, callback: Callable[[], None]) -> None:
        """Have gevent's loop call something ahead of reading an answer that the kernel says the time of."""
        self._connections.before_reading = callback

    def call(self, body: bytes) -> HttpAnswer | Answer:
        """Send a body once and return what came back; an answer is that nothing did."""
        try:
            return self._connections.exchange(self._signer.head(body) + body)
        except ConnectionFailedError as error:
            message = "no answer in time" if error.timed_out else "the call failed"
            return Answer(Outcome.TRANSPORT_ERROR, fault=Fault(error.name, message))
        except BotoCoreError as error:
            # Credentials that could not be refreshed.
            return Answer(Outcome.REJECTED, fault=Fault(type(error).__name__, "there are no credentials"))

    def parse(self, answer: HttpAnswer) -> dict[str, Any] | Answer:
        """Read what came back as boto3 does, the members of the service's own errors too."""
        # The parser asks for headers as the model spells them.
        headers = HeadersDict(answer.headers)
        # A stream is handed on as it is: the parser would take bytes for text.
        body = memoryview(answer.body) if self._streams and answer.status < ERROR_STATUS else answer.body
        response = {"status_code": answer.status, "headers": headers, "body": body, "context": {}}
        try:
            parsed: dict[str, Any] = self._parser.parse(response, self._shape)
            if answer.status >= ERROR_STATUS and (code := parsed.get("Error", {}).get("Code")) is not None:
                error_shape = self._model.shape_for_error_code(code)
                if error_shape is not None:
                    parsed.update(self._parser.parse(response, error_shape))
        except (parsers.ResponseParserError, ValueError, OSError) as error:
            return Answer(Outcome.TRANSPORT_ERROR, fault=Fault(type(error).__name__, "the call failed"))
        except (TypeError, AttributeError, RecursionError, OverflowError) as error:
            return Answer(Outcome.TRANSPORT_ERROR, fault=Fault("MalformedAnswer", type(error).__name__))
        return parsed

    def close(self) -> None:
        """Close the connections."""
        self._connections.close()


def _credentials(settings: CallerSettings) -> Callable[[], SigningCredentials]:
    """Return what gives the credentials of the moment; botocore refreshes temporary ones."""
    if settings.is_local:
        made_up = SigningCredentials("gatecrash", "gatecrash")
        return lambda: made_up
    found = botocore.session.Session(profile=settings.profile).get_credentials()
    if found is None:
        raise UsageError("there are no AWS credentials: `aws configure` or environment variables give them")
    current: list[SigningCredentials] = []

    def now() -> SigningCredentials:
        frozen = found.get_frozen_credentials()
        fresh = SigningCredentials(frozen.access_key, frozen.secret_key, frozen.token)
        if not current or current[0] != fresh:
            current[:] = [fresh]
        return current[0]

    return now


def _tls_context() -> ssl.SSLContext:
    """Return a context that trusts whom boto3 trusts."""
    authorities = os.environ.get("AWS_CA_BUNDLE") or botocore.httpsession.where()
    try:
        return ssl.create_default_context(cafile=authorities)
    except OSError as error:
        raise UsageError(f"AWS_CA_BUNDLE: can't read {authorities}: {error.strerror}") from error
