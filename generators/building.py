"""Building a corpus: cases are made ahead of firing, in a pool of processes, and cached by what they depend on."""

from __future__ import annotations

import array
import hashlib
import multiprocessing
import os
import shutil
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, NamedTuple

from hypothesis.configuration import set_hypothesis_home_dir

from authorizers import wire
from authorizers.errors import UsageError
from generators import corpus
from generators.cases import GENERATION, Case, CaseMaker
from generators.corpus import Corpus, CorpusManifest
from generators.credentials import open_profile
from generators.credentials.base import CredentialProfile, digest_of
from generators.mix import Mix
from generators.sweep import SweepCases

_CHUNK: Final = 250
_CORPORA_KEPT: Final = 20
_HYPOTHESIS_HOME: Final = "hypothesis"
_FOLDER_MODE: Final = 0o700


@dataclass(frozen=True, slots=True)
class CorpusPlan:
    """What a corpus is to be made from; ``credentials`` are settings that name files, never secrets.

    ``minted_at`` is in epoch seconds and counts only for profiles whose credentials carry a time. A ``sweep`` has
    every systematic case of a fuzz run first and ``cases`` drawn ones after them; ``valid_share`` counts for nothing.
    ``words`` are those of the authorizer's own code.
    """

    credentials: Mapping[str, Any]
    token_key_name: str | None
    seed: int
    cases: int
    valid_share: float
    minted_at: int
    sweep: bool = False
    words: tuple[str, ...] = ()


class _Made(NamedTuple):
    body: bytes
    meta: bytes
    identity: bytes
    family: str


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
        GENERATION,
        profile.fingerprint(),
        plan.seed,
        plan.cases,
        plan.valid_share,
        minted_at,
        plan.sweep,
        plan.words,
    ]
    folder = cache / digest_of(parts)
    if not (folder / corpus.MANIFEST).exists():
        count = _count(plan, profile)
        made = _make_all(plan, count, cache / _HYPOTHESIS_HOME, progress, processes or os.cpu_count() or 1)
        unfinished = folder.with_name(f"{folder.name}.{os.getpid()}")
        digest, content, families = _write(unfinished, made)
        manifest = CorpusManifest(
            digest=digest_of([GENERATION, profile.fingerprint(), digest]),
            content_digest=content,
            seed=plan.seed,
            cases=count,
            minted_at=minted_at,
            lifetime=profile.lifetime,
            profile=profile.kind,
            fingerprint=profile.fingerprint(),
            valid_share=plan.valid_share,
            generation=GENERATION,
            families=families,
            words=plan.words,
        )
        (unfinished / corpus.MANIFEST).write_bytes(wire.encode(corpus.manifest_to_json(manifest)))
        _put_in_place(unfinished, folder)
    _prune(cache, keep=folder)
    corpus_made = Corpus(folder)
    progress(len(corpus_made))
    return corpus_made


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


def _make_all(
    plan: CorpusPlan, count: int, home: Path, progress: Callable[[int], None], processes: int
) -> Iterator[_Made]:
    chunks = [range(start, min(start + _CHUNK, count)) for start in range(0, count, _CHUNK)]
    # Spawned, not forked: the children must not inherit the parent's threads and open files.
    context = multiprocessing.get_context("spawn")
    done = 0
    with ProcessPoolExecutor(min(processes, len(chunks)), mp_context=context) as pool:
        for made in pool.map(_make_chunk, [plan] * len(chunks), [home] * len(chunks), chunks):
            done += len(made)
            progress(done)
            yield from made


def _make_chunk(plan: CorpusPlan, home: Path, indices: range) -> list[_Made]:
    # Hypothesis keeps tables of Unicode on disk, by default in whatever folder the person stands in.
    set_hypothesis_home_dir(home)
    profile = open_profile(plan.credentials, plan.token_key_name)
    maker = CaseMaker(profile, Mix(plan.valid_share), plan.seed, plan.minted_at, plan.words)
    make = SweepCases(maker, plan.seed).case if plan.sweep else maker.case
    return [_made(make(index)) for index in indices]


def _made(case: Case) -> _Made:
    recipe = case.recipe.to_json()
    meta = {
        "index": case.index,
        "demand": case.demand.value,
        "view": case.view,
        "family": case.family,
        "name": case.name,
        "recipe": recipe,
        "choices": case.choices,
    }
    identity = wire.encode_sorted([recipe, case.demand.value])
    return _Made(wire.encode(wire.request_to_wire(case.request)), wire.encode(meta), identity, case.family)


def _write(folder: Path, made: Iterator[_Made]) -> tuple[str, str, dict[str, int]]:
    """Write the three large files; return the digests of recipes and bytes, and the count of each family."""
    shutil.rmtree(folder, ignore_errors=True)
    try:
        folder.mkdir(parents=True, mode=_FOLDER_MODE)
    except OSError as error:
        raise UsageError(
            f"can't make {folder} for the corpus: {error.strerror}; name another place with --cache"
        ) from None
    recipes, content = hashlib.blake2b(digest_size=16), hashlib.blake2b(digest_size=16)
    offsets, families = array.array("Q", [0, 0]), Counter[str]()
    body_end = case_end = 0
    with (folder / corpus.BODIES).open("wb") as bodies, (folder / corpus.CASES).open("wb") as cases:
        for one in made:
            bodies.write(one.body)
            cases.write(one.meta)
            recipes.update(one.identity)
            content.update(one.body)
            body_end, case_end = body_end + len(one.body), case_end + len(one.meta)
            offsets.extend((body_end, case_end))
            families[one.family] += 1
    (folder / corpus.INDEX).write_bytes(offsets.tobytes())
    return recipes.hexdigest(), content.hexdigest(), dict(sorted(families.items()))
