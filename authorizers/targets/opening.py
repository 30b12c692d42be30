"""From a target's plain settings, as a plan carries them, to the target."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

from gatecrash.authorizers.errors import UsageError
from gatecrash.authorizers.targets.protocol import Target


def open_target(settings: Mapping[str, Any], *, connections: int) -> Target:
    """Open a target for a number of simultaneous requests; raises UsageError for a kind that there isn't.

    Each kind's module is imported only when it is used: boto3 is slow to import, and a handler needs none of it.
    """
    members = dict(settings)
    kind = members.pop("kind", None)
    if kind not in _OPENERS:
        raise UsageError(f"target.kind is {kind!r}; it may be {', '.join(_OPENERS)}")
    return _OPENERS[kind](members, connections)


def _iot_api(members: Mapping[str, Any], connections: int) -> Target:
    from gatecrash.authorizers.targets.aws_clients import IotApiSettings
    from gatecrash.authorizers.targets.iot_api import IotApiTarget

    return IotApiTarget(IotApiSettings(**members, connections=connections))


def _iot_wire(members: Mapping[str, Any], connections: int) -> Target:
    from gatecrash.authorizers.targets.aws_clients import IotApiSettings
    from gatecrash.authorizers.targets.iot_wire import IotWireTarget

    return IotWireTarget(IotApiSettings(**members, connections=connections))


def _lambda_function(members: Mapping[str, Any], connections: int) -> Target:
    from gatecrash.authorizers.targets.lambda_function import LambdaFunctionSettings, LambdaFunctionTarget

    return LambdaFunctionTarget(LambdaFunctionSettings(**members, connections=connections))


def _lambda_wire(members: Mapping[str, Any], connections: int) -> Target:
    from gatecrash.authorizers.targets.lambda_function import LambdaFunctionSettings
    from gatecrash.authorizers.targets.lambda_wire import LambdaWireTarget

    return LambdaWireTarget(LambdaFunctionSettings(**members, connections=connections))


def _handler(members: Mapping[str, Any], connections: int) -> Target:  # noqa: ARG001 - a handler has none
    from gatecrash.authorizers.service.front import HandlerSettings
    from gatecrash.authorizers.targets.handler import HandlerTarget

    return HandlerTarget(HandlerSettings(**members))


def _scripted(members: Mapping[str, Any], connections: int) -> Target:  # noqa: ARG001 - a script has none
    from gatecrash.authorizers.targets.scripted import Script, ScriptedTarget

    return ScriptedTarget(Script(**members))


_OPENERS: Final[dict[str, Callable[[Mapping[str, Any], int], Target]]] = {
    "iot_api": _iot_api,
    "iot_wire": _iot_wire,
    "lambda_function": _lambda_function,
    "lambda_wire": _lambda_wire,
    "handler": _handler,
    "scripted": _scripted,
}
