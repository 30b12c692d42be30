"""From settings to what a run needs: the corpus, the target's plain settings, the plan."""

from __future__ import annotations

import fcntl
import platform
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any, Final

from gatecrash.authorizers.errors import UsageError
from gatecrash.generators.cases import GENERATION
from gatecrash.generators.corpus import Corpus
from gatecrash.generators.corpus_builder import CorpusPlan, build_corpus
from gatecrash.generators.credentials import open_profile
from gatecrash.generators.credentials.expiry import first_to_expire
from gatecrash.generators.credentials.from_settings import MINTED
from gatecrash.reports.plan.facts import CorpusFacts, PlanFacts, RunInfo
from gatecrash.settings.settings import Settings, credential_settings, stored_settings
from gatecrash.settings.targets import describe_target, target_settings

_PACKAGES: Final = ("gatecrash", "locust", "gevent", "boto3", "botocore", "hypothesis", "awslambdaric")


def prepare_corpus(settings: Settings, needed: float, progress: Callable[[int], None] = lambda _: None) -> Corpus:
    """Build the corpus that settings describe, or open it from the cache.

    Raises UsageError when there are no credentials to build it with, or when they would expire within the ``needed``
    seconds that the run takes.
    """
    check_credentials(settings, needed)
    plan = CorpusPlan(
        credentials=credential_settings(settings),
        token_key_name=settings.authorizer.token_key_name,
        seed=settings.corpus.seed,
        cases=settings.corpus.cases,
        valid_share=settings.corpus.valid_share,
        minted_at=minted_at(settings),
        in_turn=settings.corpus.devices == "in_turn",
    )
    corpus = build_corpus(plan, settings.cache_folder(), progress)
    check_lifetime(corpus, settings, needed)
    return corpus


def corpus_like(settings: Settings, facts: CorpusFacts) -> Corpus:
    """Build the corpus that another machine described, from this machine's own credentials.

    ``facts`` are those that run.json tells of a corpus. Raises UsageError when what comes out isn't that corpus, to
    the last byte: workers must fire the same requests.
    """
    require_credentials(settings)
    if facts.generation != GENERATION:
        raise UsageError(
            f"the corpus has cases of generation {facts.generation}, this gatecrash makes generation {GENERATION}: "
            "install the same version on all machines"
        )
    if facts.profile != settings.credentials.kind:
        raise UsageError(
            f"credentials.kind is {settings.credentials.kind} here, but {facts.profile} where the corpus was made: "
            "use the same settings on all machines"
        )
    credentials = credential_settings(settings)
    if credentials["kind"] in MINTED and facts.identities:
        # A spike makes as many as its fleet has where settings don't say how many.
        credentials.setdefault("identities", facts.identities)
    plan = CorpusPlan(
        credentials=credentials,
        token_key_name=settings.authorizer.token_key_name,
        in_turn=facts.in_turn,
        **{name: getattr(facts, name) for name in ("seed", "cases", "valid_share", "minted_at")},
    )
    with _one_at_a_time(settings.cache_folder()):
        corpus = build_corpus(plan, settings.cache_folder())
    manifest = corpus.manifest
    if manifest.digest != facts.digest:
        raise UsageError(
            f"the corpus made here has the digest {manifest.digest}, not {facts.digest}: the keys, tables and settings "
            "of the credentials, gatecrash, Hypothesis and Python must be the same on all machines"
        )
    if manifest.content_digest != facts.content_digest:
        raise UsageError(
            "the corpus made here has the same cases but other bytes: the credentials are not the same each time they "
            "are made; a credential file must return the same for the same arguments"
        )
    return corpus


@contextmanager
def _one_at_a_time(cache: Path) -> Iterator[None]:
    """Let one process of this machine build at a time: what the first made, the others open."""
    cache.mkdir(parents=True, exist_ok=True, mode=0o700)
    with (cache / ".building").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def minted_at(settings: Settings) -> int:
    """Return when credentials are made, in epoch seconds: now, unless the settings say another time."""
    return int(time.time()) if settings.corpus.minted_at is None else settings.corpus.minted_at


def check_credentials(settings: Settings, needed: float) -> None:
    """Raise UsageError when valid credentials can't be made, or hold a token that lives less than ``needed`` seconds.

    Tables and files hold tokens that were made elsewhere, and expire without a word.
    """
    require_credentials(settings)
    profile = open_profile(credential_settings(settings), settings.authorizer.token_key_name)
    first = first_to_expire(profile, minted_at(settings))
    if first is None or settings.corpus.minted_at is not None or first.expires - time.time() >= needed:
        return
    if profile.lifetime is not None and first.expires >= minted_at(settings) + profile.lifetime - 1:
        return  # What is minted here is judged by its corpus's age.
    moment = datetime.fromtimestamp(first.expires, UTC)
    key = next((key for key in ("table", "file") if getattr(settings.credentials, key)), "claims.exp")
    if first.expires <= time.time():
        raise UsageError(
            f"credentials.{key}: the token of {first.identity} expired at {moment:%Y-%m-%d %H:%M} UTC, so no "
            "authorizer may let it in; give tokens that are valid now"
        )
    raise UsageError(
        f"credentials.{key}: the token of {first.identity} expires at {moment:%Y-%m-%d %H:%M} UTC, before the run's "
        f"{needed:.0f} s are over; give tokens that live longer"
    )


def require_credentials(settings: Settings) -> None:
    """Raise UsageError when nothing says how valid credentials are made."""
    if settings.credentials.kind is None:
        raise UsageError(
            "credentials.kind is missing: say how valid credentials of your devices are made, by --credentials KIND "
            "or in gatecrash.toml (`gatecrash init` writes a commented one)"
        )


def check_lifetime(corpus: Corpus, settings: Settings, needed: float) -> None:
    """Raise UsageError when the corpus's credentials expire before ``needed`` seconds have passed."""
    lifetime, minted_at = corpus.manifest.lifetime, corpus.manifest.minted_at
    if lifetime is None:
        return
    left = minted_at + lifetime - time.time()
    if settings.corpus.minted_at is None and left < needed:
        raise UsageError(
            f"credentials live {lifetime} s, the run takes {needed:.0f} s: raise credentials.lifetime "
            "or shorten the run"
        )


def run_info(settings: Settings, corpus: Corpus, plan: PlanFacts, target: dict[str, Any] | None = None) -> RunInfo:
    """Return what run.json tells of a run, apart from when it started; ``target`` is the plan's."""
    manifest = asdict(corpus.manifest) | {"folder": str(corpus.folder.resolve())}
    return RunInfo(
        name=settings.output.name,
        started_at="",
        seed=settings.corpus.seed,
        plan=plan,
        target=describe_target(settings, target or target_settings(settings)),
        corpus=CorpusFacts(**{name: manifest[name] for name in CorpusFacts.__slots__}),
        versions={package: version(package) for package in _PACKAGES} | {"python": platform.python_version()},
        settings=stored_settings(settings),
    )
