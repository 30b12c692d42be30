import json
import tomllib
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from hypothesis import given
from hypothesis import strategies as st

from gatecrash.app import app
from gatecrash.authorizers.errors import UsageError
from gatecrash.commands.init import commented_settings
from gatecrash.settings.options import overrides_of, settings_options
from gatecrash.settings.settings import Settings, known_keys, parse_assignment, read_settings, stored_settings
from gatecrash.settings.targets import target_settings


def test_without_a_file_the_sample_authorizer_is_tested(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    settings = read_settings(None, {})
    assert settings.uses_sample is False
    assert settings.authorizer.handler.endswith("jwt_authorizer.py:handler")
    assert settings.credentials.kind == "jwt"


def test_a_handler_of_ones_own_gets_no_credentials_of_the_sample(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert read_settings(None, {"authorizer.handler": "mine.py"}).credentials.kind is None


def test_files_are_meant_from_the_folder_of_the_settings_file(tmp_path):
    (tmp_path / "gatecrash.toml").write_text('[credentials]\ntable = "devices.csv"\n[output]\nruns = "r"\n')
    settings = read_settings(tmp_path / "gatecrash.toml", {})
    assert settings.credentials.table == str(tmp_path / "devices.csv")
    assert settings.output.runs == str(tmp_path / "r")


def test_a_run_keeps_settings_that_can_be_replayed_from_anywhere(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    given = {"authorizer.handler": "mine.py:handler", "credentials.kind": "password", "credentials.table": "d.csv"}
    stored = stored_settings(read_settings(None, given))
    assert stored["authorizer"]["handler"] == f"{tmp_path / 'mine.py'}:handler"
    assert Settings.model_validate(stored).credentials.table == str(tmp_path / "d.csv")


def test_what_is_given_on_the_command_line_wins(tmp_path):
    (tmp_path / "gatecrash.toml").write_text("[load]\nrate = 5\nduration = 7\n")
    settings = read_settings(tmp_path / "gatecrash.toml", {"load.rate": 9})
    assert (settings.load.rate, settings.load.duration) == (9, 7)


@pytest.mark.parametrize("kind", ["iot", "lambda"])
def test_a_handler_in_the_file_is_left_out_where_the_command_line_names_a_deployed_target(tmp_path, kind):
    file = tmp_path / "gatecrash.toml"
    file.write_text('[authorizer]\nname = "fleet"\nhandler = "mine.py:handler"\n')
    authorizer = read_settings(file, {"target.kind": kind}).authorizer
    assert (authorizer.name, authorizer.handler) == ("fleet", None)
    # Who names both in the same place contradicts himself.
    assert read_settings(file, {"target.kind": kind, "authorizer.handler": "m.py"}).authorizer.handler == "m.py"
    file.write_text(f'[target]\nkind = "{kind}"\n[authorizer]\nhandler = "mine.py:handler"\n')
    assert read_settings(file, {}).authorizer.handler == f"{tmp_path / 'mine.py'}:handler"
    assert read_settings(file, {"target.kind": "local"}).authorizer.handler == f"{tmp_path / 'mine.py'}:handler"


def test_a_table_in_place_of_a_value_is_a_sentence(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "gatecrash.toml").write_text("load = 5\n")
    with pytest.raises(UsageError, match="load is a value, not a section"):
        read_settings(None, {"load.rate": 9})
    with pytest.raises(UsageError, match="load is 5"):
        read_settings(None, {})


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("load.rate=5", ("load.rate", 5)),
        ("load.rate = 5.5", ("load.rate", 5.5)),
        ("output.name=nightly", ("output.name", "nightly")),
        ("authorizer.show_output=true", ("authorizer.show_output", True)),
        ('credentials.query={tenant = "{tenant}"}', ("credentials.query", {"tenant": "{tenant}"})),
        ("credentials.token=a=b", ("credentials.token", "a=b")),
    ],
)
def test_an_assignment_is_toml_or_else_text(text, expected):
    assert parse_assignment(text) == expected


@given(st.text())
def test_any_assignment_is_read_or_refused_in_a_sentence(text):
    try:
        key, _ = parse_assignment(text)
    except UsageError:
        return
    assert "." in key


def test_the_commented_settings_are_toml_that_changes_nothing():
    assert Settings.model_validate(tomllib.loads(commented_settings())) == Settings()


def test_the_commented_settings_are_right_when_uncommented():
    """Every key that has a default is shown with it, in TOML that reads back as the default."""
    text = commented_settings()
    for key in known_keys():
        section, _, name = key.partition(".")
        assert f"# {name} = " in text
        line = next(line for line in text.split(f"[{section}]")[1].splitlines() if line.startswith(f"# {name} = "))
        default = getattr(getattr(Settings(), section), name)
        if default is not None and default != {}:
            assert tomllib.loads(line.removeprefix("# ")) == {name: default}


def test_every_key_is_explained():
    text = commented_settings().splitlines()
    for number, line in enumerate(text):
        if line.startswith("# ") and " = " in line and not text[number - 1].startswith("["):
            assert len(text[number - 1].removeprefix("# ")) > 10, line


@pytest.mark.parametrize("scenario", ["none", "load", "fuzz"])
def test_every_flag_stands_for_a_key_that_exists(scenario):
    command = settings_options(scenario)(lambda settings: settings)
    shown = {option.help.rpartition("[")[2].rstrip("]") for option in command.__click_params__ if "  [" in option.help}
    assert shown
    assert shown <= set(known_keys())


def lambda_settings(tmp_path, monkeypatch, **given):
    monkeypatch.chdir(tmp_path)
    overrides = {f"target.{name}": value for name, value in {"kind": "lambda", "function": "mine", **given}.items()}
    return read_settings(None, overrides)


def test_a_lambda_function_is_a_target_with_the_front_of_its_authorizer(tmp_path, monkeypatch):
    settings = lambda_settings(tmp_path, monkeypatch, region="eu-west-1", log_tail=True)
    assert target_settings(settings) == {
        "kind": "lambda_function",
        "function": "mine",
        "region": "eu-west-1",
        "profile": None,
        "endpoint_url": None,
        "log_tail": True,
        "authorizer_name": "authorizer",
        "dialect": "test_invoke",
        "token_key_name": None,
        "signing_keys": {},
    }
    assert settings.uses_sample is False
    assert settings.credentials.kind is None


def test_signed_tokens_are_verified_with_the_profiles_own_key(tmp_path, monkeypatch):
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    pem = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    (tmp_path / "key.pem").write_bytes(pem)
    monkeypatch.chdir(tmp_path)
    signed = {"credentials.kind": "signed", "credentials.private_key": "key.pem"}
    settings = read_settings(None, {"target.kind": "lambda", "target.function": "mine", **signed})
    found = target_settings(settings)
    assert found["token_key_name"] == "token"
    (public,) = found["signing_keys"].values()
    assert public.startswith("-----BEGIN PUBLIC KEY-----")


def test_a_lambda_target_without_a_function_is_a_sentence(tmp_path, monkeypatch):
    with pytest.raises(UsageError, match=r"target\.function is missing: .* --function"):
        target_settings(lambda_settings(tmp_path, monkeypatch, function=None))
    with pytest.raises(UsageError, match=r"target\.function is ''"):
        lambda_settings(tmp_path, monkeypatch, function="")


def test_a_duration_is_that_of_the_scenario_which_it_is_given_for():
    flags = {"load.duration": 60.0, "load.rate": 5.0}
    assert overrides_of("steady", flags) == overrides_of(None, flags) == flags
    assert overrides_of("soak", flags) == {"soak.duration": 60.0, "load.rate": 5.0}
    assert overrides_of("spike", {"load.rate": 5.0}) == {"load.rate": 5.0}


@pytest.mark.parametrize(
    ("command", "scenario", "keys"),
    [
        ("run", "spike", ("spike.before", "spike.within", "spike.after")),
        ("plan", "spike", ("spike.before", "spike.within", "spike.after")),
        ("plan", "capacity", ("capacity.seconds",)),
    ],
)
def test_a_duration_that_a_scenario_can_not_have_is_refused(tmp_path, monkeypatch, capsys, command, scenario, keys):
    monkeypatch.chdir(tmp_path)
    assert app([command, "--scenario", scenario, "--duration", "60"]) == 2
    said = capsys.readouterr().err
    assert f"--duration doesn't go with --scenario {scenario}" in said
    assert all(key in said for key in keys)
    assert not list(tmp_path.iterdir())


def test_plan_and_run_soak_for_the_duration_of_the_flag_and_not_of_the_file(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "gatecrash.toml").write_text("[load]\nduration = 7\n[soak]\nduration = 9\n")
    flags = ["--cases", "1", "--set", f"output.cache={tmp_path}"]
    lengths = []
    for more in (["--duration", "60"], []):
        assert app(["plan", "--scenario", "soak", *flags, *more]) == 0
        lengths.append(json.loads(Path(capsys.readouterr().out.strip()).read_text())["duration"])
    assert lengths == [60.0, 9.0]
