"""A recording is the same however many workers made it, however often they reported, in whatever order it came."""

import zlib
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gatecrash.authorizers.contract import Answer, Decision, Invocation, Outcome
from gatecrash.reports.recording.recording import Recording
from gatecrash.reports.recording.tally import Tally
from tests.reports.recording_facts import told
from tests.reports.samples import THROTTLED, allow, deny, fault, policy, statement

ANSWERS = [
    allow(),
    allow(policy(statement("client/other"))),
    allow(principal="p1"),
    allow(principal="p2", refresh=600),
    allow(principal="p3", cold=True),
    deny(),
    THROTTLED,
    fault(Outcome.HANDLER_ERROR, "InvalidResponseException", "boom", "KeyError"),
    Answer(Outcome.DENY, Decision(False, "q", (), 1, 2), None),
    *(Answer(Outcome.DENY, Decision(False, "q", (), 1, 2), None, Invocation(f"e{n}", False, 0.1)) for n in range(12)),
]
SHOTS = st.lists(
    st.tuples(
        st.integers(0, 5),
        st.sampled_from(range(len(ANSWERS))),
        st.floats(0, 20, allow_nan=False),
        st.floats(0, 5, allow_nan=False),
        st.sampled_from(["", "", "burst", "rest"]),
        st.booleans(),
    ),
    max_size=40,
)


def tally_of(worker):
    return Tally(worker=worker, warm_up=5.0, offered_rate=100.0, secrets_of=lambda _: ())


def count_into(tally, shot):
    case, answer, start, service, phase, dropped = shot
    tally.add_arrival(start, service / 10)
    if dropped:
        tally.add_drop(start)
    else:
        tally.add(case, start, start, start + service, ANSWERS[answer], phase)


@given(SHOTS, st.data())
def test_the_recording_does_not_depend_on_the_workers(shots, data):
    alone = tally_of(0)
    for shot in shots:
        count_into(alone, shot)
    workers = data.draw(st.integers(1, 4))
    tallies = [tally_of(number) for number in range(workers)]
    reports = []
    for number, shot in enumerate(shots):
        tally = tallies[number % workers]
        count_into(tally, shot)
        if data.draw(st.booleans()):
            reports.append(tally.take().encode())
    reports += [tally.take().encode() for tally in tallies]
    total = Recording()
    for report in data.draw(st.permutations(reports)):
        total.add(Recording.decode(report))
    assert told(total) == told(alone.take())


@given(SHOTS)
def test_a_recording_survives_its_way_to_the_master(shots):
    tally = tally_of(3)
    for shot in shots:
        count_into(tally, shot)
    sent = tally.take()
    read = Recording.decode(sent.encode())
    assert told(read, workers=True) == told(sent, workers=True)
    assert read.encode() == sent.encode()


def test_more_than_is_kept_of_a_case_is_counted_by_the_master_too():
    tally = tally_of(0)
    for number in range(40):
        tally.add(0, 6.0, 6.0, 6.1, allow(policy(statement(f"client/{number}"))), "")
    total = Recording.decode(tally.take().encode())
    assert total.ledger.entry(0).count == 40
    for number in range(40, 80):
        tally.add(0, 7.0, 7.0, 7.1, allow(policy(statement(f"client/{number}"))), "")
    total.add(Recording.decode(tally.take().encode()))
    assert total.ledger.entry(0).count == 80
    assert total.outcomes == Counter({"allow": 80})


def damaged(content):
    return zlib.compress(content)


@pytest.mark.parametrize("data", [b"", b"{}", damaged(b""), damaged(b"\x01")])
def test_what_is_no_recording_is_refused(data):
    with pytest.raises(ValueError, match="not an encoded recording"):
        Recording.decode(data)


def test_a_recording_that_was_cut_off_is_refused():
    tally = tally_of(0)
    tally.add(0, 6.0, 6.0, 6.1, allow(), "")
    content = zlib.decompress(tally.take().encode())
    for length in range(0, len(content), 97):
        with pytest.raises(ValueError, match="not an encoded recording"):
            Recording.decode(zlib.compress(content[:length]))
