"""From an error code of the API to an outcome. By code, never by HTTP status: 400 is four different things."""

from __future__ import annotations

import re
from typing import Final

from gatecrash.authorizers.contract import Fault, Outcome

_THROTTLED: Final = frozenset(
    {"ThrottlingException", "Throttling", "TooManyRequestsException", "RequestLimitExceeded", "LimitExceeded", "429"}
)
_UNAVAILABLE: Final = frozenset(
    {"ServiceUnavailableException", "InternalFailureException", "InternalFailure", "ServiceException"}
)
_HANDLER_FAILED: Final = "Lambda function encountered error in execution: "
_TIMED_OUT: Final = re.compile(r"Sandbox\.Timedout|Task timed out after ")
_ERROR_TYPE: Final = re.compile(r": ([A-Za-z_][A-Za-z0-9_.]{0,127})\Z")


def classify(fault: Fault) -> Outcome:
    """Return the outcome that an error answer is."""
    if fault.code in _THROTTLED:
        return Outcome.THROTTLED
    if fault.code == "InvalidResponseException":
        if not fault.message.startswith(_HANDLER_FAILED):
            return Outcome.INVALID_RESPONSE
        return Outcome.TIMED_OUT if _TIMED_OUT.search(fault.message) else Outcome.HANDLER_ERROR
    if fault.code in _UNAVAILABLE or re.fullmatch(r"5\d\d", fault.code):
        return Outcome.UNAVAILABLE
    return Outcome.REJECTED


def error_type_in(message: str) -> str | None:
    """Return the handler's error class, which stands last in the service's message for a handler that failed."""
    if not message.startswith(_HANDLER_FAILED):
        return None
    match = _ERROR_TYPE.search(message)
    return match[1] if match else None
