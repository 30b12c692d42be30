"""From error codes and messages to outcomes."""

import pytest

from gatecrash.authorizers.answers import handler_failed
from gatecrash.authorizers.classify import classify, error_type_in
from gatecrash.authorizers.contract import Expectation, Fault, Outcome
from gatecrash.authorizers.errors import API_ERRORS

EXECUTION = "Lambda function encountered error in execution: "


@pytest.mark.parametrize(
    ("code", "message", "outcome"),
    [
        ("ThrottlingException", "Rate exceeded", Outcome.THROTTLED),
        ("TooManyRequestsException", "Rate Exceeded.", Outcome.THROTTLED),
        ("429", "", Outcome.THROTTLED),
        ("InvalidResponseException", "Lambda invocation result is in invalid format", Outcome.INVALID_RESPONSE),
        ("InvalidResponseException", "", Outcome.INVALID_RESPONSE),
        ("InvalidResponseException", f"{EXECUTION}boom: ValueError", Outcome.HANDLER_ERROR),
        ("InvalidResponseException", f"{EXECUTION}: KeyError", Outcome.HANDLER_ERROR),
        (
            "InvalidResponseException",
            f"{EXECUTION}RequestId: 1 Error: Task timed out after 5.00 seconds: Sandbox.Timedout",
            Outcome.TIMED_OUT,
        ),
        ("InvalidRequestException", "Request must have Http/Mqtt/Tls context.", Outcome.REJECTED),
        ("InvalidRequestException", "", Outcome.REJECTED),
        ("ResourceNotFoundException", "Authorizer x not found", Outcome.REJECTED),
        ("UnauthorizedException", "", Outcome.REJECTED),
        ("UnrecognizedClientException", "The security token included in the request is invalid.", Outcome.REJECTED),
        ("InvalidSignatureException", "", Outcome.REJECTED),
        ("400", "", Outcome.REJECTED),
        ("403", "", Outcome.REJECTED),
        ("500", "", Outcome.UNAVAILABLE),
        ("503", "", Outcome.UNAVAILABLE),
        ("InternalFailureException", "", Outcome.UNAVAILABLE),
        ("ServiceUnavailableException", "", Outcome.UNAVAILABLE),
    ],
)
def test_an_error_is_classified_by_its_code(code, message, outcome):
    assert classify(Fault(code, message)) is outcome


def test_every_modelled_error_has_an_outcome_that_is_no_decision():
    outcomes = {code: classify(Fault(code, "")) for code in API_ERRORS}
    assert not [code for code, outcome in outcomes.items() if outcome.is_decision]
    assert outcomes["ThrottlingException"] is Outcome.THROTTLED


@pytest.mark.parametrize("message", ["boom", "", "a: b: c", "two\nlines", "ends with: "])
@pytest.mark.parametrize("name", ["ValueError", "Runtime.ImportModuleError", "Sandbox.Timedout", "_Mine2"])
def test_the_handlers_error_class_is_read_from_the_services_message(message, name):
    assert error_type_in(handler_failed(message, name).message) == name


@pytest.mark.parametrize(
    "message", ["", "boom: ValueError", EXECUTION, f"{EXECUTION}boom: not a class", f"{EXECUTION}boom: "]
)
def test_a_message_without_an_error_class_has_none(message):
    assert error_type_in(message) is None


@pytest.mark.parametrize("outcome", Outcome)
def test_only_what_says_something_of_the_authorizer_meets_or_misses_an_expectation(outcome):
    assert Expectation.OPEN.is_met_by(outcome) is None
    allow, deny = Expectation.ALLOW.is_met_by(outcome), Expectation.DENY.is_met_by(outcome)
    if outcome.is_answer:
        assert (allow, deny) == (outcome is Outcome.ALLOW, outcome is not Outcome.ALLOW)
    else:
        assert (allow, deny) == (None, None)


def test_throttles_and_transport_errors_say_nothing_of_the_authorizer():
    silent = {outcome for outcome in Outcome if not outcome.is_answer}
    assert silent == {Outcome.THROTTLED, Outcome.TIMED_OUT, Outcome.UNAVAILABLE, Outcome.TRANSPORT_ERROR}


def test_an_outcome_that_is_no_decision_is_an_error_a_throttle_or_a_rejection():
    errors = {outcome for outcome in Outcome if outcome.is_error}
    others = {outcome for outcome in Outcome if outcome.is_decision} | {Outcome.THROTTLED, Outcome.REJECTED}
    assert errors | others == set(Outcome)
    assert not errors & others
    assert {outcome for outcome in Outcome if outcome.turns_away} == errors | {Outcome.THROTTLED}


def test_what_did_not_reach_the_authorizer_tells_no_latency_of_it():
    silent = {outcome for outcome in Outcome if not outcome.tells_latency}
    assert silent == {Outcome.THROTTLED, Outcome.UNAVAILABLE, Outcome.TRANSPORT_ERROR}
