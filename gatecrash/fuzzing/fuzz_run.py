"""A fuzz run as its phases see it: what they fire with, and what they leave behind."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from rich.console import Console

from gatecrash.authorizers.service.front import TOKEN_KEY_NAME_DEFAULT
from gatecrash.bench.bench import Bench, Shots
from gatecrash.bench.literals import words_of
from gatecrash.bench.opening import BENCH_SHARE, is_python_handler, open_bench, request_budget
from gatecrash.fuzzing.observer import Observer
from gatecrash.fuzzing.schedules import CaseBook, case_book
from gatecrash.generators.cases import CaseMaker
from gatecrash.generators.corpus import Corpus
from gatecrash.generators.corpus_builder import CorpusPlan, build_corpus
from gatecrash.generators.credentials import open_profile
from gatecrash.generators.credentials.token_carriers import TOKEN_CARRIERS
from gatecrash.generators.mix import Mix
from gatecrash.planning.plans import check_credentials, check_lifetime, minted_at, run_info
from gatecrash.reports.oracles.findings import Finding
from gatecrash.reports.plan.facts import PlanFacts
from gatecrash.reports.recording.ledger import Ledger
from gatecrash.reports.run.campaign import PhaseRow
from gatecrash.reports.run.folder import RunFolder, RunState
from gatecrash.settings.settings import Settings, credential_settings
from gatecrash.terminal import progress_bar, say

_LIFETIME_NEEDED: Final = 120.0


@dataclass(slots=True)
class FuzzRun:
    """What the phases of one fuzz run work with, each on what those before it left.

    ``book`` has all cases that can be fired, ``quick_book`` leaves out those that are known to be slow. ``timed`` are
    findings about time, which looking for them confirms already, in ``timing_seconds``. ``broken`` says why the run
    proves nothing.
    """

    settings: Settings
    console: Console
    shots: Shots
    bench: Bench
    book: CaseBook
    quick_book: CaseBook
    observer: Observer
    folder: RunFolder
    phases: list[PhaseRow] = field(default_factory=list)
    timed: list[Finding] = field(default_factory=list)
    timing_seconds: float = 0.0
    broken: str | None = None
    state: RunState = field(default_factory=lambda: RunState(complete=True))

    @property
    def ledger(self) -> Ledger:
        """What was seen of each case by now."""
        return self.observer.recording.ledger

    def begin(self) -> None:
        """Write what is meant to be run, and say it."""
        settings = self.settings
        plan = PlanFacts(settings.load.processes, "fuzz")
        self.folder.write_info(run_info(settings, self.shots.corpus, plan).starting_now())
        place = settings.authorizer.handler or settings.target.endpoint_url or settings.target.kind
        self.say(
            f"Fuzzing {settings.target.function or settings.authorizer.name} ({settings.target.kind}: {place}) with "
            f"{len(self.book.valid)} valid requests and {len(self.book.attacks)} attacks of seed {settings.corpus.seed}"
        )

    def say(self, text: str) -> None:
        """Say one line."""
        say(self.console, text)

    def checkpoint(self) -> None:
        """Write what was seen by now."""
        self.folder.checkpoint(self.observer.recording, self.state)


@contextmanager
def open_run(settings: Settings, console: Console) -> Iterator[FuzzRun]:
    """Build the cases, open where they are fired, and make the run's folder; all but the folder is closed at the end.

    Raises UsageError when the settings can't work.
    """
    settings = _with_fuzz_defaults(settings)
    with ExitStack() as stack:
        with progress_bar(console, "Building the cases") as advance:
            corpus = stack.enter_context(closing(_sweep_corpus(settings, advance)))
        profile = open_profile(credential_settings(settings), settings.authorizer.token_key_name)
        manifest, mix = corpus.manifest, Mix(settings.corpus.valid_share)
        shots = Shots(corpus, CaseMaker(profile, mix, manifest.seed, manifest.minted_at, manifest.words))
        # Locust's phases have the larger part of the budget.
        bench = stack.enter_context(open_bench(settings, budget=int(request_budget(settings) * BENCH_SHARE)))
        metas = [shots.meta(index) for index in range(len(corpus))]
        book = case_book(metas, lambda meta: bench.can_fire(meta.view))
        folder = RunFolder.create(Path(settings.output.runs), settings.output.name, datetime.now(UTC))
        yield FuzzRun(settings, console, shots, bench, book, book, Observer(corpus), folder)


def _with_fuzz_defaults(settings: Settings) -> Settings:
    """Fill in what a fuzz run takes where nothing was said.

    Signed tokens on this machine are presented by every carrier: the embedded gateway takes them all.
    """
    name = "fuzz" if settings.output.name == "run" else settings.output.name
    settings = settings.model_copy(update={"output": settings.output.model_copy(update={"name": name})})
    credentials, authorizer = settings.credentials, settings.authorizer
    if credentials.kind != "signed" or credentials.carriers is not None or settings.target.kind == "iot":
        return settings
    key_name = authorizer.token_key_name or TOKEN_KEY_NAME_DEFAULT
    return settings.model_copy(
        update={
            "credentials": credentials.model_copy(update={"carriers": list(TOKEN_CARRIERS)}),
            "authorizer": authorizer.model_copy(update={"token_key_name": key_name}),
        }
    )


def _sweep_corpus(settings: Settings, progress: Callable[[int], None]) -> Corpus:
    check_credentials(settings, _LIFETIME_NEEDED)
    plan = CorpusPlan(
        credentials=credential_settings(settings),
        token_key_name=settings.authorizer.token_key_name,
        seed=settings.corpus.seed,
        cases=settings.fuzz.drawn,
        valid_share=settings.corpus.valid_share,
        minted_at=minted_at(settings),
        sweep=True,
        words=words_of(settings.authorizer.handler) if is_python_handler(settings) else (),
    )
    corpus = build_corpus(plan, settings.cache_folder(), progress)
    check_lifetime(corpus, settings, _LIFETIME_NEEDED)
    return corpus
