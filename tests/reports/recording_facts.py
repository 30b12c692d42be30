"""What a recording says, in a form in which two of them can be compared."""

import json
from typing import Any

from gatecrash.reports.recording.sightings import Sighting


def facts_of(sighting: Sighting) -> dict[str, Any]:
    """Return all that a sighting says, sets sorted."""
    traits = {name: sorted(it) if isinstance(it, frozenset) else it for name, it in sighting.traits._asdict().items()}
    del traits["lifetimes"]
    return {
        **traits,
        "identity": sighting.identity,
        "count": sighting.count,
        "first": sighting.first,
        "last": sighting.last,
        "cold_starts": sighting.cold_starts,
        "phases": dict(sighting.phases),
    }


def told(recording, *, workers=False):
    """Return all that a recording says, but for which worker saw what, and what depends on the order of seeing.

    That is the order of a case's answers, and which of several answers that mean the same is the sample: principals,
    lifetimes and spellings may differ.
    """
    value = json.loads(b"".join(recording.pieces()))
    ledger = recording.ledger
    samples = {identity: (one["outcome"], one["cause"]) for identity, one in ledger.samples.items()}
    cases = {}
    for index, entry in ledger:
        sightings = sorted(map(facts_of, entry.sightings), key=lambda one: one["identity"])
        for sighting in () if workers else sightings:
            del sighting["workers"]
        cases[index] = (entry.principals, entry.lifetimes, entry.uncounted, sightings)
    return {**value, "ledger": (samples, cases)}
