"""Policies: which spellings are the same policy, and what a policy allows."""

import json
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gatecrash.authorizers.policy import allows, allows_anything, canonical, grants, lets_connect, statements

ARN = "arn:aws:iot:us-east-1:123456789012"


def document(*found, **members):
    return json.dumps({"Version": "2012-10-17", "Statement": list(found), **members})


def statement(effect="Allow", action="iot:Connect", resource=f"{ARN}:client/device-1", **members):
    return {"Effect": effect, "Action": action, "Resource": resource, **members}


CONNECT = statement()
PUBLISH = statement(action=["iot:Publish", "iot:Receive"], resource=[f"{ARN}:topic/a", f"{ARN}:topic/b"])


@pytest.mark.parametrize(
    "spelling",
    [
        (document(PUBLISH, CONNECT),),
        (document(CONNECT), document(PUBLISH)),
        (document(PUBLISH), document(CONNECT)),
        (document(CONNECT, PUBLISH, CONNECT),),
        (document({**CONNECT, "Sid": "one"}, PUBLISH),),
        (document({**CONNECT, "Action": ["iot:Connect"], "Resource": [CONNECT["Resource"]]}, PUBLISH),),
        (document(CONNECT, {**PUBLISH, "Action": ["iot:Receive", "iot:Publish"]}),),
        (document({**CONNECT, "Action": "IOT:connect"}, PUBLISH),),
        (json.dumps(json.loads(document(CONNECT, PUBLISH)), indent=3),),
        (document(dict(reversed(CONNECT.items())), PUBLISH),),
    ],
    ids=[
        *("order", "two documents", "order of documents", "a repeated statement", "Sid", "list of one"),
        *("order within a list", "case of actions", "white space", "order of members"),
    ],
)
def test_spellings_of_one_policy_are_equal(spelling):
    assert canonical(spelling) == canonical((document(CONNECT, PUBLISH),))


@pytest.mark.parametrize(
    "other",
    [
        statement(resource=f"{ARN}:client/device-2"),
        statement(resource=f"{ARN}:client/Device-1"),
        statement(effect="Deny"),
        statement(action="iot:Publish"),
        statement(Condition={"Bool": {"iot:Connection.Thing.IsAttached": ["true"]}}),
        {"Effect": "Allow", "NotAction": "iot:Connect", "Resource": CONNECT["Resource"]},
        {"Effect": "Allow", "Action": "iot:Connect", "NotResource": CONNECT["Resource"]},
        statement(resource=[CONNECT["Resource"], "*"]),
    ],
    ids=["resource", "case of resource", "effect", "action", "condition", "NotAction", "NotResource", "more resources"],
)
def test_another_meaning_is_another_policy(other):
    assert canonical((document(other),)) != canonical((document(CONNECT),))


def test_a_malformed_document_equals_only_itself():
    assert canonical(("{",)) == canonical(("{",))
    assert canonical(("{",)) != canonical(("[",))
    assert canonical(("{",)) != canonical(())


@pytest.mark.parametrize("depth", [200, 600, 985, 1015, 2000])
def test_deeply_nested_policies_have_a_canonical_form_too(depth):
    nested = f'{{"Statement":[{{"Effect":"Allow","Condition":{"[" * depth}{"]" * depth}}}]}}'
    assert canonical((nested,)) == canonical((nested,))
    assert canonical((nested,)) != canonical((nested.replace("Allow", "Deny"),))


@pytest.mark.parametrize("text", ["", "x", "[]", '"x"', "null", '{"Statement": 5}', '{"Statement": ["x"]}', "\ud800"])
def test_a_document_that_is_no_policy_allows_nothing(text):
    assert statements(text) is None
    assert not allows([text], "iot:Connect", "client/a", {})
    assert not lets_connect([text], None)


def test_a_policy_without_statements_allows_nothing():
    assert statements("{}") == []
    assert not allows(["{}"], "iot:Connect", "client/a", {})


def test_a_single_statement_may_stand_without_a_list():
    assert allows([json.dumps({"Statement": CONNECT})], "iot:Connect", "client/device-1", {})


def test_a_malformed_document_takes_nothing_from_the_others():
    assert allows(["{", document(CONNECT)], "iot:Connect", "client/device-1", {})


@pytest.mark.parametrize(
    ("pattern", "resource", "matches"),
    [
        ("client/device-1", "client/device-1", True),
        ("client/device-1", "client/device-12", False),
        ("client/device-1", "client/Device-1", False),
        ("client/*", "client/", True),
        ("client/*", "client/a/b\nc", True),
        ("client/d*-1", "client/device-1", True),
        ("client/device-?", "client/device-1", True),
        ("client/device-?", "client/device-", False),
        ("client/device-?", "client/device-12", False),
        ("*", "client/x", True),
        ("topic/a/+", "topic/a/b", False),
        ("topic/a/+", "topic/a/+", True),
        ("topic/#", "topic/a", False),
        ("topic/#", "topic/#", True),
        ("client/a.c", "client/abc", False),
        ("client/[a]", "client/a", False),
        ("client/${iot:ClientId}", "client/me", True),
        ("client/${iot:ClientId}", "client/you", False),
        ("client/${iot:ClientId}-x", "client/me-x", True),
        ("client/${iot:Unknown}", "client/", False),
        ("client/${iot:Unknown}", "client/${iot:Unknown}", False),
        ("client/${*}", "client/*", True),
        ("client/${*}", "client/x", False),
        ("client/${?}", "client/?", True),
        ("client/${?}", "client/x", False),
        ("client/${$}{x}", "client/${x}", True),
        ("client/${iot:ClientId", "client/${iot:ClientId", True),
    ],
)
def test_what_a_resource_pattern_matches(pattern, resource, matches):
    policy = document(statement(resource=f"{ARN}:{pattern}"))
    assert allows([policy], "iot:Connect", resource, {"iot:ClientId": "me"}) is matches


def test_a_variables_value_is_no_pattern():
    policy = document(statement(resource=f"{ARN}:client/${{iot:ClientId}}"))
    assert not allows([policy], "iot:Connect", "client/abc", {"iot:ClientId": "a*"})
    assert allows([policy], "iot:Connect", "client/a*", {"iot:ClientId": "a*"})


@pytest.mark.parametrize(
    ("resource", "matches"),
    [
        ("*", True),
        ("client/device-1", False),
        ("arn:aws:iot:us-east-1:client/device-1", False),
        ("urn:aws:iot:us-east-1:123456789012:client/device-1", False),
        ("arn:aws-cn:iot:cn-north-1:1:client/device-1", True),
        ("", False),
        (None, False),
        (5, False),
        ({"a": 1}, False),
        ([], False),
        ([None, f"{ARN}:client/device-1"], True),
    ],
)
def test_which_resources_are_arns(resource, matches):
    assert allows([document(statement(resource=resource))], "iot:Connect", "client/device-1", {}) is matches


@pytest.mark.parametrize(
    ("action", "matches"),
    [
        *[("iot:Connect", True), ("IOT:CONNECT", True), ("iot:*", True), ("iot:Con*", True), ("*", True)],
        *[
            ("iot:Publish", False),
            ("iot:Connec?", True),
            ("iot:Connect ", False),
            (["iot:Publish", "iot:Connect"], True),
        ],
    ],
)
def test_what_an_action_pattern_matches(action, matches):
    assert allows([document(statement(action=action))], "iot:Connect", "client/device-1", {}) is matches


@pytest.mark.parametrize("order", [1, -1])
def test_a_deny_wins_wherever_it_stands(order):
    both = [statement(), statement(effect="Deny", resource="*")][::order]
    assert not allows([document(*both)], "iot:Connect", "client/device-1", {})
    assert not allows([document(one) for one in both], "iot:Connect", "client/device-1", {})


def test_a_deny_of_something_else_takes_nothing_away():
    both = document(statement(), statement(effect="Deny", resource=f"{ARN}:client/device-2"))
    assert allows([both], "iot:Connect", "client/device-1", {})


def test_not_action_and_not_resource_select_everything_else():
    policy = document({"Effect": "Allow", "NotAction": "iot:Publish", "NotResource": f"{ARN}:client/device-2"})
    assert allows([policy], "iot:Connect", "client/device-1", {})
    assert not allows([policy], "iot:Publish", "client/device-1", {})
    assert not allows([policy], "iot:Connect", "client/device-2", {})


@pytest.mark.parametrize("missing", ["Effect", "Action", "Resource"])
def test_a_statement_without_a_part_allows_nothing(missing):
    rest = {name: value for name, value in CONNECT.items() if name != missing}
    assert not allows([document(rest)], "iot:Connect", "client/device-1", {})


def test_an_effect_is_spelled_exactly():
    assert not allows([document(statement(effect="allow"))], "iot:Connect", "client/device-1", {})


def test_a_condition_counts_as_met_on_an_allow_and_as_not_met_on_a_deny():
    condition = {"StringEquals": {"aws:SourceIp": "1.2.3.4"}}
    allowing = statement(Condition=condition)
    assert allows([document(allowing)], "iot:Connect", "client/device-1", {})
    denying = statement(effect="Deny", Condition=condition)
    assert allows([document(allowing, denying)], "iot:Connect", "client/device-1", {})


def test_what_a_policy_allows_at_least_is_what_needs_no_condition():
    condition = {"StringEquals": {"aws:SourceIp": "1.2.3.4"}}
    plain, allowing = statement(), statement(Condition=condition)
    denying = statement(effect="Deny", Condition=condition)

    def at_least(*statements):
        return allows([document(*statements)], "iot:Connect", "client/device-1", {}, conditions_met=False)

    assert at_least(plain)
    assert at_least(plain, allowing)
    assert not at_least(allowing)
    assert not at_least(plain, denying)


@pytest.mark.parametrize(
    ("action", "resource", "pairs"),
    [
        ("iot:Connect", f"{ARN}:client/device-1", {("iot:connect", "client/device-1")}),
        ("IOT:CONNECT", f"{ARN}:client/Device-1", {("iot:connect", "client/Device-1")}),
        (
            ["iot:Publish", "iot:Receive"],
            [f"{ARN}:topic/a", f"{ARN}:topic/b:c"],
            {(action, topic) for action in ("iot:publish", "iot:receive") for topic in ("topic/a", "topic/b:c")},
        ),
        ("iot:Publish", f"{ARN}:topic/+/#", {("iot:publish", "topic/+/#")}),
        # Neither wildcards nor variables name anything.
        ("iot:*", f"{ARN}:client/device-1", set()),
        ("iot:Connec?", f"{ARN}:client/device-1", set()),
        ("iot:Connect", f"{ARN}:client/*", set()),
        ("iot:Connect", f"{ARN}:client/device-?", set()),
        ("iot:Connect", f"{ARN}:client/${{iot:ClientId}}", set()),
        ("iot:Connect", "*", set()),
        ("iot:Connect", "client/device-1", set()),
        ("iot:Connect", None, set()),
        (5, f"{ARN}:client/device-1", set()),
        ("iot:Connect", [None, f"{ARN}:client/device-1"], {("iot:connect", "client/device-1")}),
    ],
)
def test_what_is_granted_by_name(action, resource, pairs):
    assert grants([document(statement(action=action, resource=resource))]) == pairs


def test_what_is_granted_is_put_together_from_all_allowing_statements():
    denied = statement(effect="Deny", resource=f"{ARN}:client/other")
    assert grants([document(statement(), denied), document(PUBLISH), "not JSON"]) == (
        grants([document(statement())]) | grants([document(PUBLISH)])
    )
    assert grants([document(denied), document({"Effect": "Allow"})]) == set()


def test_connecting_without_a_client_id_needs_any_allow():
    assert lets_connect([document(PUBLISH)], None)
    assert not lets_connect([document(statement(effect="Deny"))], None)
    assert not lets_connect([], None)
    assert not allows_anything([])


def test_connecting_needs_an_allow_for_that_client():
    assert lets_connect([document(CONNECT)], "device-1")
    assert not lets_connect([document(CONNECT)], "device-2")
    assert not lets_connect([document(PUBLISH)], "device-1")
    assert lets_connect([document(statement(resource=f"{ARN}:client/${{iot:ClientId}}"))], "anyone at all")


NAMES = st.sampled_from(["a", "b", "*", "a?", "${iot:ClientId}", "${*}", "+"])
RESOURCES = NAMES.map(lambda name: f"{ARN}:client/{name}") | st.just("*")
ACTIONS = st.sampled_from(["iot:Connect", "iot:Publish", "iot:*", "*"])


def one_or_more(strategy):
    return strategy | st.lists(strategy, min_size=1, max_size=3)


@st.composite
def statement_values(draw, effects=("Allow", "Deny")):
    found = {"Effect": draw(st.sampled_from(effects))}
    found[draw(st.sampled_from(["Action", "NotAction"]))] = draw(one_or_more(ACTIONS))
    found[draw(st.sampled_from(["Resource", "NotResource"]))] = draw(one_or_more(RESOURCES))
    if draw(st.booleans()):
        found["Condition"] = {"Bool": {"aws:SecureTransport": draw(st.sampled_from(["true", "false"]))}}
    return found


STATEMENTS = st.lists(statement_values(), max_size=4)


@given(STATEMENTS, st.randoms(use_true_random=False))
def test_no_shuffling_changes_the_canonical_form(found, rng):
    shuffled = [dict(rng.sample(list(one.items()), len(one))) for one in rng.sample(found, len(found))]
    for number, one in enumerate(shuffled):
        one["Sid"] = str(number)
        for key, value in one.items():
            if isinstance(value, list):
                one[key] = rng.sample(value, len(value))
    assert canonical((document(*shuffled),)) == canonical((document(*found),))


@given(STATEMENTS, statement_values(("Allow",)), st.sampled_from(["a", "b", "ab", "*", "+"]))
def test_adding_an_allow_never_takes_away(found, more, client_id):
    before = lets_connect([document(*found)], client_id)
    place = random.Random(repr(found)).randint(0, len(found))
    after = lets_connect([document(*found[:place], more, *found[place:])], client_id)
    assert after >= before


@given(STATEMENTS, statement_values(("Deny",)), st.sampled_from(["a", "b", "ab", "*", "+"]))
def test_adding_a_deny_never_gives(found, more, client_id):
    assert lets_connect([document(*found, more)], client_id) <= lets_connect([document(*found)], client_id)


@given(STATEMENTS, STATEMENTS, st.sampled_from(["a", "b", "ab", "*", "+"]))
def test_policies_of_one_canonical_form_allow_the_same(left, right, client_id):
    if canonical((document(*left),)) == canonical((document(*right),)):
        assert lets_connect([document(*left)], client_id) == lets_connect([document(*right)], client_id)
    backwards = document(*reversed(left))
    assert lets_connect([backwards], client_id) == lets_connect([document(*left)], client_id)


def test_a_hostile_pattern_ends():
    """Backtracking over these wildcards would take longer than the universe has."""
    statement = {"Effect": "Allow", "Action": "iot:Connect", "Resource": "arn:aws:iot:r:1:client/" + "*a" * 100 + "*b"}
    document = json.dumps({"Statement": [statement]})
    assert not allows([document], "iot:Connect", "client/" + "a" * 5000, {})
    assert allows([document], "iot:Connect", "client/" + "a" * 5000 + "b", {})
