"""No secret of a request is kept or shown."""

import base64
import json

from hypothesis import example, given
from hypothesis import strategies as st

from gatecrash.authorizers.contract import AuthorizerRequest, HttpContext, MqttContext, TlsContext
from gatecrash.authorizers.redact import MASK, pseudonymise, redact_request, redact_text, secrets_of

# Secrets have upper-case letters and what is quoted and encoded; everything else has lower-case letters only, so that
# a secret that is found was not there by chance.
SECRETS = st.builds(
    lambda letters, rest: f"{letters}{rest}",
    st.text("ABCDEFGHJKLMPQRSTUVWXYZ", min_size=4, max_size=8),
    st.text("ABC%25é'\"\\/+ß😀", max_size=8),
)
NAMES = st.text("abcdefghij", min_size=1, max_size=6)
LIMIT = 1_000_000


@st.composite
def secretive_requests(draw):
    """A request and the secrets in it, as its parts have them."""
    secrets = []

    def secret():
        secrets.append(draw(SECRETS))
        return secrets[-1]

    def query():
        return "&".join(f"{name}={secret()}" for name in draw(st.lists(NAMES, max_size=2, unique=True))) or secret()

    password = draw(st.none() | SECRETS.map(str.encode) | st.binary(min_size=6).map(lambda rest: b"SECRET\xff" + rest))
    if password is not None:
        secrets.append(base64.b64encode(password).decode())
        secrets.append(repr(password)[2:-1])
        secrets.append(password.decode("utf-8", "replace"))
    request = AuthorizerRequest(
        token=secret() if draw(st.booleans()) else None,
        token_signature=secret() if draw(st.booleans()) else None,
        http_context=HttpContext(
            {name: secret() for name in draw(st.lists(NAMES, max_size=2, unique=True))}, f"?{query()}"
        ),
        mqtt_context=MqttContext(f"{draw(NAMES)}?{query()}", password, draw(NAMES)),
        tls_context=TlsContext(draw(NAMES)),
    )
    return request, secrets


@given(secretive_requests())
def test_no_secret_survives_in_a_text(made):
    request, secrets = made
    text = redact_text(repr(request), secrets_of(request), limit=LIMIT)
    assert not [secret for secret in secrets if secret in text]
    assert MASK in text


@given(secretive_requests())
def test_no_secret_survives_in_a_text_of_json(made):
    request, secrets = made
    for ascii_only in (True, False):
        text = json.dumps(secrets, ensure_ascii=ascii_only)
        text = redact_text(text, secrets_of(request), limit=LIMIT)
        assert not [one for one in secrets if json.dumps(one, ensure_ascii=ascii_only)[1:-1] in text]


@given(secretive_requests())
def test_no_secret_survives_in_a_redacted_request(made):
    request, secrets = made
    body = redact_request(request)
    for text in (json.dumps(body), json.dumps(body, ensure_ascii=False), repr(body)):
        assert not [secret for secret in secrets if secret in text]


@given(secretive_requests())
def test_what_is_no_secret_stays_in_a_redacted_request(made):
    request, _ = made
    body = redact_request(request)
    assert body["mqttContext"]["clientId"] == request.client_id
    assert body["mqttContext"]["username"].partition("?")[0] == request.mqtt_context.username.partition("?")[0]
    assert list(body["httpContext"]["headers"]) == list(request.http_context.headers)
    assert body["tlsContext"]["serverName"] == request.tls_context.server_name


@given(secretive_requests())
@example((AuthorizerRequest(), []))
def test_redacting_does_not_change_the_request(made):
    request, _ = made
    before = repr(request)
    redact_request(request)
    assert repr(request) == before


def test_a_redacted_request_shows_lengths_and_names():
    request = AuthorizerRequest(
        token="0123456789",
        http_context=HttpContext({"Authorization": "Bearer abcdef"}, "?tenant=blue&flag&empty="),
        mqtt_context=MqttContext("user?key=secret", b"abc"),
    )
    assert redact_request(request) == {
        "token": "*** (10 characters)",
        "httpContext": {
            "headers": {"Authorization": "*** (13 characters)"},
            "queryString": "?tenant=***&***&empty=***",
        },
        "mqttContext": {"username": "user?key=***", "password": "*** (4 characters)"},
    }


def test_a_bearer_token_is_masked_without_its_word_too():
    request = AuthorizerRequest(http_context=HttpContext({"Authorization": "Bearer opaque-token"}))
    assert redact_text("no such token: opaque-token", secrets_of(request)) == f"no such token: {MASK}"


def test_a_url_encoded_token_is_masked_decoded_too():
    request = AuthorizerRequest(http_context=HttpContext(query_string="?token=a%2Bb%3Dc"))
    assert redact_text("got a+b=c and a%2Bb%3Dc", secrets_of(request)) == f"got {MASK} and {MASK}"


def test_the_longer_of_two_secrets_is_masked_first():
    request = AuthorizerRequest("abcd", "abcdefgh")
    assert redact_text("abcdefgh abcd", secrets_of(request)) == f"{MASK} {MASK}"


def test_what_is_too_short_to_be_a_secret_stays():
    assert redact_text("a cat", secrets_of(AuthorizerRequest("cat"))) == "a cat"


def test_what_looks_like_a_json_web_token_is_masked_whoevers_it_is():
    token = "eyJhbGciOiJub25lIn0.eyJzdWIiOiJkZXZpY2UifQ."
    assert redact_text(f"bad token {token} here") == f"bad token {MASK} here"


def test_a_long_text_is_cut_after_it_was_masked():
    request = AuthorizerRequest("s" * 50)
    text = redact_text("x" * 280 + "s" * 50, secrets_of(request))
    assert text == "x" * 280 + MASK
    assert redact_text("y" * 400, limit=10) == "y" * 10 + "…"


@given(secretive_requests())
def test_no_secret_is_left_in_what_was_pseudonymised(made):
    request, secrets = made
    text = pseudonymise(" ".join(secrets_of(request)), secrets_of(request))
    assert not any(secret in text for secret in secrets)


def test_equal_secrets_have_equal_stand_ins_and_others_have_others():
    secrets = ("first-secret", "other-secret")
    shown = pseudonymise("first-secret other-secret first-secret", secrets).split(") ")
    assert shown[0] == shown[2].removesuffix(")")
    assert shown[0] != shown[1]
    assert pseudonymise("first-secret") == "first-secret"


@given(st.text(st.characters(exclude_categories=()), min_size=4))
def test_a_stand_in_means_nothing_in_json_or_a_policy(secret):
    shown = pseudonymise(secret, (secret,))
    assert json.dumps(shown) == f'"{shown}"'
    assert not set(shown) & set("*?$#+{}")


def test_what_looks_like_a_json_web_token_has_a_stand_in_whoevers_it_is():
    token = "eyJhbGciOiJub25lIn0.eyJzdWIiOiJkZXZpY2UifQ."
    assert "eyJ" not in pseudonymise(f"client/{token}")
    assert pseudonymise(f"client/{token}") == pseudonymise(f"client/{token}", (token,))
