from dataclasses import replace

import pytest

from gatecrash.reports.oracles.findings import ALSO_MAXIMUM, Classification, Confirmation
from gatecrash.reports.oracles.rules import FindingKind
from gatecrash.reports.run.summary import summarise
from gatecrash.reports.words import findings as finding_words
from tests.reports.fuzz_samples import SETUP, found, fuzz_findings, fuzz_run, fuzz_summary

FINDING = found(Classification.FLAKY, 7, 2000)


SURE = "with 95 % confidence"


@pytest.mark.parametrize(
    ("confirmation", "sentence"),
    [
        (
            Confirmation.of(Classification.FLAKY, 7, 2000),
            f"flaky: 7 of 2,000 times, 0.17 % to 0.72 % {SURE}",
        ),
        (
            Confirmation.of(Classification.DETERMINISTIC, 15, 15),
            f"deterministic: 15 of 15 times, 79.6 % to 100 % {SURE}",
        ),
        (
            Confirmation.of(Classification.AFTER_ANOTHER, 5, 5),
            f"only after another request: 5 of 5 times, 56.6 % to 100 % {SURE}",
        ),
        (
            Confirmation.of(Classification.AFTER_MANY, 5, 5, 201),
            f"only after 201 invocations of one environment: 5 of 5 times, 56.6 % to 100 % {SURE}",
        ),
        (
            Confirmation.of(Classification.COLD_START, 6, 6),
            f"cold start only, in the first invocation of an environment: 6 of 6 times, 61.0 % to 100 % {SURE}",
        ),
        (
            Confirmation.of(Classification.NOT_SEEN_AGAIN, 1, 1),
            f"not seen again when the request was fired alone; in the run 1 of 1 time, 20.7 % to 100 % {SURE}",
        ),
        (Confirmation.of(Classification.NOT_SEEN_AGAIN, 0, 5), "not seen again when the request was fired alone"),
    ],
)
def test_when_a_finding_shows_is_said_in_plain_words(confirmation, sentence):
    assert finding_words.confirmation_sentence(confirmation) == sentence


@pytest.mark.parametrize("classification", Classification)
def test_every_classification_has_its_words(classification):
    confirmation = Confirmation.of(classification, 1, 2, 3)
    assert "_" not in finding_words.classification_label(confirmation)
    assert "1 of 2 times, 9.45 % to 90.5 %" in finding_words.confirmation_sentence(confirmation)


def test_every_kind_has_a_word():
    assert all("_" not in finding_words.kind_label(kind) for kind in FindingKind)


@pytest.mark.parametrize(
    ("size", "shrunk", "sentence"),
    [
        (1, True, "1 change to a valid request; the smallest that was found"),
        (3, True, "3 changes to a valid request; the smallest that was found"),
        (3, False, "3 changes to a valid request; not shrunk"),
        (1, False, "1 change to a valid request"),
        (0, False, "a valid request, unchanged"),
        (None, False, ""),
    ],
)
def test_how_far_a_request_is_from_a_valid_one(size, shrunk, sentence):
    assert finding_words.size_sentence(replace(FINDING, size=size, shrunk=shrunk)) == sentence


@pytest.mark.parametrize(
    ("count", "sentence"),
    [(0, ""), (1, "0"), (3, "0, 1, 2"), (4, "0, 1, 2 and 1 more"), (ALSO_MAXIMUM, "0, 1, 2 and 17 or more others")],
)
def test_the_first_further_cases_are_named_and_the_others_counted(count, sentence):
    also = tuple(map(str, range(count)))
    assert finding_words.also_sentence(replace(FINDING, also=also)) == sentence


def test_how_soon_a_finding_was_seen_and_where():
    assert finding_words.seen_sentence(FINDING) == (
        "12 exchanges, 3 distinct requests; found after 2,377 exchanges; phases sequential, steady"
    )
    plain = replace(FINDING, first_exchange=None, phases=())
    assert finding_words.seen_sentence(plain) == "12 exchanges, 3 distinct requests"


def test_the_requests_that_come_before_are_named_in_order():
    assert finding_words.setup_names(replace(FINDING, reproducer={"setup": SETUP})) == [
        "valid/jwt by bearer_header",
        "jwt_claims/expired",
    ]
    assert finding_words.setup_names(FINDING) == []


def test_notes_and_other_findings_keep_their_numbers():
    summary = fuzz_summary()
    assert [number for number, _ in finding_words.numbered(summary, notes=False)] == list(range(1, 10))
    assert [number for number, _ in finding_words.numbered(summary, notes=True)] == [10, 11]


@pytest.mark.parametrize(
    ("accepted", "heading"),
    [
        (0, "Findings: 2"),
        (1, "Findings: 2, 1 of them accepted by the baseline"),
        (2, "Findings: 2, accepted by the baseline"),
    ],
)
def test_a_heading_counts_what_a_baseline_accepts(accepted, heading):
    findings = [replace(one, accepted_until="2026-12-31") for one in fuzz_findings()[:accepted]]
    summary = summarise(fuzz_run([*findings, *fuzz_findings()[accepted:2]]))
    assert finding_words.heading(summary, notes=False) == heading
    assert finding_words.heading(summary, notes=True) == "Notes: none"


def test_commands_can_be_pasted_into_a_shell():
    assert finding_words.explain_command(FINDING) == "gatecrash explain GC101"
    assert finding_words.replay_command("runs/a", 1) == "gatecrash replay runs/a --finding 1"
    hostile = "runs/my run; rm x"
    assert finding_words.replay_command(hostile, 2) == "gatecrash replay 'runs/my run; rm x' --finding 2"
    assert finding_words.export_command(hostile, 2) == "gatecrash export 'runs/my run; rm x' --finding 2 --as pytest"
