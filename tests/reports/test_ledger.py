import base64
import json
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gatecrash.authorizers.contract import AuthorizerRequest, HttpContext, MqttContext, Outcome
from gatecrash.authorizers.redact import secrets_of
from gatecrash.reports.recording.identities import cause_of, identity_of
from gatecrash.reports.recording.ledger import Ledger
from gatecrash.reports.recording.plain import CASES_A_PAGE, Page, digest_number
from gatecrash.reports.recording.sightings import DISTINCT_ANSWERS_MAXIMUM
from tests.reports.recording_facts import facts_of
from tests.reports.samples import THROTTLED, allow, deny, exchange, fault, ledger_of, policy, statement

CONNECT, PUBLISH = statement(), statement("topic/a", Action="iot:Publish")


def entry(ledger, case=0):
    return dict(ledger)[case]


def test_order_sid_spelling_and_white_space_do_not_count():
    spellings = [
        policy(CONNECT, PUBLISH),
        policy(PUBLISH, CONNECT),
        policy({**CONNECT, "Sid": "one"}, PUBLISH),
        policy({**CONNECT, "Action": ["IOT:CONNECT"], "Resource": [CONNECT["Resource"]]}, PUBLISH),
        policy(CONNECT, PUBLISH, indent=2),
    ]
    assert len({identity_of(allow(spelling)) for spelling in spellings}) == 1


def test_a_meaning_changes_the_identity():
    different = [
        allow(policy(CONNECT)),
        allow(policy(statement("client/sensor-2"))),
        allow(policy({**CONNECT, "Effect": "Deny"})),
        allow("not JSON"),
        deny(),
    ]
    assert len({identity_of(answer) for answer in different}) == len(different)


def test_principal_and_lifetimes_are_followed_apart():
    answers = [allow(principal=f"p{number}", refresh=300 + number) for number in range(5)]
    seen = entry(ledger_of(*answers))
    assert len(seen.sightings) == 1
    assert len(seen.principals) == len(seen.lifetimes) == 2


def test_a_fault_is_its_code_or_contract_rule_never_what_the_request_put_into_it():
    broken = [
        fault(Outcome.INVALID_RESPONSE, message=f"{text} at principalId failed to satisfy") for text in ("a", "b")
    ]
    other = fault(Outcome.INVALID_RESPONSE, message="Lambda invocation result is in invalid format")
    assert identity_of(broken[0]) == identity_of(broken[1]) != identity_of(other)
    assert (cause_of(broken[0]), cause_of(other)) == ("principalId", "format")
    assert cause_of(fault(Outcome.HANDLER_ERROR, "X", "key 123", "KeyError")) == "KeyError"
    assert cause_of(THROTTLED) == "ThrottlingException"


ANSWERS = st.sampled_from([allow(), allow(cold=True), allow(principal="other"), deny(), THROTTLED])
EXCHANGES = st.builds(exchange, ANSWERS, case=st.integers(0, 2), start=st.floats(0, 9), worker=st.integers(0, 2))


@given(st.lists(EXCHANGES, max_size=30))
def test_workers_merged_equal_the_whole_and_survive_encoding(exchanges):
    whole, merged = Ledger(), Ledger()
    parts = [Ledger() for _ in range(3)]
    for one in exchanges:
        whole.add_exchange(one, tuple)
        parts[one.worker].add_exchange(one, tuple)
    for part in parts:
        merged.add(Ledger.from_json(json.loads(encoded(part))))
    assert comparable(merged) == comparable(Ledger.from_json(json.loads(encoded(whole))))


def encoded(ledger):
    return b"".join(ledger.pieces())


def comparable(ledger):
    cases = [
        (
            index,
            sorted(map(facts_of, seen.sightings), key=lambda row: row["identity"]),
            (seen.principals, seen.lifetimes, seen.uncounted),
        )
        for index, seen in ledger
    ]
    assert len(cases) == len(ledger)
    return cases, {identity: sample["outcome"] for identity, sample in ledger.samples.items()}


def test_an_authorizer_that_always_answers_anew_does_not_fill_the_memory():
    answers = [allow(policy(statement(f"client/{number}"))) for number in range(DISTINCT_ANSWERS_MAXIMUM + 10)]
    ledger = ledger_of(*answers)
    assert len(entry(ledger).sightings) == DISTINCT_ANSWERS_MAXIMUM
    assert (entry(ledger).uncounted, entry(ledger).count) == (10, len(answers))
    merged = ledger_of(*reversed(answers))
    merged.add(ledger)
    assert len(entry(merged).sightings) == DISTINCT_ANSWERS_MAXIMUM
    assert entry(merged).count == 2 * len(answers)


def test_no_secret_is_in_a_sample():
    secret = "hunter2-and-more"
    request = AuthorizerRequest(
        token=f"Bearer {secret}-token",
        http_context=HttpContext({"X-Key": f"{secret}-header"}, f"?q={secret}-query"),
        mqtt_context=MqttContext("user?p=" + secret, (secret + "-password").encode(), "sensor-1"),
    )
    spoken = " ".join(secrets_of(request))
    ledger = Ledger()
    for answer in (
        fault(Outcome.HANDLER_ERROR, message=spoken, kind="KeyError"),
        allow(policy(statement(f"client/{secret}"))),
        allow(principal=f"{secret}-token"),
        fault(Outcome.HANDLER_ERROR, message="eyJhbGciOiJub25l.eyJzdWIiOiJ4In0xx.sig", kind="Other"),
    ):
        ledger.add_exchange(exchange(answer), lambda: secrets_of(request))
    kept = encoded(ledger).decode()
    assert secret not in kept
    assert "eyJ" not in kept


def test_a_lone_surrogate_in_an_answer_is_kept():
    ledger = ledger_of(allow(principal="\ud800"), fault(Outcome.HANDLER_ERROR, message="\udfff"))
    assert entry(Ledger.from_json(json.loads(encoded(ledger)))).count == 2


def test_a_case_with_one_answer_all_along_takes_no_entry_of_its_own():
    ledger = Ledger()
    for number in range(3000):
        ledger.add_exchange(exchange(allow(), case=7 * number, start=number / 7, worker=number % 2), tuple)
    assert (len(ledger), ledger._entries) == (3000, {})
    ledger.add_exchange(exchange(deny(), case=7, start=500.0), tuple)
    assert (len(ledger), list(ledger._entries)) == (3000, [7])
    assert {sighting.outcome for sighting in entry(ledger, 7).sightings} == {Outcome.ALLOW, Outcome.DENY}
    assert [index for index, _ in ledger] == [7 * number for number in range(3000)]


@given(st.lists(EXCHANGES, max_size=30), st.lists(st.integers(0, 30), max_size=3))
def test_a_ledger_that_is_gathered_again_and_again_equals_the_whole(exchanges, cuts):
    whole, total = Ledger(), Ledger()
    for one in exchanges:
        whole.add_exchange(one, tuple)
    places = [0, *sorted(cuts), len(exchanges)]
    for start, end in pairwise(places):
        part = Ledger()
        for one in exchanges[start:end]:
            part.add_exchange(one, tuple)
        total.add(part)
    assert comparable(total) == comparable(whole)


def test_a_case_that_names_its_traits_itself_is_read():
    sighting = {
        "outcome": "allow",
        "identity": "00ff00ff00ff00ff",
        "count": 3,
        "first": 1.5,
        "last": 2.0,
        "lowest_rate": 1.0,
        "highest_rate": 2.0,
        "workers": [0],
        "environments": ["a"],
        "cold_starts": 1,
        "phases": {},
    }
    row = {"case": 5, "uncounted": 0, "principals": ["ab"], "lifetimes": [[300, 600]], "sightings": [sighting]}
    ledger = Ledger.from_json({"samples": {}, "commons": [], "pages": [], "cases": [row]})
    assert [index for index, _ in ledger] == [5]
    assert [facts_of(one) for one in ledger.entry(5).sightings] == [sighting]
    assert ledger.entry(5).lifetimes == {(300, 600)}


@given(st.sets(st.integers(0, CASES_A_PAGE - 1), min_size=1), st.booleans())
def test_a_page_survives_its_file_and_may_have_all_its_places(places, in_full):
    page = Page()
    for column in page.columns:
        for place in range(CASES_A_PAGE) if in_full else places:
            column[place] = 1 + place * 1000
    assert Page.from_json(page.to_json()).columns == page.columns
    written = [base64.b64encode(column.tobytes()).decode() for column in page.columns]
    assert Page.from_json(written).columns == page.columns


@pytest.mark.parametrize(
    "damage",
    [
        lambda value: value["pages"][0][1].pop(),
        lambda value: value["pages"][0][1].__setitem__(0, "AAAA"),
        lambda value: value["pages"][0][1].__setitem__(0, "no base64"),
        lambda value: value.__setitem__("commons", []),
        lambda value: value.__setitem__("pages", [5]),
    ],
)
def test_damaged_columns_are_no_ledger(damage):
    value = json.loads(encoded(ledger_of(allow())))
    damage(value)
    with pytest.raises((TypeError, ValueError)):
        Ledger.from_json(value)


@given(st.text() | st.integers(0, 2**64 - 1).map(lambda number: f"{number:016x}"))
def test_a_digest_comes_back_from_its_number_or_has_none(text):
    number = digest_number(text)
    assert number == 0 or f"{number:016x}" == text


def test_an_authorizer_whose_lifetimes_always_differ_does_not_fill_the_memory():
    ledger = Ledger()
    for number in range(400):
        for more in range(3):
            ledger.add_exchange(exchange(allow(refresh=300 + number * more), case=number), tuple)
    assert all(len(seen.lifetimes) <= 2 for _, seen in ledger)
    assert [seen.count for _, seen in ledger] == [3] * 400
