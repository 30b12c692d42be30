"""What `gatecrash doctor` looks at. Each check is one function from settings to what it found."""

from __future__ import annotations

import os
import platform
import resource
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from enum import StrEnum
from importlib.metadata import version
from pathlib import Path
from time import time
from typing import Final

import boto3
from botocore.exceptions import BotoCoreError, ClientError

from gatecrash.authorizers.errors import GatecrashError
from gatecrash.authorizers.targets.endpoints import is_on_this_machine
from gatecrash.generators.credentials import open_profile
from gatecrash.preflight.iot import client_of_authorizer, describe, read_quota
from gatecrash.preflight.lambda_function import client_of_function, read_concurrency, try_dry
from gatecrash.reports.plan.facts import AWS_KINDS
from gatecrash.settings.settings import Settings, credential_settings
from gatecrash.settings.targets import function_of, gateway_settings

_DESCRIPTORS_BESIDE_USERS: Final = 200
# Signature Version 4 refuses a clock that is off by five minutes.
_SKEW_SECONDS: Final = 60.0


class Fitness(StrEnum):
    """How good a state is."""

    GOOD = "ok"
    BEWARE = "beware"
    BAD = "bad"


@dataclass(frozen=True, slots=True)
class Observation:
    """One thing that was looked at."""

    fitness: Fitness
    what: str
    state: str


def examine(settings: Settings) -> list[Observation]:
    """Look at everything that matters for these settings."""
    return [observation for check in _checks(settings) for observation in check(settings)]


def _checks(settings: Settings) -> Iterator[Callable[[Settings], Iterator[Observation]]]:
    yield from (_versions, _machine, _descriptors, _folders, _credentials)
    if settings.target.kind == "local":
        yield _handler
    if settings.target.kind in AWS_KINDS:
        yield _aws


def _versions(_: Settings) -> Iterator[Observation]:
    names = ("gatecrash", "locust", "gevent", "boto3", "hypothesis", "awslambdaric")
    yield Observation(Fitness.GOOD, "Python", platform.python_version())
    yield Observation(Fitness.GOOD, "packages", ", ".join(f"{name} {version(name)}" for name in names))


def _machine(settings: Settings) -> Iterator[Observation]:
    cores = os.cpu_count() or 1
    fitness = Fitness.GOOD if settings.load.processes <= cores else Fitness.BEWARE
    yield Observation(fitness, "cores", f"{cores} for {settings.load.processes} Locust workers")


def _descriptors(settings: Settings) -> Iterator[Observation]:
    limit, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    needed = settings.load.users + _DESCRIPTORS_BESIDE_USERS
    fitness = Fitness.GOOD if limit >= needed else Fitness.BAD
    yield Observation(fitness, "open files", f"limit {limit}, {settings.load.users} users need {needed} (`ulimit -n`)")


def _folders(settings: Settings) -> Iterator[Observation]:
    for what, folder in (("run folders", Path(settings.output.runs)), ("corpora", settings.cache_folder())):
        existing = next(place for place in (folder.resolve(), *folder.resolve().parents) if place.exists())
        writable = existing.is_dir() and os.access(existing, os.W_OK)
        free = shutil.disk_usage(existing).free // 2**20
        state = f"{folder}, {free} MiB free" if writable else f"{folder} can't be written: {existing} is in the way"
        yield Observation(Fitness.GOOD if writable else Fitness.BAD, what, state)


def _credentials(settings: Settings) -> Iterator[Observation]:
    if settings.credentials.kind is None:
        yield Observation(Fitness.BAD, "credentials", "none: set credentials.kind, see `gatecrash init`")
        return
    try:
        profile = open_profile(credential_settings(settings), settings.authorizer.token_key_name)
        profile.request(profile.credential(0, 0, int(time())), profile.carriers[0])
    except GatecrashError as error:
        yield Observation(Fitness.BAD, "credentials", str(error))
        return
    state = f"{profile.kind}, {profile.identities} identities, by {', '.join(profile.carriers)}"
    yield Observation(Fitness.GOOD, "credentials", state)


def _handler(settings: Settings) -> Iterator[Observation]:
    try:
        gateway = gateway_settings(settings)
    except GatecrashError as error:
        yield Observation(Fitness.BAD, "handler", str(error))
        return
    location = gateway["handler"]
    if location is None:
        yield Observation(Fitness.GOOD, "handler", " ".join(gateway["command"]))
        return
    path = Path(location.partition(":")[0])
    if not path.is_file():
        yield Observation(Fitness.BAD, "handler", f"there is no file {path}")
    elif path.suffix != ".py" and shutil.which("node") is None:
        yield Observation(Fitness.BAD, "handler", f"{path} needs Node.js, and there is no `node` on the PATH")
    else:
        yield Observation(Fitness.GOOD, "handler", location)


def _aws(settings: Settings) -> Iterator[Observation]:
    if not is_on_this_machine(settings.target.endpoint_url):
        identity = list(_identity(settings))
        yield from identity
        if identity[0].fitness is Fitness.BAD:
            return
    yield from (_authorizer if settings.target.kind == "iot" else _function)(settings)


def _identity(settings: Settings) -> Iterator[Observation]:
    target = settings.target
    try:
        session = boto3.Session(profile_name=target.profile, region_name=target.region)
        identity = session.client("sts").get_caller_identity()
        yield Observation(Fitness.GOOD, "AWS credentials", f"account {identity['Account']}")
        yield _clock(identity["ResponseMetadata"]["HTTPHeaders"].get("date"))
    except (BotoCoreError, ClientError) as error:
        yield Observation(Fitness.BAD, "AWS credentials", f"{type(error).__name__}: try `aws sts get-caller-identity`")


def _authorizer(settings: Settings) -> Iterator[Observation]:
    try:
        deployed = describe(client_of_authorizer(settings), settings)
        yield Observation(Fitness.GOOD, "authorizer", f"{deployed.arn}, {deployed.status}")
    except GatecrashError as error:
        yield Observation(Fitness.BAD, "authorizer", str(error))
    quota = read_quota(settings)
    fitness = Fitness.GOOD if settings.load.rate <= quota else Fitness.BEWARE
    yield Observation(fitness, "TestInvokeAuthorizer quota", f"{quota:g} calls/s, planned {settings.load.rate:g}")


def _function(settings: Settings) -> Iterator[Observation]:
    try:
        client = client_of_function(settings)
        try_dry(client, settings)
    except GatecrashError as error:
        yield Observation(Fitness.BAD, "function", str(error))
        return
    yield Observation(Fitness.GOOD, "function", f"{function_of(settings)} may be invoked")
    limit, users = read_concurrency(client), settings.load.users
    state = f"{limit} in the account, shared by all its functions; {users} users take as many at most"
    yield Observation(Fitness.GOOD if users <= limit else Fitness.BEWARE, "concurrency", state)


def _clock(date: str | None) -> Observation:
    if date is None:
        return Observation(Fitness.BEWARE, "clock", "AWS did not say what time it is")
    skew = abs(parsedate_to_datetime(date).timestamp() - time())
    return Observation(Fitness.GOOD if skew < _SKEW_SECONDS else Fitness.BAD, "clock", f"within {skew:.0f} s of AWS's")
