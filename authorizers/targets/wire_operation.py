"""One operation of an AWS service called by the lean path: signed heads, kept connections, botocore's own parser.

``signing`` signs the heads, ``connections`` keeps the connections. botocore's model says how an answer is read, so that
both clients understand every answer alike.
"""

from __future__ import annotations

import os
import ssl
from collections.abc import Callable, Mapping
from typing import Any, Final
from urllib.parse import urlsplit

import botocore.httpsession
import botocore.session
from botocore import parsers
from botocore.awsrequest import HeadersDict
from botocore.exceptions import ClientError
from botocore.utils import get_environ_proxies

from gatecrash.authorizers.contract import Answer, Fault, Outcome
from gatecrash.authorizers.errors import UsageError
from gatecrash.authorizers.targets.aws_clients import CALL_ERRORS, AwsSettings, answer_of_call_error, service_client
from gatecrash.authorizers.targets.wire.connections import ConnectionFailedError, Connections
from gatecrash.authorizers.targets.wire.http_answers import HttpAnswer
from gatecrash.authorizers.targets.wire.signing import RequestSigner, SigningCredentials

# From this status on botocore raises, though it parses 300 as a success.
ERROR_STATUS: Final = 300


class WireOperation:
    """Calls one operation of ``iot`` or ``lambda``.

    ``path`` is percent-encoded; ``headers`` are signed with each request. A signature is used again for the same body
    where bodies are ``repeated``. ``timeout`` is in seconds. Raises UsageError when the profile or region is unknown,
    when there are no credentials or they can't be had, when the authorities to trust can't be read, and when a proxy
    stands in between.
    """

    received: float | None = None

    def __init__(
        self,
        service: str,
        settings: AwsSettings,
        operation: str,
        path: str,
        *,
        headers: Mapping[str, str],
        repeated: bool,
        timeout: float,
    ) -> None:
        # A client knows the endpoint and the model.
        client = service_client(service, settings)
        endpoint: str = client.meta.endpoint_url
        self._model = client.meta.service_model
        called = self._model.operation_model(operation)
        self._shape, self._streams = called.output_shape, called.has_streaming_output
        self._parser = parsers.create_parser("rest-json")
        client.close()
        if get_environ_proxies(endpoint):
            raise UsageError(
                f"a proxy is set for {endpoint} (HTTPS_PROXY, HTTP_PROXY): the wire client has none; "
                "set target.client to boto3, or NO_PROXY"
            )
        session = botocore.session.Session(profile=None if settings.is_local else settings.profile)
        url = urlsplit(endpoint)
        secure = url.scheme == "https"
        port = url.port or (443 if secure else 80)
        self._connections = Connections(
            url.hostname or "", port, tls=_tls_context(session) if secure else None, timeout=timeout
        )
        self._signer = RequestSigner(
            url.netloc.rpartition("@")[2],
            f"{url.path.rstrip('/')}{path}",
            region=client.meta.region_name,
            service=self._model.signing_name,
            credentials=_local_credentials() if settings.is_local else _credentials(session),
            user_agent="gatecrash",
            headers=headers,
            repeated=repeated,
        )

    def call_before_reading(self, callback: Callable[[], None]) -> None:
        """Have gevent's loop call something ahead of reading an answer that the kernel says the time of."""
        self._connections.before_reading = callback

    def call(self, body: bytes) -> HttpAnswer | Answer:
        """Send a body once and return what came back; an answer is that nothing did.

        ``received`` is then when the kernel had received it, by time.perf_counter; None where nobody knows.
        """
        answer = self._exchange(body)
        # Only now: other greenlets have run in the meantime.
        self.received = answer.received if isinstance(answer, HttpAnswer) else None
        return answer

    def _exchange(self, body: bytes) -> HttpAnswer | Answer:
        try:
            head = self._signer.head(body)
        except (ClientError, *CALL_ERRORS) as error:
            # Temporary credentials that could not be refreshed: nothing was sent.
            return answer_of_call_error(error)
        try:
            return self._connections.exchange(head + body)
        except ConnectionFailedError as error:
            message = "no answer in time" if error.timed_out else "the call failed"
            return Answer(Outcome.TRANSPORT_ERROR, fault=Fault(error.name, message))

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


def _local_credentials() -> Callable[[], SigningCredentials]:
    made_up = SigningCredentials("gatecrash", "gatecrash")
    return lambda: made_up


def _credentials(session: Any) -> Callable[[], SigningCredentials]:
    """Return what gives the credentials of the moment; botocore refreshes temporary ones."""
    try:
        provider = session.get_credentials()
        if provider is None:
            raise UsageError("there are no AWS credentials: `aws configure` or environment variables give them")
        # Some are only asked for when they are first used.
        provider.get_frozen_credentials()
    except (ClientError, *CALL_ERRORS) as error:
        raise UsageError(f"there are no AWS credentials: {error}") from error
    current: list[SigningCredentials] = []

    def now() -> SigningCredentials:
        frozen = provider.get_frozen_credentials()
        fresh = SigningCredentials(frozen.access_key, frozen.secret_key, frozen.token)
        if not current or current[0] != fresh:
            current[:] = [fresh]
        return current[0]

    return now


def _tls_context(session: Any) -> ssl.SSLContext:
    """Return a context that trusts whom boto3 trusts, and asks of a certificate what boto3 asks."""
    authorities = session.get_config_variable("ca_bundle") or os.environ.get("REQUESTS_CA_BUNDLE")
    context: ssl.SSLContext = botocore.httpsession.create_urllib3_context()
    # For urllib3, which compares the host's name itself, it is off.
    context.check_hostname = True
    try:
        context.load_verify_locations(cafile=authorities or botocore.httpsession.where())
    except OSError as error:
        raise UsageError(
            f"AWS_CA_BUNDLE, ca_bundle or REQUESTS_CA_BUNDLE: can't read {authorities}: {error.strerror}; name a PEM "
            "file of certificates"
        ) from error
    return context
