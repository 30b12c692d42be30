"""The coverage matrix: which attack families were fired by which carrier, and why the others were not."""

from __future__ import annotations

from collections import Counter

from gatecrash.bench.bench import Bench, Shots
from gatecrash.generators.attacks import FAMILIES, Family
from gatecrash.generators.credentials.credential import CredentialProfile
from gatecrash.reports.recording.ledger import Ledger
from gatecrash.reports.run.campaign import CoverageRow


def coverage(ledger: Ledger, shots: Shots, bench: Bench, *, broken: bool) -> list[CoverageRow]:
    """Return a row for each attack family and carrier; a ``broken`` target was not attacked at all."""
    fired: Counter[tuple[str, str]] = Counter()
    built: Counter[tuple[str, str]] = Counter()
    for index in range(len(shots.corpus)):
        meta = shots.meta(index)
        keys = [str(key) for key, _ in meta.recipe["mutations"]]
        for name in {key.partition("/")[0] for key in keys}:
            built[name, meta.recipe["carrier"]] += 1
            if ledger.entry(index).sightings:
                fired[name, meta.recipe["carrier"]] += 1
    left_out = "the controls failed before it" if broken else "there was no time or budget left for it"
    profile, rows = shots.maker.profile, []
    for family in FAMILIES:
        for carrier in profile.carriers:
            place = (family.name, carrier)
            reason = "" if fired[place] else _reason(family, built[place], bench, profile, left_out)
            rows.append(CoverageRow(*place, fired[place], reason))
    return rows


def _reason(family: Family, built: int, bench: Bench, profile: CredentialProfile, left_out: str) -> str:
    applying = [attack for attack in family.attacks if attack.applies(profile)]
    if not applying:
        return f"is made for other credentials than {profile.kind}"
    if not built:
        return "would change nothing here"
    if all(attack.view and not bench.can_fire(attack.view) for attack in applying):
        return "needs settings of the authorizer that only a Python handler can be tried with"
    return left_out
