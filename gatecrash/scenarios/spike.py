"""The scenario spike: a whole fleet of devices comes back at once."""

from __future__ import annotations

from dataclasses import replace
from math import ceil
from pathlib import Path
from typing import Any, Final

from gatecrash.authorizers.errors import UsageError
from gatecrash.generators.cases import VALID_FAMILY
from gatecrash.generators.corpus import Corpus
from gatecrash.generators.credentials import open_profile
from gatecrash.generators.credentials.credential import IDENTITIES_DEFAULT
from gatecrash.generators.credentials.from_settings import MINTED
from gatecrash.planning.load import Load
from gatecrash.reports.plan.facts import Fleet, Stage
from gatecrash.reports.plan.plan import CLOSED, Plan
from gatecrash.reports.words.spelling import plural
from gatecrash.scenarios.scenario import Scenario
from gatecrash.settings.settings import Settings, credential_settings

_SLOTS: Final = 1_000
_IN_TURN: Final = "in_turn"


class SpikeScenario(Scenario):
    """A fleet that comes back at once, at a steady rate before and after.

    Making one raises UsageError for credentials that can't be opened, too.
    """

    name = "spike"

    def __init__(self, settings: Settings) -> None:
        if settings.load.model == CLOSED:
            raise UsageError("load.model is closed, but a spike is an open schedule: leave load.model out")
        spike, load = settings.spike, settings.load
        super().__init__(with_fleet(settings), spike.before + spike.within + spike.after)
        self._slots = max(load.users, min(_SLOTS, spike.fleet))
        self.highest_rate = max(load.rate, spike.fleet / spike.within)
        calls = round(load.rate * (load.warm_up + spike.before + spike.after)) + spike.fleet
        self.load = Load(calls, self.highest_rate, str(calls), self._slots)

    def plan(self, corpus: Corpus, run_folder: Path) -> Plan:
        """Return the plan by which it fires a corpus."""
        plan, spike = super().plan(corpus, run_folder), self.settings.spike
        stages = (
            Stage("before", plan.rate, spike.before),
            Stage("spike", spike.fleet / spike.within, spike.within),
            Stage("after", plan.rate, spike.after),
        )
        facts = replace(plan.info.plan, fleet=fleet_of(self.settings, corpus))
        return replace(plan, stages=stages, users=self._slots, info=replace(plan.info, plan=facts))

    def opening(self, plan: Plan) -> str:
        """Say how a plan of this scenario fires."""
        spike, fleet = self.settings.spike, plan.info.plan.fleet
        devices = plural(fleet.devices if fleet is not None else 0, "device")
        return (
            f"Firing  {spike.fleet:,.0f} connections of {devices} within {spike.within:g} s, and {plan.rate:g} "
            "arrivals/s before and after,"
        )


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
        changes["devices"] = _IN_TURN
    if "cases" not in corpus.model_fields_set:
        devices = open_profile(credential_settings(settings), settings.authorizer.token_key_name).identities
        changes["cases"] = max(corpus.cases, min(fleet, devices))
    return settings.model_copy(update={"corpus": corpus.model_copy(update=changes)})


def fleet_of(settings: Settings, corpus: Corpus) -> Fleet:
    """Return what the fleet of a spike comes to with a corpus."""
    spike, load = settings.spike, settings.load
    # The schedule numbers its arrivals from one rate to the next, and a number's case is its remainder.
    first = ceil(load.rate * load.warm_up) + ceil(load.rate * spike.before)
    cases = [(first + place) % len(corpus) for place in range(min(spike.fleet, len(corpus)))]
    kinds = (corpus.family_and_expectation(cases[place % len(cases)]) for place in range(spike.fleet))
    return Fleet(
        devices=len({corpus.meta(case).recipe["identity"] for case in cases}),
        requests=len({hash(corpus.body(case)) for case in cases}),
        attacks=sum(family != VALID_FAMILY for family, _ in kinds),
    )
