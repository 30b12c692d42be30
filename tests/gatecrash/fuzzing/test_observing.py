"""What the phases saw, and which request went before which; and what the controls say of the target."""

import pytest

from gatecrash.authorizers.contract import Answer, Decision, Fault, Invocation, Outcome
from gatecrash.fuzzing.controls import AFTER, BEFORE, DURING, control_rows, why_broken
from gatecrash.fuzzing.observer import Observer
from gatecrash.fuzzing.schedules import case_book
from gatecrash.generators.corpus_builder import CorpusPlan, build_corpus
from gatecrash.reports.recording.identities import identity_of
from tests.generators.test_attacks import CORRECT

DENY = Decision(False, "nobody", (), 300, 300)


def answer(environment="one", *, outcome=Outcome.DENY, policies=(), seconds=0.25):
    decision = Decision(outcome is Outcome.ALLOW, "nobody", policies, 300, 300)
    return Answer(outcome, decision, invocation=Invocation(environment, False, seconds))


@pytest.fixture(scope="module")
def corpus(tmp_path_factory):
    plan = CorpusPlan(CORRECT["password"], None, 1, 20, 0.2, 0, sweep=True)
    opened = build_corpus(plan, tmp_path_factory.mktemp("cache"), processes=1)
    yield opened
    opened.close()


@pytest.fixture
def observer(corpus):
    return Observer(corpus, clock=iter(range(10_000)).__next__)


def test_every_exchange_is_recorded_with_its_phase(observer):
    observer.record(3, answer(), "alone")
    observer.record(3, answer(), "sequential")
    (sighting,) = observer.recording.ledger.entry(3).sightings
    assert (sighting.count, dict(sighting.phases)) == (2, {"alone": 1, "sequential": 1})
    assert observer.exchanges == 2


def test_what_an_environment_answered_before_is_told_of_that_environment_alone(observer):
    for index, environment in ((1, "one"), (2, "two"), (3, "one"), (4, "one")):
        observer.record(index, answer(environment), "interleaved")
    assert observer.before(4, [identity_of(answer())]) == [1, 3]
    assert observer.before(2, [identity_of(answer())]) == []


def test_the_first_of_several_answers_counts(observer):
    other = answer(policies=('{"Statement":[{"Effect":"Allow","Action":"iot:Connect","Resource":"*"}]}',))
    observer.record(1, answer(), "alone")
    observer.record(2, answer(), "alone")
    observer.record(1, other, "alone")
    assert observer.first(1, [identity_of(other)]) == 3
    assert observer.first(1, [identity_of(answer()), identity_of(other)]) == 1
    assert observer.first_disagreement(1) == 3
    assert observer.first_disagreement(2) is None
    assert observer.first(9, [identity_of(other)]) is None


def test_nothing_is_told_of_environments_that_are_not_known(observer):
    observer.record(1, Answer(Outcome.DENY, DENY), "alone")
    assert observer.before(1, [identity_of(Answer(Outcome.DENY, DENY))]) is None


@pytest.mark.parametrize(
    ("outcomes", "said"),
    [
        ([Outcome.ALLOW], None),
        ([Outcome.DENY, Outcome.ALLOW], None),
        ([Outcome.INVALID_RESPONSE], None),
        ([Outcome.DENY, Outcome.REFUSED_BY_POLICY], "every valid credential was turned away"),
        ([Outcome.UNAVAILABLE, Outcome.THROTTLED], "the target could not be reached"),
        ([Outcome.HANDLER_ERROR, Outcome.TIMED_OUT], "the authorizer fails for every valid credential"),
        ([], "there is no valid request"),
    ],
)
def test_a_target_is_broken_when_no_valid_credential_is_let_in(outcomes, said):
    sentence = why_broken(outcomes, BEFORE)
    assert sentence is None if said is None else said in sentence


def test_controls_tell_what_they_got_and_when(corpus, observer):
    book = case_book([corpus.meta(index) for index in range(len(corpus))], lambda meta: not meta.view)
    (good, *_), bad = book.representatives, book.denied_representatives
    for moment in (BEFORE, "sequential", "steady", AFTER):
        observer.record(good, answer(outcome=Outcome.ALLOW), moment)
    observer.record(bad[0], Answer(Outcome.HANDLER_ERROR, fault=Fault("x", "y")), "sequential")
    rows = control_rows(observer.recording.ledger, book)
    carrier = book.carriers[good]
    assert [(row.moment, row.outcomes) for row in rows if row.name == f"valid credential by {carrier}"] == [
        (BEFORE, {"allow": 1}),
        (DURING, {"allow": 2}),
        (AFTER, {"allow": 1}),
    ]
    assert [(row.expected, row.outcomes) for row in rows if row.name.startswith("invalid")] == [
        ("deny", {"handler_error": 1})
    ]
