"""From settings to the target's plain settings, as a plan carries them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any, Final, Literal

from gatecrash.authorizers.errors import UsageError
from gatecrash.authorizers.service.front import TOKEN_KEY_NAME_DEFAULT
from gatecrash.authorizers.targets.endpoints import is_on_this_machine
from gatecrash.authorizers.targets.local import LocalGateway
from gatecrash.authorizers.targets.opening import open_target
from gatecrash.authorizers.targets.protocol import Target
from gatecrash.generators.credentials import open_profile
from gatecrash.generators.credentials.signed import SignedProfile
from gatecrash.reports.plan.facts import AWS_KINDS, TargetFacts
from gatecrash.reports.plan.plan import OPEN
from gatecrash.settings.settings import Settings, credential_settings

# boto3 takes about a millisecond of a core for each call.
_BOTO3_RATE_MAXIMUM: Final = 300.0
_WIRE_KINDS: Final = frozenset({"iot_wire", "lambda_wire"})


def steady_rate(settings: Settings) -> float:
    """Return the planned rate of a run at one rate, in arrivals a second; 0 where users keep their own pace."""
    return settings.load.rate if settings.load.model == OPEN else 0.0


def client_of(settings: Settings, rate: float | None = None) -> Literal["boto3", "wire"]:
    """Return which client calls TestInvokeAuthorizer, or the Lambda function.

    The wire client on this machine, and where boto3 is too slow for the highest planned ``rate``; else boto3, the
    reference. Where no rate is given it is ``load.rate``.
    """
    target = settings.target
    if target.client is not None:
        return target.client
    if target.kind == "local" or is_on_this_machine(target.endpoint_url):
        return "wire"
    rate = steady_rate(settings) if rate is None else rate
    return "wire" if rate > _BOTO3_RATE_MAXIMUM else "boto3"


def target_settings(settings: Settings, rate: float | None = None) -> dict[str, Any]:
    """Return the target's plain settings; for target local with the settings of its gateway.

    ``rate`` is the highest planned one, in arrivals a second: see ``client_of``.
    """
    target = settings.target
    if target.kind == "scripted":
        return {"kind": "scripted", **target.script}
    if target.kind == "handler":
        return {"kind": "handler", "handler": _absolute_handler(settings), **_service_settings(settings)}
    if target.kind == "lambda":
        return _lambda_settings(settings, rate)
    kind = "iot_wire" if client_of(settings, rate) == "wire" else "iot_api"
    api = {"kind": kind, "authorizer_name": settings.authorizer.name, "region": target.region}
    if target.kind == "iot":
        return {**api, "profile": target.profile, "endpoint_url": target.endpoint_url}
    return {**api, "gateway": gateway_settings(settings)}


@contextmanager
def open_target_of(settings: Settings, *, connections: int) -> Iterator[Target]:
    """Open a target in this process, behind a gateway of its own for target local, and close both at the end."""
    plain = target_settings(settings)
    with ExitStack() as stack:
        if "gateway" in plain:
            plain = stack.enter_context(closing(LocalGateway(plain["gateway"]))).target_of(plain)
        yield stack.enter_context(closing(open_target(plain, connections=connections)))


def function_of(settings: Settings) -> str:
    """Return the Lambda function that is invoked; raises UsageError when none is named."""
    if settings.target.function is None:
        raise UsageError(
            "target.function is missing: name the authorizer's Lambda function with --function NAME or ARN"
        )
    return settings.target.function


def _lambda_settings(settings: Settings, rate: float | None) -> dict[str, Any]:
    target = settings.target
    return {
        "authorizer_name": settings.authorizer.name,
        "kind": "lambda_wire" if client_of(settings, rate) == "wire" else "lambda_function",
        "function": function_of(settings),
        "region": target.region,
        "profile": target.profile,
        "endpoint_url": target.endpoint_url,
        **_service_settings(settings),
        "log_tail": target.log_tail,
    }


def _service_settings(settings: Settings) -> dict[str, Any]:
    """Return what the service in front of a handler needs to know of its authorizer."""
    authorizer, keys = settings.authorizer, signing_keys(settings)
    key_name = authorizer.token_key_name or (TOKEN_KEY_NAME_DEFAULT if keys else None)
    return {"dialect": authorizer.dialect, "token_key_name": key_name, "signing_keys": keys}


def signing_keys(settings: Settings) -> dict[str, str]:
    """Return the public keys of an authorizer for signed tokens, derived from the profile's private key."""
    if settings.credentials.kind != "signed":
        return {}
    profile = open_profile(credential_settings(settings), settings.authorizer.token_key_name)
    return {"gatecrash": profile.public_key} if isinstance(profile, SignedProfile) else {}


def gateway_settings(settings: Settings, *, port: int = 0) -> dict[str, Any]:
    """Return the embedded gateway's settings as plain data, with one function and one authorizer."""
    authorizer = settings.authorizer
    return {
        "port": port,
        "region": settings.target.region or "us-east-1",
        "handler": None if authorizer.command else _absolute_handler(settings),
        "command": list(authorizer.command) if authorizer.command else None,
        "folder": str(Path.cwd()),
        "authorizer": authorizer.name,
        **_service_settings(settings),
        "timeout": authorizer.timeout,
        "provisioned": min(authorizer.environments, authorizer.concurrency),
        "concurrency": authorizer.concurrency,
        "calls_per_second": authorizer.calls_per_second,
        "faults": authorizer.faults,
        "show_handler_output": authorizer.show_output,
    }


def _absolute_handler(settings: Settings) -> str:
    location = settings.authorizer.handler
    if location is None:
        raise UsageError(
            "authorizer.handler is missing: name your Lambda handler with --handler path/to/file.py:function"
        )
    name, mark, function = location.partition(":")
    return f"{Path(name).resolve()}{mark}{function}"


def describe_target(settings: Settings, target: dict[str, Any]) -> TargetFacts:
    """Say what is fired at, for run.json."""
    kind, authorizer = settings.target.kind, settings.authorizer
    facts = TargetFacts(kind, authorizer.name)
    if kind in {"local", "iot", "lambda"}:
        facts = replace(facts, client="wire" if target["kind"] in _WIRE_KINDS else "boto3")
    if kind in {"local", "handler"}:
        handler = authorizer.command or target.get("handler") or target["gateway"]["handler"]
        facts = replace(facts, handler=handler, dialect=authorizer.dialect)
    if kind in AWS_KINDS:
        facts = replace(facts, region=settings.target.region, endpoint=settings.target.endpoint_url)
    if kind == "lambda":
        facts = replace(facts, function=settings.target.function, dialect=authorizer.dialect)
    return replace(facts, script=settings.target.script) if kind == "scripted" else facts
