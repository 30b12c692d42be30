"""Which run a run is compared with, and the comparison as its folder keeps it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Final

from gatecrash.authorizers import wire
from gatecrash.authorizers.errors import UsageError, WireError
from gatecrash.judging.earlier_runs import earlier_runs
from gatecrash.planning.corpora import corpus_of, facts_of, facts_to_judge_by
from gatecrash.reports.comparison.compare import ComparedRun, Known, compare
from gatecrash.reports.comparison.comparison import Comparison, ComparisonLimits, Side
from gatecrash.reports.plan.facts import RunInfo
from gatecrash.reports.run.folder import RunFolder, StoredRun, write_atomically
from gatecrash.reports.run.summary import Summary, summarise
from gatecrash.settings.settings import Settings

COMPARISON: Final = "comparison.json"
LAST: Final = "last"
LAST_GOOD: Final = "last-good"


def limits_of(settings: Settings) -> ComparisonLimits:
    """Return from which change on something counts."""
    return ComparisonLimits(**settings.compare.model_dump(exclude={"against", "policies"}))


def check_against(settings: Settings) -> None:
    """Raise UsageError when the run that settings name to compare with can't be read."""
    against = settings.compare.against
    if against is not None and against not in {LAST, LAST_GOOD}:
        RunFolder(Path(against)).read_info()


def compare_folders(earlier: Path, later: Path, settings: Settings) -> Comparison:
    """Compare two run folders; raises UsageError when one of them is none."""
    stored = RunFolder(later).load()
    return _compare(earlier, _part(stored, summarise(stored), later), settings)


def comparison_of(folder: Path, run: StoredRun, summary: Summary) -> Comparison | None:
    """Compare a judged run with the run that its settings name; None when they name none, or there is none yet.

    A report that is rendered again is compared with the same run as at first, as long as that is there; after that what
    was found at first stands.
    """
    settings = _settings_of(run.info)
    if settings is None or settings.compare.against is None:
        return None
    kept = _read_comparison(folder)
    earlier = Path(kept.earlier.place) if kept is not None else earlier_run(settings.compare.against, folder, run.info)
    if earlier is None:
        return None
    later = _part(run, summary, folder)
    try:
        comparison = _compare(earlier, later, settings)
    except UsageError as error:
        if kept is not None:
            return kept
        # What was measured is not lost because of what it was to be compared with.
        comparison = Comparison(Side("", str(earlier), "", 0, 0.0), later.side, refused=(str(error),))
    write_atomically(folder / COMPARISON, comparison_json(comparison))
    return comparison


def comparison_json(comparison: Comparison) -> bytes:
    """Return a comparison as comparison.json holds it."""
    return json.dumps(comparison.to_json(), indent=2, allow_nan=False).encode("ascii") + b"\n"


def _compare(earlier: Path, later: ComparedRun, settings: Settings) -> Comparison:
    stored = RunFolder(earlier).load()
    before = _part(stored, summarise(stored), earlier)
    with _known(later.summary.info, before.summary.info) as known:
        return compare(before, later, limits_of(settings), known, policies=settings.compare.policies == "judged")


def _part(run: StoredRun, summary: Summary, folder: Path) -> ComparedRun:
    return ComparedRun(summary, run.recording, str(folder))


@contextmanager
def _known(*infos: RunInfo) -> Iterator[Known | None]:
    """Open the corpus of one of two runs, as long as one is in the cache."""
    for info in infos:
        corpus = corpus_of(info)
        if corpus is not None:
            try:
                yield Known(partial(facts_to_judge_by, corpus), partial(facts_of, corpus))
            finally:
                corpus.close()
            return
    yield None


def _settings_of(info: RunInfo) -> Settings | None:
    try:
        return Settings.model_validate(info.settings)
    except ValueError:
        return None


def against_of(info: RunInfo) -> str | None:
    """Return what a run was to be compared with, as its settings say it."""
    settings = _settings_of(info)
    return settings.compare.against if settings is not None else None


def _read_comparison(folder: Path) -> Comparison | None:
    try:
        return Comparison.from_json(wire.decode((folder / COMPARISON).read_bytes()))
    except (OSError, WireError, KeyError, TypeError, ValueError):
        return None


def earlier_run(against: str, folder: Path, info: RunInfo) -> Path | None:
    """Return the folder of the run that ``against`` names, None where no run fits.

    ``last`` is the newest earlier run of the same name beside ``folder`` that this one can be compared with,
    ``last-good`` the newest of them that passed, or was accepted in the history that ``info`` names.
    """
    if against not in {LAST, LAST_GOOD}:
        return Path(against)
    candidates = [
        (run.key, run.place)
        for run in earlier_runs(folder, info)
        if run.is_comparable and (run.is_good if against == LAST_GOOD else run.was_measured)
    ]
    return max(candidates)[1] if candidates else None
