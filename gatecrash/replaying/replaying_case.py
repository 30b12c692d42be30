"""Firing a case of a run's corpus again, made anew by its recipe."""

from __future__ import annotations

import time
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from gatecrash.authorizers.contract import Expectation
from gatecrash.authorizers.errors import UsageError
from gatecrash.authorizers.redact import secrets_of
from gatecrash.bench.bench import Shot
from gatecrash.bench.preparing import target_bench
from gatecrash.generators.cases import GENERATION, Case, CaseMaker, Recipe
from gatecrash.generators.credentials import open_profile
from gatecrash.generators.mix import Mix
from gatecrash.planning.corpora import corpus_of
from gatecrash.planning.preparing import corpus_like
from gatecrash.reports.recording.identities import identity_of, sample_of
from gatecrash.reports.run.folder import RunFolder, RunInfo
from gatecrash.settings.settings import Settings, credential_settings


@dataclass(frozen=True, slots=True)
class CaseReplay:
    """What came back: (count, sample) of each distinct answer, and in how many answers the expectation was not met."""

    answers: list[tuple[int, dict[str, Any]]]
    wrong: int
    said: int


def stored_case(run_folder: Path, index: int) -> tuple[Settings, Case]:
    """Return a case of a run, its tokens minted now, with the run's settings.

    Raises UsageError when there is no such case, or it can't be made again.
    """
    info = RunFolder(run_folder).read_info()
    try:
        settings = Settings.model_validate(info.settings)
    except ValidationError:
        raise UsageError(f"{run_folder}/run.json holds settings that this version doesn't know") from None
    return settings, _made(settings, info, index)


def _made(settings: Settings, info: RunInfo, index: int) -> Case:
    if info.corpus.get("generation") != GENERATION:
        raise UsageError(
            f"the run's cases are of generation {info.corpus.get('generation')!r}, and this version of gatecrash makes "
            f"generation {GENERATION}, in which the same recipe may give another request; fire the run again"
        )
    corpus = corpus_of(info) or corpus_like(settings, info.corpus)
    try:
        if index >= len(corpus):
            raise UsageError(f"--case {index}: the run's corpus has the cases 0 to {len(corpus) - 1}")
        recipe = Recipe.from_json(corpus.meta(index).recipe)
    finally:
        corpus.close()
    profile = open_profile(credential_settings(settings), settings.authorizer.token_key_name)
    maker = CaseMaker(profile, Mix(settings.corpus.valid_share), settings.corpus.seed, int(time.time()), ())
    return maker.made(recipe, index)


def replay_case(settings: Settings, case: Case, times: int) -> CaseReplay:
    """Fire a case so often at its run's target, one after the other."""
    with target_bench(settings, budget=None) as bench:
        answers = bench.fresh([Shot(case.request, case.view)] * times)
    secrets = secrets_of(case.request)
    counts = Counter(map(identity_of, answers))
    samples = {identity_of(answer): sample_of(answer, secrets) for answer in answers}
    expectation: Expectation = case.demand.expectation
    met = [expectation.is_met_by(answer.outcome) for answer in answers]
    return CaseReplay(
        [(count, samples[identity]) for identity, count in counts.most_common()],
        met.count(False),
        sum(answer.outcome.is_answer for answer in answers),
    )
