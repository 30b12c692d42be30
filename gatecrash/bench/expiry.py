"""The time boundary: a token that was let in before it expired must not be let in afterwards.

An authorizer may allow some leeway, so nothing is said of when it denies. But where a fresh environment denies the
expired token, one that saw it before must deny it too: whatever it remembers has to end with the token.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, replace
from typing import Final

from gatecrash.authorizers.contract import Answer, Outcome
from gatecrash.authorizers.laboratory.laboratory import IsolatedEnvironment
from gatecrash.authorizers.redact import secrets_of
from gatecrash.bench.bench import LaboratoryBench, Shot, fire_in
from gatecrash.generators.cases import CaseMaker, Recipe
from gatecrash.generators.credentials.credential import CredentialProfile
from gatecrash.generators.mix import Mix
from gatecrash.planning.corpora import facts_of_case
from gatecrash.reports.oracles import rules
from gatecrash.reports.oracles.checks import Group, Violation, finding_of
from gatecrash.reports.oracles.findings import Classification, Confirmation, Finding
from gatecrash.reports.recording.ledger import Ledger
from gatecrash.reports.recording.records import CaseFacts

EXPIRED_CAUSE: Final = "an expired credential is let in where it was seen before"
_LIVES: Final = 4
# Authorizers compare whole seconds, some of them rounded.
_PAST: Final = 1.2
_DESCRIPTION: Final = "Present a credential before it expires, and to the same environment again afterwards."
_SOURCE: Final = "RFC 7519 section 4.1.4; CWE-613"


@dataclass(slots=True)
class _Watched:
    shot: Shot
    facts: CaseFacts
    environment: IsolatedEnvironment


class ExpiryWatch:
    """Presents credentials that expire in a few seconds: ``begin`` before anything else, ``end`` when there is time."""

    def __init__(self, bench: LaboratoryBench, profile: CredentialProfile) -> None:
        self._bench = bench
        self._profile = profile
        self._expires = 0
        self._watched: list[_Watched] = []

    def begin(self, recipes: list[Recipe]) -> None:
        """Present each recipe's credential to an environment of its own; nothing, where credentials never expire."""
        lifetime = self._profile.lifetime
        if lifetime is None:
            return
        self._expires = int(time.time()) + _LIVES
        maker = CaseMaker(self._profile, Mix(1.0), 0, self._expires - lifetime)
        for recipe in recipes:
            case = maker.make(recipe.valid)
            watched = _Watched(Shot.of(case), facts_of_case(case), self._bench.environment())
            if self._fire(watched).outcome is Outcome.ALLOW:
                self._watched.append(watched)
            else:
                watched.environment.close()

    def end(self) -> list[Finding]:
        """Wait until the credentials have expired, present them again, and return what that shows: one finding."""
        findings: list[Finding] = []
        try:
            if self._watched:
                time.sleep(max(0.0, self._expires + _PAST - time.time()))
            for watched in self._watched:
                fresh = self._bench.fire([watched.shot])[0]
                again = self._fire(watched)
                if again.outcome is Outcome.ALLOW and fresh.outcome is Outcome.DENY:
                    findings.append(_finding(watched, again))
        finally:
            self.close()
        return [replace(finding, cases=len(findings), exchanges=len(findings)) for finding in findings[:1]]

    def close(self) -> None:
        """End the environments."""
        for watched in self._watched:
            watched.environment.close()
        self._watched = []

    def _fire(self, watched: _Watched) -> Answer:
        self._bench.requests += 1
        return fire_in(watched.environment, [watched.shot])[0]


def _finding(watched: _Watched, answer: Answer) -> Finding:
    ledger, case = Ledger(), watched.facts
    ledger.add_answer(case.index, answer, secrets_of(watched.shot.request))
    answers = ledger.entry(case.index).identities
    violation = Violation(rules.FAIL_OPEN, EXPIRED_CAUSE, case, 1, answers, frozenset({Outcome.ALLOW}))
    return replace(
        finding_of(Group(rules.FAIL_OPEN, EXPIRED_CAUSE, [violation]), ledger),
        expectation="deny",
        description=_DESCRIPTION,
        source=_SOURCE,
        confirmation=Confirmation.of(Classification.TIME_BOUNDARY, 1, 1),
        size=0,
    )
