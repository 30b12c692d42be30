"""What reports may know of the cases of a corpus: no secret is in it."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any

from gatecrash.authorizers.errors import UsageError
from gatecrash.authorizers.redact import redact_request
from gatecrash.generators.attacks import Attack, known_attacks, leading_attack
from gatecrash.generators.cases import GENERATION, Case
from gatecrash.generators.corpus import CaseMeta, Corpus
from gatecrash.reports.plan.facts import RunInfo
from gatecrash.reports.recording.records import CaseFacts


def corpus_of(info: RunInfo) -> Corpus | None:
    """Open the corpus of a run; None when it is gone from the cache, or is another one by now."""
    try:
        corpus = Corpus(Path(info.corpus.folder)) if info.corpus.folder is not None else None
    except UsageError:
        return None
    if corpus is None or corpus.manifest.content_digest != info.corpus.content_digest:
        return None
    return corpus


def facts_of(corpus: Corpus, index: int) -> CaseFacts:
    """Return what a report may know of a case of a corpus."""
    meta = corpus.meta(index)
    manifest = corpus.manifest
    reproducer = {"corpus": manifest.digest, "seed": manifest.seed, "index": index, "generation": manifest.generation}
    return _facts(meta, meta.recipe, redact_request(corpus.request(index)), _reproducer(meta, meta.recipe, reproducer))


def facts_of_case(case: Case) -> CaseFacts:
    """Return what a report may know of a case that was just made."""
    recipe, reproducer = case.recipe.to_json(), {"index": case.index, "generation": GENERATION}
    return _facts(case, recipe, redact_request(case.request), _reproducer(case, recipe, reproducer))


def facts_to_judge_by(corpus: Corpus, index: int) -> CaseFacts:
    """Return the facts of a case without request and reproducer, which take most of the time and are shown of few."""
    meta = corpus.meta(index)
    return _facts(meta, meta.recipe, {}, {})


def _reproducer(case: Case | CaseMeta, recipe: Mapping[str, Any], place: dict[str, Any]) -> dict[str, Any]:
    return {**place, "recipe": dict(recipe)} | ({"view": case.view} if case.view else {})


def _facts(
    case: Case | CaseMeta, recipe: Mapping[str, Any], request: dict[str, Any], reproducer: dict[str, Any]
) -> CaseFacts:
    attacks = tuple(str(key) for key, _ in recipe["mutations"])
    leading, open_rights = _leading(attacks)
    return CaseFacts(
        index=case.index,
        demand=case.demand,
        family=case.family,
        name=case.name,
        request=request,
        reproducer=reproducer,
        identity=recipe["identity"],
        carrier=recipe["carrier"],
        attacks=attacks,
        weakness=leading.weakness if leading else "",
        description=leading.description if leading else "",
        source=leading.source if leading else "",
        open_rights=open_rights,
    )


@lru_cache(maxsize=4096)
def _leading(attacks: tuple[str, ...]) -> tuple[Attack | None, bool]:
    return leading_attack(attacks), any(attack.open_rights for attack in known_attacks(attacks))
