"""Limits of the custom authorizer API, as numbers and patterns.

The members of TestInvokeAuthorizer stand as botocore's service model (IoT, API version 2015-05-28) has them;
``tests/authorizers/test_limits.py`` compares them with the installed model, so that a new SDK tells of a change.
The limits on the Lambda function's answer are AWS's documentation "Defining your Lambda function" (developer
guide, custom-auth-lambda) and answers measured of the service.
"""

from __future__ import annotations

import re
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class MemberLimit:
    """Length bounds (in UTF-16 units for text, bytes for blobs) and pattern of one member."""

    minimum: int
    maximum: int
    pattern: str | None = None

    def allows(self, value: str) -> bool:
        """Say whether text keeps the bounds and the pattern."""
        length = utf16_length(value)
        return self.minimum <= length <= self.maximum and self.matches(value)

    def matches(self, value: str) -> bool:
        r"""Say whether text has the pattern; ``\w`` is ASCII, as in the service's own regular expressions."""
        return self.pattern is None or re.fullmatch(self.pattern, value, re.ASCII) is not None


def utf16_length(text: str) -> int:
    """Count UTF-16 code units, which is what the service counts as characters."""
    # Most text is ASCII, and a gateway counts every header of every request.
    return len(text) if text.isascii() else len(text) + sum(character > "\uffff" for character in text)


AUTHORIZER_NAME = MemberLimit(1, 128, r"[\w=,@-]+")
TOKEN = MemberLimit(1, 6144, r"[\s\S]*")
TOKEN_SIGNATURE = MemberLimit(1, 2560, r"[A-Za-z0-9+/]+={0,2}")
HEADER_NAME = MemberLimit(1, 8192, r"[\s\S]*")
HEADER_VALUE = MemberLimit(1, 8192, r"[\s\S]*")
QUERY_STRING = MemberLimit(1, 4096, r"[\s\S]*")
MQTT_USERNAME = MemberLimit(1, 65535, r"[\s\S]*")
MQTT_PASSWORD = MemberLimit(1, 65535)
MQTT_CLIENT_ID = MemberLimit(1, 65535, r"[\s\S]*")
TLS_SERVER_NAME = MemberLimit(1, 253, r"[\s\S]*")

AUTHORIZER_FUNCTION_ARN = MemberLimit(0, 2048, r"[\s\S]*")
TOKEN_KEY_NAME = MemberLimit(1, 128, r"[a-zA-Z0-9_-]+")
SIGNING_KEY_NAME = MemberLimit(1, 128, r"[a-zA-Z0-9:_-]+")
SIGNING_KEY_VALUE = MemberLimit(0, 5120, r"[\s\S]*")

PRINCIPAL_ID = MemberLimit(1, 128, r"[a-zA-Z0-9]+")
POLICY_DOCUMENTS_MAXIMUM = 10
POLICY_DOCUMENT_LENGTH_MAXIMUM = 2048
LIFETIME_SECONDS_MINIMUM = 300
LIFETIME_SECONDS_MAXIMUM = 86400
REFRESH_SECONDS_DEFAULT = 300
DISCONNECT_SECONDS_DEFAULT = 86400

SIGNING_KEYS_MAXIMUM = 2
SIGNING_KEY_BITS = 2048
LAMBDA_SECONDS_MAXIMUM = 5.0
LAMBDA_PAYLOAD_BYTES_MAXIMUM = 6 * 1024 * 1024 + 100
LAMBDA_REQUEST_BYTES_MAXIMUM = 6 * 1024 * 1024
LAMBDA_CONCURRENCY_DEFAULT = 1000
LAMBDA_CONCURRENCY_QUOTA_CODE = "L-B99A9384"
TEST_INVOKE_CALLS_PER_SECOND = 10
TEST_INVOKE_QUOTA_CODE = "L-39DBF618"
