"""The service's checks of a request, their order and their messages."""

from __future__ import annotations

import pytest

from gatecrash.authorizers.errors import InvalidRequestError
from gatecrash.authorizers.service.checks import TakenToken, check_members, check_request
from gatecrash.authorizers.service.registry import Authorizer

PREFIX = "1 validation error detected: Value at"
FAILED = "failed to satisfy constraint:"
UNSIGNED = Authorizer("auth", "", "", signing_disabled=True)
SIGNED = Authorizer("auth", "", "", token_key_name="Token", signing_keys={"one": "no key"})
CONTEXT = {"mqttContext": {"clientId": "c"}}


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (
            {"token": "t", "tokenSignature": "!!!"},
            (
                f"{PREFIX} 'tokenSignature' {FAILED} Member must satisfy regular expression pattern: "
                "[A-Za-z0-9+/]+={0,2}"
            ),
        ),
        (
            {"httpContext": {"queryString": ""}},
            f"{PREFIX} 'httpContext.queryString' {FAILED} Member must have length greater than or equal to 1",
        ),
        ({"token": "t" * 6145}, f"{PREFIX} 'token' {FAILED} Member must have length less than or equal to 6144"),
        (
            {"mqttContext": {"password": ""}},
            f"{PREFIX} 'mqttContext.password' {FAILED} Member must have length greater than or equal to 1",
        ),
        (
            {"tlsContext": {"serverName": "s" * 254}},
            f"{PREFIX} 'tlsContext.serverName' {FAILED} Member must have length less than or equal to 253",
        ),
        (
            {"mqttContext": {"username": "", "clientId": "c" * 65536}},
            (
                f"2 validation errors detected: Value at 'mqttContext.username' {FAILED} Member must have length "
                f"greater than or equal to 1; Value at 'mqttContext.clientId' {FAILED} Member must have length less "
                "than or equal to 65535"
            ),
        ),
        (
            {"httpContext": {"headers": {"h": "v" * 8193}}},
            (
                f"{PREFIX} 'httpContext.headers' {FAILED} Map value must satisfy constraint: [Member must have length "
                "less than or equal to 8192, Member must have length greater than or equal to 1, Member must satisfy "
                r"regular expression pattern: [\s\S]*]"
            ),
        ),
    ],
)
def test_member_constraints(body, message):
    with pytest.raises(InvalidRequestError) as caught:
        check_members(body, "auth")
    assert caught.value.message == message


def test_a_pattern_is_told_before_a_length():
    name = "n!" * 100
    with pytest.raises(InvalidRequestError) as caught:
        check_members({}, name)
    assert caught.value.message == (
        rf"2 validation errors detected: Value at 'authorizerName' {FAILED} Member must satisfy regular expression "
        rf"pattern: [\w=,@-]+; Value at 'authorizerName' {FAILED} Member must have length less than or equal to 128"
    )


def test_lengths_are_utf_16():
    check_members({"token": "\U0001f600" * 3072}, "auth")
    with pytest.raises(InvalidRequestError):
        check_members({"token": "\U0001f600" * 3073}, "auth")


@pytest.mark.parametrize("body", [{"token": 1}, {"httpContext": []}, {"mqttContext": {"password": "%%"}}])
def test_wrong_types(body):
    with pytest.raises(InvalidRequestError):
        check_members(body, "auth")


@pytest.mark.parametrize(
    ("authorizer", "body", "message"),
    [
        (UNSIGNED, {"token": "t"}, "Request must provide both token and tokenSignature together."),
        (
            UNSIGNED,
            {"tokenSignature": "cw=="} | CONTEXT,
            "Request must provide both token and tokenSignature together.",
        ),
        (
            UNSIGNED,
            {"token": "t", "tokenSignature": "cw=="} | CONTEXT,
            "Request cannot have token and Http/Mqtt/Tls context.",
        ),
        (
            UNSIGNED,
            {"token": "t", "tokenSignature": "cw=="},
            "Token and token signature provided but signing is disabled for the authorizer.",
        ),
        (SIGNED, {"token": "t", "tokenSignature": "cw=="}, "Token signature mismatch for authorizer auth"),
        (
            SIGNED,
            {"mqttContext": {"username": "u?Token=t&x-amz-customauthorizer-signature=cw%3D%3D"}},
            "Token signature mismatch for authorizer auth",
        ),
        (UNSIGNED, {}, "Request must have Http/Mqtt/Tls context."),
        (SIGNED, {}, "Request must have Http/Mqtt/Tls context."),
        (UNSIGNED, {"httpContext": {"queryString": "a=b"}}, "Invalid arguments in the call"),
        (SIGNED, {"httpContext": {"queryString": "a=b"}}, "Invalid arguments in the call"),
        (SIGNED, CONTEXT, None),
        (SIGNED, {"mqttContext": {"username": "u?Token=t"}}, None),
    ],
)
def test_what_a_request_may_hold_together(authorizer, body, message):
    request = check_members(body, "auth")
    with pytest.raises(InvalidRequestError) as caught:
        check_request(authorizer, request)
    assert caught.value.message == message


def test_a_token_of_an_unsigned_authorizer_is_handed_on_unverified():
    named = Authorizer("auth", "", "", token_key_name="Token", signing_disabled=True)
    request = check_members({"httpContext": {"headers": {"token": "t"}}}, "auth")
    assert check_request(named, request) == TakenToken("t", signature_verified=False)
    assert check_request(UNSIGNED, request) == TakenToken(None, signature_verified=False)


def test_empty_contexts_are_contexts():
    assert check_request(UNSIGNED, check_members({"httpContext": {}}, "auth")).token is None
