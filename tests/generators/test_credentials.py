"""Credential profiles: valid requests by every carrier, tables and files, and the sentences for what is wrong."""

import itertools
import json
import textwrap
import time

import pytest

from gatecrash.authorizers.errors import UsageError
from gatecrash.generators.credentials import open_profile, profile_kinds
from tests.generators.checking import NAMES, TOKEN_KEY, keeps_limits, verifiers

FILES = itertools.count()


@pytest.fixture
def minted_at():
    return int(time.time())


@pytest.mark.parametrize("name", NAMES)
def test_every_device_is_allowed_by_every_carrier_within_the_limits(profiles, name, minted_at):
    profile, allows = open_profile(profiles[name], TOKEN_KEY), verifiers(profiles[name], minted_at).strict
    for identity, salt, carrier in itertools.product(range(profile.identities), (0, 2**32 - 1), profile.carriers):
        request = profile.request(profile.credential(identity, salt, minted_at), carrier)
        assert keeps_limits(request), (identity, carrier)
        assert allows(request), (identity, carrier)


@pytest.mark.parametrize("name", NAMES)
def test_the_same_numbers_make_the_same_credential(profiles, name, minted_at):
    left, right = (open_profile(profiles[name], TOKEN_KEY) for _ in range(2))
    for identity, salt in ((0, 0), (left.identities - 1, 7)):
        assert left.credential(identity, salt, minted_at) == right.credential(identity, salt, minted_at)
    assert left.fingerprint() == right.fingerprint()


def test_every_profile_has_its_own_fingerprint(profiles):
    fingerprints = {open_profile(settings, TOKEN_KEY).fingerprint() for settings in profiles.values()}
    assert len(fingerprints) == len(profiles)
    assert set(NAMES) == set(profiles)
    assert {settings["kind"] for settings in profiles.values()} == set(profile_kinds())


@pytest.mark.parametrize("name", [name for name in NAMES if name.startswith(("jwt", "signed"))])
def test_every_device_has_an_identity_of_its_own(profiles, name, minted_at):
    profile = open_profile(profiles[name], TOKEN_KEY)
    names = {profile.credential(identity, 0, minted_at).identity for identity in range(profile.identities)}
    assert len(names) == profile.identities


@pytest.mark.parametrize("carrier", ["token_in_username", "token_in_query", "token_in_header"])
@pytest.mark.parametrize("kind", ["jwt", "signed"])
def test_a_carrier_that_needs_a_token_key_name_says_so(profiles, kind, carrier, minted_at):
    profile = open_profile(profiles[kind], None)
    with pytest.raises(UsageError, match=r"needs authorizer\.token_key_name"):
        profile.request(profile.credential(0, 0, minted_at), carrier)


def test_a_jwt_lives_for_its_lifetime(profiles, minted_at):
    profile = open_profile({**profiles["jwt"], "lifetime": 60}, TOKEN_KEY)
    claims = profile.credential(0, 0, minted_at).jwt.claims
    assert (claims["iat"], claims["nbf"], claims["exp"]) == (minted_at, minted_at, minted_at + 60)
    assert profile.lifetime == 60


def test_claims_that_are_given_come_before_those_that_are_set(profiles, minted_at):
    profile = open_profile({**profiles["jwt"], "claims": {"sub": "{identity}", "exp": 5, "n": [1]}}, TOKEN_KEY)
    credential = profile.credential(0, 0, minted_at)
    assert credential.jwt.claims == {"iat": minted_at, "nbf": minted_at, "exp": 5, "sub": credential.identity, "n": [1]}


def test_a_key_id_stands_in_the_header(profiles, minted_at):
    profile = open_profile(profiles["jwt RS256"], None)
    assert profile.credential(0, 0, minted_at).jwt.header == {"alg": "RS256", "typ": "JWT", "kid": "k1"}


def test_a_secret_may_come_from_the_environment(profiles, monkeypatch, minted_at):
    settings = {"kind": "jwt", "algorithm": "HS256", "secret_variable": "SECRET_OF_THIS_TEST"}
    monkeypatch.setenv("SECRET_OF_THIS_TEST", "a secret that only these tests use")
    profile = open_profile(settings, None)
    request = profile.request(profile.credential(0, 0, minted_at), "bearer_header")
    assert verifiers(profiles["jwt"], minted_at).strict(request)


@pytest.mark.parametrize(
    ("settings", "sentence"),
    [
        ({}, "credentials.kind is None; it may be jwt, password, signed, api_key, python"),
        ({"kind": "saml"}, "credentials.kind is 'saml'; it may be jwt"),
        ({"kind": "jwt"}, "credentials need a key: set credentials.private_key"),
        ({"kind": "signed"}, "credentials need a key"),
        ({"kind": "jwt", "secret_variable": "NO_SUCH_VARIABLE"}, "the environment has no variable NO_SUCH_VARIABLE"),
        ({"kind": "jwt", "private_key": "/nowhere/key"}, "credentials.private_key: can't read /nowhere/key: No such"),
        ({"kind": "jwt", "secret_file": "/nowhere/key"}, "credentials.secret_file: can't read /nowhere/key: No such"),
        ({"kind": "password"}, "credentials.table is missing: a profile of kind 'password' needs it"),
        ({"kind": "api_key"}, "credentials.table is missing"),
        ({"kind": "python"}, "credentials.file is missing"),
        ({"kind": "password", "table": "/nowhere"}, "credentials.table: can't read /nowhere: No such file"),
        ({"kind": "python", "file": "/nowhere.py"}, "credentials.file: can't read /nowhere.py: No such file"),
    ],
)
def test_what_settings_lack_is_told(settings, sentence):
    with pytest.raises(UsageError) as caught:
        open_profile(settings, None)
    assert sentence in str(caught.value)


@pytest.mark.parametrize(("name", "allowed"), [("jwt", "bearer_header, mqtt_password, token"), ("signed", "token, ")])
def test_an_unknown_carrier_is_told_with_those_there_are(profiles, name, allowed):
    with pytest.raises(UsageError, match=rf"credentials\.carriers is \['pigeon'\].* {allowed}"):
        open_profile({**profiles[name], "carriers": ["pigeon"]}, None)


@pytest.fixture
def table(tmp_path):
    def write(text, ending="jsonl"):
        path = tmp_path / f"table_{next(FILES)}.{ending}"
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        return path

    return write


def secrets_in(path):
    profile = open_profile({"kind": "password", "table": str(path)}, None)
    return [profile.credential(row, 0, 0).secret for row in range(profile.identities)]


@pytest.mark.parametrize(
    ("text", "ending", "secrets"),
    [
        ('{"username":"a","password":"b"}\n\n{"username":"c","password":"d","n":5}', "jsonl", ["b", "d"]),
        ('{"username":"a","password":"b"}\r\n', "jsonl", ["b"]),
        ('{"username":"a","password":"one\u2028line\x85 only"}\n', "jsonl", ["one\u2028line\x85 only"]),
        ('\ufeff{"username":"a","password":"b"}\n', "jsonl", ["b"]),
        ("username,password\na,b\nc,d\n", "csv", ["b", "d"]),
        ("\ufeffusername,password\r\na,b\r\n", "csv", ["b"]),
        ('password,username\n"b, ""quoted""\nand more",a\n', "csv", ['b, "quoted"\nand more']),
    ],
)
def test_tables_are_json_lines_or_csv(table, text, ending, secrets):
    assert secrets_in(table(text, ending)) == secrets


@pytest.mark.parametrize(
    ("text", "ending", "sentence"),
    [
        ("", "jsonl", "has no rows"),
        ("\n\n", "jsonl", "has no rows"),
        ("username,password\n", "csv", "has no rows"),
        ('{"username":"a","password":"b"}\nnonsense', "jsonl", "line 2 of"),
        ('{"username":"a","password":"b"}\n[]', "jsonl", "line 2 of"),
        ('{"username":"a"}', "jsonl", "row 1 of"),
        ('{"username":"a","password":"b"}\n{"username":"a","password":5}', "jsonl", "row 2 of"),
        ('{"username":"a","password":""}', "jsonl", "has no text in column 'password'"),
        ("username\na\n", "csv", "row 1 of"),
        ("username,password\na\n", "csv", "has no text in column 'password'"),
        ("username,password\na,b\na,b,c\n", "csv", "line 3 of"),
        ('username,password\na,"b\n', "csv", "is no CSV"),
        (b'{"username":"a","password":"\xff"}', "jsonl", "is no UTF-8 text"),
    ],
)
def test_what_is_wrong_with_a_table_is_told_with_its_place(table, text, ending, sentence):
    path = table(text, ending)
    with pytest.raises(UsageError) as caught:
        secrets_in(path)
    assert str(caught.value).startswith("credentials.table: ")
    assert sentence in str(caught.value)
    assert str(path) in str(caught.value)


def test_a_message_about_a_table_holds_no_value_of_it(table):
    path = table('{"username":"a","password":"hunter2"}\n{"username":"hunter2",\n')
    with pytest.raises(UsageError) as caught:
        secrets_in(path)
    assert "hunter2" not in str(caught.value)


def test_an_api_key_needs_its_column(table):
    path = table("key\nabc\n", "csv")
    with pytest.raises(UsageError, match="has no text in column 'token'"):
        open_profile({"kind": "api_key", "table": str(path), "column": "token"}, None)


def test_an_api_keys_parameters_are_encoded_into_the_query_string(table):
    path = table("key,Tenant 1\nabc,red & green\n", "csv")
    settings = {"kind": "api_key", "table": str(path), "query": {"t": "{Tenant 1}", "n": "{number:3}"}}
    profile = open_profile(settings, None)
    request = profile.request(profile.credential(0, 0, 0), "http")
    assert request.http_context.headers == {"x-api-key": "abc"}
    assert request.http_context.query_string == "?t=red%20%26%20green&n=001"


def test_a_password_table_may_do_without_client_ids(table):
    profile = open_profile({"kind": "password", "table": str(table("username,password\na,b\n", "csv"))}, None)
    assert profile.request(profile.credential(0, 0, 0), "mqtt").client_id is None


@pytest.fixture
def own(tmp_path):
    def opened(text):
        path = tmp_path / f"own_{next(FILES)}.py"
        path.write_text(textwrap.dedent(text))
        return open_profile({"kind": "python", "file": str(path)}, None)

    return opened


def test_a_python_file_makes_its_own_requests(own):
    profile = own(
        """
        def credential(identity, salt, minted_at):
            return {"httpContext": {"headers": {"X": f"{identity}-{salt}-{minted_at}"}}}
        """
    )
    request = profile.request(profile.credential(2, 3, 4), "own")
    assert request.http_context.headers == {"X": "2-3-4"}
    assert (profile.identities, profile.lifetime, profile.has_denied) == (50, None, False)


def test_a_python_file_says_how_many_devices_there_are_and_how_long_they_are_valid(own):
    profile = own(
        "IDENTITIES, LIFETIME = 3, 60\ndef credential(*_): return {}\ndef denied(*_): return {'token': 'x'}\n"
    )
    assert (profile.identities, profile.lifetime, profile.has_denied) == (3, 60, True)
    assert profile.denied(0, 0, 0).request.token == "x"


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("", "has no function credential"),
        ("credential = 5", "has no function credential"),
        ("def credential(*_): return {}\ndenied = 5", "has no function denied"),
        ("x = 1\nraise ValueError('a secret')", "raised ValueError at line 2"),
        ("x = 1\n\ndef credential(", "raised SyntaxError at line 3"),
        ("import no_such_module_anywhere", "(No module named 'no_such_module_anywhere') at line 1"),
        ("import sys\nsys.exit(3)", "raised SystemExit at line 2"),
        ("def credential(identity): return {}", "must take three arguments"),
        ("IDENTITIES = 0\ndef credential(*_): return {}", "IDENTITIES of"),
        ("IDENTITIES = True\ndef credential(*_): return {}", "IDENTITIES of"),
        ("LIFETIME = '5'\ndef credential(*_): return {}", "LIFETIME of"),
    ],
)
def test_what_is_wrong_with_a_python_file_is_told(own, text, sentence):
    with pytest.raises(UsageError) as caught:
        own(text)
    assert str(caught.value).startswith("credentials.file: ")
    assert sentence in str(caught.value)
    assert "a secret" not in str(caught.value)


@pytest.mark.parametrize(
    ("body", "sentence"),
    [
        ("raise ValueError('a secret')", "raised ValueError at line "),
        ("raise SystemExit('a secret')", "raised SystemExit at line "),
        ("return {'token': device}", "raised NameError (name 'device' is not defined) at line "),
        ("return None", "returned no request in AWS's form: the request must be a JSON object"),
        ("return 5", "returned no request in AWS's form"),
        ("return {'token': 5}", "token must be a string"),
        ("return {'mqttContext': {'password': b'a secret'}}", "mqttContext.password must be a string"),
        ("return {'mqttContext': {'password': 'not base64'}}", "mqttContext.password must be base64"),
        ("return {'httpContext': {'headers': {1: 'x'}}}", "httpContext.headers must have strings as names"),
    ],
)
def test_what_a_functions_call_does_wrong_is_told_with_its_arguments(own, body, sentence):
    profile = own(f"def credential(identity, salt, minted_at):\n    {body}\n")
    with pytest.raises(UsageError) as caught:
        profile.credential(1, 2, 3)
    assert str(caught.value).startswith("credentials.file: credential(1, 2, 3) of ")
    assert sentence in str(caught.value)
    assert "a secret" not in str(caught.value)


def test_another_source_is_another_fingerprint(own):
    text = "def credential(*_): return {}\n"
    assert own(text).fingerprint() == own(text).fingerprint()
    assert own(text).fingerprint() != own(f"{text}# changed\n").fingerprint()


def test_another_key_or_table_is_another_fingerprint(profiles, table):
    rows = [{"username": "a", "password": one} for one in ("b", "c")]
    paths = [table(json.dumps(row)) for row in rows]
    left, right = (open_profile({"kind": "password", "table": str(path)}, None).fingerprint() for path in paths)
    assert left != right
    again = {**profiles["jwt"], "secret_file": str(table("another secret, of the same kind"))}
    assert open_profile(again, None).fingerprint() != open_profile(profiles["jwt"], None).fingerprint()
