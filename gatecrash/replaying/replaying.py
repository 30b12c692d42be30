"""Firing a finding's request again: the recipe is expanded anew, so that tokens are fresh and no secret is stored."""

from __future__ import annotations

import math
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Final

from pydantic import ValidationError

from gatecrash.authorizers.contract import Answer, Outcome
from gatecrash.authorizers.errors import UsageError, WireError
from gatecrash.authorizers.redact import secrets_of
from gatecrash.bench.bench import Bench, LaboratoryBench, Shot
from gatecrash.bench.expiring import ExpiryWatch
from gatecrash.bench.literals import words_again
from gatecrash.bench.preparing import is_python_handler, laboratory_settings, target_bench
from gatecrash.bench.timing import ageing_of, slowness_of
from gatecrash.generators.cases import GENERATION, Case, CaseMaker, Recipe
from gatecrash.generators.credentials import open_profile
from gatecrash.generators.mix import Mix
from gatecrash.generators.sweep import valid_recipes
from gatecrash.planning.corpora import facts_of_case
from gatecrash.reports.oracles import rules
from gatecrash.reports.oracles.checks import Judge
from gatecrash.reports.oracles.findings import Classification, Finding
from gatecrash.reports.oracles.policy_checks import ALONE
from gatecrash.reports.oracles.rules import Oracle
from gatecrash.reports.recording.identities import identity_of, sample_of
from gatecrash.reports.recording.ledger import Ledger
from gatecrash.reports.recording.records import CaseFacts, Exchange
from gatecrash.reports.run.folder import RunFolder
from gatecrash.reports.words.summary import plural
from gatecrash.settings.settings import Settings, credential_settings

TIMES_MINIMUM: Final = 20
TIMES_MAXIMUM: Final = 1000
_MISS: Final = 0.05
_SLOW_TIMES: Final = 3
_OVERLAPPING_WIDTH: Final = 8
_TIMED: Final = frozenset({rules.SLOW_REQUEST, rules.HANDLER_TIMEOUT, rules.AGEING})


@dataclass(frozen=True, slots=True)
class Replay:
    """What came back: ``violations`` of ``answered`` showed the finding again; ``answers`` are (count, sample).

    ``obstacle`` says why the answers prove nothing, where they don't.
    """

    times: int
    answered: int
    violations: int
    answers: list[tuple[int, dict[str, Any]]]
    obstacle: str = ""

    @property
    def word(self) -> str:
        """FIXED, FAILED k of n, FLAKY k of n, or CANNOT TEST."""
        if self.obstacle:
            return f"CANNOT TEST: {self.obstacle}"
        if not self.violations:
            return "FIXED"
        word = "FAILED" if self.violations == self.answered else "FLAKY"
        return f"{word} {self.violations} of {self.answered}"


def times_for(finding: Finding) -> int:
    """Return how often to fire so that a finding as rare as it was seen is missed in one of twenty replays."""
    if finding.confirmation is not None:
        total, rare = finding.confirmation.times, finding.confirmation.violations
    else:
        total = sum(answer["count"] for answer in finding.answers)
        rare = min((answer["count"] for answer in finding.answers), default=0)
    if not total or not rare or rare == total:
        return TIMES_MINIMUM
    wanted = math.ceil(math.log(_MISS) / math.log(1 - rare / total))
    return min(TIMES_MAXIMUM, max(TIMES_MINIMUM, wanted))


def stored_finding(run_folder: Path, number: int) -> tuple[Settings, Finding]:
    """Return a finding of a run folder by its number, with the settings of its run.

    Raises UsageError when there is no such finding, or when this version can't read the settings.
    """
    run = RunFolder(run_folder).load()
    if not 1 <= number <= len(run.findings):
        raise UsageError(f"--finding {number}: {run_folder} has {plural(len(run.findings), 'finding')}")
    try:
        return Settings.model_validate(run.info.settings), run.findings[number - 1]
    except ValidationError:
        raise UsageError(f"{run_folder}/run.json holds settings that this version doesn't know") from None


def case_maker(settings: Settings, finding: Finding) -> CaseMaker:
    """Return what makes a finding's cases by their recipes, with tokens minted now.

    Raises UsageError when the words of the handler's code, which some requests are made with, are known no more.
    """
    profile = open_profile(credential_settings(settings), settings.authorizer.token_key_name)
    digest = finding.reproducer.get("words")
    words = words_again(digest, settings.cache_folder(), settings.authorizer.handler) if digest else ()
    return CaseMaker(profile, Mix(settings.corpus.valid_share), settings.corpus.seed, int(time.time()), words)


def cases_of(maker: CaseMaker, finding: Finding) -> list[Case]:
    """Make the requests of a finding anew: those that must be fired before it, and then its own.

    Raises UsageError when a request can't be made again from what the finding tells, or would be another one.
    """
    generation = finding.reproducer.get("generation", GENERATION)
    if generation != GENERATION:
        raise UsageError(
            f"the finding's request can't be made again: it is of generation {generation!r}, and this version of "
            f"gatecrash makes generation {GENERATION}, in which the same recipe may give another request; fuzz again"
        )
    try:
        recipes = [step["recipe"] for step in (*finding.reproducer.get("setup", ()), finding.reproducer)]
        return [maker.made(Recipe.from_json(recipe)) for recipe in recipes]
    except (KeyError, WireError) as error:
        raise UsageError(f"the finding's request can't be made again: {error}") from None


def replay(settings: Settings, finding: Finding, times: int) -> Replay:
    """Fire a finding's request ``times`` times, each time after the requests that must come before it.

    Findings of a fuzz run on a Python handler are replayed in isolated environments, as they were proven; others at
    the run's target. Raises UsageError when the request can't be made again from what the finding tells.
    """
    replayer = _Replayer(settings, finding)
    with _bench(settings, finding) as bench:
        if isinstance(bench, LaboratoryBench):
            if finding.rule in _TIMED:
                return replayer.timed(bench)
            if _kind(finding) is Classification.TIME_BOUNDARY:
                return replayer.expiring(bench)
        return replayer.judged(bench, times)


@contextmanager
def _bench(settings: Settings, finding: Finding) -> Iterator[Bench]:
    if finding.confirmation is not None and is_python_handler(settings):
        bench = LaboratoryBench(laboratory_settings(settings))
        try:
            yield bench
        finally:
            bench.close()
    else:
        with target_bench(settings, budget=None) as target:
            yield target


class _Replayer:
    def __init__(self, settings: Settings, finding: Finding) -> None:
        self._maker = case_maker(settings, finding)
        self._finding = finding
        *setup, self._case = cases_of(self._maker, finding)
        self._setup = [_shot_of(case) for case in setup]
        self._facts = facts_of_case(self._case)
        self._shot = Shot(self._case.request, self._case.view)
        self._secrets = secrets_of(self._case.request)

    def timed(self, bench: LaboratoryBench) -> Replay:
        """Measure again, against a valid request or a fresh environment."""
        valid = _shot_of(self._maker.made(self._case.recipe.valid))
        slow = 0
        for _ in range(_SLOW_TIMES):
            if self._finding.rule is rules.AGEING:
                seen = ageing_of(bench, [self._shot, valid], 0.0, time.monotonic)
            else:
                seen = slowness_of(bench, self._shot, valid)
            slow += seen is not None
        answer = bench.fresh([self._shot])[0]
        return Replay(_SLOW_TIMES, _SLOW_TIMES, slow, [(1, sample_of(answer, self._secrets))])

    def expiring(self, bench: LaboratoryBench) -> Replay:
        """Present a credential before and after it expires, once: it takes some seconds."""
        watch = ExpiryWatch(bench, self._maker.profile)
        try:
            watch.begin([self._case.recipe])
            found = watch.end()
        finally:
            watch.close()
        answers = found[0].answers if found else []
        return Replay(1, 1, len(found), [(answer["count"], answer["sample"]) for answer in answers])

    def judged(self, bench: Bench, times: int) -> Replay:
        """Fire, and judge each answer by itself, or all of them by the most frequent one."""
        if not bench.can(view := self._shot.view):
            return Replay(times, 0, 0, [], f"the view {view!r} of the authorizer can't be brought about at this target")
        answers = self._fired(bench, times)
        said = [answer for answer in answers if answer.outcome.is_answer or answer.outcome is Outcome.TIMED_OUT]
        counts = Counter(map(identity_of, answers))
        samples = {identity_of(answer): sample_of(answer, self._secrets) for answer in answers}
        shown = [(count, samples[identity]) for identity, count in counts.most_common()]
        violations = self._violations(bench, said)
        obstacle = "the authorizer answered nothing" if not said else "" if violations else self._unproven(bench)
        return Replay(len(answers), len(said), violations, shown, obstacle)

    def _unproven(self, bench: Bench) -> str:
        """Say why no violation proves nothing: an authorizer that turns away every request shows no other mistake."""
        recipe = self._case.recipe
        if not recipe.mutations:
            return ""
        answer = bench.fresh([_shot_of(self._maker.made(recipe.valid))])[0]
        if answer.outcome is Outcome.ALLOW:
            return ""
        said = answer.outcome.value.replace("_", " ")
        return f"the valid request that this one is made from is not let in ({said}): check handler and credentials"

    def _fired(self, bench: Bench, times: int) -> list[Answer]:
        confirmation, kind = self._finding.confirmation, _kind(self._finding)
        if self._setup:
            return [bench.fresh([*self._setup, self._shot])[-1] for _ in range(times)]
        if kind is Classification.AFTER_MANY and confirmation is not None:
            return bench.fresh([self._shot] * (confirmation.after + times))
        if kind is Classification.COLD_START:
            return [answer for _ in range(times) for answer in bench.fresh([self._shot] * 2)]
        if kind is Classification.UNDER_LOAD:
            rounds = -(-times // _OVERLAPPING_WIDTH)
            return [answer for _ in range(rounds) for answer in bench.overlapping([self._shot] * _OVERLAPPING_WIDTH)]
        return bench.fresh([self._shot] * times)

    def _violations(self, bench: Bench, answers: list[Answer]) -> int:
        """Count the answers that show the finding: for a disagreement those that aren't the most common answer."""
        rule = self._finding.rule
        if rule.oracle is Oracle.AGREEMENT:
            return self._disagreeing(bench, answers)
        judge = self._judge(bench)
        violated = [judge.violated_by(answer, self._facts, self._secrets) for answer in answers]
        if rule.oracle in {Oracle.ROBUSTNESS, Oracle.CONTRACT}:
            return sum((rule.code, self._finding.cause) in found for found in violated)
        return sum(rule.code in {code for code, _ in found} for found in violated)

    def _disagreeing(self, bench: Bench, answers: list[Answer]) -> int:
        """Count the answers that differ: with a setup from the answer without it, else from the most frequent one."""
        if self._setup:
            alone = identity_of(bench.fresh([self._shot])[0])
            return sum(identity_of(answer) != alone for answer in answers)
        counts = Counter(map(identity_of, answers))
        return len(answers) - max(counts.values(), default=0)

    def _judge(self, bench: Bench) -> Judge:
        """Learn from valid requests what each device rightly gets, where the rule is about that."""
        ledger, known = Ledger(), dict[int, CaseFacts]()
        if self._finding.rule.oracle in {Oracle.POLICY, Oracle.RELATION}:
            for number, recipe in enumerate(valid_recipes(self._maker.profile, self._case.recipe.identity)):
                case = self._maker.made(recipe, number)
                known[number] = facts_of_case(case)
                answer = bench.fresh([_shot_of(case)])[0]
                exchange = Exchange(number, 0.0, 0.0, 0.0, answer, False, 0.0, 0, ALONE)
                ledger.add_exchange(exchange, partial(secrets_of, case.request))
        return Judge(ledger, known.__getitem__)


def _kind(finding: Finding) -> Classification | None:
    return finding.confirmation.classification if finding.confirmation else None


def _shot_of(case: Case) -> Shot:
    return Shot(case.request, case.view)
