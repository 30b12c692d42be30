"""TestInvokeAuthorizer by the lean path: the same requests as boto3's, with next to no work for each.

An answer whose bytes are known is looked up; botocore's own parser reads every other one.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Final
from urllib.parse import quote

from gatecrash.authorizers import wire
from gatecrash.authorizers.answers import outcome_of
from gatecrash.authorizers.contract import Answer, AuthorizerRequest, Decision
from gatecrash.authorizers.targets.aws_clients import TIMEOUT_SECONDS, IotApiSettings
from gatecrash.authorizers.targets.service_answers import (
    HEADER,
    answer_of_error,
    answer_of_success,
    invocation_of,
    notes_of,
)
from gatecrash.authorizers.targets.wire.http_answers import HttpAnswer
from gatecrash.authorizers.targets.wire_operation import ERROR_STATUS, WireOperation

_ANSWERS_KEPT: Final = 20_000
_OF_THE_GATEWAY: Final = HEADER.encode()
_MQTT_CONTEXT: Final = b'"mqttContext":{'
_CLIENT_ID_MEMBER: Final = b'"clientId":'
_TEXT: Final = re.compile(rb'"(?:[^"\\]|\\.)*"')


class IotWireTarget(WireOperation):
    """An authorizer behind TestInvokeAuthorizer, called without botocore's machinery."""

    def __init__(self, settings: IotApiSettings, *, timeout: float = TIMEOUT_SECONDS) -> None:
        super().__init__(
            "iot",
            settings,
            "TestInvokeAuthorizer",
            f"/authorizer/{quote(settings.authorizer_name, safe='-._~')}/test",
            headers={"Content-Type": "application/json"},
            repeated=True,
            timeout=timeout,
        )
        self._decisions: dict[bytes, Decision] = {}
        self._answers: dict[tuple[bytes, bytes | None], Answer] = {}

    def invoke(self, request: AuthorizerRequest) -> Answer:
        """Call TestInvokeAuthorizer once."""
        return self.invoke_prepared(wire.encode(wire.request_to_wire(request)), lambda: request)

    def invoke_prepared(self, body: bytes, request: Callable[[], AuthorizerRequest]) -> Answer:
        """Call TestInvokeAuthorizer once with a body that is ready; ``request`` gives what is in it when asked."""
        answer = self.call(body)
        if isinstance(answer, Answer):
            return answer
        if answer.status == 200 and (decision := self._decisions.get(answer.body)) is not None:
            return self._known_answer(answer, decision, body, request)
        return self._read(answer, request())

    def _known_answer(
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

    def _read(self, answer: HttpAnswer, request: AuthorizerRequest) -> Answer:
        """Read an answer as boto3 does."""
        parsed = self.parse(answer)
        if isinstance(parsed, Answer):
            return parsed
        if answer.status >= ERROR_STATUS:
            return answer_of_error(parsed)
        read = answer_of_success(request, parsed)
        if read.decision is not None and answer.status == 200 and len(self._decisions) < _ANSWERS_KEPT:
            self._decisions[answer.body] = read.decision
        return read


def _spelt_client_id(body: bytes) -> bytes | None:
    """Return the MQTT client id of a body as it is spelt there, without reading the rest; None where there is none.

    A quotation mark within a text has a backslash before it, and a header's value is a text: what is looked for can
    stand nowhere else.
    """
    context = body.find(_MQTT_CONTEXT)
    place = -1 if context < 0 else body.find(_CLIENT_ID_MEMBER, context)
    client_id = None if place < 0 else _TEXT.match(body, place + len(_CLIENT_ID_MEMBER))
    return client_id and client_id[0]
