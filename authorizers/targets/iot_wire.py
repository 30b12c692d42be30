"""TestInvokeAuthorizer by the lean path: the same requests as boto3's, with next to no work for each.

Heads are signed by ``signing``, connections are kept by ``connections``. An answer whose bytes are known is looked
up; botocore's own parser reads every other one, so that both clients understand every answer alike.
"""

from __future__ import annotations

import os
import re
import ssl
from collections.abc import Callable
from typing import Any, Final
from urllib.parse import quote, urlsplit

import botocore.httpsession
import botocore.session
from botocore import parsers
from botocore.exceptions import BotoCoreError
from botocore.utils import get_environ_proxies

from authorizers import wire
from authorizers.answers import outcome_of
from authorizers.contract import Answer, AuthorizerRequest, Decision, Fault, Outcome
from authorizers.errors import UsageError
from authorizers.targets.aws_clients import TIMEOUT_SECONDS, IotApiSettings, iot_client
from authorizers.targets.connections import ConnectionFailedError, Connections, HttpAnswer
from authorizers.targets.endpoints import is_on_this_machine
from authorizers.targets.service_answers import (
    HEADER,
    answer_of_error,
    answer_of_success,
    invocation_of,
    notes_of,
)
from authorizers.targets.signing import RequestSigner, SigningCredentials

_ANSWERS_KEPT: Final = 20_000
_OF_THE_GATEWAY: Final = HEADER.encode()
# From this status on botocore raises, though it parses 300 as a success.
_ERROR_STATUS: Final = 300
_MQTT_CONTEXT: Final = b'"mqttContext":{'
_CLIENT_ID_MEMBER: Final = b'"clientId":'
_TEXT: Final = re.compile(rb'"(?:[^"\\]|\\.)*"')


class IotWireTarget:
    """An authorizer behind TestInvokeAuthorizer, called without botocore's machinery.

    Raises UsageError when the profile or region is unknown, there are no credentials, or a proxy stands in between.
    """

    def __init__(self, settings: IotApiSettings, *, timeout: float = TIMEOUT_SECONDS) -> None:
        client = iot_client(settings)
        self._settings = settings
        self._region = client.meta.region_name
        self._endpoint = client.meta.endpoint_url
        operation = client.meta.service_model.operation_model("TestInvokeAuthorizer")
        client.close()
        self._shape = operation.output_shape
        self._parser = parsers.create_parser("rest-json")
        if get_environ_proxies(self._endpoint):
            raise UsageError(
                f"a proxy is set for {self._endpoint} (HTTPS_PROXY, HTTP_PROXY): the wire client has none; "
                "set target.client to boto3, or NO_PROXY"
            )
        url = urlsplit(self._endpoint)
        secure = url.scheme == "https"
        port = url.port or (443 if secure else 80)
        self._connections = Connections(
            url.hostname or "", port, tls=_tls_context() if secure else None, timeout=timeout
        )
        self._signer = RequestSigner(
            url.netloc.rpartition("@")[2],
            f"{url.path.rstrip('/')}/authorizer/{quote(settings.authorizer_name, safe='-._~')}/test",
            region=self._region,
            service="iot",
            credentials=_credentials(settings),
            user_agent="gatecrash",
        )
        self._decisions: dict[bytes, Decision] = {}
        self._answers: dict[tuple[bytes, bytes | None], Answer] = {}

    def invoke(self, request: AuthorizerRequest) -> Answer:
        """Call TestInvokeAuthorizer once."""
        return self.invoke_prepared(wire.encode(wire.request_to_wire(request)), lambda: request)

    def invoke_prepared(self, body: bytes, request: Callable[[], AuthorizerRequest]) -> Answer:
        """Call TestInvokeAuthorizer once with a body that is ready; ``request`` gives what is in it when asked."""
        try:
            answer = self._connections.exchange(self._signer.head(body) + body)
        except ConnectionFailedError as error:
            message = "no answer in time" if error.timed_out else "the call failed"
            return Answer(Outcome.TRANSPORT_ERROR, fault=Fault(error.name, message))
        except BotoCoreError as error:
            # Credentials that could not be refreshed.
            return Answer(Outcome.REJECTED, fault=Fault(type(error).__name__, "there are no credentials"))
        if answer.status == 200 and (decision := self._decisions.get(answer.body)) is not None:
            return self._known(answer, decision, body, request)
        return self._parsed(answer, request())

    def _known(
        self, answer: HttpAnswer, decision: Decision, body: bytes, request: Callable[[], AuthorizerRequest]
    ) -> Answer:
        key = (answer.body, _spelt_client_id(body) if decision.is_authenticated else None)
        known = self._answers.get(key)
        if known is None:
            known = Answer(outcome_of(request(), decision), decision)
            if len(self._answers) < _ANSWERS_KEPT:
                self._answers[key] = known
        if _OF_THE_GATEWAY not in answer.head:
            return known
        headers = answer.headers
        return Answer(known.outcome, decision, invocation=invocation_of(headers), notes=notes_of(headers))

    def _parsed(self, answer: HttpAnswer, request: AuthorizerRequest) -> Answer:
        """Read an answer as boto3 does."""
        try:
            response = {"status_code": answer.status, "headers": answer.headers, "body": answer.body, "context": {}}
            parsed = self._parser.parse(response, self._shape)
        except (parsers.ResponseParserError, ValueError, OSError) as error:
            return Answer(Outcome.TRANSPORT_ERROR, fault=Fault(type(error).__name__, "the call failed"))
        except (TypeError, AttributeError, RecursionError, OverflowError) as error:
            return Answer(Outcome.TRANSPORT_ERROR, fault=Fault("MalformedAnswer", type(error).__name__))
        if answer.status >= _ERROR_STATUS:
            return answer_of_error(parsed)
        read = answer_of_success(request, parsed)
        if read.decision is not None and answer.status == 200 and len(self._decisions) < _ANSWERS_KEPT:
            self._decisions[answer.body] = read.decision
        return read

    def description(self) -> dict[str, Any]:
        """Say what is called."""
        return {
            "kind": "iot_wire",
            "client": "wire",
            "authorizer": self._settings.authorizer_name,
            "region": self._region,
            "endpoint": self._endpoint,
        }

    def close(self) -> None:
        """Close the connections."""
        self._connections.close()


def _spelt_client_id(body: bytes) -> bytes | None:
    """Return the MQTT client id of a body as it is spelt there, without reading the rest; None where there is none.

    A quotation mark within a text has a backslash before it, and a header's value is a text: what is looked for can
    stand nowhere else.
    """
    context = body.find(_MQTT_CONTEXT)
    place = -1 if context < 0 else body.find(_CLIENT_ID_MEMBER, context)
    found = None if place < 0 else _TEXT.match(body, place + len(_CLIENT_ID_MEMBER))
    return found and found[0]


def _credentials(settings: IotApiSettings) -> Callable[[], SigningCredentials]:
    """Return what gives the credentials of the moment; botocore refreshes temporary ones."""
    if is_on_this_machine(settings.endpoint_url):
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
