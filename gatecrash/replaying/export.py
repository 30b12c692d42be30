"""A finding as a file of its own: a pytest test, a boto3 script, a script for the AWS CLI, or the Lambda event."""

from __future__ import annotations

import json
import os
import shlex
import time
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from typing import Any, Final

from gatecrash.authorizers.errors import ApiError, UsageError
from gatecrash.authorizers.event import Dialect
from gatecrash.authorizers.service.front import TOKEN_KEY_NAME_DEFAULT, Front, HandlerSettings
from gatecrash.generators.attacks import DEVICE_VIEW, UNSIGNED_VIEW
from gatecrash.generators.cases import Case
from gatecrash.replaying import export_texts
from gatecrash.replaying.export_texts import Explanation
from gatecrash.replaying.replay import arguments_of, case_maker, cases_of
from gatecrash.reports.oracles.findings import Finding
from gatecrash.settings.settings import Settings, change_paths
from gatecrash.settings.targets import signing_keys

# What regression.assert_fixed needs of a finding, and what tells a reader about it.
_OPTIONAL_KEYS: Final = ("description", "source", "measured")
_FINDING_KEYS: Final = (
    *("rule", "cause", "exchanges", "cases", "case_index", "case_name", "expectation", "request"),
    *_OPTIONAL_KEYS,
)
_REPRODUCER_KEYS: Final = ("generation", "recipe", "setup", "view", "words")


class Format(StrEnum):
    """What a finding can be exported as."""

    PYTEST = "pytest"
    CLI = "cli"
    EVENT = "event"
    BOTO3 = "boto3"


@dataclass(frozen=True, slots=True)
class Export:
    """An exported file. ``secret``: credentials are in it; ``until`` says in words how long they hold."""

    text: str
    secret: bool
    until: str = ""


@dataclass(frozen=True, slots=True)
class _Job:
    settings: Settings
    finding: Finding
    run: str
    folder: Path | None
    cases: list[Case]
    with_secrets: bool
    lifetime: int | None

    @property
    def until(self) -> str:
        if self.lifetime is None:
            return "They don't expire by themselves."
        ends = datetime.fromtimestamp(time.time() + self.lifetime, UTC)
        return f"Tokens that are valid now are so until {ends:%Y-%m-%d %H:%M:%S} UTC."

    @property
    def is_unsigned(self) -> bool:
        """Whether the request is for an authorizer whose signing is disabled, though the settings' own is not."""
        return any(case.view == UNSIGNED_VIEW for case in self.cases)


def export(
    settings: Settings, finding: Finding, kind: Format, *, run: str, with_secrets: bool, folder: Path | None = None
) -> Export:
    """Write a finding as ``kind``, for a file that will lie in ``folder`` (None: nobody knows).

    ``run`` names the run that it is from. Raises UsageError when it can't be written so: secrets would be in it and
    weren't asked for, or its request can't be made again or sent in that way.
    """
    if kind is Format.PYTEST and with_secrets:
        raise UsageError("--with-secrets: a pytest file makes its requests anew and never holds a secret; leave it out")
    if kind in {Format.CLI, Format.EVENT} and not with_secrets:
        raise UsageError(f"--as {kind}: the credential would stand in the file; say --with-secrets if it may")
    maker = case_maker(settings, finding)
    job = _Job(settings, finding, run, folder, cases_of(maker, finding), with_secrets, maker.profile.lifetime)
    secret = with_secrets and kind is not Format.PYTEST
    return Export(_WRITERS[kind](job), secret, job.until if secret else "")


def _pytest_file(job: _Job) -> str:
    return export_texts.pytest_file(_explanation(job), _settings_of(job), _finding_of(job.finding))


def _boto3_script(job: _Job) -> str:
    _check_sendable(job, Format.BOTO3)
    about = _explanation(job)
    if job.with_secrets:
        return export_texts.boto3_script(about, requests=[arguments_of(job.settings, case) for case in job.cases])
    return export_texts.boto3_script(about, settings=_settings_of(job), finding=_finding_of(job.finding))


def _shell_script(job: _Job) -> str:
    _check_sendable(job, Format.CLI)
    arguments = [arguments_of(job.settings, case) for case in job.cases]
    target = job.settings.target
    flags = (("--region", target.region), ("--profile", target.profile), ("--endpoint-url", target.endpoint_url))
    given = " ".join(f"{flag} {shlex.quote(value)}" for flag, value in flags if value)
    return export_texts.shell_script(_explanation(job), [case.name for case in job.cases], arguments, given)


def _lambda_event(job: _Job) -> str:
    events = [_event(job, case) for case in job.cases]
    return json.dumps(events[0] if len(events) == 1 else events, indent=2) + "\n"


_WRITERS: Final[dict[Format, Callable[[_Job], str]]] = {
    Format.PYTEST: _pytest_file,
    Format.CLI: _shell_script,
    Format.EVENT: _lambda_event,
    Format.BOTO3: _boto3_script,
}


def _event(job: _Job, case: Case) -> dict[str, Any]:
    """Return the event that AWS IoT makes of a request, with the signature verified where it checks them."""
    authorizer = job.settings.authorizer
    keys = {} if case.view == UNSIGNED_VIEW else signing_keys(job.settings)
    signed = job.settings.credentials.kind == "signed"
    front = Front(
        HandlerSettings(
            handler="",
            dialect=authorizer.dialect,
            token_key_name=authorizer.token_key_name or (TOKEN_KEY_NAME_DEFAULT if signed else None),
            signing_keys=keys,
        )
    )
    try:
        event = front.event(case.request, Dialect.DEVICE if case.view == DEVICE_VIEW else None)
    except ApiError as error:
        raise UsageError(
            f"--as event: AWS IoT refuses the request {case.name} before the function sees it ({error.message}), "
            "so there is no event"
        ) from None
    return {**event, "connectionMetadata": {"id": str(uuid.uuid4())}}


def _check_sendable(job: _Job, kind: Format) -> None:
    if any(case.view == DEVICE_VIEW for case in job.cases):
        raise UsageError(
            f"--as {kind}: the finding shows with the event of a device's own connection, which TestInvokeAuthorizer "
            "never makes; export it with --as pytest or --as event"
        )


def _explanation(job: _Job) -> Explanation:
    return Explanation(job.finding, job.run, job.until, job.is_unsigned, _serve_command(job))


def _serve_command(job: _Job) -> str:
    """Return the command that serves the authorizer on this machine; empty where it isn't there."""
    authorizer, credentials = job.settings.authorizer, job.settings.credentials
    if job.settings.target.kind == "iot" or not (authorizer.handler or authorizer.command):
        return ""
    words = ["gatecrash", "serve"]
    if authorizer.command:
        words += ["--set", f"authorizer.command={json.dumps(authorizer.command)}"]
    else:
        words += ["--handler", os.path.normpath(str(authorizer.handler))]
    words += ["--authorizer", authorizer.name]
    key_name = authorizer.token_key_name or (TOKEN_KEY_NAME_DEFAULT if job.is_unsigned else None)
    words += ["--set", f"authorizer.token_key_name={key_name}"] if key_name else []
    words += ["--set", f"authorizer.dialect={authorizer.dialect}"] if authorizer.dialect != "test_invoke" else []
    if credentials.kind == "signed" and not job.is_unsigned:
        words += ["--credentials", "signed", "--private-key", os.path.normpath(str(credentials.private_key))]
    if len(job.cases) > 1:
        # One must come after the other in the same environment.
        words += ["--set", "authorizer.environments=1", "--set", "authorizer.concurrency=1"]
    return shlex.join(words)


def _settings_of(job: _Job) -> dict[str, Any]:
    """Return what a replay needs of the settings.

    Files below the current folder are named from where the exported file lies, if that is below it too, so that all
    of it can move together.
    """
    kept: Any = {"target": True, "authorizer": True, "credentials": True, "fuzz": {"rate"}}
    if "words" in job.finding.reproducer:
        # They are in the corpus.
        kept["output"] = {"cache"}
    values = job.settings.model_dump(mode="json", exclude_defaults=True, include=kept)
    here = Path.cwd().resolve()
    folder = job.folder.resolve() if job.folder is not None else None

    def change(name: str) -> str:
        path = os.path.normpath(here / name)
        if folder is not None and folder.is_relative_to(here) and Path(path).is_relative_to(here):
            return os.path.relpath(path, folder)
        return path

    change_paths(values, change)
    return {section: members for section, members in values.items() if members}


def _finding_of(finding: Finding) -> dict[str, Any]:
    """Return what a replay needs of a finding; requests in it are masked, and answers are counted only."""
    value = finding.to_json()
    reproducer: Mapping[str, Any] = finding.reproducer
    kept = {key: value[key] for key in _FINDING_KEYS if value[key] or key not in _OPTIONAL_KEYS}
    kept["reproducer"] = {key: reproducer[key] for key in _REPRODUCER_KEYS if reproducer.get(key)}
    kept["answers"] = [
        {key: answer[key] for key in ("outcome", "count") if key in answer} for answer in finding.answers
    ]
    if finding.confirmation is not None:
        plain = value["confirmation"]
        kept["confirmation"] = {**plain, "classification": str(plain["classification"])}
    return kept
