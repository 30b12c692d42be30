"""The corpus of a run on this machine: opened where it lies, or built here from this machine's own credentials.

A corpus is complete requests, so it never travels. Its seed, its numbers and its digests do.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from gatecrash.authorizers import wire
from gatecrash.authorizers.errors import GatecrashError, UsageError
from gatecrash.generators.corpus import Corpus


def corpus_here(facts: Mapping[str, Any], settings: str, *, can_be_built: bool) -> Path:
    """Return the folder of the corpus that a master describes.

    ``settings`` is the file of this machine's settings, empty for gatecrash.toml of this folder. Raises GatecrashError
    with one sentence when there is no such corpus here and none can be built.
    """
    folder = Path(facts["folder"])
    if _is_it(folder, facts):
        return folder
    if not can_be_built:
        raise UsageError("the corpus of a fuzz run can't be made on another machine: fire it with --processes")
    command = [sys.executable, "-P", "-m", "gatecrash", "corpus", "--like", "-"]
    if settings:
        command += ["--config", settings]
    # Settings and generators are none of the load engine's business: the command builds.
    made = subprocess.run(command, input=wire.encode(dict(facts)), capture_output=True, check=False)
    if made.returncode != 0:
        said = [line for line in made.stderr.decode(errors="replace").splitlines() if line.strip()]
        raise UsageError(said[-1].removeprefix("gatecrash: ") if said else "the corpus could not be built")
    return Path(made.stdout.decode().strip().splitlines()[-1])


def _is_it(folder: Path, facts: Mapping[str, Any]) -> bool:
    try:
        corpus = Corpus(folder)
    except (GatecrashError, OSError):
        return False
    corpus.close()
    found = corpus.manifest
    return (found.digest, found.content_digest) == (facts["digest"], facts["content_digest"])
