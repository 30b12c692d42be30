"""The fleet of a spike: as many devices and cases as come back, and what it came to."""

from __future__ import annotations

from math import ceil
from typing import Any, Final

from gatecrash.generators.cases import VALID_FAMILY
from gatecrash.generators.corpus import Corpus
from gatecrash.generators.credentials import open_profile
from gatecrash.generators.credentials.base import IDENTITIES_DEFAULT
from gatecrash.generators.credentials.opening import MINTED
from gatecrash.settings.settings import Settings, credential_settings

IN_TURN: Final = "in_turn"


def with_fleet(settings: Settings) -> Settings:
    """Return settings with a device and a case for each arrival of the fleet, where they don't say otherwise.

    A table and a credential file have the devices that they have: more cases than these aren't made. Raises UsageError
    when the credentials can't be opened.
    """
    credentials, corpus, fleet = settings.credentials, settings.corpus, settings.spike.fleet
    if credentials.kind is None:
        return settings
    if credentials.kind in MINTED and credentials.identities is None:
        credentials = credentials.model_copy(update={"identities": max(IDENTITIES_DEFAULT, fleet)})
    settings = settings.model_copy(update={"credentials": credentials})
    changes: dict[str, Any] = {}
    if corpus.devices is None:
        changes["devices"] = IN_TURN
    if "cases" not in corpus.model_fields_set:
        devices = open_profile(credential_settings(settings), settings.authorizer.token_key_name).identities
        changes["cases"] = max(corpus.cases, min(fleet, devices))
    return settings.model_copy(update={"corpus": corpus.model_copy(update=changes)})


def fleet_facts(settings: Settings, corpus: Corpus) -> dict[str, int]:
    """Return of how many ``devices`` and distinct ``requests`` a fleet is, and how many of its arrivals are attacks."""
    spike, load = settings.spike, settings.load
    # The schedule numbers its arrivals from one rate to the next, and a number's case is its remainder.
    first = ceil(load.rate * load.warm_up) + ceil(load.rate * spike.before)
    cases = [(first + place) % len(corpus) for place in range(min(spike.fleet, len(corpus)))]
    kinds = (corpus.family_and_expectation(cases[place % len(cases)]) for place in range(spike.fleet))
    return {
        "devices": len({corpus.meta(case).recipe["identity"] for case in cases}),
        "requests": len({hash(corpus.body(case)) for case in cases}),
        "attacks": sum(family != VALID_FAMILY for family, _ in kinds),
    }
