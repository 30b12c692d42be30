"""The corpus file: ordered cases with ready wire bodies. Reading it needs neither Hypothesis nor the keys.

A corpus is a folder that holds secrets (the requests are complete), so it lies in the user's cache, readable for
that user alone, and never in a run folder.

``bodies.bin``  the wire bodies of all cases, back to back
``cases.bin``   one JSON object a case: demand, view, family, name, recipe, choices
``index.bin``   native 64-bit offsets into both, one more than there are cases
``corpus.json`` what it was made from, and the digests
"""

from __future__ import annotations

import array
import mmap
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, Final

from authorizers import wire
from authorizers.contract import AuthorizerRequest, Demand, Expectation
from authorizers.errors import UsageError, WireError

BODIES: Final = "bodies.bin"
CASES: Final = "cases.bin"
INDEX: Final = "index.bin"
MANIFEST: Final = "corpus.json"
_REQUESTS_KEPT: Final = 4096
_FACTS_KEPT: Final = 65_536
_AGAIN: Final = "delete the folder, the corpus will be built again"


@dataclass(frozen=True, slots=True)
class CorpusManifest:
    """What a corpus was made from; ``words``, of the authorizer's own code, may be secrets.

    ``digest`` identifies the recipes, the profile and the version of the generators: it is the same for the same
    seed on every machine and at every time. ``content_digest`` identifies the bytes, in which tokens carry the
    time ``minted_at`` (epoch seconds).
    """

    digest: str
    content_digest: str
    seed: int
    cases: int
    minted_at: int
    lifetime: int | None
    profile: str
    fingerprint: str
    valid_share: float
    generation: int
    families: Mapping[str, int]
    words: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class CaseMeta:
    """What is known of a case besides its request."""

    index: int
    demand: Demand
    view: str
    family: str
    name: str
    recipe: Mapping[str, Any]
    choices: str

    @property
    def expectation(self) -> Expectation:
        """What must come back."""
        return self.demand.expectation


class Corpus:
    """A corpus opened for reading; the files are mapped, so that processes share their pages."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        try:
            self.manifest = CorpusManifest(**wire.decode((folder / MANIFEST).read_bytes()))
            offsets = array.array("Q", (folder / INDEX).read_bytes())
            self._bodies = _mapped(folder / BODIES)
            self._cases = _mapped(folder / CASES)
            entries = 2 * (self.manifest.cases + 1)
        except OSError as error:
            raise UsageError(f"can't read the corpus in {folder}: {error.strerror}; {_AGAIN}") from error
        except (WireError, TypeError, ValueError) as error:
            raise _damaged(folder) from error
        self._body_offsets, self._case_offsets = offsets[0::2], offsets[1::2]
        ends = list(offsets[-2:])
        if len(offsets) != entries or ends != [len(self._bodies), len(self._cases)]:
            raise _damaged(folder)
        self.request = lru_cache(maxsize=_REQUESTS_KEPT)(self._request)
        self.family_and_expectation = lru_cache(maxsize=_FACTS_KEPT)(self._family_and_expectation)

    def __len__(self) -> int:
        return self.manifest.cases

    def body(self, index: int) -> bytes:
        """Return the wire body of a case."""
        return self._bodies[self._body_offsets[index] : self._body_offsets[index + 1]]

    def _request(self, index: int) -> AuthorizerRequest:
        try:
            return wire.request_from_wire(wire.decode(self.body(index)))
        except WireError as error:
            raise _damaged(self.folder) from error

    def meta(self, index: int) -> CaseMeta:
        """Return what is known of a case besides its request."""
        try:
            row = wire.decode(self._cases[self._case_offsets[index] : self._case_offsets[index + 1]])
            return CaseMeta(**{**row, "demand": Demand(row["demand"])})
        except (WireError, KeyError, TypeError, ValueError) as error:
            raise _damaged(self.folder) from error

    def _family_and_expectation(self, index: int) -> tuple[str, Expectation]:
        meta = self.meta(index)
        return meta.family, meta.expectation

    def __iter__(self) -> Iterator[tuple[CaseMeta, AuthorizerRequest]]:
        for index in range(len(self)):
            yield self.meta(index), self._request(index)

    def close(self) -> None:
        """Give the files back."""
        for mapped in (self._bodies, self._cases):
            if isinstance(mapped, mmap.mmap):
                mapped.close()


def _damaged(folder: Path) -> UsageError:
    return UsageError(f"the corpus in {folder} is damaged or of another version; {_AGAIN}")


def _mapped(path: Path) -> mmap.mmap | bytes:
    with path.open("rb") as file:
        if path.stat().st_size == 0:
            return b""
        return mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)


def manifest_to_json(manifest: CorpusManifest) -> dict[str, Any]:
    """Return a JSON value."""
    return asdict(manifest)
