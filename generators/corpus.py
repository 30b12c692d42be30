"""The corpus file: ordered cases with ready wire bodies. Reading it needs neither Hypothesis nor the keys.

A corpus is a folder that holds secrets (the requests are complete), so it lies in the user's cache, readable for
that user alone, and never in a run folder.

``bodies.bin``  the wire bodies of all cases, back to back
``cases.bin``   one JSON object a case: demand, view, family, name, recipe
``index.bin``   native 64-bit offsets into both, one more than there are cases
``facts.bin``   one byte a case: which of the manifest's kinds (family and expectation) it is of
``corpus.json`` what it was made from, and the digests
"""

from __future__ import annotations

import mmap
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, Final

from gatecrash.authorizers import wire
from gatecrash.authorizers.contract import AuthorizerRequest, Demand, Expectation
from gatecrash.authorizers.errors import UsageError, WireError

# Part of the name of every corpus in the cache: raise it when the same cases are written in another way.
FORMAT: Final = 2
BODIES: Final = "bodies.bin"
CASES: Final = "cases.bin"
INDEX: Final = "index.bin"
FACTS: Final = "facts.bin"
MANIFEST: Final = "corpus.json"
_REQUESTS_KEPT: Final = 4096
# A family, and what must come back.
CaseKind = tuple[str, Expectation]
_AGAIN: Final = "delete the folder, the corpus will be built again"


@dataclass(frozen=True, slots=True)
class CorpusManifest:
    """What a corpus was made from; ``words``, of the authorizer's own code, may be secrets.

    ``identities`` is how many devices the profile has, which follow one another where they are ``in_turn``, and
    ``distinct`` how many different requests the cases have, ``kinds`` are their families and expectations.
    ``digest`` identifies the recipes, the profile and the version of the generators: it is the same for the same
    seed on every machine and at every time. ``content_digest`` identifies the bytes, in which tokens carry the
    time ``minted_at`` (epoch seconds).
    """

    digest: str
    content_digest: str
    seed: int
    cases: int
    distinct: int
    minted_at: int
    lifetime: int | None
    profile: str
    fingerprint: str
    valid_share: float
    generation: int
    families: Mapping[str, int]
    kinds: Sequence[CaseKind]
    words: Sequence[str] = ()
    in_turn: bool = False
    identities: int = 0


@dataclass(frozen=True, slots=True)
class CaseMeta:
    """What is known of a case besides its request."""

    index: int
    demand: Demand
    view: str
    family: str
    name: str
    recipe: Mapping[str, Any]

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
            self._kinds = [(str(family), Expectation(expectation)) for family, expectation in self.manifest.kinds]
            files = [_map_file(folder / name) for name in (BODIES, CASES, INDEX, FACTS)]
            self._bodies, self._cases, self._index, self._facts = files
            self._offsets = memoryview(self._index).cast("Q")
            cases = self.manifest.cases
            ends = self._offsets[2 * cases :].tolist()
        except OSError as error:
            raise UsageError(f"can't read the corpus in {folder}: {error.strerror}; {_AGAIN}") from error
        except (WireError, TypeError, ValueError) as error:
            raise _damage_error(folder) from error
        if ends != [len(self._bodies), len(self._cases)] or len(self._facts) != cases:
            raise _damage_error(folder)
        self.request = lru_cache(maxsize=_REQUESTS_KEPT)(self._request)

    def __len__(self) -> int:
        return self.manifest.cases

    def body(self, index: int) -> bytes:
        """Return the wire body of a case."""
        start = 2 * index
        return self._bodies[self._offsets[start] : self._offsets[start + 2]]

    def _request(self, index: int) -> AuthorizerRequest:
        try:
            return wire.request_from_wire(wire.decode(self.body(index)))
        except WireError as error:
            raise _damage_error(self.folder) from error

    def meta(self, index: int) -> CaseMeta:
        """Return what is known of a case besides its request."""
        try:
            start = 2 * index + 1
            row = wire.decode(self._cases[self._offsets[start] : self._offsets[start + 2]])
            members = {name: row[name] for name in CaseMeta.__slots__}
            return CaseMeta(**{**members, "demand": Demand(row["demand"])})
        except (WireError, KeyError, TypeError, ValueError) as error:
            raise _damage_error(self.folder) from error

    def family_and_expectation(self, index: int) -> CaseKind:
        """Return what Locust's statistics tell of a case, without reading its row."""
        try:
            return self._kinds[self._facts[index]]
        except IndexError as error:
            raise _damage_error(self.folder) from error

    def __iter__(self) -> Iterator[tuple[CaseMeta, AuthorizerRequest]]:
        for index in range(len(self)):
            yield self.meta(index), self._request(index)

    def release(self) -> None:
        """Let go of the pages that were read: they stay in the system's cache, and count no more as this process's.

        Safe after ``close``: a run may end between two looks at what it recorded.
        """
        for mapped in self._maps():
            if hasattr(mmap, "MADV_DONTNEED") and not mapped.closed:
                mapped.madvise(mmap.MADV_DONTNEED)

    def _maps(self) -> Iterator[mmap.mmap]:
        for mapped in (self._bodies, self._cases, self._index, self._facts):
            if isinstance(mapped, mmap.mmap):
                yield mapped

    def close(self) -> None:
        """Give the files back."""
        self._offsets.release()
        for mapped in self._maps():
            mapped.close()


def _damage_error(folder: Path) -> UsageError:
    return UsageError(f"the corpus in {folder} is damaged or of another version; {_AGAIN}")


def _map_file(path: Path) -> mmap.mmap | bytes:
    with path.open("rb") as file:
        if path.stat().st_size == 0:
            return b""
        return mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
