"""Firing a finding's request again: the recipe is expanded anew, so that tokens are fresh and no secret is stored."""

from __future__ import annotations

import math
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Final

from authorizers.contract import Answer, Expectation, Outcome
from authorizers.errors import UsageError, WireError
from authorizers.redact import secrets_of
from authorizers.targets.local import LocalGateway
from authorizers.targets.opening import open_target
from authorizers.targets.protocol import Target
from gatecrash.preparing import credential_settings, target_settings
from gatecrash.settings import Settings
from generators.cases import CaseMaker, Recipe
from generators.credentials import open_profile
from generators.mix import Mix
from reports.findings import Finding, Oracle
from reports.ledger import cause_of, identity_of, sample_of

TIMES_MINIMUM: Final = 20
TIMES_MAXIMUM: Final = 1000
_MISS: Final = 0.05


@dataclass(frozen=True, slots=True)
class Replay:
    """What came back: ``violations`` of ``answered`` showed the finding again; ``answers`` are (count, sample)."""

    times: int
    answered: int
    violations: int
    answers: list[tuple[int, dict[str, Any]]]

    @property
    def word(self) -> str:
        """FIXED, FAILED k of n, FLAKY k of n, or CANNOT TEST."""
        if not self.answered:
            return "CANNOT TEST"
        if not self.violations:
            return "FIXED"
        word = "FAILED" if self.violations == self.answered else "FLAKY"
        return f"{word} {self.violations} of {self.answered}"


def times_for(finding: Finding) -> int:
    """Return how often to fire so that a finding as rare as it was seen is missed in one of twenty replays."""
    total = sum(answer["count"] for answer in finding.answers)
    rare = min((answer["count"] for answer in finding.answers), default=0)
    if not total or rare == total:
        return TIMES_MINIMUM
    wanted = math.ceil(math.log(_MISS) / math.log(1 - rare / total))
    return min(TIMES_MAXIMUM, max(TIMES_MINIMUM, wanted))


def replay(settings: Settings, finding: Finding, times: int) -> Replay:
    """Fire a finding's request ``times`` times, one after the other.

    Raises UsageError when the request can't be made again from what the finding tells.
    """
    minted_at = int(time.time())
    profile = open_profile(credential_settings(settings), settings.authorizer.token_key_name)
    maker = CaseMaker(profile, Mix(settings.corpus.valid_share), settings.corpus.seed, minted_at)
    try:
        request = maker.again(Recipe.from_json(finding.reproducer["recipe"]))
    except (KeyError, WireError) as error:
        raise UsageError(f"the finding's request can't be made again: {error}") from None
    secrets = secrets_of(request)
    with _target(settings) as target:
        answers = [target.invoke(request) for _ in range(times)]
    said = [answer for answer in answers if answer.outcome.is_answer or answer.outcome is Outcome.TIMED_OUT]
    counts = Counter(map(identity_of, answers))
    samples = {identity_of(answer): sample_of(answer, secrets) for answer in answers}
    return Replay(
        times,
        len(said),
        _violations(finding, said),
        [(count, samples[identity]) for identity, count in counts.most_common()],
    )


@contextmanager
def _target(settings: Settings) -> Iterator[Target]:
    plain = target_settings(settings)
    gateway = LocalGateway(plain["gateway"]) if "gateway" in plain else None
    if gateway is not None:
        plain = {name: value for name, value in plain.items() if name != "gateway"} | {"endpoint_url": gateway.url}
    try:
        target = open_target(plain, connections=1)
        try:
            yield target
        finally:
            target.close()
    finally:
        if gateway is not None:
            gateway.close()


def _violations(finding: Finding, answers: list[Answer]) -> int:
    """Count the answers that show the finding: for a disagreement those that aren't the most common answer."""
    if finding.rule.oracle is Oracle.EXPECTATION:
        expectation = Expectation(finding.expectation)
        return sum(expectation.is_met_by(answer.outcome) is False for answer in answers)
    if finding.rule.oracle is Oracle.AGREEMENT:
        counts = Counter(map(identity_of, answers))
        return len(answers) - max(counts.values(), default=0)
    return sum(cause_of(answer) == finding.cause and not answer.outcome.is_decision for answer in answers)
