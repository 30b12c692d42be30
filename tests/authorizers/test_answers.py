"""What a Lambda function's answer becomes, by the service's checks in its order."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gatecrash.authorizers.answers import SERIALISED_ANSWER, decision_from_payload, handler_failed, outcome_of
from gatecrash.authorizers.contract import AuthorizerRequest, Decision, MqttContext, Outcome
from gatecrash.authorizers.errors import InvalidResponseError

ALLOWING = '{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"iot:*","Resource":"*"}]}'
GOOD = {
    "isAuthenticated": True,
    "principalId": "device1",
    "policyDocuments": [ALLOWING],
    "refreshAfterInSeconds": 600,
    "disconnectAfterInSeconds": 3600,
}
FORMAT = "Lambda invocation result is in invalid format"
PRINCIPAL = "at principalId failed to satisfy constraint: Member must satisfy ([a-zA-Z0-9]){1,128}"
POLICIES = "policyDocuments failed to satisfy constraint:"
NULL_LIST = f"{POLICIES} List of policies cannot be null."
TOO_MANY = f"{POLICIES} Number of policies allowed cannot exceed 10"
TOO_LARGE = f"{POLICIES} Size of a policy document cannot exceeds hard limit of 2048"
MALFORMED = f"{POLICIES} Policy document is Malformed: Invalid policy syntax."
LIFETIME = "failed to satisfy constraint: Member must be greater than 5 minutes and less than 24 hours."

WRONG_PRINCIPAL = {"principalId": "bad-principal!"}
NO_LIST = {"policyDocuments": "x"}
ELEVEN = {"policyDocuments": ["x" * 3000] * 11}
LARGE = {"policyDocuments": ["x" * 2049]}
NO_POLICY = {"policyDocuments": ["x"]}
REFRESH = {"refreshAfterInSeconds": 299}
DISCONNECT = {"disconnectAfterInSeconds": 86401}


def payload(**changes):
    return json.dumps(GOOD | changes).encode()


def message_for(data):
    with pytest.raises(InvalidResponseError) as caught:
        decision_from_payload(data)
    return caught.value.message


@pytest.mark.parametrize(
    "data",
    [
        *[b"", b"nonsense", b"null", b"5", b"[]", b"{}", b"\xff", b'{"isAuthenticated": true} x', b"NaN"],
        b'{"principalId": "device1", "policyDocuments": []}',
        *[payload(isAuthenticated=value) for value in (None, "true", 1, 0, [], {})],
    ],
)
def test_an_answer_needs_a_boolean_is_authenticated(data):
    assert message_for(data) == FORMAT


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        *[(None, "null"), ("bad-principal!", "bad-principal!"), ("", ""), ("a" * 129, "a" * 129), ("é1", "é1")],
        *[(5, "5"), (True, "true"), (["a"], '["a"]'), ({"a": 1}, '{"a":1}'), ("device1\n", "device1\n")],
    ],
)
def test_a_principal_is_1_to_128_ascii_letters_and_digits(value, shown):
    assert message_for(payload(principalId=value)) == f"{shown} {PRINCIPAL}"


def test_a_principal_that_is_absent_is_null():
    assert message_for(b'{"isAuthenticated": true}') == f"null {PRINCIPAL}"


@pytest.mark.parametrize("principal", ["a", "Z9", "a" * 128])
def test_a_good_principal_is_kept(principal):
    assert decision_from_payload(payload(principalId=principal))[0].principal_id == principal


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"policyDocuments": None}, NULL_LIST),
        (NO_LIST, NULL_LIST),
        ({"policyDocuments": {}}, NULL_LIST),
        (ELEVEN, TOO_MANY),
        (LARGE, TOO_LARGE),
        ({"policyDocuments": [{"a": "x" * 2041}]}, TOO_LARGE),
        ({"policyDocuments": ["😀" * 1025]}, TOO_LARGE),
        (NO_POLICY, MALFORMED),
        ({"policyDocuments": [""]}, MALFORMED),
        ({"policyDocuments": ["[]"]}, MALFORMED),
        ({"policyDocuments": [None]}, MALFORMED),
        ({"policyDocuments": [5]}, MALFORMED),
        ({"policyDocuments": [ALLOWING, "{"]}, MALFORMED),
        (REFRESH, f"299 at refreshAfterInSeconds {LIFETIME}"),
        ({"refreshAfterInSeconds": 86401}, f"86401 at refreshAfterInSeconds {LIFETIME}"),
        ({"refreshAfterInSeconds": 0}, f"0 at refreshAfterInSeconds {LIFETIME}"),
        ({"refreshAfterInSeconds": -300}, f"-300 at refreshAfterInSeconds {LIFETIME}"),
        ({"refreshAfterInSeconds": 10**30}, f"{10**30} at refreshAfterInSeconds {LIFETIME}"),
        (DISCONNECT, f"86401 at disconnectAfterInSeconds {LIFETIME}"),
        ({"disconnectAfterInSeconds": 299}, f"299 at disconnectAfterInSeconds {LIFETIME}"),
    ],
)
def test_a_broken_rule_has_the_services_message(changes, message):
    assert message_for(payload(**changes)) == message


ORDERED = [
    (WRONG_PRINCIPAL, f"bad-principal! {PRINCIPAL}"),
    (NO_LIST, NULL_LIST),
    (ELEVEN, TOO_MANY),
    (LARGE, TOO_LARGE),
    (NO_POLICY, MALFORMED),
    (REFRESH, f"299 at refreshAfterInSeconds {LIFETIME}"),
    (DISCONNECT, f"86401 at disconnectAfterInSeconds {LIFETIME}"),
]


@pytest.mark.parametrize("first", range(len(ORDERED)))
def test_of_several_broken_rules_the_first_in_the_services_order_is_told(first):
    changes = {}
    for broken, _ in reversed(ORDERED[first:]):
        changes |= broken
    assert message_for(payload(**changes)) == ORDERED[first][1]


def test_a_bare_refusal_is_no_valid_answer():
    assert message_for(b'{"isAuthenticated": false}') == f"null {PRINCIPAL}"
    assert message_for(b'{"isAuthenticated": false, "principalId": "x"}') == NULL_LIST


def test_a_complete_refusal_is_a_decision():
    decision, notes = decision_from_payload(b'{"isAuthenticated":false,"principalId":"x","policyDocuments":[]}')
    assert decision == Decision(False, "x", (), 300, 86400)
    assert notes == ()


def test_a_policy_given_as_text_is_kept_as_it_is():
    spaced = '{ "Statement" : [ ] }'
    assert decision_from_payload(payload(policyDocuments=[spaced]))[0].policy_documents == (spaced,)


def test_a_policy_given_as_an_object_becomes_compact_json_in_its_own_order():
    found = decision_from_payload(payload(policyDocuments=[{"Version": "v", "Statement": [], "A": "é"}]))
    assert found[0].policy_documents == ('{"Version":"v","Statement":[],"A":"é"}',)


def test_ten_documents_of_2048_characters_are_allowed():
    text = json.dumps({"a": "x" * 2039})
    assert len(text) == 2048
    assert decision_from_payload(payload(policyDocuments=[text] * 10))[0].policy_documents == (text,) * 10


@pytest.mark.parametrize("name", ["refreshAfterInSeconds", "disconnectAfterInSeconds"])
@pytest.mark.parametrize("seconds", [300, 301, 86399, 86400])
def test_the_bounds_of_a_lifetime_belong_to_it(name, seconds):
    decision, _ = decision_from_payload(payload(**{name: seconds}))
    kept = {
        "refreshAfterInSeconds": decision.refresh_after_in_seconds,
        "disconnectAfterInSeconds": decision.disconnect_after_in_seconds,
    }
    assert kept == {"refreshAfterInSeconds": 600, "disconnectAfterInSeconds": 3600} | {name: seconds}


@pytest.mark.parametrize("absent", [True, False])
def test_a_lifetime_that_is_absent_or_null_has_its_default(absent):
    answer = GOOD | {"refreshAfterInSeconds": None, "disconnectAfterInSeconds": None}
    if absent:
        del answer["refreshAfterInSeconds"], answer["disconnectAfterInSeconds"]
    decision, _ = decision_from_payload(json.dumps(answer).encode())
    assert (decision.refresh_after_in_seconds, decision.disconnect_after_in_seconds) == (300, 86400)


@pytest.mark.parametrize("value", ["600", 600.5, True, []])
def test_a_lifetime_that_is_no_whole_number_is_an_invalid_format(value):
    assert message_for(payload(refreshAfterInSeconds=value)) == FORMAT


def test_more_members_are_tolerated():
    decision, notes = decision_from_payload(payload(context={"a": 1}, password="x"))
    assert (decision.principal_id, notes) == ("device1", ())


def test_an_answer_serialised_to_a_text_is_taken_and_remarked_on():
    plain, _ = decision_from_payload(payload())
    assert decision_from_payload(json.dumps(payload().decode()).encode()) == (plain, (SERIALISED_ANSWER,))


@pytest.mark.parametrize("answer", ["", "x", "[]", json.dumps(json.dumps(GOOD)), "\ud800"])
def test_a_text_that_holds_no_answer_is_an_invalid_format(answer):
    assert message_for(json.dumps(answer).encode()) == FORMAT


@pytest.mark.parametrize("depth", [100, 300, 980, 1000, 1015, 100_000])
@pytest.mark.parametrize("member", ["principalId", "policyDocuments"])
def test_deep_nesting_is_a_broken_rule_and_no_crash(member, depth):
    nested = "[" * depth + "]" * depth
    data = payload().decode().replace(json.dumps(GOOD[member]), nested, 1).encode()
    assert message_for(data).startswith((FORMAT, "[[", POLICIES))


@pytest.mark.parametrize("member", ["principalId", "policyDocuments", "refreshAfterInSeconds"])
def test_a_number_too_large_for_a_float_is_an_invalid_format(member):
    data = payload(**{member: "NUMBER"}).decode().replace('"NUMBER"', "1e999").encode()
    assert message_for(data) == FORMAT


ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=3), inner, max_size=2),
    max_leaves=4,
)


@given(st.fixed_dictionaries({}, optional=dict.fromkeys(GOOD, ANYTHING)))
def test_any_answer_is_a_decision_within_the_contract_or_the_services_error(changes):
    try:
        decision, _ = decision_from_payload(json.dumps(GOOD | changes).encode())
    except InvalidResponseError:
        return
    assert 1 <= len(decision.principal_id) <= 128
    assert len(decision.policy_documents) <= 10
    assert all(isinstance(json.loads(text), dict) for text in decision.policy_documents)
    assert 300 <= decision.refresh_after_in_seconds <= 86400
    assert 300 <= decision.disconnect_after_in_seconds <= 86400


def test_a_handlers_failure_has_the_services_words():
    error = handler_failed("division by zero", "ZeroDivisionError")
    assert error.message == "Lambda function encountered error in execution: division by zero: ZeroDivisionError"
    assert (error.code, error.status) == ("InvalidResponseException", 400)


@pytest.mark.parametrize(
    ("authenticated", "resource", "client_id", "outcome"),
    [
        (False, "*", "device-1", Outcome.DENY),
        (True, "*", "device-1", Outcome.ALLOW),
        (True, "arn:aws:iot:r:1:client/device-1", "device-1", Outcome.ALLOW),
        (True, "arn:aws:iot:r:1:client/device-2", "device-1", Outcome.REFUSED_BY_POLICY),
        (True, "arn:aws:iot:r:1:client/device-2", None, Outcome.ALLOW),
        (True, None, "device-1", Outcome.REFUSED_BY_POLICY),
        (True, None, None, Outcome.REFUSED_BY_POLICY),
    ],
)
def test_a_decision_is_judged_as_a_device_meets_it(authenticated, resource, client_id, outcome):
    statement = {"Effect": "Allow", "Action": "iot:Connect", "Resource": resource}
    documents = (json.dumps({"Statement": [statement]}),) if resource else ()
    request = AuthorizerRequest(mqtt_context=MqttContext(client_id=client_id))
    assert outcome_of(request, Decision(authenticated, "x", documents, 300, 300)) is outcome
