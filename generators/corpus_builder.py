"""Building a corpus: cases are made ahead of firing, many in a pool of processes, and cached by what they depend on."""

from __future__ import annotations

import multiprocessing
import os
import shutil
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from functools import lru_cache, partial
from pathlib import Path
from typing import Any, Final

from hypothesis.configuration import set_hypothesis_home_dir

from gatecrash.authorizers import wire
from gatecrash.authorizers.errors import UsageError
from gatecrash.generators import corpus
from gatecrash.generators.cases import GENERATION, Case, CaseMaker, Recipe
from gatecrash.generators.corpus import Corpus, CorpusManifest
from gatecrash.generators.corpus_writer import Chunk, CorpusWriter, chunk_of
from gatecrash.generators.credentials import open_profile
from gatecrash.generators.credentials.credential import CredentialProfile, digest_of
from gatecrash.generators.further_cases import DRAWN_MAXIMUM, CorpusCases
from gatecrash.generators.mix import Mix
from gatecrash.generators.sweep import SweepCases

_CHUNK: Final = 250
_FURTHER_CHUNK: Final = 2000
_CORPORA_KEPT: Final = 20
_HYPOTHESIS_HOME: Final = "hypothesis"
# The drawn recipes, for as long as further cases are made from them.
_DRAWN: Final = "drawn.json"
# Python's own switch: no module is looked for in the current folder.
_SAFE_PATH: Final = "PYTHONSAFEPATH"


@dataclass(frozen=True, slots=True)
class CorpusPlan:
    """What a corpus is to be made from; ``credentials`` are settings that name files, never secrets.

    ``minted_at`` is in epoch seconds and counts only for profiles whose credentials carry a time. A ``sweep`` has
    every systematic case of a fuzz run first and ``cases`` drawn ones after them; ``valid_share`` counts for nothing.
    ``words`` are those of the authorizer's own code. With ``in_turn`` the devices follow one another, so that a corpus
    of as many cases as there are devices has each of them once.
    """

    credentials: Mapping[str, Any]
    token_key_name: str | None
    seed: int
    cases: int
    valid_share: float
    minted_at: int
    sweep: bool = False
    words: tuple[str, ...] = ()
    in_turn: bool = False


def build_corpus(
    plan: CorpusPlan, cache: Path, progress: Callable[[int], None] = lambda _: None, *, processes: int | None = None
) -> Corpus:
    """Build a corpus, or open the one that was built from the same plan before.

    ``progress`` is told how many cases are ready. Raises UsageError for a plan that can't be carried out.
    """
    if plan.cases < 1 and not plan.sweep:
        raise UsageError(f"corpus.cases is {plan.cases}; a corpus needs at least 1 case")
    profile = open_profile(plan.credentials, plan.token_key_name)
    minted_at = plan.minted_at if profile.lifetime is not None else 0
    parts = [
        corpus.FORMAT,
        GENERATION,
        profile.fingerprint(),
        plan.seed,
        plan.cases,
        plan.valid_share,
        minted_at,
        plan.sweep,
        plan.words,
        plan.in_turn,
    ]
    folder = cache / digest_of(parts)
    if not (folder / corpus.MANIFEST).exists():
        count = _count(plan, profile)
        unfinished = folder.with_name(f"{folder.name}.{os.getpid()}")
        with CorpusWriter(unfinished) as writer:
            for done in _write_all(plan, count, cache / _HYPOTHESIS_HOME, writer, processes or os.cpu_count() or 1):
                progress(done)
            totals = writer.totals()
        manifest = CorpusManifest(
            digest=digest_of([GENERATION, profile.fingerprint(), totals.rows_digest]),
            content_digest=totals.content_digest,
            seed=plan.seed,
            cases=count,
            distinct=totals.distinct,
            minted_at=minted_at,
            lifetime=profile.lifetime,
            profile=profile.kind,
            fingerprint=profile.fingerprint(),
            valid_share=plan.valid_share,
            generation=GENERATION,
            families=totals.families,
            kinds=totals.kinds,
            words=plan.words,
            in_turn=plan.in_turn,
            identities=profile.identities,
        )
        (unfinished / corpus.MANIFEST).write_bytes(wire.encode(asdict(manifest)))
        _put_in_place(unfinished, folder)
    _prune(cache, keep=folder)
    built = Corpus(folder)
    progress(len(built))
    return built


def _count(plan: CorpusPlan, profile: CredentialProfile) -> int:
    if not plan.sweep:
        return plan.cases
    maker = CaseMaker(profile, Mix(plan.valid_share), plan.seed, plan.minted_at, plan.words)
    return SweepCases(maker, plan.seed).systematic + plan.cases


def _put_in_place(unfinished: Path, folder: Path) -> None:
    """Give a finished corpus its name, in one step; where another build was faster, its corpus is the same."""
    if not (folder / corpus.MANIFEST).exists():
        shutil.rmtree(folder, ignore_errors=True)
    try:
        unfinished.rename(folder)
    except OSError:
        if not (folder / corpus.MANIFEST).exists():
            raise
        shutil.rmtree(unfinished, ignore_errors=True)


def _prune(cache: Path, keep: Path) -> None:
    """Delete the oldest corpora: each holds secrets, and tokens of another day are worth nothing."""
    folders = [folder for folder in cache.iterdir() if (folder / corpus.MANIFEST).exists() and folder != keep]
    folders.sort(key=lambda folder: folder.stat().st_mtime, reverse=True)
    for folder in folders[_CORPORA_KEPT - 1 :]:
        shutil.rmtree(folder, ignore_errors=True)


def _write_all(plan: CorpusPlan, count: int, home: Path, writer: CorpusWriter, processes: int) -> Iterator[int]:
    """Make all cases and write them; yields how many are written."""
    drawn = count if plan.sweep else min(count, DRAWN_MAXIMUM)
    chunks, further = _chunks(0, drawn, _CHUNK), _chunks(drawn, count, _FURTHER_CHUNK)
    if len(chunks) == 1 and not further:
        # A process would take longer to start than these take to make.
        _keep_tables(home)
        yield writer.add(chunk_of(map(_case_of(plan), chunks[0])))
        return
    # Spawned, not forked: the children must not inherit the parent's threads and open files.
    context = multiprocessing.get_context("spawn")
    recipes: list[dict[str, Any]] = []
    count_of_processes = min(processes, len(chunks) + len(further))
    with _without_the_current_folder(), ProcessPoolExecutor(count_of_processes, mp_context=context) as pool:
        for chunk in pool.map(partial(_make_chunk, plan, home), chunks):
            recipes += (row["recipe"] for row in chunk.decode_rows()) if drawn < count else ()
            yield writer.add(chunk)
        if drawn == count:
            return
        path = writer.folder / _DRAWN
        path.write_bytes(wire.encode(recipes))
        for chunk in pool.map(partial(_make_further_chunk, plan, path), further):
            yield writer.add(chunk)
        path.unlink()


@contextmanager
def _without_the_current_folder() -> Iterator[None]:
    """Keep processes that are started meanwhile from importing a module of the current folder in place of Python's."""
    before = os.environ.get(_SAFE_PATH)
    os.environ[_SAFE_PATH] = "1"
    try:
        yield
    finally:
        os.environ.pop(_SAFE_PATH)
        if before is not None:
            os.environ[_SAFE_PATH] = before


def _chunks(start: int, end: int, size: int) -> list[range]:
    return [range(first, min(first + size, end)) for first in range(start, end, size)]


def _keep_tables(home: Path) -> None:
    """Say where Hypothesis keeps its tables of Unicode, by default in whatever folder the person stands in."""
    set_hypothesis_home_dir(home)


def _make_chunk(plan: CorpusPlan, home: Path, indices: range) -> Chunk:
    _keep_tables(home)
    return chunk_of(map(_drawn_cases(wire.encode(asdict(plan))), indices))


def _make_further_chunk(plan: CorpusPlan, drawn: Path, indices: range) -> Chunk:
    return chunk_of(map(_further_cases(wire.encode(asdict(plan)), drawn).case, indices))


def _maker(plan: CorpusPlan) -> CaseMaker:
    profile = open_profile(plan.credentials, plan.token_key_name)
    mix = Mix(plan.valid_share)
    return CaseMaker(profile, mix, plan.seed, plan.minted_at, plan.words, in_turn=plan.in_turn)


def _case_of(plan: CorpusPlan) -> Callable[[int], Case]:
    """Return what draws a case by its index."""
    maker = _maker(plan)
    return SweepCases(maker, plan.seed).case if plan.sweep else maker.case


# What a process of the pool makes cases with, from one chunk to the next.
@lru_cache(maxsize=1)
def _drawn_cases(plan: bytes) -> Callable[[int], Case]:
    return _case_of(CorpusPlan(**wire.decode(plan)))


@lru_cache(maxsize=1)
def _further_cases(plan: bytes, drawn: Path) -> CorpusCases:
    given = CorpusPlan(**wire.decode(plan))
    recipes = [Recipe.from_json(value) for value in wire.decode(drawn.read_bytes())]
    return CorpusCases(_maker(given), given.seed, recipes.__getitem__)
