"""Where a token and its signature are found in a request."""

from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gatecrash.authorizers.carriers import token_and_signature
from gatecrash.authorizers.contract import AuthorizerRequest, HttpContext, MqttContext

SIGNATURE = "x-amz-customauthorizer-signature"


def by_username(text):
    return AuthorizerRequest(mqtt_context=MqttContext(username=text))


def by_query(text):
    return AuthorizerRequest(http_context=HttpContext(query_string=text))


def by_headers(headers):
    return AuthorizerRequest(http_context=HttpContext(headers))


@pytest.mark.parametrize(
    ("request_", "found"),
    [
        (AuthorizerRequest(), (None, None)),
        (AuthorizerRequest("t", "s"), ("t", "s")),
        (AuthorizerRequest("t"), ("t", None)),
        (AuthorizerRequest(token_signature="s"), (None, "s")),
        (AuthorizerRequest("t", "s", mqtt_context=MqttContext(username="u?Key=other")), ("t", "s")),
        (by_username("user"), (None, None)),
        (by_username("Key=t"), (None, None)),
        (by_username(f"user?Key=t&{SIGNATURE}=s"), ("t", "s")),
        (by_username(f"user?SDK=x&kEY=t&{SIGNATURE.upper()}=s&Version=1"), ("t", "s")),
        (by_query(f"?Key=t&{SIGNATURE}=s"), ("t", "s")),
        (by_query(f"Key=t&{SIGNATURE}=s"), ("t", "s")),
        (by_query("?Key&Other=t"), (None, None)),
        (by_query("?Key="), ("", None)),
        (by_query("?Key=a=b"), ("a=b", None)),
        (by_query("?Key=first&Key=second"), ("first", None)),
        (by_query(""), (None, None)),
        (by_headers({"key": "t", SIGNATURE.title(): "s"}), ("t", "s")),
        (by_headers({"Key": "a%2Bb", "other": "x"}), ("a%2Bb", None)),
        (by_headers(None), (None, None)),
    ],
)
def test_where_a_token_is_looked_for(request_, found):
    assert token_and_signature(request_, "Key") == found


def test_the_user_name_comes_before_the_query_string_and_that_before_a_header():
    http = HttpContext({"Key": "header", SIGNATURE: "signature"}, "?Key=query")
    mqtt = MqttContext(username="u?Key=username")
    assert token_and_signature(AuthorizerRequest(http_context=http, mqtt_context=mqtt), "Key")[0] == "username"
    assert token_and_signature(AuthorizerRequest(http_context=http), "Key") == ("query", "signature")


def test_a_plus_sign_that_a_client_forgot_to_encode_stays_one():
    assert token_and_signature(by_query(f"?Key=t&{SIGNATURE}=a+b/c=="), "Key") == ("t", "a+b/c==")


@given(st.text(st.characters(exclude_categories=("Cs",))), st.text(st.characters(exclude_categories=("Cs",))))
def test_an_encoded_token_is_found_as_it_was(token, signature):
    query = f"?Key={quote(token, safe='')}&{SIGNATURE}={quote(signature, safe='')}"
    assert token_and_signature(by_query(query), "Key") == (token, signature)
    assert token_and_signature(by_username(f"user{query}"), "Key") == (token, signature)
    assert token_and_signature(by_headers({"Key": token, SIGNATURE: signature}), "Key") == (token, signature)
