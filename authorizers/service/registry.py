"""The authorizers of an account, in memory: created, described, updated, listed, deleted, with AWS's messages."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Final

from gatecrash.authorizers.errors import (
    DeleteConflictError,
    InvalidRequestError,
    ResourceAlreadyExistsError,
    ResourceNotFoundError,
)
from gatecrash.authorizers.service.constraints import Violations
from gatecrash.authorizers.service.definitions import Definition, check_function_arn, check_keys

_ACTIVE: Final = "ACTIVE"
_INACTIVE: Final = "INACTIVE"
_PAGE_SIZE_DEFAULT: Final = 25
_PAGE_SIZE_MAXIMUM: Final = 250


@dataclass(frozen=True, slots=True)
class Authorizer:
    """One authorizer, as DescribeAuthorizer shows it; times in seconds since the epoch."""

    name: str
    arn: str
    function_arn: str
    token_key_name: str | None = None
    signing_keys: Mapping[str, str] = field(default_factory=dict)
    status: str = _INACTIVE
    signing_disabled: bool = False
    caching_for_http: bool = False
    created: float = 0.0
    modified: float = 0.0

    def summary(self) -> dict[str, Any]:
        """Return the members that Create, Update and List answer with."""
        return {"authorizerName": self.name, "authorizerArn": self.arn}

    def description(self) -> dict[str, Any]:
        """Return the members of DescribeAuthorizer."""
        return {
            **self.summary(),
            "authorizerFunctionArn": self.function_arn,
            "tokenKeyName": self.token_key_name,
            "tokenSigningPublicKeys": dict(self.signing_keys) or None,
            "status": self.status,
            "creationDate": self.created,
            "lastModifiedDate": self.modified,
            "signingDisabled": self.signing_disabled,
            "enableCachingForHttp": self.caching_for_http,
        }


class Registry:
    """All authorizers of one account in one region; ``clock`` gives seconds since the epoch."""

    def __init__(self, region: str, account: str, clock: Callable[[], float]) -> None:
        self._arn_prefix = f"arn:aws:iot:{region}:{account}:authorizer/"
        self._clock = clock
        # In the order of their creation.
        self._authorizers: dict[str, Authorizer] = {}
        self._default: str | None = None

    def get(self, name: str) -> Authorizer:
        """Return an authorizer; raises ResourceNotFoundError."""
        try:
            return self._authorizers[name]
        except KeyError:
            raise ResourceNotFoundError(f"Authorizer {name} not found") from None

    def create(self, name: str, body: Mapping[str, Any]) -> Authorizer:
        """Make an authorizer, INACTIVE unless told.

        Raises InvalidRequestError for what is wrong with it, ResourceAlreadyExistsError for a name that is taken.
        """
        wanted = Definition.read(name, body)
        wanted.check_new()
        if name in self._authorizers:
            raise ResourceAlreadyExistsError(f"Authorizer {name} already exist for this account")
        now = self._clock()
        authorizer = Authorizer(
            name,
            self._arn_prefix + name,
            wanted.function_arn or "",
            wanted.token_key_name,
            wanted.signing_keys or {},
            wanted.status or _INACTIVE,
            bool(wanted.signing_disabled),
            bool(wanted.caching_for_http),
            now,
            now,
        )
        self._authorizers[name] = authorizer
        return authorizer

    def update(self, name: str, body: Mapping[str, Any]) -> Authorizer:
        """Change what is given; keys are added to those that are there.

        Raises InvalidRequestError and ResourceNotFoundError.
        """
        wanted = Definition.read(name, body)
        old = self.get(name)
        check_function_arn(name, wanted.function_arn)
        keys = {**old.signing_keys, **(wanted.signing_keys or {})}
        if wanted.signing_keys is not None:
            check_keys(name, keys, wanted.signing_keys, signing_disabled=old.signing_disabled)
        new = replace(
            old,
            function_arn=old.function_arn if wanted.function_arn is None else wanted.function_arn,
            token_key_name=old.token_key_name if wanted.token_key_name is None else wanted.token_key_name,
            signing_keys=keys,
            status=wanted.status or old.status,
            caching_for_http=old.caching_for_http if wanted.caching_for_http is None else wanted.caching_for_http,
            modified=self._clock(),
        )
        self._authorizers[name] = new
        return new

    def delete(self, name: str) -> None:
        """Remove an inactive authorizer; raises InvalidRequestError, DeleteConflictError, ResourceNotFoundError."""
        Definition.read(name, {})
        authorizer = self.get(name)
        if name == self._default:
            raise DeleteConflictError(f"Cannot delete default authorizer {name}. Change default and retry delete.")
        if authorizer.status == _ACTIVE:
            raise InvalidRequestError(
                f"Cannot delete authorizer {name} in ACTIVE status. Update status to INACTIVE and delete."
            )
        del self._authorizers[name]

    def page(self, parameters: Mapping[str, str]) -> tuple[list[Authorizer], str | None]:
        """Return one page of the authorizers, newest first unless told, and the marker of the next page.

        ``parameters`` are those of ListAuthorizers' query string. Raises InvalidRequestError.
        """
        status = parameters.get("status")
        size, start = _page_size(parameters.get("pageSize")), _position(parameters.get("marker"))
        violations = Violations()
        violations.status("status", status)
        violations.raise_if_any()
        matching = [authorizer for authorizer in self._authorizers.values() if status in (None, authorizer.status)]
        if parameters.get("isAscendingOrder", "false").lower() != "true":
            matching.reverse()
        end = start + size
        return matching[start:end], _marker(end) if end < len(matching) else None

    def default(self) -> Authorizer:
        """Return the default authorizer; raises ResourceNotFoundError when there is none."""
        if self._default is None:
            raise ResourceNotFoundError("Default authorizer not found")
        return self.get(self._default)

    def set_default(self, name: str) -> Authorizer:
        """Make an authorizer the default; raises ResourceAlreadyExistsError when it is, ResourceNotFoundError."""
        authorizer = self.get(name)
        if name == self._default:
            raise ResourceAlreadyExistsError(f"Authorizer {name} is already the default authorizer")
        self._default = name
        return authorizer

    def clear_default(self) -> None:
        """Have no default authorizer; raises ResourceNotFoundError when there is none."""
        self.default()
        self._default = None


def _page_size(text: str | None) -> int:
    if text is None:
        return _PAGE_SIZE_DEFAULT
    if not (text.isascii() and text.isdigit() and 1 <= int(text[:9]) <= _PAGE_SIZE_MAXIMUM):
        raise InvalidRequestError(f"pageSize must be a number between 1 and {_PAGE_SIZE_MAXIMUM}")
    return int(text)


def _marker(position: int) -> str:
    return base64.b64encode(str(position).encode("ascii")).decode("ascii")


def _position(marker: str | None) -> int:
    if marker is None:
        return 0
    try:
        return max(0, int(base64.b64decode(marker, validate=True)[:9]))
    except (binascii.Error, ValueError) as error:
        raise InvalidRequestError("marker is none that ListAuthorizers gave") from error
