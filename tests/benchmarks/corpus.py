"""How fast large corpora are built and read, and what memory a worker needs for them.

Corpora are built in a pool of processes, as ``gatecrash run`` does, in interleaved rounds::

    python -m tests.benchmarks.corpus --rounds 3 --cases 200000 --large 1000000 --exchanges 10000000

``per core`` is how many cases a processor's second makes, all processes counted: other work on the machine disturbs it
less than the rate by the clock.
"""

from __future__ import annotations

import argparse
import os
import shutil
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from statistics import median

from gatecrash.generators.cases import CaseMaker, Recipe
from gatecrash.generators.corpus import Corpus
from gatecrash.generators.corpus_builder import CorpusPlan, build_corpus
from gatecrash.generators.corpus_writer import chunk_of
from gatecrash.generators.credentials import open_profile
from gatecrash.generators.further_cases import DRAWN_MAXIMUM, CorpusCases
from gatecrash.generators.mix import VALID_SHARE_DEFAULT, Mix
from tests.benchmarks.fuzzing import SEED, credentials
from tests.benchmarks.keeping import exchanging, in_a_process_of_its_own, judging, keeping, reading

KEPT = "password"
SIGNING = "jwt RS256"
SIGNED_CASES = 20_000


@dataclass
class Built:
    """A profile's corpora: cases a second by the clock, cases for each second of a processor, and how many differ."""

    name: str
    rates: list[float] = field(default_factory=list)
    per_core: list[float] = field(default_factory=list)
    distinct: int = 0


@dataclass(frozen=True)
class Signed:
    """Making further cases of a signing profile in this process: how many signatures, and the seconds of each part."""

    cases: int
    signatures: int
    signing: float
    seconds: float


def plan_of(members: dict[str, object], cases: int, minted_at: int) -> CorpusPlan:
    return CorpusPlan(members, None, SEED, cases, VALID_SHARE_DEFAULT, minted_at)


def processor_seconds() -> float:
    times = os.times()
    return times.user + times.system + times.children_user + times.children_system


def build(members: dict[str, object], cases: int, cache: Path, processes: int) -> tuple[Corpus, float, float]:
    """Build a corpus anew; returns the seconds by the clock, and of processors."""
    started, spent = time.perf_counter(), processor_seconds()
    corpus = build_corpus(plan_of(members, cases, int(time.time())), cache, processes=processes)
    return corpus, time.perf_counter() - started, processor_seconds() - spent


def build_all(
    profiles: dict[str, dict[str, object]], cases: int, cache: Path, processes: int, rounds: int
) -> list[Built]:
    """Build a corpus of each profile, again and again."""
    rows = [Built(name) for name in profiles]
    for _ in range(rounds):
        for row in rows:
            corpus, seconds, spent = build(profiles[row.name], cases, cache, processes)
            row.rates.append(cases / seconds)
            row.per_core.append(cases / spent)
            row.distinct = corpus.manifest.distinct
            corpus.close()
            shutil.rmtree(corpus.folder)
    return rows


def sign(members: dict[str, object], count: int) -> Signed:
    """Make further cases of a signing profile, with a stopwatch on its private key."""
    profile = open_profile(members, None)
    signing, signatures = 0.0, 0
    private = profile._sign.__wrapped__

    @lru_cache(maxsize=profile._sign.cache_parameters()["maxsize"])
    def timed(message: bytes) -> bytes:
        nonlocal signing, signatures
        started = time.perf_counter()
        signature = private(message)
        signing += time.perf_counter() - started
        signatures += 1
        return signature

    maker = CaseMaker(profile, Mix(), SEED, int(time.time()))
    drawn: list[Recipe] = [maker.case(index).recipe for index in range(min(DRAWN_MAXIMUM, count))]
    profile._sign = timed
    cases = CorpusCases(maker, SEED, lambda index: drawn[index % len(drawn)])
    started = time.perf_counter()
    chunk_of(map(cases.case, range(DRAWN_MAXIMUM, DRAWN_MAXIMUM + count)))
    return Signed(count, signatures, signing, time.perf_counter() - started)


def building_table(rows: Sequence[Built], cases: int, processes: int) -> Iterator[str]:
    yield f"building {cases:,} cases in {processes} processes"
    yield f"  {'':<28} {'cases/s':>9} {'lowest':>9} {'highest':>9} {'per core':>9} {'distinct':>11}"
    for row in rows:
        rates = [f"{rate:>9,.0f}" for rate in (median(row.rates), min(row.rates), max(row.rates), median(row.per_core))]
        yield f"  {row.name:<28} {' '.join(rates)} {row.distinct:>11,}"


def signing_table(signed: Signed) -> Iterator[str]:
    unsigned = signed.seconds - signed.signing
    yield f"making {signed.cases:,} further cases of {SIGNING} in this process"
    yield f"  {signed.signatures:,} signatures by the private key: {signed.signing:.2f} s"
    yield f"  everything else: {unsigned:.2f} s, {signed.cases / unsigned:,.0f} cases/s without the time for signing"


def keeping_table(name: str, members: dict[str, object], large: int, cache: Path, processes: int) -> Iterator[str]:
    corpus, seconds, _ = build(members, large, cache, processes)
    size = sum(file.stat().st_size for file in corpus.folder.iterdir())
    yield (
        f"a corpus of {large:,} cases of {name}, {corpus.manifest.distinct:,} distinct requests: "
        f"built in {seconds:.0f} s, {size / 1e6:,.0f} MB of files"
    )
    yield f"  {'reading, in us':<28} {'in order':>9} {'any order':>9}"
    for way, (in_order, in_any_order) in in_a_process_of_its_own(reading, corpus.folder, min(large, 300_000)).items():
        yield f"  {way:<28} {in_order:>9.2f} {in_any_order:>9.2f}"
    with tempfile.TemporaryDirectory() as run_folder:
        kept = in_a_process_of_its_own(keeping, corpus.folder, run_folder)
        seconds, megabytes = in_a_process_of_its_own(judging, run_folder)
    yield "  private memory of a worker, in MB"
    yield f"  {'before the corpus is opened':<28} {kept['base']:>9.0f}"
    yield f"  {'with the corpus open':<28} {kept['opened']:>9.0f}"
    yield f"  {'after each case was fired':<28} {kept['fired']:>9.0f}"
    yield f"  {'after a checkpoint':<28} {kept['written']:>9.0f}"
    yield f"  gathering half a second at 30,000/s holds firing up for at most {kept['gathering']:.1f} ms"
    yield f"  a checkpoint takes {kept['checkpoint']:.0f} ms, in steps of at most {kept['longest_step']:.1f} ms"
    yield f"  judging and rendering: {seconds:.0f} s, at most {megabytes:.0f} MB"


def exchanging_table(exchanges: int, cases: int, seconds: float) -> Iterator[str]:
    yield f"{exchanges:,} exchanges of {cases:,} cases over {seconds:.0f} simulated seconds: private memory"
    for number, megabytes in in_a_process_of_its_own(exchanging, exchanges, cases, seconds, 10):
        yield f"  {number:>28,} {megabytes:>9.1f} MB"


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure what was asked for and print the tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=3, help="rounds of building")
    parser.add_argument("--cases", type=int, default=200_000, help="cases of a corpus that is built")
    parser.add_argument("--processes", type=int, default=2, help="processes that build a corpus")
    parser.add_argument("--large", type=int, default=1_000_000, help="cases of the corpus that is read and kept")
    parser.add_argument("--exchanges", type=int, default=10_000_000, help="exchanges that are recorded")
    parser.add_argument("--exchanged", type=int, default=20_000, help="cases of these exchanges")
    parser.add_argument("--seconds", type=float, default=600.0, help="simulated time of these exchanges")
    given = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        profiles, cache = credentials(folder), folder / "cache"
        print(f"Python {sys.version.split()[0]}, {os.cpu_count()} cores; medians of {given.rounds} interleaved rounds")
        parts: list[Callable[[], Iterator[str]]] = [
            lambda: building_table(
                build_all(profiles, given.cases, cache, given.processes, given.rounds), given.cases, given.processes
            ),
            lambda: signing_table(sign(profiles[SIGNING], min(given.cases, SIGNED_CASES))),
            lambda: keeping_table(KEPT, profiles[KEPT], given.large, cache, given.processes),
            lambda: exchanging_table(given.exchanges, given.exchanged, given.seconds),
        ]
        for part in parts:
            print()
            for line in part():
                print(line, flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
