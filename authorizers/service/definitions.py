"""What CreateAuthorizer and UpdateAuthorizer are given, read and checked in AWS's words."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from gatecrash.authorizers import limits
from gatecrash.authorizers.errors import InvalidRequestError
from gatecrash.authorizers.service.constraints import Violations
from gatecrash.authorizers.service.signatures import check_public_key

# The form only: whether there is such a function AWS finds out when it invokes it.
_ARN: Final = re.compile(r"arn:[^:\s]+:[^:\s]+:[^:\s]*:[^:\s]*:\S+")
_FUNCTION: Final = re.compile(r":function:([^:]+)")


@dataclass(frozen=True, slots=True)
class Definition:
    """The members of an authorizer's definition; None is one that was not given."""

    name: str
    function_arn: str | None
    token_key_name: str | None
    signing_keys: Mapping[str, str] | None
    status: str | None
    signing_disabled: bool | None
    caching_for_http: bool | None

    @classmethod
    def read(cls, name: str, body: Mapping[str, Any]) -> Definition:
        """Read a body and check the member constraints; unknown members count for nothing.

        Raises InvalidRequestError.
        """
        definition = cls(
            name,
            _member(body, "authorizerFunctionArn", str),
            _member(body, "tokenKeyName", str),
            _keys(body),
            _member(body, "status", str),
            _member(body, "signingDisabled", bool),
            _member(body, "enableCachingForHttp", bool),
        )
        violations = Violations()
        violations.text("authorizerName", name, limits.AUTHORIZER_NAME)
        violations.text("authorizerFunctionArn", definition.function_arn, limits.AUTHORIZER_FUNCTION_ARN)
        violations.text("tokenKeyName", definition.token_key_name, limits.TOKEN_KEY_NAME)
        violations.map(
            "tokenSigningPublicKeys",
            (definition.signing_keys or {}).items(),
            limits.SIGNING_KEY_NAME,
            limits.SIGNING_KEY_VALUE,
        )
        violations.status("status", definition.status)
        violations.raise_if_any()
        return definition

    def check_new(self) -> None:
        """Check what a new authorizer must have; raises InvalidRequestError."""
        violations = Violations()
        violations.required("authorizerFunctionArn", self.function_arn)
        violations.raise_if_any()
        check_function_arn(self.name, self.function_arn)
        if not self.signing_disabled:
            if self.token_key_name is None:
                raise InvalidRequestError(f"Token key name for authorizer {self.name} cannot be null")
            if not self.signing_keys:
                raise InvalidRequestError(
                    f"Token signing keys map for authorizer {self.name} cannot be null or empty. There must be at "
                    "least one and at most two token signing public keys in the map"
                )
        keys = self.signing_keys or {}
        if keys and not self.signing_disabled and len(keys) > limits.SIGNING_KEYS_MAXIMUM:
            raise InvalidRequestError(
                f"Token signing keys map for authorizer {self.name} cannot contain more than 2 keys"
            )
        if keys:
            check_keys(self.name, keys, keys, signing_disabled=bool(self.signing_disabled))


def check_function_arn(name: str, arn: str | None) -> None:
    """Raise InvalidRequestError for what isn't the ARN of a Lambda function; None is an absent one."""
    if arn is not None and _ARN.fullmatch(arn) is None:
        raise InvalidRequestError(f"Lambda function arn for authorizer {name} is not in proper ARN syntax")


def function_name_of(arn: str) -> str:
    """Return the function's name in a Lambda ARN, without its version or alias; the ARN itself if there is none."""
    match = _FUNCTION.search(arn)
    return match[1] if match else arn


def check_keys(name: str, keys: Mapping[str, str], given: Mapping[str, str], *, signing_disabled: bool) -> None:
    """Check all ``keys`` that an authorizer would have, and each that was ``given``; raises InvalidRequestError."""
    if signing_disabled:
        raise InvalidRequestError(
            f"Token signing keys map must be null for authorizer {name} if using optional signature header"
        )
    if not 0 < len(keys) <= limits.SIGNING_KEYS_MAXIMUM:
        raise InvalidRequestError(
            f"Number of signing keys for authorizer {name} must neither be zero nor greater than 2"
        )
    for key_name, pem in given.items():
        check_public_key(name, key_name, pem)


def _member(body: Mapping[str, Any], member: str, kind: type) -> Any:
    value = body.get(member)
    if value is not None and not isinstance(value, kind):
        words = {str: "a string", bool: "a boolean", dict: "an object"}
        raise InvalidRequestError(f"{member} must be {words[kind]}")
    return value


def _keys(body: Mapping[str, Any]) -> dict[str, str] | None:
    keys: dict[str, str] | None = _member(body, "tokenSigningPublicKeys", dict)
    if keys is not None and not all(isinstance(value, str) for value in keys.values()):
        raise InvalidRequestError("tokenSigningPublicKeys must have strings as values")
    return keys
