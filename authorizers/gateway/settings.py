"""What a gateway serves and how; as frozen data, and as JSON from another process."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from gatecrash.authorizers.errors import UsageError
from gatecrash.authorizers.event import Dialect
from gatecrash.authorizers.gateway.faults import FaultSettings
from gatecrash.authorizers.gateway.functions import Function, command_function, parse_handler
from gatecrash.authorizers.limits import LAMBDA_SECONDS_MAXIMUM

_FUNCTION_MEMBERS: Final = ("handler", "command", "folder")
_AUTHORIZER_MEMBERS: Final = ("authorizer", "token_key_name", "signing_keys")


@dataclass(frozen=True, slots=True)
class AuthorizerSettings:
    """An authorizer that is there from the start.

    ``function`` is a served function's name, the first one's by default. ``signing_keys`` are PEM public keys by
    name; ``signing_disabled`` follows from whether there are any unless it is given.
    """

    name: str
    function: str | None = None
    signing_keys: Mapping[str, str] = field(default_factory=dict)
    token_key_name: str | None = None
    signing_disabled: bool | None = None
    status: str = "ACTIVE"


@dataclass(frozen=True, slots=True)
class GatewaySettings:
    """All that a gateway needs to know.

    ``port`` 0 takes a free one. ``concurrency`` is how many environments a function may have, ``provisioned`` how
    many are started ahead; ``timeout`` is in seconds, at most AWS IoT's five. ``calls_per_second`` is the API rate of
    each operation, None for no limit (AWS has 10), ``burst`` how many may come at once.
    Raises UsageError for what is out of range.
    """

    functions: Sequence[Function]
    authorizers: Sequence[AuthorizerSettings] = ()
    host: str = "127.0.0.1"
    port: int = 0
    concurrency: int = 32
    provisioned: int = 2
    timeout: float = LAMBDA_SECONDS_MAXIMUM
    dialect: Dialect = Dialect.TEST_INVOKE
    calls_per_second: float | None = None
    burst: float | None = None
    region: str = "us-east-1"
    account: str = "123456789012"
    show_handler_output: bool = False
    faults: FaultSettings = field(default_factory=FaultSettings)

    def __post_init__(self) -> None:
        names = [function.name for function in self.functions]
        if not names:
            raise UsageError("the gateway has no function to run; name a handler as path/to/file.py:function")
        if len(set(names)) < len(names):
            raise UsageError(f"two functions have the same name, which ARNs tell them by: {', '.join(names)}")
        _check_range("port", self.port, 0, 65535)
        _check_range("concurrency", self.concurrency, 1, 1000)
        _check_range("provisioned", self.provisioned, 0, 1000)
        _check_range("timeout", self.timeout, 0.001, LAMBDA_SECONDS_MAXIMUM)
        if self.calls_per_second is not None and self.calls_per_second <= 0:
            raise UsageError(f"calls_per_second is {self.calls_per_second}; it must be more than 0, or left out")
        for authorizer in self.authorizers:
            if authorizer.function is not None and authorizer.function not in names:
                raise UsageError(
                    f"authorizer {authorizer.name} runs the function {authorizer.function}; "
                    f"there are {', '.join(names)}"
                )


def _check_range(name: str, value: float, minimum: float, maximum: float) -> None:
    if not minimum <= value <= maximum:
        raise UsageError(f"{name} is {value}; it must be between {minimum:g} and {maximum:g}")


def settings_from_json(value: Any) -> GatewaySettings:
    """Read settings with one function and one authorizer, as another process sends them.

    Members are those of GatewaySettings but ``functions`` and ``authorizers``. In their place stand ``handler`` (as
    for ``parse_handler``), or ``command``, a list, with its ``folder``; and ``authorizer``, its name, with
    ``token_key_name`` and ``signing_keys``. ``faults`` is an object. Raises UsageError, which names the member.
    """
    if not isinstance(value, Mapping):
        raise UsageError("the gateway's settings must be a JSON object")
    given = {name: value.get(name) for name in _FUNCTION_MEMBERS + _AUTHORIZER_MEMBERS}
    members = {name: member for name, member in value.items() if name not in given}
    members["functions"] = (_function(given),)
    members["authorizers"] = () if given["authorizer"] is None else (_authorizer(given),)
    if "faults" in members:
        members["faults"] = _make(FaultSettings, {} if members["faults"] is None else members["faults"])
    if "dialect" in members:
        try:
            members["dialect"] = Dialect(members["dialect"])
        except ValueError:
            raise UsageError(f"dialect is {members['dialect']}; it must be {' or '.join(Dialect)}") from None
    settings: GatewaySettings = _make(GatewaySettings, members)
    return settings


def _function(given: Mapping[str, Any]) -> Function:
    if given["command"]:
        name = given["authorizer"] or "function"
        return command_function(name, list(given["command"]), Path(given["folder"] or "."))
    if not given["handler"]:
        raise UsageError("the gateway's settings name neither a handler nor a command")
    return parse_handler(given["handler"])


def _authorizer(given: Mapping[str, Any]) -> AuthorizerSettings:
    return AuthorizerSettings(
        given["authorizer"], signing_keys=given["signing_keys"] or {}, token_key_name=given["token_key_name"]
    )


def _make(kind: Any, members: Any) -> Any:
    known = [member.name for member in dataclasses.fields(kind)]
    if not isinstance(members, Mapping):
        raise UsageError(f"the gateway's settings hold {members!r} where an object must be: {', '.join(known)}")
    unknown = sorted(set(members) - set(known))
    if unknown:
        raise UsageError(f"the gateway has no setting {unknown[0]}; there are {', '.join(known)}")
    try:
        return kind(**members)
    except TypeError as error:
        raise UsageError(f"the gateway's settings: {error}") from None
