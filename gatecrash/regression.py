"""What exported files call: whether a finding is mended, and its requests made anew."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from gatecrash.authorizers.errors import GatecrashError, UsageError
from gatecrash.replaying.replay import Replay, arguments_of, case_maker, cases_of, replay, times_for
from gatecrash.reports.oracles.findings import Finding
from gatecrash.reports.words.spelling import json_text
from gatecrash.settings.settings import Settings, change_paths


def assert_fixed(
    settings: Mapping[str, Any], finding: Mapping[str, Any], times: int | None = None, *, folder: Path | None = None
) -> None:
    """Fire a finding's requests again, made anew, and raise AssertionError when it shows or can't be tested.

    ``times`` is by default as often as the finding's rarity asks for; ``folder`` is where the files are meant from
    that the settings name (default: the current folder).
    """
    __tracebackhide__ = True
    known = _finding(finding)
    try:
        result = replay(_settings(settings, folder), known, times or times_for(known))
    except GatecrashError as error:
        raise AssertionError(f"{known.sentence}: CANNOT TEST: {error}") from None
    if result.obstacle or result.violations:
        raise AssertionError(_report(known, result, result.word))


def requests_of(
    settings: Mapping[str, Any], finding: Mapping[str, Any], *, folder: Path | None = None
) -> list[dict[str, Any]]:
    """Return boto3's arguments of ``test_invoke_authorizer`` for each request of a finding, in their order.

    Tokens in them are minted now. Raises UsageError when a request can't be made again.
    """
    opened, known = _settings(settings, folder), _finding(finding)
    return [arguments_of(opened, case) for case in cases_of(case_maker(opened, known), known)]


def _settings(settings: Mapping[str, Any], folder: Path | None) -> Settings:
    values = copy.deepcopy(dict(settings))
    change_paths(values, lambda name: str((folder or Path.cwd()) / name))
    try:
        return Settings.model_validate(values)
    except ValidationError as error:
        places = ", ".join(".".join(map(str, mistake["loc"])) for mistake in error.errors())
        raise UsageError(f"SETTINGS hold what this version of gatecrash doesn't know: {places}") from None


def _finding(finding: Mapping[str, Any]) -> Finding:
    try:
        return Finding.from_json(finding)
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise UsageError(f"FINDING is none that this version of gatecrash can read: {error!r}") from None


def _report(finding: Finding, result: Replay, word: str) -> str:
    answers = [f"  {count:>6} x {json_text(sample)}" for count, sample in result.answers]
    return "\n".join(
        [
            f"{finding.sentence}: {word}",
            f"request, secrets masked: {json_text(finding.request)}",
            *(["answers:", *answers] if answers else []),
            f"remedy: {finding.rule.remedy}",
        ]
    )
