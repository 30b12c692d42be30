"""When the tokens that somebody else made expire."""

import base64
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gatecrash.authorizers.contract import AuthorizerRequest, HttpContext, MqttContext
from gatecrash.generators.credentials import open_profile
from gatecrash.generators.credentials.expiry import first_to_expire, token_expiries
from gatecrash.generators.credentials.tokens import JsonWebToken, base64url, unbase64url
from tests.authorizers.strategies import requests
from tests.generators.test_attacks import CORRECT


def token(**claims):
    return JsonWebToken({"alg": "none"}, claims).compact(lambda _: b"signature")


def request(text):
    return AuthorizerRequest(http_context=HttpContext({"Authorization": f"Bearer {text}"}))


CARRIED = {
    "header": request,
    "token": lambda text: AuthorizerRequest(token=text),
    "query": lambda text: AuthorizerRequest(http_context=HttpContext(query_string=f"a=b&token={text}&c=d")),
    "user name": lambda text: AuthorizerRequest(mqtt_context=MqttContext(username=f"me?token={text}")),
    "password": lambda text: AuthorizerRequest(mqtt_context=MqttContext(password=text.encode())),
}


@pytest.mark.parametrize("carrier", CARRIED)
def test_a_token_is_found_wherever_it_travels(carrier):
    assert list(token_expiries(CARRIED[carrier](token(sub="a", exp=1234)))) == [1234.0]


@pytest.mark.parametrize("claims", [{}, {"exp": None}, {"exp": "5"}, {"exp": True}])
def test_a_token_without_an_end_has_none(claims):
    assert list(token_expiries(request(token(sub="a", **claims)))) == []


@pytest.mark.parametrize("text", ["eyJ.eyJ.x", "eyJhIjoxfQ.eyJ!.x", "eyJhIjoxfQ.eyJhIjox.x", "", "a.b.c"])
def test_what_only_looks_like_a_token_is_none(text):
    assert list(token_expiries(request(text))) == []


@given(requests())
def test_any_request_can_be_looked_at(anything):
    assert all(isinstance(expires, float) for expires in token_expiries(anything))


@given(st.binary())
def test_base64url_without_padding_comes_back(data):
    assert unbase64url(base64url(data)) == data


def test_the_first_to_expire_of_a_table_is_named(tmp_path):
    table = tmp_path / "devices.jsonl"
    rows = [{"username": f"d{number}", "password": token(exp=1000 - number)} for number in range(3)]
    table.write_text("\n".join(map(json.dumps, rows)))
    assert first_to_expire(open_profile({"kind": "password", "table": str(table)}, None), 0) == ("d2", 998.0)


def test_a_python_file_may_hold_tokens(tmp_path):
    file = tmp_path / "own.py"
    password = base64.b64encode(token(exp=77).encode()).decode()
    file.write_text(f"def credential(*_): return {{'mqttContext': {{'password': {password!r}}}}}")
    assert first_to_expire(open_profile({"kind": "python", "file": str(file)}, None), 0) == ("device 1", 77.0)


def test_made_tokens_expire_when_they_are_meant_to():
    profile = open_profile(CORRECT["jwt"], None)
    assert first_to_expire(profile, 1000).expires == 1000 + profile.lifetime
    assert first_to_expire(open_profile(CORRECT["password"], None), 1000) is None
