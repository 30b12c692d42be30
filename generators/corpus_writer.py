"""Writing a corpus: chunks of cases, made in any process, become the files that ``gatecrash.generators.corpus`` reads.

Whatever the chunks' sizes are, the same cases give the same files and digests.
"""

from __future__ import annotations

import array
import hashlib
import shutil
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, Final, NamedTuple, Self

from gatecrash.authorizers import wire
from gatecrash.authorizers.errors import UsageError
from gatecrash.generators import corpus
from gatecrash.generators.cases import Case
from gatecrash.generators.corpus import CaseKind

_FOLDER_MODE: Final = 0o700
_BYTES: Final = bytes(range(256))
_DIGEST_BYTES: Final = 8
_FILES: Final = (corpus.BODIES, corpus.CASES, corpus.INDEX, corpus.FACTS)


class Chunk(NamedTuple):
    """Some cases in a row, as few large values that travel cheaply between processes.

    ``lengths`` are native 32-bit pairs, of body and row; ``facts`` has a byte for each case, the place of its kind in
    ``kinds``; ``requests`` eight bytes for each case, equal for equal bodies.
    """

    bodies: bytes
    rows: bytes
    lengths: bytes
    facts: bytes
    kinds: tuple[CaseKind, ...]
    requests: bytes

    def decode_rows(self) -> Iterator[dict[str, Any]]:
        """Yield what the rows of the cases say."""
        end = 0
        for length in array.array("I", self.lengths)[1::2]:
            start, end = end, end + length
            yield wire.decode(self.rows[start:end])


class CorpusTotals(NamedTuple):
    """Digests of the rows and of the bodies of a corpus, and counts."""

    rows_digest: str
    content_digest: str
    kinds: list[CaseKind]
    families: dict[str, int]
    distinct: int


def chunk_of(cases: Iterable[Case]) -> Chunk:
    """Put cases into a chunk."""
    bodies, rows, requests = [], [], []
    lengths, facts = array.array("I"), bytearray()
    kinds: dict[CaseKind, int] = {}
    for case in cases:
        body, row = wire.encode_texts(wire.request_to_wire(case.request)), wire.encode_texts(_row(case))
        bodies.append(body)
        rows.append(row)
        lengths.extend((len(body), len(row)))
        facts.append(kinds.setdefault((case.family, case.expectation), len(kinds)))
        requests.append(hashlib.blake2b(body, digest_size=_DIGEST_BYTES).digest())
    return Chunk(b"".join(bodies), b"".join(rows), lengths.tobytes(), bytes(facts), tuple(kinds), b"".join(requests))


def _row(case: Case) -> dict[str, object]:
    return {
        "index": case.index,
        "demand": case.demand.value,
        "view": case.view,
        "family": case.family,
        "name": case.name,
        "recipe": case.recipe.to_json(),
    }


class CorpusWriter:
    """Writes the large files of a corpus into a new folder, within a with statement.

    Raises UsageError when the folder can't be made.
    """

    def __init__(self, folder: Path) -> None:
        shutil.rmtree(folder, ignore_errors=True)
        try:
            folder.mkdir(parents=True, mode=_FOLDER_MODE)
        except OSError as error:
            raise UsageError(
                f"can't make {folder} for the corpus: {error.strerror}; name another place with --cache"
            ) from None
        self.folder = folder
        self._files = [(folder / name).open("wb") for name in _FILES]
        self._ends = [0, 0]
        self._rows, self._content = hashlib.blake2b(digest_size=16), hashlib.blake2b(digest_size=16)
        self._kinds: dict[CaseKind, int] = {}
        self._counts = Counter[int]()
        self._requests = bytearray()
        self._files[2].write(array.array("Q", self._ends).tobytes())

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        for file in self._files:
            file.close()

    def add(self, chunk: Chunk) -> int:
        """Write the next cases; returns how many are written."""
        bodies, rows, index, facts = self._files
        bodies.write(chunk.bodies)
        rows.write(chunk.rows)
        self._content.update(chunk.bodies)
        self._rows.update(chunk.rows)
        index.write(self._offsets(chunk))
        # A chunk numbers its kinds by itself: here each gets the number that it has in the whole corpus.
        places = bytes(self._kinds.setdefault(kind, len(self._kinds)) for kind in chunk.kinds)
        numbered = chunk.facts.translate(places + _BYTES[len(places) :])
        facts.write(numbered)
        self._counts.update(numbered)
        self._requests += chunk.requests
        return len(self._requests) // _DIGEST_BYTES

    def _offsets(self, chunk: Chunk) -> bytes:
        body_end, row_end = self._ends
        lengths, offsets = array.array("I", chunk.lengths), array.array("Q")
        for body, row in zip(lengths[0::2], lengths[1::2], strict=True):
            body_end, row_end = body_end + body, row_end + row
            offsets.append(body_end)
            offsets.append(row_end)
        self._ends = [body_end, row_end]
        return offsets.tobytes()

    def totals(self) -> CorpusTotals:
        """Return digests and counts of all that was written."""
        families = Counter[str]()
        for (family, _), number in self._kinds.items():
            families[family] += self._counts[number]
        return CorpusTotals(
            self._rows.hexdigest(),
            self._content.hexdigest(),
            list(self._kinds),
            dict(sorted(families.items())),
            len(set(memoryview(self._requests).cast("Q"))),
        )
