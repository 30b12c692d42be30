"""``gatecrash corpus``: build a corpus ahead, or the one that a run on another machine needs."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Final

import click
from rich.console import Console

from gatecrash.authorizers import wire
from gatecrash.authorizers.errors import UsageError, WireError
from gatecrash.planning.plans import corpus_like
from gatecrash.reports.plan.facts import CorpusFacts
from gatecrash.reports.recording import codec
from gatecrash.running.run import build_with_progress
from gatecrash.settings.options import settings_options
from gatecrash.settings.settings import Settings

_NEEDED: Final = ("seed", "cases", "valid_share", "minted_at", "generation", "profile", "digest", "content_digest")


@click.command(short_help="Build a corpus without firing.")
@settings_options("corpus")
@click.option(
    "--like",
    type=click.Path(allow_dash=True, dir_okay=False, path_type=Path),
    default=None,
    help="run.json or plan.json of another machine: build the same corpus, with its seed and number of cases",
)
def corpus(settings: Settings, *, like: Path | None) -> int:
    """Build a corpus and print its folder, which holds secrets and stays in the cache.

    With --like it is the one that another machine described. Its digests are compared: the same credentials, settings
    and versions give the same bytes.
    """
    if like is None:
        built = build_with_progress(settings, Console(file=sys.stderr), 0.0)
    else:
        built = corpus_like(settings, _facts(like))
    built.close()
    print(built.folder.resolve())
    return 0


def _facts(like: Path) -> CorpusFacts:
    try:
        text = sys.stdin.buffer.read() if str(like) == "-" else like.read_bytes()
        value = wire.decode(text)
        facts = value.get("info", value).get("corpus", value)
        if not set(_NEEDED) <= facts.keys():
            raise KeyError
        return codec.from_json(facts, CorpusFacts)
    except OSError as error:
        raise UsageError(f"--like: can't read {like}: {error.strerror}") from None
    except (WireError, AttributeError, KeyError, TypeError, ValueError):
        raise UsageError(f"--like: {like} describes no corpus; name run.json or plan.json of a run") from None
