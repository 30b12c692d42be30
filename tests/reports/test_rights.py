import pytest
from hypothesis import given
from hypothesis import strategies as st

from gatecrash.authorizers.policy import allows, grants
from gatecrash.reports.oracles.rights import STRANGERS, KnownRights, strange_rights
from tests.reports.samples import policy, statement

ARN = "arn:aws:iot:eu-west-1:123456789012"
EVERYTHING = policy({"Effect": "Allow", "Action": "*", "Resource": "*"})


def pairs(*resources, action="iot:Connect"):
    return policy(*(statement(resource, Action=action) for resource in resources))


def test_a_policy_of_everything_allows_every_stranger():
    assert strange_rights([EVERYTHING]) == list(STRANGERS)


@pytest.mark.parametrize(
    ("document", "actions"),
    [
        (pairs("client/*"), {"iot:Connect"}),
        (pairs("*"), {"iot:Connect"}),
        (pairs("topic/*", action="iot:Publish"), {"iot:Publish"}),
        (pairs("topic/*", action=["iot:Publish", "iot:Receive"]), {"iot:Publish", "iot:Receive"}),
        (pairs("topicfilter/*", action="iot:Subscribe"), {"iot:Subscribe"}),
        (pairs("thing/*", action="iot:*ThingShadow"), {"iot:UpdateThingShadow", "iot:GetThingShadow"}),
        (policy({"Effect": "Allow", "NotAction": "iot:Connect", "Resource": f"{ARN}:topic/*"}), {"iot:Publish"}),
    ],
)
def test_wildcards_that_reach_anybody_are_strange(document, actions):
    assert actions <= {action for action, _ in strange_rights([document])}


@pytest.mark.parametrize(
    "document",
    [
        pairs("client/sensor-1"),
        pairs("client/sensor-*"),
        pairs("client/${iot:ClientId}"),
        pairs("client/${iot:Connection.Thing.ThingName}"),
        pairs("client/${*}"),
        pairs("topic/devices/sensor-1/*", action="iot:Publish"),
        pairs("topic/+", "topic/#", action="iot:Publish"),
        pairs("topicfilter/${iot:ClientId}/*", action="iot:Subscribe"),
        policy(),
        "not JSON",
    ],
)
def test_what_is_bound_to_a_device_is_not_strange(document):
    assert strange_rights([document]) == []


def test_a_deny_takes_strange_rights_away():
    denied = statement("client/*", Effect="Deny")
    assert strange_rights([policy(statement("client/*"), denied)]) == []
    assert strange_rights([pairs("client/*"), policy(denied)]) == []


def test_strange_rights_under_a_condition_are_not_told():
    condition = {"Bool": {"iot:Connection.Thing.IsAttached": ["true"]}}
    assert strange_rights([policy(statement("client/*", Condition=condition))]) == []
    denied = statement("client/*", Effect="Deny", Condition=condition)
    assert strange_rights([policy(statement("client/*"), denied)]) == []


@pytest.fixture
def known():
    rights = KnownRights()
    rights.learn(1, [pairs("client/one")])
    rights.learn(2, [pairs("client/two")])
    return rights


def test_what_another_identity_has_is_foreign(known):
    assert known.gives_foreign(1, (pairs("client/two"),))
    assert not known.gives_foreign(2, (pairs("client/two"),))
    assert known.gives_foreign(1, (pairs("client/*"),))
    assert not known.gives_foreign(1, (pairs("client/three"),))


def test_what_an_identity_has_itself_is_not_foreign(known):
    both = (pairs("client/one", "client/two"),)
    assert known.gives_foreign(1, both)
    known.learn(1, [pairs("client/two")])
    assert not known.gives_foreign(1, both)


def test_what_is_learned_later_counts_too(known):
    third = (pairs("client/three"),)
    assert not known.gives_foreign(1, third)
    known.learn(3, third)
    assert known.gives_foreign(1, third)


DOCUMENTS = st.lists(
    st.builds(
        statement,
        st.sampled_from(["client/one", "client/two", "client/t*", "client/three"]),
        Effect=st.sampled_from(["Allow", "Allow", "Deny"]),
        Action=st.sampled_from(["iot:Connect", "iot:*"]),
    ),
    max_size=3,
).map(lambda statements: policy(*statements))


@given(st.lists(st.tuples(st.integers(1, 3), DOCUMENTS), min_size=1, max_size=8), st.integers(1, 3), DOCUMENTS)
def test_foreign_is_what_others_are_named_and_ones_own_policies_do_not_allow(lessons, identity, document):
    def least(one, pair):
        return allows([one], *pair, {}, conditions_met=False)

    rights = KnownRights()
    for whose, known in lessons:
        rights.learn(whose, [known])
    own = [known for whose, known in lessons if whose == identity]
    others = {pair for whose, known in lessons if whose != identity for pair in grants([known])}
    foreign = [pair for pair in others if least(document, pair) and not any(least(known, pair) for known in own)]
    assert rights.gives_foreign(identity, (document,)) == bool(own and foreign)


def test_of_an_unknown_identity_nothing_is_foreign(known):
    assert 1 in known
    assert 3 not in known
    assert not known.gives_foreign(3, (pairs("client/two"),))


def test_an_answer_that_allows_nothing_is_not_foreign(known):
    assert not known.gives_foreign(1, (policy(statement("client/two", Effect="Deny")),))
    assert not known.gives_foreign(1, ())


def test_foreign_rights_under_a_condition_are_not_told(known):
    condition = {"Bool": {"iot:Connection.Thing.IsAttached": ["true"]}}
    assert not known.gives_foreign(1, (policy(statement("client/two", Condition=condition)),))


def test_the_strange_rights_of_valid_requests_are_remembered(known):
    known.learn(1, [pairs("client/*")])
    assert {action for action, _ in known.own_strange(1)} == {"iot:Connect"}
    assert known.own_strange(2) == set()


def test_a_wildcard_behind_the_own_name_gives_longer_names(known):
    known.learn(3, [pairs("client/sensor-3", "topic/in/sensor-3/*")])
    assert known.gives_longer_names(3, (pairs("client/sensor-3*"),))
    assert not known.gives_longer_names(3, (pairs("client/sensor-3", "topic/in/sensor-3/more"),))


def test_a_wildcard_that_valid_requests_have_too_gives_no_longer_names(known):
    known.learn(4, [pairs("client/sensor-4", "client/sensor-4*")])
    assert not known.gives_longer_names(4, (pairs("client/sensor-4*"),))
