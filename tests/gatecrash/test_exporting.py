import ast
import json
import stat
import subprocess
from datetime import UTC, datetime
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from hypothesis import given
from hypothesis import strategies as st

from gatecrash.app import app
from gatecrash.authorizers.errors import UsageError
from gatecrash.generators.cases import GENERATION, Mutation, Recipe
from gatecrash.generators.surroundings import Surroundings
from gatecrash.regression import assert_fixed, requests_of
from gatecrash.replaying.export import Format, export
from gatecrash.replaying.export_texts import Explanation, boto3_script, literal, pytest_file, shell_script
from gatecrash.replaying.replay import stored_finding
from gatecrash.reports.oracles.findings import Classification, Finding
from gatecrash.reports.plan.facts import CorpusFacts, PlanFacts, RunInfo, TargetFacts
from gatecrash.reports.run.folder import RunFolder
from gatecrash.settings.settings import Settings, stored_settings
from tests.reports.fuzz_samples import found
from tests.reports.samples import HOSTILE

PLACE = Path(__file__).resolve().parents[1] / "end_to_end"
DEVICES = PLACE / "devices.jsonl"
PASSWORD = json.loads(DEVICES.read_text().splitlines()[0])["password"]
PLAIN = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text()
VALUES = st.recursive(
    PLAIN | st.binary(), lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4)
)


def settings(handler="ignores_case", **sections):
    handlers = {"handler": f"{PLACE / 'handlers' / handler}.py:handler"}
    password = {"kind": "password", "table": str(DEVICES)}
    return Settings.model_validate({"authorizer": handlers, "credentials": password} | sections)


def signed_settings(key):
    carried = {"kind": "signed", "private_key": key, "carriers": ["token_in_header"]}
    return settings(authorizer={"handler": "authorizer.py", "token_key_name": "token"}, credentials=carried)


def recipe(attack=None, variant=0, carrier="mqtt", identity=0):
    mutations = (Mutation(attack, variant),) if attack else ()
    return Recipe(identity, carrier, mutations, Surroundings(), 0).to_json()


def finding(attack="opaque_secret/secret_in_another_case", setup=(), **more):
    """Return the finding that a recipe was wrongly allowed."""
    known = {"cause": "upper and lower case are the same", "request": {"mqttContext": {"password": "***"}}} | more
    made = {name: known.pop(name) for name in ("variant", "carrier") if name in known}
    steps = {"setup": [{"name": "valid", "recipe": one} for one in setup]} if setup else {}
    reproducer = {"generation": GENERATION, "recipe": recipe(attack, **made), **steps}
    return found(Classification.DETERMINISTIC, 15, 15, **{"reproducer": reproducer, **known})


def text_of(kind, one=None, chosen=None, *, with_secrets=None, folder=None):
    secret = kind in {"cli", "event"} if with_secrets is None else with_secrets
    one = one or finding()
    return export(chosen or settings(), one, Format(kind), run="a-run", with_secrets=secret, folder=folder).text


def literals_of(text):
    """Return what a Python file's SETTINGS, FINDING and REQUESTS are."""
    assigned = [node for node in ast.parse(text).body if isinstance(node, ast.Assign)]
    return {node.targets[0].id: ast.literal_eval(node.value) for node in assigned}


def explanation(run="", serve="", **members):
    return Explanation(finding(**members), run, "", unsigned=False, serve=serve)


@pytest.fixture(scope="module")
def key(tmp_path_factory):
    private = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    path = tmp_path_factory.mktemp("keys") / "private.pem"
    encoding = (serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    path.write_bytes(private.private_bytes(*encoding))
    return str(path)


@pytest.fixture
def run(tmp_path, monkeypatch):
    """A run folder with one finding, below the current folder."""
    monkeypatch.chdir(tmp_path)
    folder = RunFolder.create(tmp_path / "runs", "fuzz", datetime.now(UTC))
    stored = stored_settings(settings())
    folder.write_info(
        RunInfo("fuzz", "2026-11-23T12:00:00+00:00", 1, PlanFacts(), TargetFacts(), CorpusFacts(), {}, stored)
    )
    folder.write_findings([finding()])
    return str(folder.path)


@given(VALUES)
def test_a_literal_makes_its_value(value):
    assert ast.literal_eval(literal(value)) == value


@given(
    st.text() | st.just(HOSTILE) | st.just('"""\\N{BULLET}\\'),
    st.sampled_from(["cause", "description", "source", "run", "serve"]),
)
def test_no_text_of_a_finding_gets_out_of_its_place(text, member):
    hostile = explanation(**{member: text})
    plain = explanation()
    for written, usual in (
        (pytest_file(hostile, {}, {}), pytest_file(plain, {}, {})),
        (boto3_script(hostile, settings={}, finding={}), boto3_script(plain, settings={}, finding={})),
        (boto3_script(hostile, requests=[]), boto3_script(plain, requests=[])),
    ):
        ours, theirs = ast.parse(written), ast.parse(usual)
        assert [type(node) for node in ours.body] == [type(node) for node in theirs.body]
        written.encode()
    code = [line for line in shell_script(hostile, [], [], "").splitlines() if not line.startswith("#")]
    assert code == [line for line in shell_script(plain, [], [], "").splitlines() if not line.startswith("#")]


@given(st.text() | st.just(HOSTILE), st.binary() | st.text().map(lambda text: text.encode("utf-8", "replace")))
def test_a_shell_script_sends_what_the_request_says(name, password):
    request = {"authorizerName": "a", "mqttContext": {"username": name, "password": password}}
    script = shell_script(explanation(), [name], [request], "")
    script.encode()
    (line,) = [line for line in script.splitlines() if line.startswith("{")]
    mqtt = json.loads(line)["mqttContext"]
    assert mqtt["username"] == name
    assert ("raw-in-base64-out" in script) == (mqtt["password"].encode() == password)
    checked = subprocess.run(["sh", "-n"], input=script.encode(), check=False, capture_output=True)
    assert checked.returncode == 0, checked.stderr


@pytest.mark.parametrize(
    ("version", "password", "given"),
    [
        ("aws-cli/1.46.3 Python/3.11", b"caf\xc3\xa9", ("caf\u00e9", [])),
        ("aws-cli/2.31.0 Python/3.13", b"caf\xc3\xa9", ("caf\u00e9", ["--cli-binary-format", "raw-in-base64-out"])),
        ("aws-cli/2.31.0 Python/3.13", b"\xff\x00", ("/wA=", ["--cli-binary-format", "base64"])),
        ("aws-cli/1.46.3 Python/3.11", b"\xff\x00", None),
    ],
)
def test_both_versions_of_the_command_line_get_a_password_in_their_own_form(tmp_path, version, password, given):
    # In place of AWS's command line: one that says its version and shows what it was given.
    command = (
        f'if [ "$1" = --version ]; then echo "{version}"; else shift 2; cat "${{2#file://}}"; shift 2; echo "$@"; fi'
    )
    (tmp_path / "aws").write_text(f"#!/bin/sh\n{command}\n")
    (tmp_path / "aws").chmod(0o755)
    script = shell_script(explanation(), ["x"], [{"mqttContext": {"password": password}}], "--region 'eu-west-1'")
    done = subprocess.run(
        ["sh", "-s", "--", "--profile", "mine"],
        input=script,
        env={"PATH": f"{tmp_path}:/usr/bin:/bin", "TMPDIR": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
    )
    if given is None:
        assert done.returncode == 2
        assert "version 1 of the AWS CLI can't send an MQTT password that is not text" in done.stderr
        return
    request, arguments = done.stdout.splitlines()
    assert json.loads(request)["mqttContext"]["password"] == given[0]
    assert arguments.split() == ["--output", "json", "--region", "eu-west-1", *given[1], "--profile", "mine"]
    assert [path.name for path in tmp_path.iterdir()] == ["aws"]


@pytest.mark.parametrize("kind", ["pytest", "boto3"])
def test_what_is_made_anew_holds_no_secret_and_all_that_a_replay_needs(kind):
    text = text_of(kind)
    assert PASSWORD not in text
    assert PASSWORD.upper() not in text
    values = literals_of(text)
    assert Settings.model_validate(values["SETTINGS"]).authorizer.handler == settings().authorizer.handler
    again = Finding.from_json(values["FINDING"])
    assert (again.sentence, again.confirmation) == (finding().sentence, finding().confirmation)
    assert again.reproducer == finding().reproducer
    (request,) = requests_of(values["SETTINGS"], values["FINDING"])
    assert request["mqttContext"] == {
        "username": "pump-01",
        "password": PASSWORD.upper().encode(),
        "clientId": "pump-01",
    }


def test_a_boto3_script_with_secrets_has_the_requests_themselves():
    values = literals_of(text_of("boto3", finding(setup=[recipe()]), with_secrets=True))
    assert [request["mqttContext"]["password"] for request in values["REQUESTS"]] == [
        PASSWORD.encode(),
        PASSWORD.upper().encode(),
    ]


def test_files_are_named_from_the_exported_file_where_both_lie_in_the_project(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    chosen = settings(authorizer={"handler": str(tmp_path / "src/authorizer.py:handler")})
    values = literals_of(text_of("pytest", chosen=chosen, folder=Path("tests/found")))["SETTINGS"]
    assert values["authorizer"]["handler"] == "../../src/authorizer.py:handler"
    assert values["credentials"]["table"] == str(DEVICES)
    elsewhere = literals_of(text_of("pytest", chosen=chosen, folder=tmp_path.parent))["SETTINGS"]
    assert elsewhere["authorizer"]["handler"] == str(tmp_path / "src/authorizer.py:handler")


@pytest.mark.parametrize("kind", ["cli", "event"])
def test_what_would_hold_a_credential_is_refused_unless_it_is_asked_for(kind):
    with pytest.raises(UsageError, match=f"--as {kind}: the credential would stand in the file; say --with-secrets"):
        text_of(kind, with_secrets=False)


def test_a_test_never_holds_a_secret():
    with pytest.raises(UsageError, match="a pytest file makes its requests anew and never holds a secret"):
        text_of("pytest", with_secrets=True)


def test_an_event_is_what_the_function_gets():
    event = json.loads(text_of("event"))
    assert event["protocolData"]["mqtt"]["username"] == "pump-01"
    assert event["signatureVerified"] is False
    assert event["connectionMetadata"]["id"] != json.loads(text_of("event"))["connectionMetadata"]["id"]
    events = json.loads(text_of("event", finding(setup=[recipe(), recipe(identity=1)])))
    assert [one["protocolData"]["mqtt"]["username"] for one in events] == ["pump-01", "pump-02", "pump-01"]


def test_a_signed_token_is_verified_unless_the_finding_is_of_an_authorizer_without_signing(key):
    signed = signed_settings(key)
    verified = finding(None, carrier="token_in_header")
    assert json.loads(text_of("event", verified, signed))["signatureVerified"] is True
    unsigned = finding("view/signature_not_verified", carrier="token_in_header")
    event = json.loads(text_of("event", unsigned, signed))
    assert event["signatureVerified"] is False
    assert event["token"].startswith("dev0001.")
    for kind in ("cli", "boto3"):
        text = text_of(kind, unsigned, signed)
        assert "whose signing is disabled" in text.replace("\n# ", " ")
        assert "--credentials signed" not in text
        assert f"--credentials signed --private-key {key}" in text_of(kind, verified, signed)


def test_until_when_tokens_hold_is_told(key):
    token = settings(credentials={"kind": "jwt", "private_key": key, "lifetime": 600})
    one = finding("jwt_algorithm/algorithm_none", carrier="bearer_header")
    year = str(datetime.now(UTC).year)
    for kind in ("cli", "boto3"):
        text = text_of(kind, one, token, with_secrets=True).replace("\n# ", " ")
        assert f"Tokens that are valid now are so until {year}" in text
    assert "They don't expire by themselves." in text_of("cli").replace("\n# ", " ")


def test_the_event_of_a_devices_own_connection_can_not_be_sent(key):
    token = settings(credentials={"kind": "jwt", "private_key": key})
    one = finding("view/device_event", carrier="bearer_header")
    for kind in ("cli", "boto3"):
        with pytest.raises(UsageError, match=f"--as {kind}: the finding shows with the event of a device's own"):
            text_of(kind, one, token)
    event = json.loads(text_of("event", one, token))
    assert list(event["protocolData"]["http"]["headers"]) == ["authorization"]


def test_a_request_that_the_service_refuses_has_no_event(key):
    one = finding("iot_signature/signature_damaged", carrier="token_in_header")
    with pytest.raises(UsageError, match=r"AWS IoT refuses the request .* before the function sees it"):
        text_of("event", one, signed_settings(key))


@pytest.mark.parametrize(
    "reproducer",
    [{"index": 3}, {"recipe": {}}, {"recipe": recipe("no_such/attack")}, {"recipe": recipe(), "generation": 1}],
)
@pytest.mark.parametrize("kind", list(Format))
def test_a_request_that_can_not_be_made_again_is_told(kind, reproducer):
    with pytest.raises(UsageError, match="the finding's request can't be made again"):
        text_of(kind, finding(reproducer=reproducer))


def test_a_mended_handler_passes_and_a_defective_one_is_told():
    one = finding().to_json()
    assert_fixed(settings("correct").model_dump(), one, 3)
    with pytest.raises(AssertionError) as caught:
        assert_fixed(settings().model_dump(), one, 3)
    lines = str(caught.value).splitlines()
    assert lines[0] == "GC101 allowed what must be denied (upper and lower case are the same): FAILED 3 of 3"
    assert lines[1] == 'request, secrets masked: {"mqttContext":{"password":"***"}}'
    assert lines[3].startswith('       3 x {"outcome":"allow"')
    assert lines[4].startswith("remedy: Deny by default")
    assert PASSWORD not in str(caught.value)
    assert PASSWORD.upper() not in str(caught.value)


@pytest.mark.parametrize(
    ("chosen", "one", "sentence"),
    [
        (settings("nowhere"), finding(), "CANNOT TEST: --handler: there is no file"),
        (settings(credentials={"kind": "password", "table": "gone.csv"}), finding(), "CANNOT TEST: credentials.table"),
        (settings(), finding(reproducer={}), "CANNOT TEST: the finding's request can't be made again"),
    ],
)
def test_what_can_not_be_tested_is_no_pass(chosen, one, sentence):
    with pytest.raises(AssertionError) as caught:
        assert_fixed(chosen.model_dump(), one.to_json(), 1)
    assert sentence in str(caught.value)


def test_a_view_that_the_target_has_not_can_not_be_tested(key):
    node = settings(
        authorizer={"handler": str(PLACE / "handlers" / "correct.py"), "command": ["true"]},
        credentials={"kind": "jwt", "private_key": key},
    )
    one = finding("view/device_event", carrier="bearer_header")
    with pytest.raises(AssertionError, match="CANNOT TEST"):
        assert_fixed(node.model_dump(), one.to_json(), 1)


def test_files_of_another_version_are_told():
    with pytest.raises(UsageError, match=r"SETTINGS hold what this version of gatecrash doesn't know: target\.new"):
        requests_of({"target": {"new": 1}}, finding().to_json())
    with pytest.raises(UsageError, match="FINDING is none that this version of gatecrash can read: KeyError"):
        requests_of(settings().model_dump(), {"rule": "GC999"})


def test_the_command_writes_a_file_once_and_for_its_owner_alone_where_it_holds_secrets(run, tmp_path, capsys):
    command = ["export", run, "--as", "event", "--with-secrets", "--output", "event.json"]
    assert app(command) == 0
    assert "It holds credentials, and only you can read it." in capsys.readouterr().out
    assert stat.S_IMODE((tmp_path / "event.json").stat().st_mode) == 0o600
    assert app(command) == 2
    assert "event.json is there already" in capsys.readouterr().err
    (tmp_path / "event.json").chmod(0o644)
    assert app([*command, "--force"]) == 0
    assert stat.S_IMODE((tmp_path / "event.json").stat().st_mode) == 0o600


def test_the_command_prints_where_no_file_is_named(run, capsys):
    assert app(["export", run, "--as", "pytest"]) == 0
    assert "assert_fixed(SETTINGS, FINDING" in capsys.readouterr().out
    assert app(["export", run, "--as", "pytest", "--finding", "2"]) == 2
    assert "--finding 2: " in capsys.readouterr().err
    assert app(["export", run, "--as", "pytest", "--output", "none/test.py"]) == 2
    assert "--output: can't write none/test.py" in capsys.readouterr().err


def test_a_stored_finding_comes_with_the_settings_of_its_run(run):
    stored, one = stored_finding(Path(run), 1)
    assert (stored.authorizer.handler, one.sentence) == (settings().authorizer.handler, finding().sentence)
