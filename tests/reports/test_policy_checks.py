import pytest

from gatecrash.authorizers.contract import AuthorizerRequest, Demand
from gatecrash.authorizers.redact import secrets_of
from gatecrash.reports.oracles import checks
from gatecrash.reports.recording.ledger import Ledger
from gatecrash.reports.recording.records import CaseFacts, Exchange
from tests.reports.samples import allow, codes, decision, deny, exchange, policy, statement

ONE, TWO = policy(statement("client/one")), policy(statement("client/two"))
WIDE = policy(statement("client/*"))


def case(demand, *attacks, identity=1, carrier="http", family="family", open_rights=False, weakness=""):
    return {
        "demand": demand,
        "attacks": attacks,
        "identity": identity,
        "carrier": carrier,
        "family": family,
        "open_rights": open_rights,
        "weakness": weakness,
    }


VALID_ONE, VALID_TWO = case(Demand.ALLOW), case(Demand.ALLOW, identity=2)


def found(*rows, phases=()):
    """Judge cases, each given with the policies that its answers have; a finished answer stands for itself."""
    ledger, known = Ledger(), {}
    for index, (members, *answers) in enumerate(rows):
        known[index] = CaseFacts(index=index, name="name", request={}, reproducer={}, **members)
        for number, answer in enumerate(answers):
            made = allow(answer) if isinstance(answer, str) else answer
            phase = phases[number] if index == 0 and phases else ""
            ledger.add_exchange(Exchange(index, 0.0, 0.0, 0.1, made, False, 1.0, 0, phase), tuple)
    return checks.judge(ledger, known.__getitem__)


def test_devices_with_rights_of_their_own_are_right():
    assert found((VALID_ONE, ONE), (VALID_TWO, TWO)) == []


def test_a_valid_request_with_a_wide_policy_is_told_once_for_all():
    (wide,) = found((VALID_ONE, WIDE), (VALID_TWO, WIDE))
    assert (wide.rule.code, wide.cases, wide.cause) == ("GC601", 2, "")


def test_of_an_unknown_device_a_wide_policy_is_told():
    assert codes(found((case(Demand.ANY, identity=None), WIDE))) == ["GC601"]


def test_a_valid_request_with_anothers_rights_is_foreign():
    (mixed,) = [one for one in found((VALID_ONE, ONE, ONE, TWO), (VALID_TWO, TWO)) if one.rule.code == "GC602"]
    assert mixed.exchanges == 1


def test_a_disagreement_names_the_rarer_policy_and_no_cause():
    findings = found((VALID_ONE, ONE, ONE, TWO), (VALID_TWO, TWO))
    (changed,) = [one for one in findings if one.rule.code == "GC402"]
    assert (changed.cause, changed.exchanges, changed.sentence) == ("", 1, "GC402 same request, different policy")


def test_where_an_answer_came_alone_it_shows_what_is_usual():
    rows = ((VALID_ONE, ONE, TWO, TWO), (VALID_TWO, TWO))
    assert "GC602" not in codes(found(*rows))
    assert "GC602" in codes(found(*rows, phases=("alone", "", "")))


def test_a_client_id_of_an_asterisk_that_widens_the_policy_is_an_injection():
    asterisk = case(Demand.DENY, "mqtt_client_id/wildcard", family="mqtt_client_id", weakness="a name is a pattern")
    findings = found((VALID_ONE, ONE), (asterisk, WIDE))
    assert codes(findings) == ["GC101", "GC604"]
    assert {one.cause for one in findings} == {"a name is a pattern"}


def test_where_valid_requests_have_a_wide_policy_too_nothing_was_injected():
    attacked = case(Demand.ANY, "family/change")
    assert codes(found((VALID_ONE, WIDE), (attacked, WIDE))) == ["GC601"]


def test_an_attack_that_gets_another_devices_rights_is_foreign():
    attacked = case(Demand.ANY, "family/change")
    assert codes(found((VALID_ONE, ONE), (VALID_TWO, TWO), (attacked, TWO))) == ["GC602"]


def test_an_attack_that_may_rightly_get_another_devices_rights_is_not():
    attacked = case(Demand.ANY, "family/change", open_rights=True)
    assert found((VALID_ONE, ONE), (VALID_TWO, TWO), (attacked, TWO)) == []


def test_an_attack_that_is_let_in_is_told_as_that_and_not_as_foreign():
    attacked = case(Demand.DENY, "family/change")
    assert codes(found((VALID_ONE, ONE), (VALID_TWO, TWO), (attacked, TWO))) == ["GC101"]


@pytest.mark.parametrize("demand", [Demand.ANY, Demand.DENY, Demand.ALLOW])
def test_a_denial_with_a_policy_that_allows_is_told_whatever_was_asked(demand):
    answer = deny()
    carrying = type(answer)(answer.outcome, decision(ONE, authenticated=False))
    assert "GC603" in codes(found((case(demand, "family/change"), carrying)))
    harmless = decision(policy(statement("client/one", Effect="Deny")), authenticated=False)
    assert "GC603" not in codes(found((case(demand, "family/change"), type(answer)(answer.outcome, harmless))))


def test_an_equivalent_request_must_get_the_same_rights():
    same = case(Demand.SAME, "http_header/case")
    other = policy(statement("client/one"), statement("topic/one", Action="iot:Publish"))
    assert found((VALID_ONE, ONE), (same, ONE)) == []
    assert codes(found((VALID_ONE, ONE), (same, other))) == ["GC501"]
    spelled = policy(statement("client/one", Sid="x"), indent=2)
    assert found((VALID_ONE, ONE), (same, spelled)) == []


def test_an_equivalent_request_is_compared_with_its_own_carrier_only():
    same = case(Demand.SAME, "http_header/case")
    by_password = case(Demand.ALLOW, carrier="mqtt")
    assert found((by_password, policy(statement("client/one"), statement("client/uno"))), (same, ONE)) == []


def test_where_valid_requests_disagree_there_is_nothing_to_compare_with():
    same = case(Demand.SAME, "http_header/case")
    again = policy(statement("client/one"), statement("client/uno"))
    assert found((VALID_ONE, ONE), (VALID_ONE, again), (same, ONE)) == []


def test_a_policy_bound_by_variables_is_not_wide():
    assert found((VALID_ONE, policy(statement("client/${iot:ClientId}")))) == []


def test_a_secret_in_a_policy_is_hidden_without_becoming_a_wildcard():
    request = AuthorizerRequest(token="secret-of-one")
    ledger = Ledger()
    answer = allow(policy(statement("client/secret-of-one")))
    ledger.add_exchange(exchange(answer), lambda: secrets_of(request))
    valid = CaseFacts(index=0, name="name", request={}, reproducer={}, **VALID_ONE)
    assert checks.judge(ledger, lambda index: valid) == []
    kept = b"".join(ledger.pieces()).decode()
    assert "secret-of-one" not in kept
    assert "(hidden " in kept
    assert "*" not in kept
