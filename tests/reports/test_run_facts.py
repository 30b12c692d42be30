"""What run.json and a plan tell of a run, written and read again."""

from dataclasses import replace

import pytest

from gatecrash.reports.capacity.objectives import Objectives
from gatecrash.reports.plan.facts import (
    Fleet,
    PlanFacts,
    RunInfo,
    SearchLimits,
    SearchPlan,
    SearchRates,
    Stage,
    TargetFacts,
)
from gatecrash.reports.plan.plan import Plan
from tests.reports.samples import INFO

STAGES = (Stage("before", 10.0, 5.0), Stage("spike", 100.0, 2.0))
SEARCH = SearchPlan(
    Objectives(latency=0.1), SearchRates(20.0, None, 5.0, 6.0, 2.0, 0.15), SearchLimits(60.0, None), users_least=50
)
PLANS = [
    Plan("runs/x", "corpus", {"kind": "scripted"}, info=INFO),
    Plan("runs/x", "corpus", {}, stages=STAGES, info=replace(INFO, plan=PlanFacts(2, "spike", Fleet(3, 2, 1)))),
    Plan("runs/x", "corpus", {}, capacity=SEARCH, users=70, info=replace(INFO, plan=PlanFacts(1, "capacity"))),
]


@pytest.mark.parametrize("plan", PLANS)
def test_a_plan_and_what_run_json_tells_of_it_are_read_as_they_were_written(plan):
    assert Plan.from_json(plan.to_json()) == plan
    info = replace(plan.info, plan=plan.facts)
    assert RunInfo.from_json(info.to_json()) == info


def test_a_plan_that_says_nothing_of_a_start_is_read():
    plan, value = PLANS[0], PLANS[0].to_json()
    told = {name: value["info"][name] for name in ("name", "seed", "plan", "target", "corpus", "versions", "settings")}
    assert Plan.from_json({**value, "info": told}) == replace(plan, info=replace(INFO, started_at=""))


def test_what_a_search_has_stands_beside_the_rest_of_its_load():
    value = PLANS[2].facts.to_json()
    assert value["scenario"] == "capacity"
    assert value["search"]["start_rate"] == 20.0
    assert {name for name in value if value[name] is None} == {"at_least"}
    assert not {"rate", "patience", "stages"} & value.keys()


def test_only_what_a_target_of_its_kind_says_is_told():
    assert TargetFacts("scripted", script={}).to_json() == {"kind": "scripted", "script": {}}
    assert TargetFacts("lambda", function="f").to_json() == {
        "kind": "lambda",
        "function": "f",
        "region": None,
        "endpoint": None,
    }
