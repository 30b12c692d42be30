"""Violations that are fired again at handlers in isolated environments: when do they show?"""

import pytest

from gatecrash.authorizers.contract import AuthorizerRequest, Demand, MqttContext, Outcome
from gatecrash.authorizers.service.front import HandlerSettings
from gatecrash.bench.bench import LaboratoryBench, OutOfBudgetError, Shot
from gatecrash.fuzzing.confirmation import Confirmer
from gatecrash.reports.oracles import rules
from gatecrash.reports.oracles.checks import Violation
from gatecrash.reports.oracles.findings import Classification
from gatecrash.reports.recording.records import CaseFacts

# What it gets wrong is told by the user name; it is wrong where it lets somebody in.
HANDLER = """
import fcntl, pathlib, random, time

COUNT, MET, LOCK = 0, set(), open(pathlib.Path(__file__).parent / "lock", "w")


def overlaps():
    try:
        fcntl.flock(LOCK, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return True
    time.sleep(0.005)
    fcntl.flock(LOCK, fcntl.LOCK_UN)
    return False


WRONG = {
    "always": lambda: True,
    "never": lambda: False,
    "one in ten": lambda: random.random() < 0.1,
    "cold": lambda: COUNT == 1,
    "after the first": lambda: COUNT > 1,
    "after fifty": lambda: COUNT > 50,
    "after poison": lambda: "poison" in MET,
    "after both": lambda: {"poison", "bait"} <= MET,
    "slow": lambda: time.sleep(1.1) or True,
    "overlapping": overlaps,
}


def handler(event, context):
    global COUNT
    COUNT += 1
    name = event["protocolData"]["mqtt"]["username"]
    wrong = WRONG.get(name, WRONG["never"])()
    MET.add(name)
    policy = {"Statement": [{"Effect": "Allow", "Action": "iot:Connect", "Resource": "*"}]}
    return {"isAuthenticated": wrong, "principalId": "me", "policyDocuments": [policy]}
"""
NAMES = ("other", "poison", "bait")


@pytest.fixture(scope="module")
def bench(tmp_path_factory):
    path = tmp_path_factory.mktemp("handler") / "authorizer.py"
    path.write_text(HANDLER)
    opened = LaboratoryBench(HandlerSettings(f"{path}:handler"))
    yield opened
    opened.close()


def confirmed(bench, name, before=(), likely=(), seconds=20.0):
    """Confirm what a user name shows; cases 1, 2, … are other user names, 0 is the one in question."""
    names = [name, *NAMES]
    case = CaseFacts(0, Demand.DENY, "family", "name", {}, {})
    violation = Violation(rules.FAIL_OPEN, "", case, 1, frozenset())
    confirmer = Confirmer(
        bench, lambda index: Shot(AuthorizerRequest(mqtt_context=MqttContext(username=names[index], password=b"x")))
    )
    return confirmer.confirm(violation, lambda answer: answer.outcome is Outcome.ALLOW, before, likely, seconds=seconds)


def told(found):
    return found.confirmation.classification


def test_what_always_shows_is_deterministic(bench):
    found = confirmed(bench, "always").confirmation
    assert (found.classification, found.violations, found.times) == (Classification.DETERMINISTIC, 15, 15)
    assert found.low < 0.8 < found.high == 1.0


def test_what_takes_seconds_is_not_fired_often(bench):
    found = confirmed(bench, "slow").confirmation
    assert (found.classification, found.violations, found.times) == (Classification.DETERMINISTIC, 2, 2)


def test_what_never_shows_was_not_seen_again(bench):
    assert told(confirmed(bench, "never", before=[1, 2, 3] * 10, likely=[(1,)], seconds=2)) is (
        Classification.NOT_SEEN_AGAIN
    )


def test_what_shows_now_and_then_is_flaky_with_its_share(bench):
    found = confirmed(bench, "one in ten").confirmation
    assert found.classification is Classification.FLAKY
    assert found.times >= 1000
    assert 0.05 < found.low < found.violations / found.times < found.high < 0.2


def test_what_shows_in_a_cold_start_alone(bench):
    assert told(confirmed(bench, "cold")) is Classification.COLD_START


def test_what_shows_in_every_invocation_but_the_first(bench):
    assert told(confirmed(bench, "after the first")) is Classification.COLD_START


def test_what_shows_after_many_invocations_says_after_how_many(bench):
    found = confirmed(bench, "after fifty").confirmation
    assert (found.classification, found.after) == (Classification.AFTER_MANY, 50)


def test_a_likely_setup_is_tried_first(bench):
    found = confirmed(bench, "after poison", likely=[(1,), (2,)])
    assert (told(found), found.setup, found.confirmation.violations) == (Classification.AFTER_ANOTHER, (2,), 5)


def test_a_history_comes_down_to_the_requests_that_it_takes(bench):
    found = confirmed(bench, "after both", before=[1, 1, 2, 1, 1, 3, 1, 1])
    assert (told(found), found.setup) == (Classification.AFTER_ANOTHER, (2, 3))


def test_what_shows_only_when_invocations_overlap(bench):
    found = confirmed(bench, "overlapping", seconds=12)
    assert told(found) is Classification.UNDER_LOAD
    assert 0 < found.confirmation.violations <= found.confirmation.times


def test_a_spent_budget_is_no_error(bench):
    class Spent:
        """A bench whose budget is spent."""

        isolated, requests = True, 0

        def fire(self, shots):
            raise OutOfBudgetError

    assert told(confirmed(Spent(), "always")) is Classification.NOT_SEEN_AGAIN


def test_the_usual_answer_is_that_of_a_fresh_environment(bench):
    confirmer = Confirmer(
        bench, lambda _: Shot(AuthorizerRequest(mqtt_context=MqttContext(username="after poison", password=b"x")))
    )
    assert confirmer.usual_answer(0) == confirmer.usual_answer(0)
