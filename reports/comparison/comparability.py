"""Whether two runs can be compared at all, and what differs between them besides what they measured."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from gatecrash.reports.plan.facts import PlanFacts, RunInfo, TargetFacts
from gatecrash.reports.plan.plan import CLOSED
from gatecrash.reports.run.summary import Summary
from gatecrash.reports.run.verdict import Validity

# What a plan must have in common, with words for it; what it doesn't say is the same as what it doesn't say elsewhere.
_PLAN: Final = (
    ("scenario", "scenario"),
    ("model", "load model"),
    ("arrivals", "spread of the arrivals"),
    ("rate", "rate"),
    ("stages", "stages"),
)
_PLAN_CLOSED: Final = (
    ("scenario", "scenario"),
    ("model", "load model"),
    ("users", "number of users"),
    ("wait_time", "wait time"),
)
_TARGET: Final = (("kind", "target kind"), ("client", "client"), ("dialect", "dialect"))
# What draws the cases of a seed.
_DRAWN_BY: Final = ("hypothesis", "python")
_SEARCHES: Final = (
    "both are searches for capacity, which fire other rates each time: compare runs under the same load, or the "
    "intervals that the searches found"
)
# Corpora that have these in common are as hard for the authorizer on average, whatever the seed and the credentials.
_CORPUS: Final = ("profile", "valid_share", "cases", "generation")
_NOT_TOLD: Final = frozenset(
    {"output.name", "output.runs", "output.cache", "output.keep", "output.baseline", "corpus.seed"}
)
_SECTIONS_NOT_TOLD: Final = frozenset({"compare", "distributed", "metrics", "trend"})


def obstacles_of_plans(earlier: RunInfo, later: RunInfo, *, searches: bool = False) -> list[str]:
    """Return in sentences why two runs can't be compared, by what was meant to be run; none when they can."""
    found = [*_differing(_TARGET, earlier.target, later.target)]
    if not searches:
        known = _PLAN_CLOSED if later.plan.model == CLOSED else _PLAN
        found += _differing(known, earlier.plan, later.plan)
    if not same_corpus(earlier, later) and not _alike(earlier, later):
        found.append(
            f"the corpora are not the same: digest {earlier.corpus.digest} before, {later.corpus.digest} "
            "now; give both runs the same kind of credentials, number of cases, share of valid ones and version of "
            "gatecrash"
        )
    return found


def _differing(
    known: tuple[tuple[str, str], ...], before: PlanFacts | TargetFacts, after: PlanFacts | TargetFacts
) -> Iterator[str]:
    earlier, later = before.to_json(), after.to_json()
    for key, label in known:
        one, two = earlier.get(key), later.get(key)
        if one != two and (one or two):
            yield f"the {label} is not the same: {_shown(one)} before, {_shown(two)} now"


def _shown(value: Any) -> str:
    return "none" if value is None else f"{value:g}" if isinstance(value, float) else str(value)


def same_corpus(earlier: RunInfo, later: RunInfo) -> bool:
    """Say whether both runs fired the same cases; their tokens may have been made at different times."""
    # What is equal to the last byte is the same, however the files of a corpus are written.
    before, after = earlier.corpus, later.corpus
    return (before.digest is not None and before.digest == after.digest) or (
        before.content_digest is not None and before.content_digest == after.content_digest
    )


def other_cases(earlier: RunInfo, later: RunInfo) -> str | None:
    """Return in a sentence why two runs under load fired other cases, with the way out; None for the same cases."""
    if same_corpus(earlier, later):
        return None
    if earlier.seed != later.seed:
        return (
            f"the runs fired other cases: the seed is not the same, {earlier.seed} before and {later.seed} now; give "
            "both the same --seed"
        )
    drawn = [name for name in _DRAWN_BY if earlier.versions.get(name) != later.versions.get(name)]
    versions = f", or the version of {' and '.join(drawn)} made others" if drawn else ""
    return (
        "the runs fired other cases of the same seed: the credentials changed, which are their table, file, keys and "
        f"settings{versions}; give both the same"
    )


def _alike(earlier: RunInfo, later: RunInfo) -> bool:
    return all(getattr(earlier.corpus, name) == getattr(later.corpus, name) for name in _CORPUS)


def obstacles(earlier: Summary, later: Summary) -> list[str]:
    """Return in sentences why two runs can't be compared; none when they can."""
    kinds = [_kind(summary) for summary in (earlier, later)]
    if kinds[0] != kinds[1]:
        return [f"the earlier run is {kinds[0]}, the later one {kinds[1]}: compare runs of the same command"]
    if later.capacity is not None:
        return [_SEARCHES]
    found = obstacles_of_plans(earlier.info, later.info, searches=later.campaign is not None)
    for word, summary in (("earlier", earlier), ("later", later)):
        found += _unmeasured(word, summary)
    return found


def _kind(summary: Summary) -> str:
    if summary.capacity is not None:
        return "a search for capacity"
    return "a fuzz run" if summary.campaign is not None else "a run under load"


def _unmeasured(word: str, summary: Summary) -> Iterator[str]:
    if not summary.exchanges:
        seen = (
            f"its {summary.warm_up_exchanges:,} exchanges are all warm-up"
            if summary.warm_up_exchanges
            else "it is empty"
        )
        yield f"the {word} run measured nothing: {seen}"
    elif summary.judgement.validity is Validity.INVALID:
        yield f"the {word} run's measurement is invalid: {summary.judgement.reasons[0]}"


def doubts(earlier: Summary, later: Summary) -> list[str]:
    """Return what to keep in mind of two runs that can be compared."""
    found = []
    for word, summary in (("earlier", earlier), ("later", later)):
        if summary.judgement.validity is Validity.DEGRADED:
            found.append(f"the {word} run's measurement is degraded: {'; '.join(summary.judgement.reasons)}")
    if later.campaign is None and (why := other_cases(earlier.info, later.info)) is not None:
        found.append(f"decisions were not compared: {why}")
    if earlier.info.started_at > later.info.started_at:
        found.append("the run that stands for the earlier one was started after the other: the words are the other way")
    return found


def differences(earlier: RunInfo, later: RunInfo) -> list[str]:
    """Return which settings and versions are not the same in both runs, a line each."""
    found = []
    for title, before, after in (
        ("target", earlier.target.to_json(), later.target.to_json()),
        ("plan", earlier.plan.to_json(), later.plan.to_json()),
        ("version of", earlier.versions, later.versions),
        ("setting", _told(earlier.settings), _told(later.settings)),
    ):
        one, two = dict(_flat(before)), dict(_flat(after))
        found += [
            f"{title} {key}: {_shown(one.get(key))} before, {_shown(two.get(key))} now"
            for key in sorted(one.keys() | two.keys())
            if one.get(key) != two.get(key) and key not in _NOT_TOLD
        ]
    return found


def _told(settings: Mapping[str, Any]) -> dict[str, Any]:
    # The target and the plan are told from their own parts.
    return {name: value for name, value in settings.items() if name not in _SECTIONS_NOT_TOLD | {"target", "load"}}


def _flat(value: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    for key, item in value.items():
        if isinstance(item, Mapping):
            yield from _flat(item, f"{prefix}{key}.")
        else:
            yield f"{prefix}{key}", item
