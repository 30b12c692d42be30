"""From what AWS IoT answered, as botocore parses it, to an answer."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from gatecrash.authorizers.answers import outcome_of
from gatecrash.authorizers.classify import classify, error_type_in
from gatecrash.authorizers.contract import Answer, AuthorizerRequest, Fault, Invocation, Outcome
from gatecrash.authorizers.errors import WireError
from gatecrash.authorizers.wire import decision_from_wire

HEADER: Final = "x-gatecrash-"


def answer_of_success(request: AuthorizerRequest, response: Mapping[str, Any]) -> Answer:
    """Read a successful answer."""
    headers = response["ResponseMetadata"]["HTTPHeaders"]
    try:
        decision = decision_from_wire(response)
    except WireError as error:
        return Answer(Outcome.TRANSPORT_ERROR, fault=Fault("MalformedAnswer", str(error)))
    return Answer(outcome_of(request, decision), decision, invocation=invocation_of(headers), notes=notes_of(headers))


def notes_of(headers: Mapping[str, str]) -> tuple[str, ...]:
    """Read the embedded gateway's remarks on an answer."""
    return tuple(filter(None, headers.get(f"{HEADER}notes", "").split(",")))


def answer_of_error(response: Mapping[str, Any]) -> Answer:
    """Read an error."""
    error = response.get("Error", {})
    headers = response.get("ResponseMetadata", {}).get("HTTPHeaders", {})
    # An answer's JSON may hold anything in the place of a text.
    message = str(error.get("Message") or "")
    error_type = headers.get(f"{HEADER}error-type") or error_type_in(message)
    fault = Fault(str(error.get("Code") or "Unknown"), message, error_type)
    return Answer(classify(fault), fault=fault, invocation=invocation_of(headers))


def invocation_of(headers: Mapping[str, str]) -> Invocation | None:
    """Read what the embedded gateway says of the invocation; AWS doesn't say."""
    environment = headers.get(f"{HEADER}environment")
    if not environment:
        return None
    try:
        seconds = float(headers.get(f"{HEADER}handler-seconds", "0"))
    except ValueError:
        seconds = 0.0
    return Invocation(environment, headers.get(f"{HEADER}cold-start") == "1", seconds)
