"""Firing a finding's request, or a case of a run, again.

Requests are made anew by their recipes, so that tokens are fresh and no secret is stored.
"""

from __future__ import annotations

import math
import time
from collections import Counter
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from pydantic import ValidationError

from gatecrash.authorizers.contract import Answer, Outcome
from gatecrash.authorizers.errors import UsageError, WireError
from gatecrash.authorizers.redact import secrets_of
from gatecrash.authorizers.targets.boto3_parameters import request_to_parameters
from gatecrash.bench.bench import OVERLAPPING_WIDTH, Bench, LaboratoryBench, Shot
from gatecrash.bench.expiry import ExpiryWatch
from gatecrash.bench.literals import words_again
from gatecrash.bench.opening import open_bench
from gatecrash.bench.timing import ageing_of, slowness_of
from gatecrash.generators.cases import GENERATION, Case, CaseMaker, Recipe
from gatecrash.generators.credentials import open_profile
from gatecrash.generators.mix import Mix
from gatecrash.generators.sweep import valid_recipes
from gatecrash.planning.corpora import corpus_of, facts_of_case
from gatecrash.planning.plans import corpus_like
from gatecrash.reports.oracles import rules
from gatecrash.reports.oracles.checks import Judge
from gatecrash.reports.oracles.findings import Classification, Finding
from gatecrash.reports.oracles.policy_checks import ALONE
from gatecrash.reports.oracles.rules import Oracle
from gatecrash.reports.plan.facts import RunInfo
from gatecrash.reports.recording.identities import identity_of, sample_of
from gatecrash.reports.recording.ledger import Ledger
from gatecrash.reports.recording.records import CaseFacts
from gatecrash.reports.run.folder import RunFolder
from gatecrash.reports.words.spelling import plural
from gatecrash.settings.settings import Settings, credential_settings

TIMES_MINIMUM: Final = 20
TIMES_MAXIMUM: Final = 1000
_MISS: Final = 0.05
_SLOW_TIMES: Final = 3
_TIMED: Final = frozenset({rules.SLOW_REQUEST, rules.HANDLER_TIMEOUT, rules.AGEING})


@dataclass(frozen=True, slots=True)
class Replay:
    """What came back: ``violations`` of ``answered`` showed the finding again; ``answers`` are (count, sample).

    ``obstacle`` says why the answers prove nothing, where they don't.
    """

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
    return _settings_of(run_folder, run.info), run.findings[number - 1]


def stored_case(run_folder: Path, index: int) -> tuple[Settings, Case]:
    """Return a case of a run, its tokens minted now, with the run's settings.

    Raises UsageError when there is no such case, or it can't be made again.
    """
    info = RunFolder(run_folder).read_info()
    settings = _settings_of(run_folder, info)
    if info.corpus.generation != GENERATION:
        raise UsageError(
            f"the run's cases are of generation {info.corpus.generation!r}, and this version of gatecrash makes "
            f"generation {GENERATION}, in which the same recipe may give another request; fire the run again"
        )
    with closing(corpus_of(info) or corpus_like(settings, info.corpus)) as corpus:
        if index >= len(corpus):
            raise UsageError(f"--case {index}: the run's corpus has the cases 0 to {len(corpus) - 1}")
        recipe = Recipe.from_json(corpus.meta(index).recipe)
    return settings, _maker_now(settings).make(recipe, index)


def _settings_of(run_folder: Path, info: RunInfo) -> Settings:
    try:
        return Settings.model_validate(info.settings)
    except ValidationError:
        raise UsageError(f"{run_folder}/run.json holds settings that this version doesn't know") from None


def case_maker(settings: Settings, finding: Finding) -> CaseMaker:
    """Return what makes a finding's cases by their recipes, with tokens minted now.

    Raises UsageError when the words of the handler's code, which some requests are made with, are known no more.
    """
    digest = finding.reproducer.get("words")
    words = words_again(digest, settings.cache_folder(), settings.authorizer.handler) if digest else ()
    return _maker_now(settings, words)


def _maker_now(settings: Settings, words: Sequence[str] = ()) -> CaseMaker:
    profile = open_profile(credential_settings(settings), settings.authorizer.token_key_name)
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
        return [maker.make(Recipe.from_json(recipe)) for recipe in recipes]
    except (KeyError, WireError) as error:
        raise UsageError(f"the finding's request can't be made again: {error}") from None


def arguments_of(settings: Settings, case: Case) -> dict[str, Any]:
    """Return boto3's arguments for one request, as plain dictionaries; a password is bytes."""
    parameters = request_to_parameters(case.request)
    if "headers" in parameters.get("httpContext", {}):
        parameters["httpContext"]["headers"] = dict(parameters["httpContext"]["headers"])
    return {"authorizerName": settings.authorizer.name, **parameters}


def replay(settings: Settings, finding: Finding, times: int) -> Replay:
    """Fire a finding's request ``times`` times, each time after the requests that must come before it.

    Findings of a fuzz run on a Python handler are replayed in isolated environments, as they were proven; others at
    the run's target. Raises UsageError when the request can't be made again from what the finding tells.
    """
    replayer = _Replayer(settings, finding)
    with open_bench(settings, isolated=finding.confirmation is not None) as bench:
        return replayer.replay(bench, times)


def replay_case(settings: Settings, case: Case, times: int) -> Replay:
    """Fire a case so often at its run's target, one after the other; what isn't as expected is a violation."""
    with open_bench(settings, isolated=False) as bench:
        answers = bench.fire([Shot.of(case)] * times)
    answered = sum(answer.outcome.is_answer for answer in answers)
    wrong = sum(case.expectation.is_met_by(answer.outcome) is False for answer in answers)
    return Replay(answered, wrong, _counted(answers, secrets_of(case.request)))


def _counted(answers: Sequence[Answer], secrets: tuple[str, ...]) -> list[tuple[int, dict[str, Any]]]:
    """Return how often each distinct answer came, with a sample of it; the most frequent first."""
    samples = {identity_of(answer): sample_of(answer, secrets) for answer in answers}
    return [(count, samples[identity]) for identity, count in Counter(map(identity_of, answers)).most_common()]


class _Replayer:
    def __init__(self, settings: Settings, finding: Finding) -> None:
        self._maker = case_maker(settings, finding)
        self._finding = finding
        self._kind = finding.confirmation.classification if finding.confirmation else None
        *setup, self._case = cases_of(self._maker, finding)
        self._setup = [Shot.of(case) for case in setup]
        self._facts = facts_of_case(self._case)
        self._shot = Shot.of(self._case)
        self._secrets = secrets_of(self._case.request)

    def replay(self, bench: Bench, times: int) -> Replay:
        """Show the finding again, in the way in which it shows."""
        if isinstance(bench, LaboratoryBench) and self._finding.rule in _TIMED:
            return self._measure(bench)
        if isinstance(bench, LaboratoryBench) and self._kind is Classification.TIME_BOUNDARY:
            return self._let_expire(bench)
        return self._fire_and_judge(bench, times)

    def _valid_shot(self) -> Shot:
        """Return the request without the changes that the finding's makes to it."""
        return Shot.of(self._maker.make(self._case.recipe.valid))

    def _measure(self, bench: LaboratoryBench) -> Replay:
        """Measure again, against a valid request or a fresh environment."""
        valid, slow = self._valid_shot(), 0
        for _ in range(_SLOW_TIMES):
            if self._finding.rule is rules.AGEING:
                slowness = ageing_of(bench, [self._shot, valid], 0.0)
            else:
                slowness = slowness_of(bench, self._shot, valid)
            slow += slowness is not None
        return Replay(_SLOW_TIMES, slow, _counted(bench.fire([self._shot]), self._secrets))

    def _let_expire(self, bench: LaboratoryBench) -> Replay:
        """Present a credential before and after it expires, once: it takes some seconds."""
        with closing(ExpiryWatch(bench, self._maker.profile)) as watch:
            watch.begin([self._case.recipe])
            findings = watch.end()
        answers = [(answer["count"], answer["sample"]) for finding in findings for answer in finding.answers]
        return Replay(1, len(findings), answers)

    def _fire_and_judge(self, bench: Bench, times: int) -> Replay:
        """Fire, and judge each answer by itself, or all of them by the most frequent one."""
        if not bench.can_fire(view := self._shot.view):
            return Replay(0, 0, [], f"the view {view!r} of the authorizer can't be brought about at this target")
        answers = self._fire(bench, times)
        answered = [answer for answer in answers if answer.outcome.is_answer or answer.outcome is Outcome.TIMED_OUT]
        violations = self._violations(bench, answered)
        obstacle = "" if violations else self._obstacle(bench, answered)
        return Replay(len(answered), violations, _counted(answers, self._secrets), obstacle)

    def _obstacle(self, bench: Bench, answered: Sequence[Answer]) -> str:
        """Say why no violation proves nothing: an authorizer that turns away every request shows no other mistake."""
        if not answered:
            return "the authorizer answered nothing"
        if not self._case.recipe.mutations:
            return ""
        outcome = bench.fire([self._valid_shot()])[0].outcome
        if outcome is Outcome.ALLOW:
            return ""
        word = outcome.value.replace("_", " ")
        return f"the valid request that this one is made from is not let in ({word}): check handler and credentials"

    def _fire(self, bench: Bench, times: int) -> list[Answer]:
        confirmation = self._finding.confirmation
        if self._setup:
            return [bench.fire([*self._setup, self._shot])[-1] for _ in range(times)]
        if self._kind is Classification.AFTER_MANY and confirmation is not None:
            return bench.fire([self._shot] * (confirmation.after + times))
        if self._kind is Classification.COLD_START:
            return [answer for _ in range(times) for answer in bench.fire([self._shot] * 2)]
        if self._kind is Classification.UNDER_LOAD:
            rounds = -(-times // OVERLAPPING_WIDTH)
            return [answer for _ in range(rounds) for answer in bench.fire_at_once([self._shot] * OVERLAPPING_WIDTH)]
        return bench.fire([self._shot] * times)

    def _violations(self, bench: Bench, answers: Sequence[Answer]) -> int:
        """Count the answers that show the finding: for a disagreement those that aren't the most common answer."""
        rule = self._finding.rule
        if rule.oracle is Oracle.AGREEMENT:
            return self._disagreeing(bench, answers)
        judge = self._judge(bench)
        violated = [judge.violated_by(answer, self._facts, self._secrets) for answer in answers]
        if rule.oracle in {Oracle.ROBUSTNESS, Oracle.CONTRACT}:
            return sum((rule.code, self._finding.cause) in found for found in violated)
        return sum(rule.code in {code for code, _ in found} for found in violated)

    def _disagreeing(self, bench: Bench, answers: Sequence[Answer]) -> int:
        """Count the answers that differ: with a setup from the answer without it, else from the most frequent one."""
        if self._setup:
            alone = identity_of(bench.fire([self._shot])[0])
            return sum(identity_of(answer) != alone for answer in answers)
        counts = Counter(map(identity_of, answers))
        return len(answers) - max(counts.values(), default=0)

    def _judge(self, bench: Bench) -> Judge:
        """Learn from valid requests what each device rightly gets, where the rule is about that."""
        ledger, facts = Ledger(), dict[int, CaseFacts]()
        if self._finding.rule.oracle in {Oracle.POLICY, Oracle.RELATION}:
            for number, recipe in enumerate(valid_recipes(self._maker.profile, self._case.recipe.identity)):
                case = self._maker.make(recipe, number)
                facts[number] = facts_of_case(case)
                ledger.add_answer(number, bench.fire([Shot.of(case)])[0], secrets_of(case.request), ALONE)
        return Judge(ledger, facts.__getitem__)
